"""Where else in a text the same units are active as in a passage of it, as LSTMVis asks (Strobelt et al., 2018)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.errors import CorpusError

ACTIVE = 0.3
BEST = 10
BEFORE = 20  # characters that are shown before a passage
COLUMNS = 32  # units that are looked at at once


@dataclass(frozen=True)
class Passage:
    """A passage in which the same units are active.

    Attributes:
        start: its place in the text.
        before: at most 20 characters before it.
        text: its characters.
        shared: how many of the units are active throughout it.
        others: how many others are.
        likeness: what the shared ones tell as a part of what all that are active in either passage tell, from 0 to 1
            (Jaccard's index, 1901, weighted).
    """

    start: int
    before: str
    text: str
    shared: int
    others: int
    likeness: float


@dataclass(frozen=True)
class SimilarPassages:
    """The passages of a text in which the same units are active as in one of it.

    Attributes:
        start: the place of that passage in the text.
        before: at most 20 characters before it.
        text: its characters.
        cells: layer and unit, counted from 1, of those that are active throughout it.
        passages: those that are most like it, at most ten, the likest first; they do not overlap.
        typical: the likeness of the median passage of this length.
        characters: of the text.
    """

    start: int
    before: str
    text: str
    cells: tuple[tuple[int, int], ...]
    passages: tuple[Passage, ...]
    typical: float
    characters: int

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        cells = [{"layer": layer, "unit": unit} for layer, unit in self.cells]
        return vars(self) | {"cells": cells, "passages": [vars(passage) for passage in self.passages]}


def similar(active: NDArray[np.int8], text: str, start: int, end: int) -> SimilarPassages:
    """The passages that are most like a passage of the same text, and of its length.

    A unit is active in a passage if it has the same sign, and is not small, at every character of it. It counts by what
    that tells: the information -log p, where p is the share of all passages of this length in which it is active.

    Args:
        active: the sign of each unit after each character, 0 where it is small, `(N, layers, U)`.
        text: the N characters.
        start: where the passage starts.
        end: where it has ended.

    Raises:
        CorpusError: no unit is active throughout the passage.
    """
    per_layer, active = active.shape[2], active.reshape(len(active), -1)
    length, windows = end - start, len(active) - (end - start) + 1
    sums, inside = np.zeros((4, windows), np.float32), 0.0
    units: list[NDArray[np.intp]] = []
    for first in range(0, active.shape[1], COLUMNS):
        columns = np.ascontiguousarray(active[:, first : first + COLUMNS].T)
        for sign in (1, -1):
            throughout = _throughout(columns == sign, length)  # (COLUMNS, windows)
            shares = np.count_nonzero(throughout, axis=1) / windows
            information = -np.log(np.where(shares, shares, 1))
            here = throughout[:, start]
            units.append(np.flatnonzero(here) + first)
            inside += float(information[here].sum())
            asked = np.stack([information * here, information, here, ~here]).astype(np.float32)
            sums += asked @ throughout.astype(np.float32)
    chosen = np.sort(np.concatenate(units))
    if not len(chosen):
        raise CorpusError(f"no unit is active throughout `similar={start}:{end}`; give a shorter passage")
    both, theirs, shared, others = sums
    likeness = both / np.maximum(inside + theirs - both, np.float32(1e-9))
    passages = [
        Passage(
            place, *_shown(text, place, place + length), int(shared[place]), int(others[place]), float(likeness[place])
        )
        for place in _apart(likeness, start, length)
        if shared[place]
    ]
    cells = tuple((unit // per_layer + 1, unit % per_layer + 1) for unit in chosen.tolist())
    typical = float(np.median(likeness))
    return SimilarPassages(start, *_shown(text, start, end), cells, tuple(passages), typical, len(active))


def _shown(text: str, start: int, end: int) -> tuple[str, str]:
    """The characters before a passage, and its own."""
    return text[max(0, start - BEFORE) : start], text[start:end]


def _throughout(active: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Whether each unit is active at all of `length` characters from each place on, `(U, N - length + 1)`."""
    found, covered = active, 1
    while covered < length:  # twice as many each time, so that long passages take hardly longer
        step = min(covered, length - covered)
        found = found[:, :-step] & found[:, step:]
        covered += step
    return found


def _apart(likeness: NDArray[np.float32], start: int, length: int) -> list[int]:
    """The likest places, the likest first, of passages that overlap neither each other nor the given one."""
    left = likeness.copy()
    found: list[int] = []
    place = start
    while True:
        left[max(0, place - length + 1) : place + length] = -1
        place = int(left.argmax())
        if len(found) == BEST or left[place] < 0:
            return found
        found.append(place)
