"""One text being generated: the codes it reads first, how its characters are chosen, and what it has written."""

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
        text: the phrase that they encode, as it was given.
        read: the codes of the phrase; none if it is empty.
        memory: the network's state after all but the last of them, once a stream has read them for the others.
    """

    LONG = 64  # codes from which on it pays to read them once for all texts, while the others wait

    def __init__(
        self, codes: NDArray[np.integer], text: str = "", *, shared: bool = False, implied: bool = False
    ) -> None:
        """Store the codes and their text.

        Args:
            codes: shape `(N,)`, at least one.
            text: the phrase.
            shared: whether several texts begin with them.
            implied: whether nothing is left of the phrase, and the codes are read instead.
        """
        if not len(codes):
            raise ValueError("a stream needs at least one code to begin with")
        self.codes, self.text, self.read = codes, text, codes[:0] if implied else codes
        self.memory: State | None = None
        self._read_once = shared and len(codes) >= self.LONG
        self._reader: object = None

    def ready_for(self, stream: object) -> bool:
        """Whether a stream may begin: it reads the codes, or continues from the state after another has read them."""
        if not self._read_once or self.memory is not None:
            return True
        if self._reader is None:
            self._reader = stream
        return self._reader is stream

    def give_up(self, stream: object) -> None:
        """Let another stream read the codes if this one leaves before it has read them."""
        if self._reader is stream:
            self._reader = None

    def remember(self, memory: State) -> None:
        """Save the network's state after all codes but the last."""
        self.memory, self._reader = memory, None  # which would keep seed and stream alive together

    def wanted_of(self, stream: object) -> bool:
        """Whether a stream must save its state after the codes for the others."""
        return self._read_once and self.memory is None and self._reader is stream


class Stream:
    """One text being generated. A `Batch` advances it; its text does not depend on the batch's other streams.

    Attributes:
        seed: what it reads before it writes.
        number: index of the text among those that continue the same seed.
        rng_seed: random seed; with the same number, it gives the same text again.
        sampling: how its characters are chosen.
        constraints: those of the text, in the order in which they apply.
        bias: what is added to the logits that its characters are chosen from, `(V,)`, or None.
        unwritten: the number of characters it may still write.
        observer: called with the predictions of its characters, or None.
        stopped_by: `length`, `end`, `stop`, or the name of the constraint that left nothing to write; None while the
            text is not finished.
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
        bias: Array | None = None,
        observer: Observer | None = None,
        observe_seed: bool = False,
    ) -> None:
        """Prepare a text.

        Args:
            seed: what to read first.
            symbols: the network's vocabulary, `(V,)`.
            sampling: how to choose characters.
            length: number of characters to write.
            rng_seed: with the number, the seed of the text's own random generator.
            number: index of the text among those that continue the same seed.
            stops: strings before which the text ends.
            end: where to end after `length` characters, within at most 500 more.
            constraints: say what the text may contain; not shared with other texts.
            bias: what is added to the logits before a character is chosen, float32 `(V,)`, finite.
            observer: called with the losses in nats `(n,)`, the logits `(n, V)` and the codes `(n,)` of each character
                once, in order: those written and, with `observe_seed`, the seed's from its second on.
            observe_seed: whether to pass the seed's characters to the observer too.
        """
        self.seed, self.number, self.rng_seed, self.constraints = seed, number, rng_seed, constraints
        self.sampling, self.bias = sampling or SamplingConfig(), bias
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
        self._read = 0  # codes of the seed that a batch has read,
        self._requests = 0  # and the number of its requests for them

    @property
    def stop(self) -> str | None:
        """The stop string that was found and cut off, or None."""
        return self._finder.found

    @property
    def begun(self) -> bool:
        """Whether a batch has begun to read the seed."""
        return self._read > 0

    @property
    def reads(self) -> bool:
        """Whether more codes of the seed follow the next one."""
        return self.unread > 0

    @property
    def unread(self) -> int:
        """How many codes of the seed follow the next one."""
        return len(self.seed.codes) - self._read

    @property
    def left(self) -> int:
        """The maximum number of characters still to be read, after the next one, and written."""
        return self.unread + self.unwritten

    def ended_by(self, constraint: Constraint) -> Name:
        """The name to report when a constraint leaves nothing to write.

        If the whole text matches, it is complete, and `match` is reported instead of that constraint.
        """
        matching = [other.name for other in self.constraints if isinstance(other, Match) and other.accepting]
        return matching[0] if matching else constraint.name

    def begin(self) -> int:
        """Return the first code to read: the seed's first, or its last if another stream has read the rest."""
        self._read = 1 if self.seed.memory is None else len(self.seed.codes)
        return int(self.seed.codes[self._read - 1])

    def ahead(self, most: int) -> NDArray[np.integer]:
        """The codes of the seed after the next one, at most `most` of them."""
        self._requests += 1
        return gather(self.seed.codes, slice(self._read, self._read + most), self._requests)

    def draw(self, exponentials: NDArray[np.float64]) -> None:
        """Fill `(n, V)` with draws from the standard exponential distribution for the next n characters."""
        self._rng.standard_exponential(out=exponentials)

    def observe(self, codes: Codes, read: int, nats: NDArray[np.float64], logits: Array) -> None:
        """Report to the observer the codes that `take_in` receives next.

        Args:
            codes: shape `(n,)`: first the next `read` of the seed, then those written.
            read: the number of the seed's.
            nats: their losses, `(n,)`.
            logits: those that predicted them, `(n, V)`.
        """
        if self.observer is not None:
            observed = slice(0 if self._observe_seed else read, read + self.unwritten)
            self.observer(nats[observed], logits[observed], codes[observed])

    def take_in(self, codes: list[int], read: int, blocked: Name | None) -> None:
        """Receive the next codes from a batch.

        Args:
            codes: first the next `read` of the seed, then those written.
            read: the number of the seed's.
            blocked: the constraint that left nothing to write after them, if any.
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
        """Return what was written since the last call and is certain to belong to the text."""
        text = self._written.getvalue()
        if text:
            self._written = io.StringIO()
        return text
