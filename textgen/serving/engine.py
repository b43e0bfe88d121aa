"""One thread that steps all texts, of all models; it never waits for a client, and knows no JSON.

Requests hand it `Writing`s and are woken in their own event loop when there is something to take. What a text becomes
does not depend on who reads it, or how fast.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from textgen.generation.batch import LONGEST_BLOCK, Batch
from textgen.generation.recurrent import Network
from textgen.generation.stream import Stream
from textgen.serving.limits import BUFFER, FRAME
from textgen.serving.trace import places

IDLE = 5.0  # seconds after which an empty batch is dropped, and with it a model that is no longer served
HURRY = 8  # characters of a block while a reader waits for the first one
log = logging.getLogger(__name__)


class Order:
    """The texts of one request, which one task waits for.

    Attributes:
        writings: the texts.
        changed: set in the task's event loop when there is something to take, or a text has ended.
        abort: ends the connection without waiting for its reader, if there is one.
    """

    def __init__(self, writings: Sequence["Writing"]) -> None:
        """Take the texts; called in the event loop of the task."""
        self.writings = writings
        self.changed = asyncio.Event()
        self.abort: Callable[[], None] | None = None
        self.loop = asyncio.get_running_loop()
        for writing in writings:
            writing.order = self

    def cut(self) -> None:
        """End the connection of a reader that does not read."""
        if self.abort is not None:
            self.abort()

    def wake(self) -> None:
        """Wake the task, or cut off its reader, for whom it may be waiting."""
        self.changed.set()
        if any(writing.failure == "slow" for writing in self.writings):
            self.cut()


class Writing:
    """A text on its way from the engine to a client.

    Attributes:
        stream: the text.
        network: what writes it.
        order: the request that it belongs to.
        ended: nothing more will come.
        failure: why it was not finished: `slow` for a reader that does not read, `stopping`, or `broken`.
        left: whether nobody waits for it any more.
    """

    def __init__(self, stream: Stream, network: Network, *, live: bool) -> None:
        """Prepare a text; `live` if it is to be taken piece by piece while it is written."""
        self.stream, self.network, self.live = stream, network, live
        self.order: Order | None = None
        self.ended = stream.stopped_by is not None
        self.failure: str | None = None
        self.left = False
        self.due = 0.0  # when the engine passes on the next piece
        self._pieces: deque[str] = deque()
        self._put = self._taken = 0  # characters; each is counted by one thread only

    def put(self, piece: str) -> bool:
        """Add a piece, in the engine's thread; whether the reader keeps up."""
        self._pieces.append(piece)
        self._put += len(piece)
        return not self.live or self._put - self._taken <= BUFFER

    def take(self) -> str:
        """What was written since the last time, in the request's task."""
        pieces = []
        with suppress(IndexError):
            while True:
                pieces.append(self._pieces.popleft())
        text = "".join(pieces)
        self._taken += len(text)
        return text


class Engine:
    """Steps the texts of all requests.

    Attributes:
        places: texts written at once.
        queue: texts that may wait for a place.
    """

    def __init__(self, places: int, queue: int) -> None:
        """Create an engine that does nothing until `start`."""
        self.places, self.queue = places, queue
        self._condition = threading.Condition()
        self._arrived: list[Writing] = []
        self._waiting: deque[Writing] = deque()
        self._batches: dict[Network, Batch] = {}
        self._used: dict[Network, float] = {}  # when each batch had streams for the last time
        self._running: dict[Stream, Writing] = {}
        self._leaving: list[Writing] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End all texts and the thread."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether texts are taken."""
        return self._thread.is_alive() and not self._stopping

    @property
    def active(self) -> int:
        """Texts being written."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Texts that wait for a place."""
        return len(self._waiting) + len(self._arrived)

    def has_room(self, texts: int) -> bool:
        """Whether so many texts more can be written now, or wait."""
        return self.active + self.waiting + texts <= self.places + self.queue

    def submit(self, order: Order) -> None:
        """Take the texts of a request."""
        with self._condition:
            self._arrived += [writing for writing in order.writings if not writing.ended]
            self._condition.notify()

    def leave(self, order: Order) -> None:
        """Give up the texts of a request that have not ended."""
        for writing in order.writings:
            writing.left = True
        with self._condition:
            self._leaving += [writing for writing in order.writings if not writing.ended]
            self._condition.notify()

    def _run(self) -> None:
        while True:
            with self._condition:
                idle = not (self._running or self._waiting)
                if idle and not (self._arrived or self._leaving or self._stopping):
                    self._condition.wait(IDLE if self._batches else None)
                arrived, self._arrived = self._arrived, []
                self._waiting += arrived
                leaving, self._leaving = self._leaving, []
            if self._stopping:
                return self._end_all()
            for writing in leaving:
                self._drop(writing)
            if leaving:  # those that waited free their places in the queue
                self._waiting = deque([writing for writing in self._waiting if not writing.left])
            self._admit()
            self._step()

    def _admit(self) -> None:
        """Give the free places to those who have waited longest."""
        still: list[Writing] = []
        while self._waiting and self.active < self.places:
            writing = self._waiting.popleft()
            if not writing.stream.seed.ready_for(writing.stream):  # another text reads their seed
                still.append(writing)
                continue
            try:
                self._join(writing)
            except Exception as error:  # of memory, say: the others go on
                log.error("a text cannot begin: %s at %s", type(error).__name__, places(error))
                woken: set[Order] = set()
                _fail(writing, "broken", woken)
                _wake(woken)
        self._waiting.extendleft(reversed(still))

    def _join(self, writing: Writing) -> None:
        batch = self._batches.get(writing.network)
        if batch is None:
            batch = self._batches[writing.network] = Batch(writing.network, self.places)
        batch.join(writing.stream)
        self._running[writing.stream] = writing

    def _step(self) -> None:
        woken: set[Order] = set()
        for network, batch in list(self._batches.items()):
            now = time.monotonic()
            if len(batch):
                self._used[network] = now
                try:
                    batch.step(HURRY if self._is_awaited(network) else LONGEST_BLOCK)
                except Exception as error:  # of memory, say: the others go on
                    log.error("texts are given up: %s at %s", type(error).__name__, places(error))
                    self._fail(network, woken)
            elif now - self._used.get(network, now) > IDLE:
                del self._batches[network], self._used[network]
                batch.__exit__()
        self._pass_on(woken)
        _wake(woken)

    def _is_awaited(self, network: Network) -> bool:
        """Whether a reader still waits for the first character of a text that is about to be written."""
        return any(
            writing.network is network and writing.live and not writing.due and writing.stream.unread < HURRY
            for writing in self._running.values()
        )

    def _pass_on(self, woken: set[Order]) -> None:
        now = time.monotonic()
        for writing in list(self._running.values()):
            ended = writing.stream.stopped_by is not None
            if not ended and not (writing.live and now >= writing.due):
                continue
            piece = writing.stream.take()
            kept_up = writing.put(piece) if piece else True
            if piece:
                writing.due = now + FRAME
            if not kept_up:
                writing.failure = "slow"
                self._drop(writing)
            if ended or not kept_up:
                self._running.pop(writing.stream, None)
                writing.ended = True
            if (piece or writing.ended) and writing.order is not None:
                woken.add(writing.order)

    def _drop(self, writing: Writing) -> None:
        if self._running.pop(writing.stream, None) is not None:
            self._batches[writing.network].leave(writing.stream)

    def _fail(self, network: Network, woken: set[Order]) -> None:
        for stream, writing in list(self._running.items()):
            if writing.network is network:
                del self._running[stream]
                _fail(writing, "broken", woken)
        self._batches.pop(network).__exit__()

    def _end_all(self) -> None:
        woken: set[Order] = set()
        for writing in [*self._running.values(), *self._waiting]:
            _fail(writing, "stopping", woken)
        self._running.clear()
        self._waiting.clear()
        for batch in self._batches.values():
            batch.__exit__()
        _wake(woken)


def _fail(writing: Writing, why: str, woken: set[Order]) -> None:
    writing.failure, writing.ended = why, True
    if writing.order is not None:
        woken.add(writing.order)


def _wake(orders: set[Order]) -> None:
    """Wake the tasks that wait for these orders, at once for each event loop."""
    for loop in {order.loop for order in orders}:
        theirs = [order for order in orders if order.loop is loop]
        with suppress(RuntimeError):  # the loop has been closed, and nobody waits
            loop.call_soon_threadsafe(_wake_here, theirs)


def _wake_here(orders: list[Order]) -> None:
    for order in orders:
        order.wake()
