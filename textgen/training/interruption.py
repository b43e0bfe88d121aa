"""A stop flag, set by Ctrl-C, SIGTERM or SIGHUP and polled by the training loop after each step."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruption:
    """The stop flag: the signal that was received, or None."""

    def __init__(self) -> None:
        """Start with the flag not set."""
        self.signal: signal.Signals | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: set the flag; a second signal ends the program at once."""
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)


@contextmanager
def interruptible(interruption: Interruption | None = None) -> Iterator[Interruption]:
    """Handle SIGINT, SIGTERM and SIGHUP by a stop flag, the given one or a new one, inside the block.

    Python can do so only in the main thread; in others, nothing is handled. A SIGHUP that is ignored, as under nohup,
    stays ignored.
    """
    interruption = interruption or Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    caught = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        caught.append(signal.SIGHUP)
    saved = {number: signal.signal(number, interruption) for number in caught}
    try:
        yield interruption
    finally:
        for number, handler in saved.items():
            signal.signal(number, handler)
