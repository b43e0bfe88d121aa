"""The network's forward pass, one character at a time, in NumPy.

The same numbers as Keras's (tests hold the probabilities to 1e-5), arranged for speed:

- the first layer's input product is a table with a row for each symbol, made once;
- the outputs of all layers lie side by side in one array, so that a further layer's input and its own last output
  are neighbours, and its two products are one, without a copy;
- the sums of the sigmoids come first, and their weights are halved (see `cells.py`), so that one `tanh` serves an
  LSTM's four gates;
- every result goes into an array made once, through views made once.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import shown
from textgen.cells import Cell, Sums
from textgen.keras_archive import Array
from textgen.model_file import Weights

Rows = int | slice | NDArray[np.bool_] | NDArray[np.integer]  # of a state: one, several, or a mask of all


class Memory(NamedTuple):
    """The arrays of a state, or of its active rows."""

    outputs: Array  # (rows, layers · H): the layers' outputs h side by side
    cells: Array  # (layers · (states - 1), rows, H): what else they remember, an LSTM's cells c
    logits: Array  # (rows, V): of the next character


class State:
    """What the streams in its rows remember, at first zeros, and what is predicted of them.

    It belongs to one network, whose steps alone write into its arrays. There is room for `capacity` rows, the first
    `rows` of them active: those that a step reads a character in, and that all arrays here show.

    Attributes:
        network: the one that made it.
        capacity: the most rows that can be active.
        work: what the network works in; made anew for each number of active rows.
    """

    def __init__(self, network: "Network", capacity: int, layers: int, units: int, cell: Cell) -> None:
        """Make the arrays, all rows active; a network's `start` calls this."""
        self.network, self.capacity = network, capacity
        cells = layers * (cell.states - 1)
        shapes = (capacity, layers * units), (cells, capacity, units), (capacity, network.symbols)
        self._whole = Memory(*(np.zeros(shape, np.float32) for shape in shapes))
        self._activate(capacity)

    @property
    def rows(self) -> int:
        """How many rows are active."""
        return self._rows

    @property
    def outputs(self) -> Array:
        """The layers' outputs h side by side, float32 `(rows, layers · H)`, not to be written to."""
        return self._shown.outputs

    @property
    def cells(self) -> Array:
        """An LSTM's cells c, float32 `(layers, rows, H)`, not to be written to; other cells have none."""
        return self._shown.cells

    @property
    def logits(self) -> Array:
        """Of the next character, float32 `(rows, V)`, not to be written to; each step writes into the same array."""
        return self._shown.logits

    def resize(self, rows: int) -> None:
        """Have the first `rows` rows active: those that were keep what they hold, the others begin with zeros.

        Raises:
            ValueError: there is no room for so many, or fewer than none are asked for.
        """
        if not 0 <= rows <= self.capacity:
            raise ValueError(f"`rows` must be from 0 to the state's capacity of {self.capacity:,}, not {shown(rows)}")
        before = self._rows
        self._activate(rows)
        self.reset(slice(before, rows))

    def reset(self, rows: Rows) -> None:
        """Forget all that active rows have read: they hold zeros, as at first."""
        for array in self._by_rows:
            array[rows] = 0

    def copy(self, target: Rows, source: Rows, other: "State | None" = None) -> None:
        """Have active rows go on where others are: copy what they remember and what is predicted of them.

        Args:
            target: the rows that are overwritten.
            source: the row to copy, to one row or to several; or as many rows as `target` has.
            other: the state that `source` is of, if it is not this one.

        Raises:
            ValueError: `other` is of another network.
        """
        other = other or self
        if other.network is not self.network:
            raise ValueError("`other` must be a state of the same network")
        for array, theirs in zip(self._by_rows, other._by_rows, strict=True):
            array[target] = theirs[source]

    def _activate(self, rows: int) -> None:
        self._rows = rows
        self.work: Any = self.network.work(self._whole, rows)
        outputs, cells, logits = self._whole
        active = Memory(outputs[:rows], cells[:, :rows], logits[:rows])
        self._by_rows = (active.outputs, *active.cells, active.logits)
        self._shown = Memory(*(array.view() for array in active))
        for array in self._shown:
            array.flags.writeable = False


class Network(Protocol):
    """A network whose weights are prepared for steps; it changes nothing in itself, so that many may use it."""

    symbols: int

    def start(self, capacity: int = 1) -> State:
        """A state of zeros for this network's steps, with room for so many streams, each in an active row."""

    def step(self, codes: NDArray[np.integer], state: State) -> Array:
        """Read one character in each active row.

        Args:
            codes: shape `(rows,)`, each in `[0, V)`.
            state: of these streams; it goes on by one character.

        Returns:
            The logits of the next character, float32 `(rows, V)`: the state's, which its next step writes over.

        Raises:
            ValueError: the state is of another network, or there is not a code for each active row.
        """

    def advance(self, codes: NDArray[np.integer], state: State) -> None:
        """Read one character in each active row, as `step` does, without predicting the next."""

    def work(self, memory: Memory, rows: int) -> Any:
        """What a step works in, of a state with these arrays and so many active rows."""


def check_fit(network: Network, codes: NDArray[np.integer], state: State) -> None:
    """Raise `ValueError` unless a state is the network's, and there is a code for each of its active rows."""
    if state.network is not network:
        raise ValueError("`state` is of another network: a step takes one that its own network's `start` made")
    if codes.shape != (state.rows,):
        raise ValueError(f"`codes` must be of shape ({state.rows},), one for each active row, not {codes.shape}")


class _Layer(NamedTuple):
    """What a step needs of one layer's state, as views."""

    source: Array  # (B, H) of the first layer, (B, 2H) of the others: what its weights are multiplied with
    states: tuple[Array, ...]  # each (B, H), the output first


class _Work:
    """The arrays a step of `Recurrent` works in, and its views of a state."""

    def __init__(self, memory: Memory, rows: int, cell: Cell) -> None:
        units = memory.cells.shape[2]
        outputs, self.logits = memory.outputs[:rows], memory.logits[:rows]
        self.layers = []
        for layer in range(outputs.shape[1] // units):
            start, end = layer * units, (layer + 1) * units
            source, more = outputs[:, max(0, start - units) : end], cell.states - 1
            others = memory.cells[layer * more : (layer + 1) * more, :rows]
            self.layers.append(_Layer(source, (outputs[:, start:end], *others)))
        self.rows = np.zeros((rows, cell.columns * units), np.float32)
        sums = np.zeros_like(self.rows)
        self.sums = Sums(sums, sums[:, : cell.sigmoids * units], np.split(sums, cell.columns, axis=1))


class Recurrent:
    """The network in NumPy.

    Attributes:
        symbols: `V`.
    """

    def __init__(self, weights: Weights) -> None:
        """Prepare the weights."""
        first, *further = weights.layers
        self.symbols, self._units = len(weights.head_bias), len(first.recurrent)
        self._cell = cell = weights.cell
        self._table = _sums(cell, weights.embedding @ first.kernel, first.bias)  # (V, columns · H)
        joined = [[cell.of_input(layer.kernel), cell.of_output(layer.recurrent)] for layer in further]
        self._products = [cell.of_output(first.recurrent), *map(np.concatenate, joined)]  # (2H, columns · H)
        self._biases = [_sums(cell, np.float32(0), layer.bias) for layer in further]  # (columns · H,)
        self._head, self._head_bias = weights.head, weights.head_bias

    def start(self, capacity: int = 1) -> State:
        """A state of zeros, with room for so many streams; see `Network`."""
        return State(self, capacity, len(self._products), self._units, self._cell)

    def work(self, memory: Memory, rows: int) -> _Work:
        """What a step works in; see `Network`."""
        return _Work(memory, rows, self._cell)

    def step(self, codes: NDArray[np.integer], state: State) -> Array:
        """Read one character in each active row and predict the next; see `Network`."""
        self.advance(codes, state)
        work: _Work = state.work
        np.dot(work.layers[-1].states[0], self._head, work.logits)
        work.logits += self._head_bias
        return state.logits

    def advance(self, codes: NDArray[np.integer], state: State) -> None:
        """Read one character in each active row; see `Network`."""
        check_fit(self, codes, state)
        work: _Work = state.work
        self._table.take(codes, axis=0, out=work.rows, mode="clip")  # "raise" would copy; the codes are known good
        sums, step = work.sums, self._cell.step
        together = sums.all
        for product, bias, (source, states) in zip(
            self._products, (work.rows, *self._biases), work.layers, strict=True
        ):
            np.dot(source, product, together)
            together += bias
            step(sums, *states)


def _sums(cell: Cell, products: Any, bias: Array) -> Array:
    """The sums of a step, of the input's products, in Keras's order, and the bias alone."""
    of_input, *of_output = bias.reshape(cell.biases, -1)
    sums = cell.of_input(products + of_input)
    return sum((cell.of_output(part) for part in of_output), start=sums)
