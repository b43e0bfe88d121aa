"""The recurrent cells: what a layer of each is called, how its weights are shaped, and its step in NumPy.

All else that depends on the cell is derived from this table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from textgen.bfloat16 import Array


class Sums(NamedTuple):
    """The sums of a step, `(B, columns · H)`, in the cell's order, as views; the step may overwrite them."""

    all: Array
    sigmoids: Array  # those of the gates whose function is the sigmoid
    parts: list[Array]  # each (B, H)


@dataclass(frozen=True)
class Cell:
    """A kind of recurrent layer.

    A step computes sums in an order of its own, of which the sigmoids come first, halved: sigmoid(x) is
    (1 + tanh(x / 2)) / 2.

    Attributes:
        keras: the class of its Keras layer.
        options: arguments of that class.
        name: of its layers in the model file.
        gates: the columns of its kernels for each unit.
        biases: the rows of its bias; the second one, if there is one, is of what the last output is multiplied with.
        states: the arrays `(B, H)` that a layer remembers; the first is its output.
        kernel: whether the compiled kernel has its loops.
        rate: its usual learning rate, in parts of an LSTM's.
        columns: the sums of a step for each unit.
        sigmoids: how many of those are sigmoids.
        of_input: arranges columns of Keras's `(N, gates · H)`, to be multiplied with the input, for the sums.
        of_output: the same for columns to be multiplied with the last output.
        step: computes from the sums the next output and the next other states, in place.
    """

    keras: str
    name: str
    gates: int
    states: int
    columns: int
    sigmoids: int
    of_input: Callable[[Array], Array]
    of_output: Callable[[Array], Array]
    step: Callable[..., None]
    options: Mapping[str, Any] = field(default_factory=dict)
    biases: int = 1
    kernel: bool = False
    rate: float = 1.0


def _lstm_columns(columns: Array) -> Array:
    """Keras's order is i, f, c, o; the sums' is i, f, o, c."""
    i, f, c, o = np.split(columns, 4, axis=-1)
    return np.concatenate([i / 2, f / 2, o / 2, c], axis=-1)


def _lstm(sums: Sums, output: Array, cell: Array) -> None:
    """Hochreiter and Schmidhuber, 1997, with the forget gate of Gers, Schmidhuber and Cummins, 2000."""
    i, f, o, c = sums.parts
    np.tanh(sums.all, sums.all)
    _finish_sigmoids(sums.sigmoids)
    cell *= f
    i *= c
    cell += i
    np.tanh(cell, output)
    output *= o


def _gru_input(columns: Array) -> Array:
    """Keras's order is z, r, h; the sums' is z, r, and h twice, since the last output's part of it is gated alone."""
    z, r, h = np.split(columns, 3, axis=-1)
    return np.concatenate([z / 2, r / 2, h, np.zeros_like(h)], axis=-1)


def _gru_output(columns: Array) -> Array:
    z, r, h = np.split(columns, 3, axis=-1)
    return np.concatenate([z / 2, r / 2, np.zeros_like(h), h], axis=-1)


def _gru(sums: Sums, output: Array) -> None:
    """Cho et al., 2014, with the reset gate after the product, as cuDNN and Keras's `reset_after=True` have it."""
    z, r, new, last = sums.parts
    np.tanh(sums.sigmoids, sums.sigmoids)
    _finish_sigmoids(sums.sigmoids)
    last *= r
    new += last
    np.tanh(new, new)
    output -= new
    output *= z
    output += new


def _same(columns: Array) -> Array:
    return columns


def _rnn(sums: Sums, output: Array) -> None:
    """Elman, 1990."""
    np.tanh(sums.all, output)


def _finish_sigmoids(halved: Array) -> None:
    """Turn tanh(x / 2) into sigmoid(x)."""
    halved *= 0.5
    halved += 0.5


CELLS = {  # by the names that `config.CELLS` lists
    "lstm": Cell(
        keras="LSTM",
        name="lstm",
        gates=4,
        states=2,
        columns=4,
        sigmoids=3,
        of_input=_lstm_columns,
        of_output=_lstm_columns,
        step=_lstm,
        kernel=True,
    ),
    "gru": Cell(
        keras="GRU",
        options={"reset_after": True},
        name="gru",
        gates=3,
        biases=2,
        states=1,
        columns=4,
        sigmoids=2,
        of_input=_gru_input,
        of_output=_gru_output,
        step=_gru,
    ),
    "rnn": Cell(
        keras="SimpleRNN",
        name="simple_rnn",
        gates=1,
        states=1,
        columns=1,
        sigmoids=0,
        of_input=_same,
        of_output=_same,
        step=_rnn,
        rate=0.3,  # with an LSTM's it hardly learns, since no gate bounds its gradients
    ),
}


def of_kernel(recurrent: Array) -> Cell:
    """The cell whose recurrent kernel is `(H, gates · H)`: no two cells have the same number of gates."""
    units, width = recurrent.shape
    return next(cell for cell in CELLS.values() if cell.gates * units == width)
