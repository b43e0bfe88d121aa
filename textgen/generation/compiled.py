"""The network's forward pass, compiled from `kernel/writing.c` where textgen was installed with a C compiler at hand.

It reads weights that bfloat16 holds exactly, as `rounded` leaves them, in half the bytes; its numbers are those of
`recurrent.py` to float32's precision. `prepare` takes it where it can be had, and NumPy's steps elsewhere.
"""

import ctypes
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textgen.bfloat16 import holds
from textgen.generation.recurrent import Memory, Network, Recurrent, State, check_fit
from textgen.keras_archive import Array
from textgen.kernel import library
from textgen.kernel.arrays import LANES, PANEL, aligned
from textgen.model_file import Weights

_Pointer = ctypes.c_void_p
_Size = ctypes.c_ssize_t


class _Matrix(ctypes.Structure):
    _fields_ = (("rows", _Size), ("columns", _Size), ("weights", _Pointer), ("bias", _Pointer))


class _Network(ctypes.Structure):
    _fields_ = (("layers", _Size), ("units", _Size), ("table", _Pointer), ("lstms", _Pointer), ("head", _Matrix))


class _State(ctypes.Structure):
    _fields_ = (
        ("capacity", _Size),
        ("rows", _Size),
        ("codes", _Pointer),
        ("outputs", _Pointer),
        ("cells", _Pointer),
        ("fresh", _Pointer),
        ("logits", _Pointer),
    )


class _Work(NamedTuple):
    """How the kernel finds the arrays of a state, and what keeps them in their place."""

    codes: NDArray[np.int64]  # (rows,)
    arrays: tuple[NDArray[Any], ...]  # all of `described`
    described: _State
    address: int  # of what is described


def prepare(weights: Weights) -> Network:
    """The network, ready for steps: compiled, if a kernel has its cell and bfloat16 holds its weights; else NumPy's."""
    kernel = library.library() if weights.cell.kernel else None
    if kernel is not None and all(holds(factor) for factor in _factors(weights)):
        return Compiled(weights, kernel)
    return Recurrent(weights)


def _factors(weights: Weights) -> list[Array]:
    """The matrices of the products: of each layer what its outputs so far are multiplied with, and the head."""
    first, *further = weights.layers
    return [first.recurrent, *(np.concatenate([layer.kernel, layer.recurrent]) for layer in further), weights.head]


class Compiled:
    """The network of LSTMs, its weights arranged for the kernel; it changes nothing in itself, so that many may use it.

    Attributes:
        symbols: `V`.
    """

    def __init__(self, weights: Weights, kernel: ctypes.CDLL) -> None:
        """Arrange the weights; bfloat16 must hold those of the products."""
        self._step, self._weights = kernel.textgen_step, weights
        self.symbols, first = len(weights.head_bias), weights.layers[0]
        self._layers, self._units = len(weights.layers), len(first.recurrent)
        self._kept: list[NDArray[np.generic]] = []  # what the kernel has the addresses of
        table = self._keep(_by_units(weights.embedding @ first.kernel + first.bias))
        *products, head_product = _factors(weights)
        lstms = [
            self._matrix(_by_units(product), self._units, _by_units(lstm.bias[None]))
            for product, lstm in zip(products, weights.layers, strict=True)
        ]
        self._lstms = (_Matrix * self._layers)(*lstms)
        head = self._matrix(_padded(head_product, PANEL), self.symbols, _padded(weights.head_bias[None], PANEL))
        self._network = _Network(self._layers, self._units, table, ctypes.addressof(self._lstms), head)
        self._address = ctypes.addressof(self._network)

    def __reduce__(self) -> Any:
        """Pickled as its weights, and prepared anew: addresses mean nothing in another process."""
        return prepare, (self._weights,)

    def _keep(self, array: NDArray[np.generic]) -> int:
        """The address of a copy of an array."""
        self._kept.append(aligned(array))
        return self._kept[-1].ctypes.data

    def _matrix(self, columns: Array, filled: int, bias: Array) -> _Matrix:
        return _Matrix(len(columns), filled, self._keep(_packed(columns)), self._keep(bias))

    def start(self, capacity: int = 1) -> State:
        """A state of zeros, with room for so many streams; see `Network`."""
        return State(self, capacity, self._layers, self._units, self._weights.cell)

    def work(self, memory: Memory, rows: int) -> _Work:
        """How the kernel finds a state's arrays, and what it works in; see `Network`."""
        codes, fresh = np.zeros(rows, np.int64), np.zeros((rows, self._units), np.float32)
        arrays = (codes, memory.outputs, memory.cells, fresh, memory.logits)
        described = _State(len(memory.outputs), rows, *(array.ctypes.data for array in arrays))
        return _Work(codes, arrays, described, ctypes.addressof(described))

    def step(self, codes: NDArray[np.integer], state: State) -> Array:
        """Read one character in each active row and predict the next; see `Network`."""
        self._read(codes, state, 1)
        return state.logits

    def advance(self, codes: NDArray[np.integer], state: State) -> None:
        """Read one character in each active row; see `Network`."""
        self._read(codes, state, 0)

    def _read(self, codes: NDArray[np.integer], state: State, predict: int) -> None:
        check_fit(self, codes, state)
        work: _Work = state.work
        work.codes[:] = codes
        self._step(self._address, work.address, predict)


def _padded(matrix: Array, multiple: int) -> Array:
    """Zeros after the last column, up to a multiple of columns."""
    return np.pad(matrix, ((0, 0), (0, -matrix.shape[1] % multiple)))


def _by_units(gates: Array) -> Array:
    """Columns in Keras's order of gates i, f, c, o `(N, 4H)` → for every eight units their i, f, c and o."""
    i, f, c, o = (_padded(gate, LANES) for gate in np.split(gates, 4, axis=1))
    return np.stack([gate.reshape(len(gates), -1, LANES) for gate in (i, f, c, o)], axis=2).reshape(len(gates), -1)


def _packed(matrix: Array) -> NDArray[np.uint32]:
    """A matrix as the kernel reads it, uint32 `(panels, pairs of rows, 32)`; see `struct matrix`."""
    halves = np.pad(matrix.view(np.uint32) >> 16, ((0, len(matrix) % 2), (0, 0)))
    pairs = halves[0::2] | halves[1::2] << 16
    return pairs.reshape(len(pairs), -1, PANEL).swapaxes(0, 1)
