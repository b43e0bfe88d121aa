"""The network's forward pass, one character at a time, in NumPy.

The same numbers as Keras's (tests hold the probabilities to 1e-5), arranged for speed:

- the first layer's input product is a table with a row for each symbol, made once;
- the outputs of all layers lie side by side in one array, so that a further layer's input and its own last output
  are neighbours, and its two products are one, without a copy;
- the gates are ordered i, f, o, c and the weights of the three sigmoids halved, so that one `tanh` serves all four:
  sigmoid(x) = (1 + tanh(x / 2)) / 2;
- every result goes into an array made once, through views made once.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import shown
from textgen.keras_archive import Array
from textgen.model_file import Weights


def _for_tanh(array: Array) -> Array:
    """Reorder the gates on the last axis from Keras's i, f, c, o to i, f, o, c; halve the sigmoids'."""
    i, f, c, o = np.split(array, 4, axis=-1)
    return np.concatenate([i / 2, f / 2, o / 2, c], axis=-1)


Rows = int | slice | NDArray[np.bool_] | NDArray[np.integer]  # of a state: one, several, or a mask of all


class Memory(NamedTuple):
    """The arrays of a state, or of its active rows."""

    outputs: Array  # (rows, layers · H): the layers' outputs h side by side
    cells: Array  # (layers, rows, H): the layers' cells c
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

    def __init__(self, network: "Network", capacity: int, layers: int, units: int) -> None:
        """Make the arrays, all rows active; a network's `start` calls this."""
        self.network, self.capacity = network, capacity
        shapes = (capacity, layers * units), (layers, capacity, units), (capacity, network.symbols)
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
        """The layers' cells c, float32 `(layers, rows, H)`, not to be written to."""
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
    """What a step needs of one LSTM's state, as views."""

    source: Array  # (B, H) of the first layer, (B, 2H) of the others: what its weights are multiplied with
    output: Array  # (B, H)
    cell: Array  # (B, H)


class _Work:
    """The arrays a step of `Recurrent` works in, and its views of a state."""

    def __init__(self, memory: Memory, rows: int) -> None:
        units = memory.cells.shape[2]
        outputs, self.logits = memory.outputs[:rows], memory.logits[:rows]
        self.layers = []
        for layer, cell in enumerate(memory.cells):
            start, end = layer * units, (layer + 1) * units
            source = outputs[:, max(0, start - units) : end]
            self.layers.append(_Layer(source, outputs[:, start:end], cell[:rows]))
        self.rows = np.zeros((rows, 4 * units), np.float32)
        self.gates = np.zeros((rows, 4 * units), np.float32)
        self.gate_views = (self.gates[:, : 3 * units], *np.split(self.gates, 4, axis=1))


class Recurrent:
    """The network in NumPy.

    Attributes:
        symbols: `V`.
    """

    def __init__(self, weights: Weights) -> None:
        """Prepare the weights."""
        first, *further = weights.lstms
        self.symbols = len(weights.head_bias)
        self._units = first.recurrent.shape[0]
        self._table = _for_tanh(weights.embedding @ first.kernel + first.bias)  # (V, 4H)
        joined = [np.concatenate([lstm.kernel, lstm.recurrent]) for lstm in further]  # (2H, 4H)
        self._products = [_for_tanh(product) for product in (first.recurrent, *joined)]
        self._biases = [_for_tanh(lstm.bias) for lstm in further]  # (4H,)
        self._head, self._head_bias = weights.head, weights.head_bias

    def start(self, capacity: int = 1) -> State:
        """A state of zeros, with room for so many streams; see `Network`."""
        return State(self, capacity, len(self._products), self._units)

    def work(self, memory: Memory, rows: int) -> _Work:
        """What a step works in; see `Network`."""
        return _Work(memory, rows)

    def step(self, codes: NDArray[np.integer], state: State) -> Array:
        """Read one character in each active row and predict the next; see `Network`."""
        self.advance(codes, state)
        work: _Work = state.work
        np.dot(work.layers[-1].output, self._head, work.logits)
        work.logits += self._head_bias
        return state.logits

    def advance(self, codes: NDArray[np.integer], state: State) -> None:
        """Read one character in each active row; see `Network`."""
        check_fit(self, codes, state)
        work: _Work = state.work
        self._table.take(codes, axis=0, out=work.rows, mode="clip")  # "raise" would copy; the codes are known good
        gates = work.gates
        sigmoids, i, f, o, c = work.gate_views
        for product, bias, (source, output, cell) in zip(
            self._products, (work.rows, *self._biases), work.layers, strict=True
        ):
            np.dot(source, product, gates)
            gates += bias
            np.tanh(gates, gates)
            sigmoids *= 0.5
            sigmoids += 0.5
            cell *= f
            i *= c
            cell += i
            np.tanh(cell, output)
            output *= o
