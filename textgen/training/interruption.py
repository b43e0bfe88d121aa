"""Ctrl-C, SIGTERM and SIGHUP, turned into a wish that the training loop asks for after each step."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruption:
    """Which signal, if any, has asked the run to end."""

    def __init__(self) -> None:
        """Nothing has been asked for yet."""
        self.signal: signal.Signals | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Note the signal; a second one ends the program at once."""
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Catch SIGINT, SIGTERM and SIGHUP inside the block; outside the main thread Python cannot, and nothing is caught.

    A SIGHUP that is ignored, as nohup has it, stays so.
    """
    interruption = Interruption()
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
