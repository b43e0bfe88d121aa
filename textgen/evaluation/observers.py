"""What observes the streams of an evaluation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from textgen.generation.sampling import scaled_losses
from textgen.generation.stream import Observer
from textgen.keras_archive import Array


class Nats:
    """Stores the losses of a stretch's characters."""

    def __init__(self, characters: int) -> None:
        """Expect so many characters."""
        self.nats = np.empty(characters)
        self._filled = 0

    def __call__(self, nats: NDArray[np.float64], logits: Array, codes: NDArray[np.intp]) -> None:
        """Store the next characters' losses."""
        self.nats[self._filled : self._filled + len(nats)] = nats
        self._filled += len(nats)


class Scaled:
    """Stores the losses of a stretch's characters, with the logits multiplied by each of some numbers."""

    def __init__(self, characters: int, scales: Sequence[float]) -> None:
        """Expect so many characters, whose logits are multiplied by each of `scales`."""
        self.nats = np.empty((len(scales), characters))
        self._scales, self._filled = scales, 0

    def __call__(self, nats: NDArray[np.float64], logits: Array, codes: NDArray[np.intp]) -> None:
        """Store the next characters' losses."""
        self.nats[:, self._filled : self._filled + len(nats)] = scaled_losses(logits, codes, self._scales)
        self._filled += len(nats)


class Counted:
    """Passes on what is predicted of a stretch, without the characters that are only context."""

    def __init__(self, read: Observer, skipped: int) -> None:
        """Pass on to `read` all but the first `skipped` characters."""
        self._read, self._skipped = read, skipped

    def __call__(self, nats: NDArray[np.float64], logits: Array, codes: NDArray[np.intp]) -> None:
        """Pass on what counts of the next characters."""
        skipped = self._skipped
        self._skipped = max(0, skipped - len(nats))
        if skipped < len(nats):
            self._read(nats[skipped:], logits[skipped:], codes[skipped:])
