"""One number for each character of a text: what a cell holds, or how open a layer's gate is on average."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from textgen.arguments import shown
from textgen.evaluation.score import Place
from textgen.evaluation.subject import Subject
from textgen.inspection.blocks import Choice
from textgen.inspection.trace import Trace, traced_subject
from textgen.keras_archive import Array
from textgen.model_file import Weights

HIGHEST = 1.0  # what a gate, and what a cell gives on, reach at most
LEAST_TOP = 0.01  # of a gate's difference from its mean


@dataclass(frozen=True)
class View:
    """What is looked at.

    Attributes:
        quantity: a gate; or what a unit remembers: an LSTM's `cell`, and the other cells' `hidden`.
        layer: counted from 1.
        unit: counted from 1; None for the mean over the layer's units.
    """

    quantity: str
    layer: int
    unit: int | None = None

    @property
    def name(self) -> str:
        """In words: `cell 2.117`, `forget gate of layer 2`."""
        return f"{self.quantity} gate of layer {self.layer}" if self.unit is None else f"cell {self.layer}.{self.unit}"

    @property
    def word(self) -> str:
        """In one word: `cell_2.117`, `forget_2`."""
        return f"{self.quantity}_{self.layer}" if self.unit is None else f"cell_{self.layer}.{self.unit}"

    def of(self, trace: Trace) -> Array:
        """Its values in a trace, float32 `(N,)`."""
        if self.unit is not None:
            return trace.of(self.quantity, self.layer, self.unit)
        means: Array = trace.values[self.quantity][:, trace.layers.index(self.layer)].mean(axis=1)
        return means

    def difference(self, values: Array) -> tuple[Array, float, float]:
        """What a text is tinted by, the value of the deepest tint, and the value without a tint.

        A cell is tinted by its hyperbolic tangent, which is what an open output gate gives on (Karpathy, Johnson and
        Fei-Fei, 2015), from -1 to 1. The mean of a layer's gates moves little: it is tinted by its difference from its
        mean over the text, and the deepest tint is that which one character in a hundred goes beyond.

        Args:
            values: from `of`, of the whole text, NaN where there is none.
        """
        if self.unit is not None:
            return np.tanh(values) if self.quantity == "cell" else values, HIGHEST, 0.0
        mean = float(np.nanmean(values, dtype=np.float64))
        top = float(np.nanquantile(np.abs(values - mean), 0.99))
        return values - np.float32(mean), max(LEAST_TOP, float(f"{top:.1g}")), mean


class Viewed(NamedTuple):
    """Some characters of a text, and what was looked at.

    Attributes:
        text: T characters.
        values: float32 `(T, K)`, a column for each view; NaN where the model does not read a character.
        place: of the first of them in the whole text.
    """

    text: str
    values: Array
    place: Place


def cell_view(word: str, weights: Weights) -> View:
    """The view of a cell, `LAYER.UNIT`, both counted from 1; `ValueError`, with the range, if there is none."""
    layers, units = len(weights.layers), len(weights.layers[0].recurrent)
    found = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,9})", word)
    if found is None or not (1 <= int(found[1]) <= layers and 1 <= int(found[2]) <= units):
        raise ValueError(
            f"`cell` must be LAYER.UNIT, from 1.1 to {layers}.{units} in this model "
            f"({layers} × {weights.cell.keras}({units})), not {shown(word)}"
        )
    return View(weights.cell.memory[-1], int(found[1]), int(found[2]))


def gate_view(word: str, weights: Weights) -> View:
    """The view of a gate of the last layer, `GATE`, or of any, `LAYER.GATE`; `ValueError`, with those there are."""
    cell, layers = weights.cell, len(weights.layers)
    if not cell.gate_names:
        raise ValueError(f"`gate` needs a layer with gates, which {cell.keras} layers do not have; look at a `cell`")
    layer, _, name = word.rpartition(".")
    if name not in cell.gate_names or not re.fullmatch("[0-9]{0,9}", layer) or not 1 <= int(layer or 1) <= layers:
        names = ", ".join(cell.gate_names)
        raise ValueError(
            f"`gate` must be one of {names}, which {cell.keras} layers have, or LAYER.GATE with a layer from 1 to "
            f"{layers}, not {shown(word)}"
        )
    return View(name, int(layer or layers))


def default_views(weights: Weights) -> list[View]:
    """All gates of all layers; where there is none, the first unit of the last layer."""
    cell, layers = weights.cell, len(weights.layers)
    gates = [View(name, layer) for layer in range(1, layers + 1) for name in cell.gate_names]
    return gates or [View(cell.memory[-1], layers, 1)]


def choice(views: Sequence[View], weights: Weights) -> Choice:
    """What is traced for some views, at least one."""
    units = {view.unit for view in views if view.unit is not None}
    return Choice.of(
        weights,
        sorted({view.layer for view in views}),
        [*dict.fromkeys(view.quantity for view in views)],
        None if any(view.unit is None for view in views) else sorted(units),
    )


def viewed(subject: Subject, views: Sequence[View]) -> Iterator[Viewed]:
    """What is looked at in the evaluated part of a subject, in pieces of at most 1,024 characters."""
    for piece in traced_subject(subject, choice(views, subject.model.weights)):
        yield Viewed(piece.text, np.stack([view.of(piece) for view in views], axis=1), piece.place)
