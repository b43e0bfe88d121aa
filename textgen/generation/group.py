"""The streams of a batch that one thread steps, and the few characters by which it moves them on at once."""

import numpy as np

from textgen.config import SamplingConfig
from textgen.generation.recurrent import Network
from textgen.generation.sampling import Logits, choose, losses
from textgen.generation.stream import Codes, Stream

MOST_NUMBERS = 2**18  # of noise for one block,
MOST_PRODUCTS = 2**28  # and of products: a few milliseconds. By the clock, a text without the kernel would depend on it


class Group:
    """Streams in the rows of one state.

    Attributes:
        streams: those on their way, in the order of their rows.
    """

    def __init__(self, network: Network, capacity: int) -> None:
        """Make room for so many streams."""
        self.streams: list[Stream] = []
        self._network = network
        self._state = network.start(capacity)
        self._state.resize(0)
        self._codes = np.zeros(capacity, np.intp)  # what each stream reads next

    @property
    def longest(self) -> int:
        """The most characters of a block: few enough that it takes little memory and time."""
        layers, rows, units = self._state.cells.shape
        symbols = self._network.symbols
        products = units * (8 * layers * units - 4 * units + symbols)
        return max(1, min(MOST_NUMBERS // (rows * symbols), MOST_PRODUCTS // (rows * products)))

    def join(self, stream: Stream) -> None:
        """Give a stream the next row."""
        row = len(self.streams)
        self._state.resize(row + 1)
        if stream.seed.memory is None:
            self._state.reset(row)
        else:
            self._state.copy(row, 0, stream.seed.memory)
        self.streams.append(stream)
        self._codes[row] = stream.begin()

    def leave(self, row: int) -> None:
        """Free a row; the last one takes its place."""
        last = len(self.streams) - 1
        if row < last:
            self._state.copy(row, last)
            self.streams[row], self._codes[row] = self.streams[last], self._codes[last]
        self.streams.pop()
        self._state.resize(last)

    def step(self, places: int) -> list[Stream]:
        """Move the streams on by so many characters; return those that have ended, which have left."""
        block = _Block(self.streams, places, self._network.symbols)
        codes = self._codes[: len(self.streams)]
        for place in range(places):
            for row in block.read_for_others.get(place, ()):
                memory = self._network.start()
                memory.copy(0, row, self._state)
                self.streams[row].seed.memory = memory
            if block.reads_alone(place):
                self._network.advance(codes, self._state)
                codes = block.forced[place]
            else:
                codes = block.choose(self._network.step(codes, self._state), place)
            block.codes[place] = codes
        self._codes[: len(self.streams)] = codes
        block.deliver()
        ended = [row for row, stream in enumerate(self.streams) if stream.stopped_by is not None]
        streams = [self.streams[row] for row in ended]
        for row in reversed(ended):
            self.leave(row)
        return streams


class _Block:
    """The next characters of some streams: those forced by their seeds, then those chosen.

    Attributes:
        forced: the codes that are still the seeds', `(places, B)`; -1 where there are none.
        codes: those read and written, `(places, B)`.
        read_for_others: place → rows that have read all of a seed but its last code, and leave what they remember to
            the seed's other texts.
    """

    def __init__(self, streams: list[Stream], places: int, symbols: int) -> None:
        shape = (places, len(streams))
        self.forced, self.codes = np.full(shape, -1, np.intp), np.empty(shape, np.intp)
        self._streams = streams
        self.read_for_others: dict[int, list[int]] = {}
        self._read: list[int] = []  # of each stream, how many codes are forced
        for row, stream in enumerate(streams):
            ahead = stream.ahead(places)
            self.forced[: len(ahead), row] = ahead
            self._read.append(len(ahead))
            if len(ahead) < places and stream.seed.wanted_of(stream):
                self.read_for_others.setdefault(len(ahead), []).append(row)
        self._least, self._most = min(self._read), max(self._read)
        self._noise = np.zeros((len(streams), places, symbols))
        self._manners: dict[SamplingConfig, list[int]] = {}  # how characters are chosen, in which rows
        for row, (stream, read) in enumerate(zip(streams, self._read, strict=True)):
            self._manners.setdefault(stream.sampling, []).append(row)
            if read < places:
                stream.draw(self._noise[row, read:])
        self._constrained = [row for row, stream in enumerate(streams) if stream.constraints]
        self._blocked: dict[int, tuple[int, str]] = {}  # row → from which place on nothing may be written, and why
        observed = any(stream.observed for stream in streams)
        self._logits = np.empty((*shape, symbols), np.float32) if observed else None

    def reads_alone(self, place: int) -> bool:
        """Whether all codes at a place are forced, and no stream asks how likely they were."""
        return place < self._least and self._logits is None

    def choose(self, logits: Logits, place: int) -> Codes:
        """The codes that follow, of logits `(B, V)`."""
        if self._logits is not None:
            self._logits[place] = logits
            if place < self._least:
                return self.forced[place]
        if self._constrained:
            logits = self._masked(logits, place)
        noise = self._noise[:, place]
        if len(self._manners) == 1:
            codes = choose(logits, next(iter(self._manners)), noise)
        else:
            codes = np.empty(len(logits), np.intp)
            for sampling, rows in self._manners.items():
                codes[rows] = choose(logits[rows], sampling, noise[rows])
        if place < self._most:
            np.copyto(codes, self.forced[place], where=self.forced[place] >= 0)
        for row in self._writing(place):
            for constraint in self._streams[row].constraints:
                constraint.advance(int(codes[row]))
        return codes

    def _writing(self, place: int) -> list[int]:
        """The rows with constraints that write at a place."""
        return [row for row in self._constrained if self._read[row] <= place and row not in self._blocked]

    def _masked(self, logits: Logits, place: int) -> Logits:
        """The logits, minus infinity where a constraint forbids."""
        masked = logits.copy()
        for row in self._writing(place):
            for constraint in self._streams[row].constraints:
                allowed = constraint.allowed()
                if allowed is None:
                    continue
                masked[row, ~allowed] = -np.inf
                if np.maximum.reduce(masked[row]) == -np.inf:
                    self._blocked[row] = place, constraint.name
                    masked[row] = logits[row]
                    break
        return masked

    def deliver(self) -> None:
        """Give the streams what was read and written."""
        places, rows = self.codes.shape
        logits, nats = np.empty((places, rows, 0), np.float32), np.empty((places, rows))
        if self._logits is not None:
            logits = self._logits
            nats = losses(logits.reshape(places * rows, -1), self.codes.ravel()).reshape(places, rows)
        for row, (stream, read) in enumerate(zip(self._streams, self._read, strict=True)):
            end, blocked = self._blocked.get(row, (places, None))
            stream.take_in(self.codes[:end, row], read, blocked, nats[:end, row], logits[:end, row])
