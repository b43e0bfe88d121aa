"""Texts written together: streams join and leave at any time, and each text is what it would be alone."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Self

from textgen.generation.blas import one_thread
from textgen.generation.group import Group
from textgen.generation.recurrent import Network
from textgen.generation.stream import Stream
from textgen.machine import cores

ROWS = 32  # streams of a core: its products run at nearly its full speed
FEWEST = 4  # streams that are worth a thread: the kernel multiplies four at once
LONGEST_BLOCK = 64  # characters written between two looks at the caller
FINISHED = 4  # texts, for each place in the batch, that may be done before their turn comes,
HELD = 2**24  # and characters of theirs: some 64 MB


class Batch:
    """Streams that are stepped together, on all cores, in blocks of a few milliseconds.

    One thread at a time may use it; several batches of one network do not disturb each other.

    Attributes:
        capacity: how many streams have a place at once.
    """

    def __init__(self, network: Network, capacity: int) -> None:
        """Make room for so many streams of a network."""
        if capacity < 1:
            raise ValueError(f"`capacity` must be at least 1, not {capacity}")
        self.capacity = capacity
        threads = min(cores(), -(-capacity // FEWEST))
        self._groups = [Group(network, -(-capacity // threads)) for _ in range(threads)]
        self._block = 1
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def __len__(self) -> int:
        """How many streams are on their way."""
        return sum([len(group.streams) for group in self._groups])

    def join(self, stream: Stream) -> None:
        """Give a stream a place; `ValueError` where there is none, or where it has begun or ended before."""
        if stream.stopped_by is not None or stream.begun:
            raise ValueError(f"the stream has {'ended' if stream.stopped_by is not None else 'begun'}; make a new one")
        if len(self) == self.capacity:
            raise ValueError(f"the batch has no more than {self.capacity:,} places")
        min(self._groups, key=lambda group: len(group.streams)).join(stream)

    def leave(self, stream: Stream) -> None:
        """Take a stream out before its end; nothing happens where it is not in."""
        for group in self._groups:
            if stream in group.streams:
                stream.seed.give_up(stream)
                group.leave(group.streams.index(stream))

    def step(self) -> list[Stream]:
        """Move all streams on by a block; return those that have ended, which have left."""
        groups = [group for group in self._groups if group.streams]
        if not groups:
            return []
        longest = max(stream.left for group in groups for stream in group.streams)
        places = min(self._block, max(1, longest), *[group.longest for group in groups])
        self._block = min(LONGEST_BLOCK, 2 * self._block)
        run = map if self._pool is None or len(groups) == 1 else self._pool.map
        with one_thread():
            return [stream for ended in run(Group.step, groups, repeat(places)) for stream in ended]


def in_order(network: Network, streams: Iterable[Stream], capacity: int) -> Iterator[tuple[Stream, str]]:
    """Write texts side by side; yield each with its next piece, all pieces of one text before those of the next.

    The last piece of a text comes when it has ended, and may be empty. Streams are asked for as places become free, so
    that any number of them takes the memory of a few; and of texts so long that those behind the first could not be
    held, fewer are on their way at once.
    """
    source, waiting, room = iter(streams), deque[tuple[Stream, int]](), HELD
    upcoming = next(source, None)
    with Batch(network, capacity) as batch:
        while waiting or upcoming:
            while upcoming and len(batch) < capacity and len(waiting) < FINISHED * capacity:
                size = upcoming.unwritten
                if waiting and size > room:
                    break
                if upcoming.stopped_by is None:
                    if not upcoming.seed.ready_for(upcoming):
                        break
                    batch.join(upcoming)
                waiting.append((upcoming, size))
                room -= size
                upcoming = next(source, None)
            batch.step()
            while waiting:
                first, size = waiting[0]
                piece = first.take()
                if first.stopped_by is not None or piece:
                    yield first, piece
                if first.stopped_by is None:
                    break
                waiting.popleft()
                room += size
