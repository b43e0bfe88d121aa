"""A worker's side of a training on several workers: it joins the chief, and does what it is told."""

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from textgen.errors import TrainingError
from textgen.training.alarm import Alarm
from textgen.training.channel import END, Channel, LostError, Message
from textgen.training.cluster import Cluster, split
from textgen.training.crew import AGAIN, FAILED, HELLO, INTERRUPT, LOOK, listening
from textgen.training.interruption import Interruption

PAUSE = 0.3  # seconds between two attempts to reach the chief


class Member:
    """This worker, which is not the chief.

    Attributes:
        cluster: all workers.
        alarm: rings when the chief is lost.
        interruption: the signal that this worker has received, which the chief is told.
    """

    def __init__(self, cluster: Cluster, terms: Mapping[str, Any]) -> None:
        """Reach the chief, and say what must be the same there; its answer is the first order.

        Raises:
            TrainingError: the chief does not answer within the timeout, or this worker's port is in use.
        """
        self.cluster, self.alarm, self.interruption = cluster, Alarm(), Interruption()
        self._told = False
        with listening(cluster):  # only to see that TensorFlow can
            pass
        self._channel = Channel(self._reach(), cluster.worker_timeout)
        chief = cluster.told(0)
        self._channel.watch(lambda why: self.alarm.ring(f"{chief} is lost, since {why}; {AGAIN}"), self._hear)
        self.tell(HELLO, {"index": cluster.worker_index, "terms": terms})

    def _reach(self) -> socket.socket:
        timeout = self.cluster.worker_timeout
        address, deadline = split(self.cluster.workers[0]), time.monotonic() + timeout
        while True:
            try:
                connection = socket.create_connection(address, max(PAUSE, deadline - time.monotonic()))
                if connection.getsockname() != connection.getpeername():
                    return connection
                connection.close()  # where nobody listens, TCP may connect a port of this machine with itself
            except OSError as error:
                if time.monotonic() + PAUSE > deadline:
                    raise TrainingError(
                        f"{self.cluster.told(0)} does not answer after {timeout:g} s ({error.strerror or error}); "
                        "start it too, within `worker_timeout`, and make sure that its address can be reached from here"
                    ) from error
            time.sleep(PAUSE)

    def order(self) -> Message:
        """Wait for what the chief says next.

        Raises:
            TrainingError: the chief is lost, or has ended the run with an error.
        """
        while (message := self._channel.next(LOOK)) is None:
            self._pass_on_signal()
            self.alarm.check()
        self._pass_on_signal()
        self.alarm.check()
        return message

    def _hear(self, message: Message) -> bool:
        """Note at once that the chief has ended the run with an error: the main thread may wait for another worker."""
        if message.kind != END or "error" not in message.values:
            return False
        self.alarm.ring(message.values["error"] or f"{self.cluster.told(0)} has ended the run; {AGAIN}")
        return True

    def begin_step(self) -> None:
        """Tell the chief, with the next sign of life, that this worker takes part in a step."""
        self._channel.steps += 1

    def tell(self, kind: str, values: Mapping[str, Any] | None = None, arrays: Any = ()) -> None:
        """Tell the chief something.

        Raises:
            TrainingError: the chief is lost.
        """
        try:
            self._channel.send(kind, values, arrays)
        except LostError as error:
            self.alarm.check()
            raise TrainingError(f"{self.cluster.told(0)} is lost: {error}; {AGAIN}") from error

    def fail(self, why: str) -> None:
        """Tell the chief, if it is there, why this worker ends."""
        if self.alarm.failure is None:
            with suppress(LostError):
                self._channel.send(FAILED, {"why": why})

    def part(self) -> None:
        """Close the connection, and let this process live on."""
        self.alarm.stop()
        self._channel.close()

    def _pass_on_signal(self) -> None:
        if self.interruption.signal is not None and not self._told:
            self._told = True
            self.tell(INTERRUPT, {"signal": self.interruption.signal.name})
