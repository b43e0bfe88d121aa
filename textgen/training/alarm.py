"""Ends this worker when another one is lost, wherever its main thread is."""

import threading
import time
from collections.abc import Callable

from textgen.errors import TrainingError
from textgen.training.process import leave

GRACE = 10.0  # seconds that the main thread has to come back from TensorFlow
MOMENT = 2.0  # seconds after TensorFlow's error in which that of the lost connection is expected


class Alarm:
    """What has gone wrong in another thread, for the main thread, which may be waiting inside TensorFlow for a peer.

    Attributes:
        failure: the line to end with; None as long as all is well.
        abort: makes TensorFlow give up waiting; set once it can wait.
    """

    def __init__(self) -> None:
        """All is well."""
        self.failure: str | None = None
        self.abort: Callable[[], None] = _nothing
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def ring(self, failure: str) -> None:
        """Have the main thread fail with a line; if it does not within `GRACE`, end the process."""
        with self._lock:
            if self.failure is not None:
                return
            self.failure = failure
            self._timer = threading.Timer(GRACE, leave, [failure])
            self._timer.daemon = True
            self._timer.start()
        self.abort()

    def check(self) -> None:
        """Raise `TrainingError` if something has gone wrong."""
        if self.failure is not None:
            raise TrainingError(self.failure)

    def wait(self) -> None:
        """Give the threads that listen to the others a moment to find out, and `check`."""
        deadline = time.monotonic() + MOMENT
        while self.failure is None and time.monotonic() < deadline:
            time.sleep(MOMENT / 50)
        self.check()

    def stop(self) -> None:
        """Let the process live on: the main thread has come back."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self.failure = self.failure or "the workers have parted"


def _nothing() -> None:
    """TensorFlow does not wait for anyone yet."""
