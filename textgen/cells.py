"""The recurrent cells: what a layer of each is called, how its weights are shaped, its step in NumPy, and its gates.

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


# Gives for the name of a part its two sums, `(N, U)` each: of the input, and of the last output, biases included.
Parted = Callable[[str], tuple[Array, Array]]


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
        parts: what each of those columns gives, in Keras's order.
        memory: what each of the states is called.
        biases: the rows of its bias; the second one, if there is one, is of what the last output is multiplied with.
        states: the arrays `(B, H)` that a layer remembers; the first is its output.
        kernel: whether the compiled kernel has its loops.
        rate: its usual learning rate, in parts of an LSTM's.
        columns: the sums of a step for each unit.
        sigmoids: how many of those are sigmoids.
        of_input: arranges columns of Keras's `(N, gates · H)`, to be multiplied with the input, for the sums.
        of_output: the same for columns to be multiplied with the last output.
        step: computes from the sums the next output and the next other states, in place.
        reset: the gate which the last output's part of the candidate's sum is multiplied with.
    """

    keras: str
    name: str
    gates: int
    parts: tuple[str, ...]
    memory: tuple[str, ...]
    states: int
    columns: int
    sigmoids: int
    of_input: Callable[[Array], Array]
    of_output: Callable[[Array], Array]
    step: Callable[..., None]
    options: Mapping[str, Any] = field(default_factory=dict)
    biases: int = 1
    reset: str | None = None
    kernel: bool = False
    rate: float = 1.0

    @property
    def gate_names(self) -> tuple[str, ...]:
        """The parts that are gates, from 0 (shut) to 1 (open)."""
        return tuple(part for part in self.parts if part != "candidate" and part not in self.memory)

    @property
    def quantities(self) -> tuple[str, ...]:
        """All that can be traced of a unit: its gates, its candidate, and what it remembers."""
        return tuple(dict.fromkeys([*self.gate_names, *self.parts, *reversed(self.memory)]))

    def part(self, name: str, sums: Parted) -> Array:
        """One of the parts as textbooks have it, `(N, U)`."""
        of_input, of_output = sums(name)
        if name in self.gate_names:
            return np.asarray((1 + np.tanh((of_input + of_output) / 2)) / 2)  # the sigmoid, without an overflow
        if self.reset is not None:
            of_output = self.part(self.reset, sums) * of_output
        return np.asarray(np.tanh(of_input + of_output))


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
        parts=("input", "forget", "candidate", "output"),
        memory=("hidden", "cell"),
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
        parts=("update", "reset", "candidate"),
        memory=("hidden",),
        biases=2,
        states=1,
        columns=4,
        sigmoids=2,
        of_input=_gru_input,
        of_output=_gru_output,
        step=_gru,
        reset="reset",
    ),
    "rnn": Cell(
        keras="SimpleRNN",
        name="simple_rnn",
        gates=1,
        parts=("hidden",),
        memory=("hidden",),
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
