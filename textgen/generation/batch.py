"""Texts generated together: streams join and leave at any time, and each text is the same as if generated alone."""

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

ROWS = 32  # streams per core: matrix products then run at nearly full speed
FEWEST = 4  # streams from which on a thread pays: the kernel multiplies four at once
LONGEST_BLOCK = 64  # characters written before control returns to the caller
FINISHED = 4  # texts, for each place in the batch, that may be finished before their turn comes,
HELD = 2**24  # and characters of theirs: some 64 MB


class Batch:
    """Streams that are stepped together, on all cores, in blocks of a few milliseconds.

    Only one thread at a time may use it; several batches of one network are independent.

    Attributes:
        capacity: the maximum number of streams at once.
    """

    def __init__(self, network: Network, capacity: int) -> None:
        """Create a batch for at most `capacity` streams of a network; `ValueError` if that is below 1."""
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
        """The number of streams in the batch."""
        return sum([len(group.streams) for group in self._groups])

    def join(self, stream: Stream) -> None:
        """Add a stream; `ValueError` if the batch is full, or if the stream has begun or ended before."""
        if stream.stopped_by is not None or stream.begun:
            raise ValueError(f"the stream has {'ended' if stream.stopped_by is not None else 'begun'}; make a new one")
        if len(self) == self.capacity:
            raise ValueError(f"the batch has no more than {self.capacity:,} places")
        min(self._groups, key=lambda group: len(group.streams)).join(stream)

    def leave(self, stream: Stream) -> None:
        """Remove a stream before its end; does nothing if it is not in the batch."""
        for group in self._groups:
            if stream in group.streams:
                stream.seed.give_up(stream)
                group.leave(group.streams.index(stream))

    def step(self, most: int = LONGEST_BLOCK) -> list[Stream]:
        """Advance all streams by a block of at most `most` characters; remove and return those that have ended."""
        groups = [group for group in self._groups if group.streams]
        if not groups:
            return []
        longest = max(stream.left for group in groups for stream in group.streams)
        places = min(self._block, most, max(1, longest), *[group.longest for group in groups])
        self._block = min(LONGEST_BLOCK, 2 * self._block)
        run = map if self._pool is None or len(groups) == 1 else self._pool.map
        with one_thread():
            return [stream for ended in run(Group.step, groups, repeat(places)) for stream in ended]


def in_order(network: Network, streams: Iterable[Stream], capacity: int) -> Iterator[tuple[Stream, str]]:
    """Generate texts in parallel; yield each with its next piece, all pieces of one text before those of the next.

    The last piece of a text comes when it has ended, and may be empty. The streams are consumed as places become free,
    so that any number of them takes the memory of a few; if the texts are so long that those after the first could not
    be held in memory, fewer are generated at once.
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
