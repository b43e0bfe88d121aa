"""The chief's side of a training on several workers: who has joined, and what they are told and asked."""

import errno
import math
import queue
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from textgen.arguments import shown
from textgen.errors import TextgenError, TrainingError, reason
from textgen.training.alarm import Alarm
from textgen.training.channel import END, Channel, LostError, Message
from textgen.training.cluster import Cluster, split
from textgen.training.interruption import Interruption

LOOK = 0.2  # seconds between two looks at whether something has gone wrong
HELLO, FAILED, INTERRUPT = "hello", "failed", "interrupt"
AGAIN = "start the run again on all workers, with `resume=True`"


class Crew:
    """The other workers.

    Attributes:
        cluster: all workers.
        alarm: rings when one of them is lost.
        interruption: set when one of them has received a signal.
    """

    def __init__(self, cluster: Cluster) -> None:
        """Nobody has joined yet."""
        self.cluster, self.alarm, self.interruption = cluster, Alarm(), Interruption()
        self._channels: dict[int, Channel] = {}
        self._accepted: list[Channel] = []  # of workers, and perhaps of others who have found the port
        self._steps, self._since = 0, math.inf  # steps begun, and when the one that is being taken has

    def assemble(self, terms: Mapping[str, Any]) -> None:
        """Wait until all workers have joined.

        Args:
            terms: what must be the same on all workers, by name, as JSON values.

        Raises:
            TrainingError: a worker has not come within the timeout, two have the same index, one has other terms, or
                the port is in use.
        """
        deadline = time.monotonic() + self.cluster.worker_timeout
        hellos = queue.SimpleQueue[tuple[Channel, Message, str]]()
        with listening(self.cluster) as listener:
            while missing := [n for n in range(1, len(self.cluster.workers)) if n not in self._channels]:
                if time.monotonic() > deadline:
                    raise TrainingError(self._missing(missing))
                self._accept(listener, hellos)
                while not hellos.empty():
                    self._admit(*hellos.get(), terms)
                self.alarm.check()
        threading.Thread(target=self._watch_steps, daemon=True).start()

    def _accept(self, listener: socket.socket, hellos: "queue.SimpleQueue[tuple[Channel, Message, str]]") -> None:
        try:
            connection, (host, *_) = listener.accept()
        except TimeoutError:
            return
        channel = Channel(connection, self.cluster.worker_timeout)
        self._accepted.append(channel)

        def heard(message: Message) -> bool:
            if message.kind == HELLO:
                hellos.put((channel, message, host))
            elif message.kind == INTERRUPT:
                self.interruption.signal = signal.Signals.__members__.get(str(message.values.get("signal")))
            elif message.kind == FAILED:
                self._ring(channel, str(message.values.get("why")))
            return message.kind in (HELLO, INTERRUPT, FAILED)

        channel.watch(lambda why: self._lose(channel, why), heard)

    def _admit(self, channel: Channel, hello: Message, host: str, terms: Mapping[str, Any]) -> None:
        index, count = hello.values.get("index"), len(self.cluster.workers)
        if type(index) is not int or not 1 <= index < count or index in self._channels:
            raise TrainingError(
                f"two workers have `worker_index={index}`, one of them on {host.removeprefix('::ffff:')}; "
                "give each its own"
            )
        self._channels[index] = channel
        if different := difference(hello.values.get("terms"), terms):
            raise TrainingError(f"{self.cluster.told(index)}: {different}; start all workers alike")

    def _missing(self, missing: Sequence[int]) -> str:
        named = ", ".join(self.cluster.told(index) for index in missing[:5])
        return (
            f"{named}{' and others' if len(missing) > 5 else ''} did not join within "
            f"{self.cluster.worker_timeout:g} s; start each worker within `worker_timeout`, and make sure that it "
            f"reaches {self.cluster.workers[0]}"
        )

    def _lose(self, channel: Channel, why: str) -> None:
        self._ring(channel, f"it is lost, since {why}; {AGAIN}")

    def _ring(self, channel: Channel, why: str) -> None:
        for index, other in list(self._channels.items()):
            if other is channel:  # not someone who never said hello
                self.alarm.ring(f"{self.cluster.told(index)}: {why}")

    def tell(self, kind: str, values: Mapping[str, Any] | None = None, arrays: Sequence[NDArray[Any]] = ()) -> None:
        """Tell all workers the same.

        Raises:
            TrainingError: one of them is lost.
        """
        for channel in self._channels.values():
            self.alarm.check()
            try:
                channel.send(kind, values, arrays)
            except LostError as error:
                self._lose(channel, str(error))
                self.alarm.wait()

    def answers(self) -> list[Message]:
        """The next message of each worker, in their order.

        Raises:
            TrainingError: one of them is lost.
        """
        found = []
        for index in range(1, len(self.cluster.workers)):
            while (message := self._channels[index].next(LOOK)) is None:
                self.alarm.check()
            found.append(message)
        return found

    @contextmanager
    def step(self) -> Iterator[None]:
        """Watch over a step, in which the workers wait for each other. The first one is compiled, and may take long."""
        self._steps += 1
        self._since = time.monotonic() if self._steps > 1 else math.inf
        yield
        self._since = math.inf

    def _watch_steps(self) -> None:
        """Ring the alarm if a step does not end, since a worker hangs although it gives signs of life."""
        timeout = self.cluster.worker_timeout
        while self.alarm.failure is None:
            if time.monotonic() - self._since > timeout:
                late = [index for index, channel in self._channels.items() if channel.its_steps < self._steps]
                who = self.cluster.told(late[0]) if late else "the workers wait for each other: one"
                self.alarm.ring(
                    f"{who} has not taken part in a step for {timeout:g} s; {AGAIN}, or with a longer `worker_timeout`"
                )
            time.sleep(LOOK)

    def dismiss(self, values: Mapping[str, Any]) -> None:
        """Say goodbye to all workers, as far as they are there, and let this process live on."""
        for channel in self._accepted:
            with suppress(LostError):
                channel.send(END, values)
        for channel in self._accepted:
            channel.close()
        self._accepted.clear()
        self.alarm.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, TextgenError | ValueError):
            self.dismiss({"error": str(error)})
        elif error is not None:
            self.dismiss(
                {"error": f"{self.cluster.told(0)} has ended the run ({kind.__name__ if kind else ''}); {AGAIN}"}
            )
        else:
            self.dismiss({"error": ""})


def difference(theirs: object, ours: Mapping[str, Any]) -> str:
    """The first difference between another worker's terms and the chief's, in words; empty if there is none."""
    if not isinstance(theirs, Mapping):
        return "it has told nothing of its run"
    for name in sorted(set(theirs) | set(ours)):
        its, chiefs = theirs.get(name), ours.get(name)
        if its != chiefs:
            return f"{name} is {_shown(its)}, and the chief's is {_shown(chiefs)}"
    return ""


def _shown(value: object) -> str:
    return "not given" if value is None else value[:300] if isinstance(value, str) else shown(value)


@contextmanager
def listening(cluster: Cluster) -> Iterator[socket.socket]:
    """Listen at this worker's port, until TensorFlow does.

    Raises:
        TrainingError: the port cannot be had.
    """
    address = cluster.workers[cluster.worker_index]
    _, port = split(address)
    both = socket.has_dualstack_ipv6()
    try:
        with socket.create_server(
            ("", port), family=socket.AF_INET6 if both else socket.AF_INET, dualstack_ipv6=both
        ) as listener:
            listener.settimeout(LOOK)
            yield listener
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({reason(error)})"
        raise TrainingError(
            f"port {port} of this worker ({address}) {why}; end the program that uses it, or give another port"
        ) from error
