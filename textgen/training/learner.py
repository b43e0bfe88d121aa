"""What the training loop trains, and whom it tells: all that it knows of either.

The loop decides and the learner computes. So the loop runs with any of them: with Keras (`keras_learner`), with a few
lines of NumPy in the tests, with another library beside it in a comparison. On several machines the loop runs on the
chief alone; a learner there sends each step's number and learning rate to the others, whose windows follow from them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, Sequence[NDArray[Any]]]


class Learner(Protocol):
    """A network, its optimizer, and the LSTM states of `B` streams, carried from one window to the next."""

    def train(
        self,
        codes: NDArray[np.int32],
        targets: NDArray[np.int32],
        begins: NDArray[np.bool_],
        number: int,
        rate: float,
    ) -> float:
        """Take one step.

        Args:
            codes: of a window, `(B, T)`.
            targets: the codes that follow them, `(B, T)`.
            begins: whose streams' states are set to zero first, `(B,)`.
            number: of the step, from 0; what is drawn at random follows from it and the seed alone.
            rate: the learning rate.

        Returns:
            The window's mean loss before the step, in nats; it need not be finite.
        """

    def kept(self) -> list[NDArray[np.float32]]:
        """Copies of the weights to score and to save, in the order of `model_file.layout`."""

    def save(self, path: Path) -> None:
        """Write an archive with what `kept` gives."""

    def state(self) -> Arrays:
        """Copies of all that `restore` needs to go on bit for bit, under the names that `contents` checks."""

    def restore(self, arrays: Arrays) -> None:
        """Go on from what `state` gave.

        Raises:
            ValueError: it was another optimizer's.
        """


class Callbacks(Protocol):
    """Who is told of each step, as Keras's callbacks are, and may end the run."""

    @property
    def stop_training(self) -> bool:
        """Whether the run is to end."""
        return False

    def on_train_begin(self) -> None:
        """The first step of this process is about to be taken."""

    def on_epoch_begin(self, epoch: int) -> None:
        """An epoch, counted from 0, begins."""

    def on_train_batch_begin(self, batch: int) -> None:
        """A step, counted from 0 in each epoch, begins."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        """A step has ended; its `loss` is known."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """An epoch, or the run, has ended and was scored: `loss`, and `val_loss` with a hold-out."""

    def on_train_end(self) -> None:
        """No more step follows, whatever the reason."""


class Nobody(Callbacks):
    """Who is told nothing, and ends no run."""
