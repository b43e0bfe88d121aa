"""How many batches Keras's `fit` trains in a second."""

import time
from typing import Any

import keras


class Clock(keras.callbacks.Callback):
    """Counts batches for so many seconds from the first one's end, which compiles, then ends the training."""

    def __init__(self, seconds: float) -> None:
        """Nothing is counted yet."""
        super().__init__()
        self._seconds = seconds
        self._batches = 0
        self._begun = self._ended = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count; Keras calls this."""
        self._ended = time.perf_counter()
        if not self._batches:
            self._begun = self._ended
        self._batches += 1
        if self._batches > 1 and self._ended - self._begun >= self._seconds:
            self.model.stop_training = True

    @property
    def rate(self) -> float:
        """Batches a second."""
        return (self._batches - 1) / (self._ended - self._begun)
