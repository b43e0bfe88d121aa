"""Arrays of codes larger than memory: mapped from a file and read in parts."""

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
    """The codes of an open file as a memory map; the file may be closed afterwards, and need no name."""
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
    """Release the pages of a mapped file.

    The system would reclaim them when it needs them, but until then they count as memory of this process: a text of a
    gigabyte would look like a gigabyte of memory in use.
    """
    array: object = codes
    while isinstance(array, np.ndarray):
        array = array.base
    if isinstance(array, mmap.mmap):
        array.madvise(mmap.MADV_DONTNEED)


def translate(codes: Codes, table: NDArray[np.integer]) -> Codes:
    """The codes of the same text in another vocabulary, in memory or mapped, as the given ones are.

    Args:
        codes: shape `(N,)`.
        table: the new code of each old one; `UNKNOWN` drops it.

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
    """The number of codes that a table does not drop."""
    return sum([int((table[part] != UNKNOWN).sum()) for part in parts(codes)])
