"""What gates do where a pattern matches: their means at each character before and after, beside those elsewhere."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.errors import CorpusError
from textgen.evaluation.bootstrap import half_widths

BEFORE, AFTER = 5, 10  # characters that are shown
BLOCKS = 20  # of places that are drawn together, since neighbours in a text are alike


@dataclass(frozen=True, eq=False)
class GatesAt:
    """The means of gates, and of what is remembered, around the places where a pattern matches.

    Attributes:
        pattern: the regular expression.
        places: how many matches the means are of.
        characters: of the text.
        offsets: of the characters from the last one of a match, int64 `(W,)`; 0 is that one, which completes the match.
        layers: counted from 1, `L` of them.
        quantities: `Q` names. Gates, from 0 to 1, are means over a layer's units; of all else, which has either sign,
            the mean size is given.
        means: float64 `(L, Q, W)`.
        margins: half the widths of their 95 % intervals, likewise; infinite where there is only one place.
        elsewhere: the means over all characters that complete no match, float64 `(L, Q)`.
    """

    pattern: str
    places: int
    characters: int
    offsets: NDArray[np.int64]
    layers: tuple[int, ...]
    quantities: tuple[str, ...]
    means: NDArray[np.float64]
    margins: NDArray[np.float64]
    elsewhere: NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON has it: arrays as lists, None for infinity."""
        margins = np.where(np.isfinite(self.margins), self.margins, None)  # type: ignore[call-overload]
        arrays = {name: getattr(self, name).tolist() for name in ("offsets", "means", "elsewhere")}
        names = {"layers": [*self.layers], "quantities": [*self.quantities]}
        size = {"pattern": self.pattern, "places": self.places, "characters": self.characters}
        return size | names | arrays | {"margins": margins.tolist()}


def around(
    series: NDArray[np.float32], places: NDArray[np.int64], before: int = BEFORE, after: int = AFTER
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], int]:
    """The means of some series around some places, and elsewhere.

    Intervals are those of a moving block bootstrap over the places: a twentieth of them is drawn together.

    Args:
        series: `(N, K)`.
        places: ascending, `(P,)`; those that have too few characters before or after them are left out.
        before: how many characters before each place count.
        after: how many after it.

    Returns:
        The means and half the widths of their 95 % intervals, `(K, W)` for W = before + 1 + after; the means over
        all characters but the places, `(K,)`; and how many places counted.

    Raises:
        CorpusError: no place counts, or every character is one.
    """
    whole = places[(places >= before) & (places < len(series) - after)]
    if not len(whole):
        raise CorpusError(
            f"`at` matches nowhere in this text of {len(series):,} characters with {before} characters before it "
            f"and {after} behind it; try another pattern, or give more text"
        )
    elsewhere = np.ones(len(series), bool)
    elsewhere[places] = False
    if not elsewhere.any():
        raise CorpusError("`at` matches at every character, so there is no elsewhere to compare with; be more specific")
    offsets = np.arange(-before, after + 1)
    block = -(-len(whole) // BLOCKS)
    sizes = np.ones(len(whole), np.int64)
    means, margins = np.empty((2, series.shape[1], len(offsets)))
    for number, offset in enumerate(offsets.tolist()):  # one by one, since there may be a hundred thousand places
        values = series[whole + offset].T.astype(np.float64)
        means[:, number], margins[:, number] = values.mean(axis=1), half_widths(values, sizes, block)
    return means, margins, series[elsewhere].mean(axis=0, dtype=np.float64), len(whole)
