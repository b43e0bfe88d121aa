"""Arrays of codes too large for memory: mapped from a file, read in parts, their pages given back."""

import mmap
from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

from textgen.corpus.cache import in_scratch
from textgen.corpus.vocabulary import UNKNOWN, Codes

PART = 2**20  # codes treated at once
PAUSE = 256  # readings here and there after which the pages of a mapped text are given back: a few megabytes by then


def mapped(file: IO[bytes], dtype: np.dtype[np.unsignedinteger]) -> Codes:
    """The codes of an open file, read as they are used; the file may be closed, and have no name."""
    with file:
        return np.memmap(file, dtype, mode="r")


def parts(codes: Codes) -> Iterator[Codes]:
    """The codes in parts of a million."""
    for start in range(0, len(codes), PART):
        yield codes[start : start + PART]
        _give_back(codes)


def gather(codes: NDArray[np.integer], places: NDArray[np.integer] | slice, number: int) -> NDArray[np.integer]:
    """The codes at some places, of any shape, or of a stretch; the caller counts its calls."""
    if number % PAUSE == 0:
        _give_back(codes)
    return codes[places]


def _give_back(codes: NDArray[np.integer]) -> None:
    """Let the pages that were read of a mapped file go.

    The system would take them when it needs them. But they count as this process's memory until then, and a text of a
    gigabyte would be taken for a gigabyte that is gone.
    """
    array: object = codes
    while isinstance(array, np.ndarray):
        array = array.base
    if isinstance(array, mmap.mmap):
        array.madvise(mmap.MADV_DONTNEED)


def translate(codes: Codes, table: NDArray[np.integer]) -> Codes:
    """Other codes for the same text, where the first ones lie: in memory, or mapped from a nameless file.

    Args:
        codes: shape `(N,)`.
        table: the new code of each old one; `UNKNOWN` leaves it out.

    Returns:
        Codes of the smallest type that holds the table's, shape `(M,)`.
    """
    dtype = np.min_scalar_type(max(0, int(table.max())))

    def translated(part: Codes) -> Codes:
        new = table[part]
        return new[new != UNKNOWN].astype(dtype)

    if not isinstance(codes, np.memmap):
        return translated(codes)

    def write(file: IO[bytes]) -> int:
        return sum([file.write(translated(part).data) for part in parts(codes)])

    file, size = in_scratch(write)
    if size:
        return mapped(file, dtype)
    file.close()
    return np.zeros(0, dtype)


def count_known(codes: Codes, table: NDArray[np.integer]) -> int:
    """How many of the codes a table does not leave out."""
    return sum([int((table[part] != UNKNOWN).sum()) for part in parts(codes)])
