"""What each unit of a network does at each character of a text: its gates, its candidate, and what it remembers.

The states come from the steps that generate. The gates, which those keep nowhere, are the textbook's, computed from the
states of a block of characters at once, and only of the layers, quantities and units that are asked for.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import Range, expect, shown, strings
from textgen.corpus.codes import gather
from textgen.corpus.vocabulary import Codes
from textgen.evaluation.surprisal import READ_IN
from textgen.generation.compiled import prepare
from textgen.keras_archive import Array
from textgen.model_file import Weights

BLOCK = 1024  # characters whose states are held at once, at least `READ_IN`


@dataclass(frozen=True)
class Choice:
    """What is traced: the same units and quantities of some layers.

    Attributes:
        layers: counted from 1, the one that reads the characters first.
        quantities: of each unit, of `cells.Cell.quantities`.
        units: counted from 1.
    """

    layers: tuple[int, ...]
    quantities: tuple[str, ...]
    units: tuple[int, ...]

    @classmethod
    def of(
        cls,
        weights: Weights,
        layers: Collection[int] | None = None,
        quantities: str | Sequence[str] | None = None,
        units: Collection[int] | None = None,
    ) -> "Choice":
        """What is asked for of a network, all where it is None.

        Raises:
            TypeError: a layer or unit is no whole number, or what should be a list is none.
            ValueError: the network has no such layer, quantity or unit; the message says which it has.
        """
        known = weights.cell.quantities
        chosen = known if quantities is None else strings("quantities", quantities)
        for quantity in chosen:
            if quantity not in known:
                raise ValueError(
                    f"`quantities` of {weights.cell.keras} layers are {', '.join(known)}, not {shown(quantity)}"
                )
        return cls(
            _numbers("layers", layers, len(weights.layers)),
            chosen,
            _numbers("units", units, len(weights.layers[0].recurrent)),
        )

    def __post_init__(self) -> None:
        """Check that there is something to trace."""
        for name, chosen in vars(self).items():
            if not chosen:
                raise ValueError(f"`{name}` is empty; choose at least one")

    @property
    def size(self) -> int:
        """The numbers for each character."""
        return len(self.layers) * len(self.quantities) * len(self.units)


class Block(NamedTuple):
    """What was traced at each of some characters in a row.

    Attributes:
        start: the place of the first of them in the text.
        values: for each quantity its values, float32 `(T, layers, units)`, in the order of the choice.
    """

    start: int
    values: Mapping[str, Array]


def traced(weights: Weights, codes: Codes, first: int = 0, *, choice: Choice | None = None) -> Iterator[Block]:
    """What a network does at each character from `first` on, block by block, in the memory of one block.

    Args:
        weights: the network's.
        codes: the text's codes, `(N,)`.
        first: where the trace starts; the 1,024 characters before it are read first, from a zero state.
        choice: what is traced; all by default.

    Yields:
        The blocks in order, each of at most 1,024 characters, together `N - first`.
    """
    choice = choice or Choice.of(weights)
    reader = _Reader(weights)
    if first > 0:
        reader.read(codes[max(0, first - READ_IN) : first])
    for number, start in enumerate(range(first, len(codes), BLOCK), 1):
        reader.read(gather(codes, slice(start, start + BLOCK), number))
        yield Block(start, {name: reader.values(name, choice) for name in choice.quantities})


class _Reader:
    """Reads blocks of a text, and tells what the units did in the last of them."""

    def __init__(self, weights: Weights) -> None:
        self._weights, self._network = weights, prepare(weights)
        self._state = self._network.start()
        outputs, cells = self._state.outputs, self._state.cells
        self._codes = np.zeros(0, np.int64)
        self._outputs = np.zeros((BLOCK + 1, outputs.shape[1]), np.float32)  # the first before the block
        self._cells = np.zeros((BLOCK, len(cells), cells.shape[2]), np.float32)

    def read(self, codes: NDArray[np.integer]) -> None:
        """Read at most `BLOCK` characters."""
        state, outputs, cells = self._state, self._outputs, self._cells
        outputs[0] = state.outputs[0]
        self._codes = np.array(codes, np.int64)  # no memory map, each of whose slices would cost a microsecond
        for place in range(len(codes)):
            self._network.advance(self._codes[place : place + 1], state)
            outputs[place + 1] = state.outputs[0]
            cells[place] = state.cells[:, 0]

    def values(self, name: str, choice: Choice) -> Array:
        """One quantity of the chosen units at the characters of the block, `(T, layers, units)`."""
        units = np.array(choice.units) - 1
        return np.stack([self._values(name, layer - 1, units) for layer in choice.layers], axis=1)

    def _values(self, name: str, layer: int, units: NDArray[np.intp]) -> Array:
        cell, size = self._weights.cell, len(self._codes)
        if name in cell.memory:
            place = cell.memory.index(name)
            others = cell.states - 1
            whole = self._hidden(layer, 1) if place == 0 else self._cells[:size, layer * others + place - 1]
            return whole[:, units]
        kernel, recurrent, bias = self._weights.layers[layer]
        below = self._hidden(layer - 1, 1) if layer else self._weights.embedding[self._codes]
        biases = [*np.atleast_2d(bias), np.float32(0)]

        def sums(part: str) -> tuple[Array, Array]:
            columns = cell.parts.index(part) * len(recurrent) + units
            of_input, of_output = (bias[..., columns] if np.ndim(bias) else bias for bias in biases[:2])
            return below @ kernel[:, columns] + of_input, self._hidden(layer, 0) @ recurrent[:, columns] + of_output

        return cell.part(name, sums)

    def _hidden(self, layer: int, offset: int) -> Array:
        """The outputs of a layer, `(T, H)`, at the characters of the block, or with an offset of 0 before them."""
        units = len(self._weights.layers[layer].recurrent)
        return self._outputs[offset : offset + len(self._codes), layer * units : (layer + 1) * units]


def _numbers(name: str, given: Collection[int] | None, most: int) -> tuple[int, ...]:
    """Numbers counted from 1, all up to `most` by default."""
    if given is None:
        return tuple(range(1, most + 1))
    expect(name, given, Collection)
    return tuple(Range(int, 1, most).check(f"{name}[{place}]", number) for place, number in enumerate(given))
