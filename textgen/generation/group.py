"""The streams of a batch that one thread steps, and the block of characters by which it advances them at once."""

import numpy as np
from numpy.typing import NDArray

from textgen.config import SamplingConfig
from textgen.generation.constraints import Name
from textgen.generation.recurrent import Network
from textgen.generation.sampling import Logits, Mask, choose, losses, to_noise
from textgen.generation.stream import Codes, Stream

MOST_NUMBERS = 2**18  # of noise in a block,
MOST_PRODUCTS = 2**29  # and of products: a few milliseconds. A limit by the clock would change texts without the kernel


class Group:
    """Streams in the rows of one state.

    Attributes:
        streams: those that have not ended, in the order of their rows.
    """

    def __init__(self, network: Network, capacity: int) -> None:
        """Create a group for at most `capacity` streams."""
        self.streams: list[Stream] = []
        self._network = network
        self._state = network.start(capacity)
        self._state.resize(0)
        self._codes = np.zeros(capacity, np.intp)  # what each stream reads next
        self._rows_of: dict[SamplingConfig, list[int]] = {}  # how characters are chosen, in which rows

    @property
    def longest(self) -> int:
        """The maximum number of characters in a block, which limits its memory and time."""
        layers, rows, units = self._state.cells.shape
        symbols = self._network.symbols
        products = units * (8 * layers * units - 4 * units + symbols)
        return max(1, min(MOST_NUMBERS // (rows * symbols), MOST_PRODUCTS // (rows * products)))

    def join(self, stream: Stream) -> None:
        """Add a stream in the next row."""
        row = len(self.streams)
        self._state.resize(row + 1)
        if stream.seed.memory is None:
            self._state.reset(row)
        else:
            self._state.copy(row, 0, stream.seed.memory)
        self.streams.append(stream)
        self._codes[row] = stream.begin()
        self._rows_of.setdefault(stream.sampling, []).append(row)

    def leave(self, row: int) -> None:
        """Free a row; the last row is moved there."""
        last = len(self.streams) - 1
        if row < last:
            self._state.copy(row, last)
            self.streams[row], self._codes[row] = self.streams[last], self._codes[last]
        self.streams.pop()
        self._state.resize(last)
        self._rows_of = {}
        for place, stream in enumerate(self.streams):
            self._rows_of.setdefault(stream.sampling, []).append(place)

    def step(self, places: int) -> list[Stream]:
        """Advance the streams by `places` characters; remove and return those that have ended."""
        block = _Block(self.streams, self._rows_of, places, self._network.symbols)
        codes = self._codes[: len(self.streams)]
        for place in range(places):
            if place in block.read_for_others:
                self._remember(block.read_for_others[place])
            if place < block.without_logits:
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

    def _remember(self, rows: list[int]) -> None:
        """Save the states of streams after their seeds, for the seeds' other texts."""
        for row in rows:
            memory = self._network.start()
            memory.copy(0, row, self._state)
            self.streams[row].seed.remember(memory)


class _Block:
    """The next characters of some streams: those forced by their seeds, then those chosen.

    Attributes:
        codes: those read and written, `(places, B)`.
        forced: those that are still the seeds', likewise; -1 where there are none.
        without_logits: the number of places at the start where all codes are forced, and no logits are observed.
        read_for_others: place → rows that have read all of a seed but its last code, whose states are saved for the
            seed's other texts.
    """

    def __init__(
        self, streams: list[Stream], rows_of: dict[SamplingConfig, list[int]], places: int, symbols: int
    ) -> None:
        self.codes = np.empty((places, len(streams)), np.intp)
        self.read_for_others: dict[int, list[int]] = {}
        self._streams, self._rows_of = streams, rows_of
        self._alone = next(iter(rows_of)) if len(rows_of) == 1 else None
        self._read = [0] * len(streams)  # the number of forced codes of each stream
        self._read_seeds()
        self._least, self._most = min(self._read), max(self._read)
        self._noise = self._drawn(symbols)
        self._biased = [(row, stream.bias) for row, stream in enumerate(streams) if stream.bias is not None]
        self._constrained = {  # row → the range of places where it writes
            row: (read, read + stream.unwritten)
            for row, (stream, read) in enumerate(zip(streams, self._read, strict=True))
            if stream.constraints
        }
        whole = all(not start and end >= places for start, end in self._constrained.values())
        self._steady = list(self._constrained) if whole else None  # these rows, if they write at all places
        self._blocked: dict[int, tuple[int, Name]] = {}  # row → first place where nothing may be written, and why
        self.without_logits = self._least
        self._logits = None
        if any(stream.observer for stream in streams):
            self._logits, self.without_logits = np.empty((*self.codes.shape, symbols), np.float32), 0

    def _read_seeds(self) -> None:
        """Look up the codes that are forced."""
        places = len(self.codes)
        for row, stream in enumerate(self._streams):
            if stream.reads:
                if not any(self._read):
                    self.forced = np.full(self.codes.shape, -1, np.intp)
                ahead = stream.ahead(places)
                self.forced[: len(ahead), row] = ahead
                self._read[row] = len(ahead)
            if stream.seed.wanted_of(stream) and self._read[row] < places:
                self.read_for_others.setdefault(self._read[row], []).append(row)

    def _drawn(self, symbols: int) -> NDArray[np.float64]:
        """The noise for each place, `(B, places, V)`."""
        drawn = np.empty((len(self._streams), len(self.codes), symbols))
        if self._least == len(self.codes):
            return drawn
        temperatures = np.empty(len(self._streams))
        for row, stream in enumerate(self._streams):
            temperatures[row] = stream.sampling.temperature
            read = self._read[row] if temperatures[row] else None  # no draw: not while reading, nor for the argmax
            drawn[row, :read] = 1
            if read is not None:
                stream.draw(drawn[row, read:])
        to_noise(drawn, temperatures)
        return drawn

    def choose(self, logits: Logits, place: int) -> Codes:
        """Choose the next codes `(B,)` from logits `(B, V)`."""
        if self._logits is not None:
            self._logits[place] = logits
            if place < self._least:
                return self.forced[place]
        if self._biased:
            logits = logits.copy()  # the network's own array
            for row, bias in self._biased:
                logits[row] += bias
        writing = self._writing(place) if self._constrained else []
        if writing:
            logits = self._masked(logits, writing, place)
        noise = self._noise[:, place]
        if self._alone is not None:
            codes = choose(logits, self._alone, noise)
        else:
            codes = np.empty(len(logits), np.intp)
            for sampling, rows in self._rows_of.items():
                codes[rows] = choose(logits[rows], sampling, noise[rows])
        if place < self._most:
            np.copyto(codes, self.forced[place], where=self.forced[place] >= 0)
        for row in writing:
            code = int(codes[row])
            for constraint in self._streams[row].constraints:
                constraint.advance(code)
        return codes

    def _writing(self, place: int) -> list[int]:
        """The rows that have constraints and write at this place."""
        if self._steady is not None:
            return self._steady
        return [
            row for row, (start, end) in self._constrained.items() if start <= place < end and row not in self._blocked
        ]

    def _masked(self, logits: Logits, writing: list[int], place: int) -> Logits:
        """The logits, -∞ for characters that a constraint forbids; rows that may write nothing leave `writing`."""
        masked = None
        for row in tuple(writing):
            allowed: Mask | None = None
            for constraint in self._streams[row].constraints:
                mask = constraint.allowed()
                if mask is None:
                    continue
                allowed = mask if allowed is None else allowed & mask
                if 1 not in allowed.tobytes():  # in a tenth of the time of `any`
                    self._blocked[row] = place, self._streams[row].ended_by(constraint)
                    writing.remove(row)
                    break
            else:
                if allowed is not None:
                    masked = logits.copy() if masked is None else masked
                    np.putmask(masked[row], ~allowed, -np.inf)
        return logits if masked is None else masked

    def deliver(self) -> None:
        """Pass the codes read and written on to the streams."""
        places, rows = self.codes.shape
        if self._logits is not None:
            nats = losses(self._logits.reshape(places * rows, -1), self.codes.ravel()).reshape(places, rows)
        for row, (stream, read, codes) in enumerate(zip(self._streams, self._read, self.codes.T.tolist(), strict=True)):
            end, blocked = self._blocked.get(row, (places, None))
            if self._logits is not None:
                stream.observe(self.codes[:end, row], read, nats[:end, row], self._logits[:end, row])
            stream.take_in(codes[:end], read, blocked)
