"""Arrays of codes too large for memory: mapped from a file, read in parts, their pages given back."""

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textgen.corpus.cache import scratch_file, writing
from textgen.corpus.vocabulary import UNKNOWN, Codes

PART = 2**20  # codes treated at once


def mapped(path: Path, dtype: np.dtype[np.unsignedinteger]) -> Codes:
    """A file's codes, read as they are used."""
    return np.memmap(path, dtype, mode="r")


def parts(codes: Codes) -> Iterator[Codes]:
    """The codes in parts of a million."""
    for start in range(0, len(codes), PART):
        yield codes[start : start + PART]
        give_back(codes)


def give_back(codes: Codes) -> None:
    """Let the pages that were read of a mapped file go; they would count as this process's memory."""
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
    with writing(), scratch_file() as file:
        for part in parts(codes):
            file.write(translated(part).data)
        file.flush()
        return np.memmap(file, dtype, mode="r") if file.tell() else np.zeros(0, dtype)


def count_known(codes: Codes, table: NDArray[np.integer]) -> int:
    """How many of the codes a table does not leave out."""
    return sum([int((table[part] != UNKNOWN).sum()) for part in parts(codes)])
