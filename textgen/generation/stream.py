"""One text on its way: the codes it reads first, how its characters are chosen, and what it has written."""

import io
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from textgen.config import SamplingConfig
from textgen.corpus.codes import gather
from textgen.generation.constraints import Constraint, Name
from textgen.generation.endings import MOST_MORE, End, Ending
from textgen.generation.matching import Match
from textgen.generation.recurrent import State
from textgen.generation.stopping import StopFinder
from textgen.keras_archive import Array

Codes = NDArray[np.intp]
EndedBy = Literal["length", "end", "stop"] | Name
Observer = Callable[[NDArray[np.float64], Array, Codes], None]


class Seed:
    """The codes that texts begin with.

    Attributes:
        codes: shape `(N,)`, at least one.
        text: the phrase that they stand for, as it was given.
        read: those that the phrase has; none where they stand for an empty one.
        memory: what the network remembers of all but the last of them, once a stream has read them for the others.
    """

    LONG = 64  # codes that are worth being read once for all texts, while the others wait

    def __init__(
        self, codes: NDArray[np.integer], text: str = "", *, shared: bool = False, implied: bool = False
    ) -> None:
        """Take the codes and what they stand for.

        Args:
            codes: shape `(N,)`, at least one.
            text: the phrase.
            shared: whether several texts begin with them.
            implied: whether nothing of the phrase is left, and the codes stand for that.
        """
        if not len(codes):
            raise ValueError("a stream needs at least one code to begin with")
        self.codes, self.text, self.read = codes, text, codes[:0] if implied else codes
        self.memory: State | None = None
        self._read_once = shared and len(codes) >= self.LONG
        self._reader: object = None

    def ready_for(self, stream: object) -> bool:
        """Whether a stream may begin: to read the codes, or to go on from what another one has read."""
        if not self._read_once or self.memory is not None:
            return True
        if self._reader is None:
            self._reader = stream
        return self._reader is stream

    def give_up(self, stream: object) -> None:
        """Let another stream read the codes, where one leaves before it has read them."""
        if self._reader is stream:
            self._reader = None

    def remember(self, memory: State) -> None:
        """Keep what the network remembers of all codes but the last."""
        self.memory, self._reader = memory, None  # which would keep seed and stream alive together

    def wanted_of(self, stream: object) -> bool:
        """Whether a stream must leave what it remembers of the codes to the others."""
        return self._read_once and self.memory is None and self._reader is stream


class Stream:
    """One text on its way. A `Batch` moves it on; what it writes does not depend on the batch's other streams.

    Attributes:
        seed: what it reads before it writes.
        number: of the text, among those that go on from the seed.
        rng_seed: with which, under the same number, the same text is written again.
        sampling: how its characters are chosen.
        constraints: what it must keep to.
        unwritten: how many characters it may still write.
        observer: who is told of the predictions of its characters, if anybody is.
        stopped_by: `length`, `end`, `stop`, or the name of the constraint that left nothing to write; None while it is
            on its way.
    """

    def __init__(
        self,
        seed: Seed,
        symbols: Sequence[str],
        *,
        sampling: SamplingConfig | None = None,
        length: int = 0,
        rng_seed: int = 0,
        number: int = 0,
        stops: Sequence[str] = (),
        end: End | None = None,
        constraints: Sequence[Constraint] = (),
        observer: Observer | None = None,
        observe_seed: bool = False,
    ) -> None:
        """Prepare a text.

        Args:
            seed: what to read first.
            symbols: the network's, `(V,)`.
            sampling: how to choose characters.
            length: characters to write.
            rng_seed: with the number, the seed of the text's own random generator.
            number: of the text.
            stops: strings before which the text ends.
            end: where to end after `length` characters; looked for in at most 500 more.
            constraints: objects of this text's own that say what it may write.
            observer: called with the losses in nats `(n,)`, the logits `(n, V)` and the codes `(n,)` of characters,
                in their order and of each once: those written and, with `observe_seed`, the seed's from its second on.
            observe_seed: whether the observer is told of the seed too.
        """
        self.seed, self.number, self.rng_seed, self.constraints = seed, number, rng_seed, constraints
        self.sampling = sampling or SamplingConfig()
        self.stopped_by: EndedBy | None = None
        if not (length or end or (observe_seed and len(seed.codes) > 1)):
            self.stopped_by = "length"
        self.observer = observer
        self._symbols, self._observe_seed = symbols, observe_seed
        self.unwritten = length if end is None else length + MOST_MORE
        self._rng = np.random.default_rng((rng_seed, number))
        self._finder = StopFinder(stops)
        self._ending = None if end is None else Ending(end, length)
        self._written = io.StringIO()  # 4 bytes a character, where pieces of one or two take ten times as much
        self._read = 0  # codes of the seed that a batch has taken,
        self._asked = 0  # and how often it has asked for some

    @property
    def stop(self) -> str | None:
        """The stop string that was found, and cut off."""
        return self._finder.found

    @property
    def begun(self) -> bool:
        """Whether a batch has taken it."""
        return self._read > 0

    @property
    def reads(self) -> bool:
        """Whether codes of the seed follow the one to be read next."""
        return self._read < len(self.seed.codes)

    @property
    def left(self) -> int:
        """Characters it has yet to read after the next one, and to write, at most."""
        return len(self.seed.codes) - self._read + self.unwritten

    def ended_by(self, constraint: Constraint) -> Name:
        """The name of the constraint that ends the text where one leaves nothing to write.

        A text that matches as a whole has come to its end, whatever else it may not write.
        """
        matching = [other.name for other in self.constraints if isinstance(other, Match) and other.accepting]
        return matching[0] if matching else constraint.name

    def begin(self) -> int:
        """Return the first code to read: the seed's first, or its last where the others have been read."""
        self._read = 1 if self.seed.memory is None else len(self.seed.codes)
        return int(self.seed.codes[self._read - 1])

    def ahead(self, most: int) -> NDArray[np.integer]:
        """Codes of the seed, at most so many, that follow the one to be read next."""
        self._asked += 1
        return gather(self.seed.codes, slice(self._read, self._read + most), self._asked)

    def draw(self, exponentials: NDArray[np.float64]) -> None:
        """Fill `(n, V)` with the draws for the next n characters, from a standard exponential."""
        self._rng.standard_exponential(out=exponentials)

    def observe(self, codes: Codes, read: int, nats: NDArray[np.float64], logits: Array) -> None:
        """Tell the observer of what `take_in` is about to take.

        Args:
            codes: shape `(n,)`: first the next `read` of the seed, then those written.
            read: how many are the seed's.
            nats: their losses, `(n,)`.
            logits: those that predicted them, `(n, V)`.
        """
        if self.observer is not None:
            told = slice(0 if self._observe_seed else read, read + self.unwritten)
            self.observer(nats[told], logits[told], codes[told])

    def take_in(self, codes: list[int], read: int, blocked: Name | None) -> None:
        """Take what a batch has brought.

        Args:
            codes: first the next `read` of the seed, then those written.
            read: how many are the seed's.
            blocked: the constraint that left nothing to write after them, if one did.
        """
        self._read += read
        written = codes[read : read + self.unwritten]
        self.unwritten -= len(written)
        text = self._finder.feed([self._symbols[code] for code in written])
        if self.stop:
            self.stopped_by = "stop"
        elif not self.unwritten and not self.reads:
            self.stopped_by = "length"
        elif blocked:
            self.stopped_by = blocked
        if self.stopped_by:
            text += self._finder.flush()
        if self._ending is not None:
            text = self._ending.feed(text)
            if self._ending.found:
                self.stopped_by = "end"
            elif self.stopped_by:
                text += self._ending.flush()
        self._written.write(text)

    def take(self) -> str:
        """Return what was written since the last call, as far as it is certain to belong to the text."""
        text = self._written.getvalue()
        if text:
            self._written = io.StringIO()
        return text
