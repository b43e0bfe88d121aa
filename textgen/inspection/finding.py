"""Which cells tell a feature of the text, and by how much better than chance.

Cells are chosen on the first half of the text, and judged on the second. Hundreds of cells tell something of anything:
so all of it is done again with the feature's values turned round by some number of characters, in each half. This keeps
how a feature and a cell change along the text, and undoes all that they have to do with each other.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.errors import CorpusError
from textgen.inspection.features import Feature, called
from textgen.wording import counted

SHIFTS = 99  # shuffled features; what is above all of them is so by chance in one of a hundred cases
BEST = 10  # cells that are judged
FEWEST = 1000  # characters
NEAREST = 1000  # characters that a feature is shifted by at least, or a tenth of the half where that is fewer
COLUMNS = 64  # cells that are measured at once
BINS = 2**16  # values of a float16

Array = NDArray[Any]


@dataclass(frozen=True)
class FoundCell:
    """A cell, and how well it tells a feature.

    Attributes:
        layer: counted from 1.
        unit: counted from 1.
        sign: 1 where the cell is higher the more there is of the feature, -1 where it is lower.
        learnt: the AUC, or R², on the half that it was chosen on.
        told: that on the other half.
    """

    layer: int
    unit: int
    sign: int
    learnt: float
    told: float


@dataclass(frozen=True, eq=False)
class FoundCells:
    """The cells that tell a feature best, and how well they would tell a shuffled one.

    Attributes:
        feature: what they tell.
        measure: `AUC`, for yes or no: how often the cell is higher at a character of the feature than at another one,
            0.5 for chance; or `R²`, for numbers: the share of the variance that a line through the cell's values
            accounts for, 0 or less for chance.
        cells: the ten cells that tell it best on the first half, the best first.
        shuffled: what the best cell for a shuffled feature tells on the other half, the mean of 99.
        shuffled_most: the most that any of the ten best for any of them tells.
        best: what the best of them holds after each character, of both halves, float16 `(N,)`.
    """

    feature: Feature
    measure: str
    cells: tuple[FoundCell, ...]
    shuffled: float
    shuffled_most: float
    best: Array

    @property
    def telling(self) -> tuple[FoundCell, ...]:
        """The cells that tell the feature better than any cell tells a shuffled one; none where nothing was found.

        They are also above chance: where the halves of a text differ, R² is far below 0 for the shuffled feature, too.
        """
        chance = 0.0 if self.feature.graded else 0.5
        return tuple(cell for cell in self.cells if cell.told > max(chance, self.shuffled_most))

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        return {
            "feature": self.feature.name,
            "measure": self.measure,
            "characters": len(self.best),
            "share": None if self.feature.graded else float(self.feature.values.mean(dtype=np.float64)),
            "shuffled": self.shuffled,
            "shuffled_most": self.shuffled_most,
            "found": len(self.telling),
            "cells": [vars(cell) for cell in self.cells],
        }


def find(cells: Array, feature: Feature) -> FoundCells:
    """The cells that tell a feature best.

    Yes or no is told by the area under the ROC curve (AUC), which is Mann and Whitney's U (1947) divided by the number
    of pairs, ties counting half; numbers by R² of a linear map that was fitted on the first half.

    Args:
        cells: what each cell holds after each character, float16 `(N, layers, U)`.
        feature: of the same N characters.

    Raises:
        CorpusError: there are fewer than 1,000 characters, or the feature is the same throughout one half of them.
    """
    units, cells = cells.shape[2], cells.reshape(len(cells), -1)
    middle = len(cells) // 2
    halves = slice(None, middle), slice(middle, None)
    check(feature)
    rng = np.random.default_rng(0)
    asked = [_with_shifted(feature.values[half], rng) for half in halves]
    measured = _variances if feature.graded else _areas
    learnt, told = np.empty((2, SHIFTS + 1, cells.shape[1]))
    for start in range(0, cells.shape[1], COLUMNS):
        chosen = slice(start, start + COLUMNS)
        columns = [np.ascontiguousarray(cells[half, chosen].T) for half in halves]
        learnt[:, chosen], told[:, chosen] = measured(columns, asked)
    best = np.argsort(-np.abs(learnt), axis=1, kind="stable")[:, :BEST]  # of each feature, (SHIFTS + 1, BEST)
    learnt, told = (np.take_along_axis(figures, best, axis=1) for figures in (learnt, told))
    signs = np.where(learnt < 0, -1, 1)
    if not feature.graded:
        learnt, told = learnt * signs + 0.5, told * signs + 0.5
    places = (part.tolist() for part in (best[0] // units + 1, best[0] % units + 1))
    rows = zip(*places, signs[0].tolist(), np.abs(learnt[0]).tolist(), told[0].tolist(), strict=True)
    return FoundCells(
        feature=feature,
        measure="R²" if feature.graded else "AUC",
        cells=tuple(FoundCell(*row) for row in rows),
        shuffled=float(told[1:, 0].mean()),
        shuffled_most=float(told[1:].max()),
        best=cells[:, best[0, 0]].copy(),
    )


def check(feature: Feature) -> None:
    """Raise `CorpusError` for a feature that cannot be learnt and tested, for the reasons that `find` gives."""
    characters, middle = len(feature.values), len(feature.values) // 2
    if characters < FEWEST:
        raise CorpusError(
            f"the text has {counted(characters, 'character')} that the model knows; to find cells takes at least "
            f"{FEWEST:,}, half to choose them on and half to test them on: give more text"
        )
    for values, where in ((feature.values[:middle], "first"), (feature.values[middle:], "second")):
        if not values.min() < values.max():
            raise CorpusError(
                f"{called(feature.name)}: is the same throughout the {where} half of this text of {characters:,} "
                "characters; cells are chosen on one half and tested on the other: give more text, or look for "
                "another feature"
            )


def _with_shifted(values: Array, rng: np.random.Generator) -> Array:
    """A feature, and 99 times the same turned round by a number of characters, float32 `(100, N)`."""
    nearest = min(NEAREST, len(values) // 10)
    shifts = rng.integers(nearest, len(values) - nearest, SHIFTS)
    return np.stack([values, *(np.roll(values, shift) for shift in shifts.tolist())])


def _areas(columns: list[Array], asked: list[Array]) -> list[Array]:
    """The AUC less a half of each cell for each feature, `(K, U)`, on either half of the text."""
    found = []
    for cells, features in zip(columns, asked, strict=True):
        ones = np.count_nonzero(features[0])
        ranks = np.stack([_centred_ranks(cell) for cell in cells])
        found.append(features @ ranks.T / (float(ones) * (len(features[0]) - ones)))
    return found


def _centred_ranks(values: Array) -> Array:
    """The rank of each value less the mean rank, float32; equal values have the mean of theirs."""
    bits = (values + np.float16(0)).view(np.uint16)  # -0 becomes 0
    ordered = np.where(bits >> 15, ~bits, bits | np.uint16(1 << 15))  # as the numbers, which a sign and a size are not
    counts = np.bincount(ordered, minlength=BINS)
    ranks = np.cumsum(counts) - (counts - 1) / 2 - (len(values) + 1) / 2
    return np.asarray(ranks.astype(np.float32)[ordered])


def _variances(columns: list[Array], asked: list[Array]) -> list[Array]:
    """On the first half the squared correlation with the sign of the slope, on the second R² of the line fitted there.

    `(K, U)` both, of each cell for each feature.
    """
    (x, new_x), (y, new_y) = ([part.astype(np.float32) for part in parts] for parts in (columns, asked))
    centre, middle = x.mean(axis=1, dtype=np.float64), y[0].mean(dtype=np.float64)
    x, new_x = ((part - centre[:, None]).astype(np.float32) for part in (x, new_x))  # (U, N)
    y, new_y = ((part - middle).astype(np.float32) for part in (y, new_y))  # (K, N)
    squares, products = np.square(x).sum(axis=1, dtype=np.float64), (y @ x.T).astype(np.float64)
    slopes = products / np.where(squares, squares, 1)
    learnt = np.sign(slopes) * slopes * products / np.square(y[0]).sum(dtype=np.float64)
    total, count = np.square(new_y[0]).sum(dtype=np.float64), new_y.shape[1]
    errors = total - 2 * slopes * (new_y @ new_x.T) + slopes**2 * np.square(new_x).sum(axis=1, dtype=np.float64)
    return [learnt, 1 - errors / (total - new_y[0].sum(dtype=np.float64) ** 2 / count)]
