"""The interfaces that the training loop uses: `Learner`, which computes, and `Callbacks`, which are notified.

The loop decides and the learner computes, so the loop works with any learner: Keras (`keras_learner`), a few lines of
NumPy in the tests, another library in a benchmark. On several machines the loop runs on the chief only, whose learner
(`leading.py`) sends each step's number and learning rate to the others, whose windows follow from them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, Sequence[NDArray[Any]]]


class Learner(Protocol):
    """A network, its optimizer, and its state for `B` streams, carried from one window to the next."""

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
            codes: the inputs of a window, `(B, T)`.
            targets: the code after each input, `(B, T)`.
            begins: the streams whose state is reset to zero first, `(B,)`.
            number: of the step, from 0; all randomness depends only on it and the random seed.
            rate: the learning rate.

        Returns:
            The mean loss of the window before the update, in nats; it may be infinite or NaN.
        """

    def kept(self) -> list[NDArray[np.float32]]:
        """Copies of the weights to evaluate and to save, in the order of `model_file.layout`."""

    def save(self, path: Path, arrays: Sequence[NDArray[np.float32]]) -> None:
        """Write a Keras archive with these weights, in the same order."""

    def state(self) -> Arrays:
        """Copies of everything that `restore` needs to continue bit for bit, by the names that `contents` checks."""

    def restore(self, arrays: Arrays) -> None:
        """Continue from what `state` returned.

        Raises:
            ValueError: it belongs to another optimizer.
        """

    def abort(self) -> None:
        """Make a step that waits for another worker fail; called from another thread."""


class Callbacks(Protocol):
    """Notified like Keras callbacks; they may stop the run."""

    @property
    def stop_training(self) -> bool:
        """Whether the run should stop."""
        return False

    def on_train_begin(self) -> None:
        """Before the first step of this process."""

    def on_epoch_begin(self, epoch: int) -> None:
        """At the start of an epoch, counted from 0."""

    def on_train_batch_begin(self, batch: int) -> None:
        """Before a step, counted from 0 in each epoch."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        """After a step, with its `loss`."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """After the evaluation that ends an epoch or the run: `loss` and, if text is held out, `val_loss`."""

    def on_train_end(self) -> None:
        """After the last step, whatever the reason."""


class NoCallbacks(Callbacks):
    """Callbacks that do nothing."""
