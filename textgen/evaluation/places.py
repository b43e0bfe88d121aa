"""Places of texts that are joined: the file, and the line and column in it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textgen.corpus.codes import PART


class Place(NamedTuple):
    """Where something begins in a file.

    Attributes:
        file: its name.
        line: counted from 1.
        column: the character of the line, counted from 1.
        offset: the character of the file as it was read and normalised, counted from 0.
    """

    file: str
    line: int
    column: int
    offset: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


def located(
    codes: NDArray[np.integer], newline: int, files: Sequence[tuple[str, int]], places: NDArray[np.integer]
) -> tuple[Place, ...]:
    """The places of some characters of texts.

    Args:
        codes: of the texts, joined, `(N,)`.
        newline: the code of a newline.
        files: the name of each text, and where it begins in the codes; at least one, in order.
        places: of the characters in the codes, `(P,)`.
    """
    names, starts = [name for name, _ in files], np.array([start for _, start in files])
    which = np.searchsorted(starts, places, side="right") - 1
    lines, begins = _lines(codes, newline, np.append(places, starts))
    first, lines = lines[len(places) :][which], lines[: len(places)]
    starts = starts[which]
    columns = places - np.maximum(begins[: len(places)], starts)
    return tuple(
        Place(names[number], line + 1, column + 1, offset)
        for number, line, column, offset in zip(
            which.tolist(), (lines - first).tolist(), columns.tolist(), (places - starts).tolist(), strict=True
        )
    )


def _lines(
    codes: NDArray[np.integer], newline: int, places: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The number of newlines before each place, and where its line begins; both `(P,)`."""
    lines, begins = np.zeros((2, len(places)), np.int64)
    before = begin = 0
    for start in range(0, len(codes), PART):
        ends = np.flatnonzero(codes[start : start + PART] == newline) + start
        here = np.flatnonzero((places >= start) & (places < start + PART))
        rank = np.searchsorted(ends, places[here])
        bounds = np.append(begin, ends + 1)
        lines[here], begins[here] = before + rank, bounds[rank]
        before, begin = before + len(ends), int(bounds[-1])
    return lines, begins
