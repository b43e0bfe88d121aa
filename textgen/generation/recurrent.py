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

from textgen.keras_archive import Array
from textgen.model_file import Weights


def _for_tanh(array: Array) -> Array:
    """Reorder the gates on the last axis from Keras's i, f, c, o to i, f, o, c; halve the sigmoids'."""
    i, f, c, o = np.split(array, 4, axis=-1)
    return np.concatenate([i / 2, f / 2, o / 2, c], axis=-1)


class State:
    """What `B` streams remember, at first zeros, and what is predicted of them.

    Attributes:
        outputs: the layers' outputs h side by side, float32 `(B, layers · H)`.
        cells: the layers' cells c, float32 `(layers, B, H)`. Steps write into both; so may a caller.
        logits: of the next character, float32 `(B, V)`; each step writes into the same array.
        work: what the network that made the state works in.
    """

    def __init__(self, streams: int, layers: int, units: int, symbols: int) -> None:
        """Make the arrays; a network's `start` calls this."""
        self.outputs = np.zeros((streams, layers * units), np.float32)
        self.cells = np.zeros((layers, streams, units), np.float32)
        self.logits = np.zeros((streams, symbols), np.float32)
        self.work: Any = None


class Network(Protocol):
    """A network whose weights are prepared for steps; it changes nothing in itself, so that many may use it."""

    symbols: int

    def start(self, streams: int = 1) -> State:
        """A state of zeros for `B` streams, for this network's steps."""

    def step(self, codes: NDArray[np.integer], state: State) -> Array:
        """Read one character in each stream.

        Args:
            codes: shape `(B,)`, each in `[0, V)`.
            state: of the B streams; it goes on by one character.

        Returns:
            The logits of the next character, float32 `(B, V)`: the state's, which its next step writes over.
        """

    def advance(self, codes: NDArray[np.integer], state: State) -> None:
        """Read one character in each stream, as `step` does, without predicting the next."""


class _Layer(NamedTuple):
    """What a step needs of one LSTM's state, as views."""

    source: Array  # (B, H) of the first layer, (B, 2H) of the others: what its weights are multiplied with
    output: Array  # (B, H)
    cell: Array  # (B, H)


class _Work:
    """The arrays a step of `Recurrent` works in, and its views of a state."""

    def __init__(self, state: State) -> None:
        streams, units = state.cells.shape[1:]
        self.layers = []
        for layer, cell in enumerate(state.cells):
            start, end = layer * units, (layer + 1) * units
            source = state.outputs[:, max(0, start - units) : end]
            self.layers.append(_Layer(source, state.outputs[:, start:end], cell))
        self.rows = np.zeros((streams, 4 * units), np.float32)
        self.gates = np.zeros((streams, 4 * units), np.float32)
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

    def start(self, streams: int = 1) -> State:
        """A state of zeros for `B` streams."""
        state = State(streams, len(self._products), self._units, self.symbols)
        state.work = _Work(state)
        return state

    def step(self, codes: NDArray[np.integer], state: State) -> Array:
        """Read one character in each stream and predict the next; see `Network`."""
        self.advance(codes, state)
        np.dot(state.work.layers[-1].output, self._head, state.logits)
        state.logits += self._head_bias
        return state.logits

    def advance(self, codes: NDArray[np.integer], state: State) -> None:
        """Read one character in each stream."""
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
