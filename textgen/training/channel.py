"""A connection between two workers: messages of JSON and arrays over TCP, and signs of life."""

import json
import math
import queue
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LENGTH = struct.Struct(">II")  # of a message's JSON, and of its arrays, in bytes
MOST_JSON, MOST_ARRAYS = 2**26, 2**32 - 1
PIECE = 2**16  # bytes sent at once, each within the timeout: slow is not lost
BEATS = 4  # signs of life in a timeout
PARTING = 5.0  # seconds that the other one has to close the connection too
ALIVE, END = "alive", "end"  # kinds of messages: a sign of life, and the last one
DTYPES = ("<f4", "<f8", "<i4", "<i8", "<u4", "<u8")


class Message(NamedTuple):
    """What one worker tells another."""

    kind: str
    values: Mapping[str, Any]  # as JSON has them
    arrays: Sequence[NDArray[Any]] = ()


class LostError(Exception):
    """The other worker is gone, or is none: the message says why."""


class Channel:
    """The connection to one other worker, which both watch: each sends a sign of life several times in the timeout.

    Attributes:
        steps: the number of steps that this worker has begun, which it tells with its signs of life.
        its_steps: those that the other one has begun.
    """

    def __init__(self, connection: socket.socket, timeout: float) -> None:
        """Take a connection; nothing is sent or read yet."""
        connection.settimeout(timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection, self._timeout = connection, timeout
        self._sending, self._closed = threading.Lock(), threading.Event()
        self._messages = queue.SimpleQueue[Message]()
        self._reading: threading.Thread | None = None
        self.steps = self.its_steps = 0

    def send(self, kind: str, values: Mapping[str, Any] | None = None, arrays: Sequence[NDArray[Any]] = ()) -> None:
        """Send a message.

        Raises:
            LostError: the other one does not take it.
        """
        arrays = [np.asarray(array, array.dtype.newbyteorder("<"), order="C") for array in arrays]
        head = {"kind": kind, "values": values or {}, "arrays": [[array.dtype.str, array.shape] for array in arrays]}
        words = json.dumps(head).encode()
        blocks = [array.reshape(-1).view(np.uint8).data for array in arrays if array.size]
        try:
            with self._sending:
                self._connection.sendall(LENGTH.pack(len(words), sum(map(len, blocks))) + words)
                for block in blocks:
                    for start in range(0, len(block), PIECE):
                        self._connection.sendall(block[start : start + PIECE])
        except OSError as error:
            raise LostError(self._why(error)) from error

    def receive(self) -> Message:
        """Wait for a message. After `watch`, that is left to `next`.

        Raises:
            LostError: nothing is heard for the timeout, the connection has ended, or what came is no message.
        """
        try:
            words, size = LENGTH.unpack(self._read(LENGTH.size))
            if words > MOST_JSON:
                raise LostError("it has sent something that is no message of textgen's")
            head = json.loads(self._read(words))
            return Message(head["kind"], head["values"], _unpacked(head["arrays"], self._read(size)))
        except OSError as error:
            raise LostError(self._why(error)) from error
        except (ValueError, TypeError, LookupError, RecursionError, MemoryError) as error:
            raise LostError("it has sent something that is no message of textgen's") from error

    def watch(self, on_lost: Callable[[str], None], on_message: Callable[[Message], bool] | None = None) -> None:
        """Read messages and send signs of life, in threads of their own, until `close` or the other one is lost.

        Args:
            on_lost: called once, with the reason, if the connection ends before `close`.
            on_message: called with each message, in the reading thread; if it returns True, the message is done with.
        """

        self._reading = threading.Thread(target=self._read_on, args=(on_lost, on_message), daemon=True)
        self._reading.start()
        threading.Thread(target=self._live, daemon=True).start()

    def _read_on(self, on_lost: Callable[[str], None], on_message: Callable[[Message], bool] | None) -> None:
        while True:
            try:
                message = self.receive()
            except LostError as error:
                if not self._closed.is_set():
                    on_lost(str(error))
                return
            if message.kind == END:  # after which nothing follows
                self._closed.set()
            if message.kind == ALIVE:
                self.its_steps = message.values.get("steps", 0)
            elif not (on_message and on_message(message)):
                self._messages.put(message)

    def _live(self) -> None:
        while not self._closed.wait(self._timeout / BEATS):
            try:
                self.send(ALIVE, {"steps": self.steps})
            except LostError:  # the reading thread says so
                return

    def next(self, seconds: float = math.inf) -> Message | None:
        """The next message that `watch` has read; None if there is none for so long."""
        try:
            return self._messages.get(timeout=None if seconds == math.inf else seconds)
        except queue.Empty:
            return None

    def close(self) -> None:
        """End the connection; what was sent still arrives."""
        self._closed.set()
        with suppress(OSError):  # it has ended already
            self._connection.shutdown(socket.SHUT_WR)
        # Until the other one has closed it too: what is not read would undo what was sent.
        if self._reading is not None:
            self._reading.join(min(self._timeout, PARTING))
        self._connection.close()

    def _read(self, size: int) -> bytearray:
        content = bytearray(size)
        place = memoryview(content)
        while place:
            count = self._connection.recv_into(place)
            if not count:
                raise ConnectionError("its connection was closed")
            place = place[count:]
        return content

    def _why(self, error: OSError) -> str:
        if isinstance(error, TimeoutError):
            return f"nothing was heard of it for {self._timeout:g} s"
        return "its connection was closed" if isinstance(error, ConnectionError) else str(error)


def _unpacked(heads: Sequence[Any], content: bytearray) -> list[NDArray[Any]]:
    """Arrays of these types and shapes, which lie one behind the other."""
    arrays, place = [], 0
    for dtype, shape in heads:
        if dtype not in DTYPES:
            raise ValueError(f"no array has the type {dtype}")
        array = np.frombuffer(content, dtype, math.prod(shape), place).reshape(shape)
        arrays.append(array)
        place += array.nbytes
    return arrays
