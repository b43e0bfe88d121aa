"""What a text may not have in it, and which characters it is made of.

A rule is made once for all texts of a call, and holds what is large. `begin` gives each text a small object of its own,
the constraint, which is asked before each character, and told each that was written.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from textgen.corpus.characters import first_named
from textgen.corpus.normalisation import Normalisation
from textgen.corpus.vocabulary import Vocabulary
from textgen.generation.sampling import Mask
from textgen.generation.seed import normalised

Name = Literal["only", "without", "ban", "no_repeat", "no_copy", "match"]


class Constraint(Protocol):
    """A constraint on one text while it is generated."""

    @property
    def name(self) -> Name:
        """The name of its argument."""

    def allowed(self) -> Mask | None:
        """Which codes may come next, shape `(V,)`, not to be changed; None if all may."""

    def advance(self, code: int) -> None:
        """Take the code that was written."""


class Rule(Protocol):
    """A constraint on all texts of a call."""

    def begin(self, seed: NDArray[np.integer], length: int) -> Constraint:
        """The constraint of a text of at most `length` characters that follows the codes of a seed, `(N,)`."""


@dataclass(frozen=True, eq=False)
class Alphabet:
    """The characters that a text is made of: a rule that is the same at every place, and so its own constraint."""

    name: Name
    mask: Mask

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        *,
        only: str | None = None,
        without: str | None = None,
        normalisation: Normalisation,
        replacement: str | None = None,
    ) -> "Alphabet":
        """The characters of `only`, or all that the model writes, but those of `without`.

        Args:
            vocabulary: the model's.
            only: characters; the order and how often one is named mean nothing.
            without: characters.
            normalisation: what was done to the model's text.
            replacement: the symbol that stood for rare ones in it, which is never written.

        Raises:
            ValueError: there is no character in an argument, one is unknown to the model, or is in both; or no
                character is left to write.
            SeedError: there are thousands of combining marks in a row.
        """
        taken = {} if only is None else _characters("only", only, vocabulary, normalisation)
        left_out = {} if without is None else _characters("without", without, vocabulary, normalisation)
        if both := [symbol for symbol in taken if symbol in left_out]:
            raise ValueError(f"`only` and `without` contradict each other: both have {first_named(both)}")
        kept = [
            symbol != replacement and symbol not in left_out and (only is None or symbol in taken)
            for symbol in vocabulary.symbols
        ]
        name: Name = "without" if only is None else "only"
        if not any(kept):
            raise ValueError(f"`{name}` leaves no character to write")
        return cls(name, np.array(kept))

    def begin(self, seed: NDArray[np.integer], length: int) -> "Alphabet":
        """Itself: a seed may have any characters."""
        return self

    def allowed(self) -> Mask:
        """The characters."""
        return self.mask

    def advance(self, code: int) -> None:
        """Nothing changes."""


def _characters(name: str, text: str, vocabulary: Vocabulary, normalisation: Normalisation) -> dict[str, None]:
    """The characters of an argument, each once, as the model's text has them."""
    composed = normalised(f"`{name}`", text, Normalisation(normalisation.unicode))
    if not composed:
        raise ValueError(f"`{name}` must have at least one character")
    # A letter becomes small by itself: a capital sigma here ends no word.
    small = map(str.lower, composed) if normalisation.lowercase else composed
    symbols = dict.fromkeys("".join(small))
    if strange := [symbol for symbol in symbols if symbol not in vocabulary]:
        raise ValueError(f"`{name}` has characters that are not in the model's vocabulary: {first_named(strange)}")
    return symbols


class Ban:
    """Strings that are never generated, not even if they begin in the seed.

    The automaton of Aho and Corasick (1975): a node for each beginning of a banned text, which stands for the longest
    one that the written text ends with.
    """

    def __init__(self, banned: Iterable[Sequence[int]], symbols: int) -> None:
        """Take the codes of the banned texts, each at least one, and the number of the model's symbols."""
        self._longest = 0  # codes of a banned text but its last one
        self._next: list[dict[int, int]] = [{}]
        completing: dict[int, list[int]] = {}  # the codes that complete a banned text, by node
        for *before, last in banned:
            node = 0
            for code in before:
                node = self._next[node].setdefault(code, len(self._next))
                if node == len(self._next):
                    self._next.append({})
            completing.setdefault(node, []).append(last)
            self._longest = max(self._longest, len(before))
        self._shorter = [0] * len(self._next)  # the node of the longest ending that begins a banned text too
        self._masks: list[Mask | None] = [None] * len(self._next)
        self._link(completing, symbols)

    def _link(self, completing: Mapping[int, list[int]], symbols: int) -> None:
        """Find each node's shorter one and mask, nodes of shorter beginnings first."""
        waiting = deque([0])
        while waiting:
            node = waiting.popleft()
            mask = self._masks[self._shorter[node]]
            if node in completing:
                mask = np.ones(symbols, np.bool_) if mask is None else mask.copy()
                mask[completing[node]] = False
            self._masks[node] = mask
            for code, child in self._next[node].items():
                self._shorter[child] = self.after(self._shorter[node], code) if node else 0
                waiting.append(child)

    def after(self, node: int, code: int) -> int:
        """The node of a text that goes on with a code."""
        while node and code not in self._next[node]:
            node = self._shorter[node]
        return self._next[node].get(code, 0)

    def mask(self, node: int) -> Mask | None:
        """What may follow at a node."""
        return self._masks[node]

    def begin(self, seed: NDArray[np.integer], length: int) -> "Banned":
        """A text that follows a seed."""
        banned = Banned(self)
        for code in seed[max(0, len(seed) - self._longest) :].tolist():
            banned.advance(code)
        return banned


class Banned:
    """Keeps banned texts out of one text."""

    name: Name = "ban"

    def __init__(self, ban: Ban) -> None:
        """Begin where nothing is written."""
        self._ban = ban
        self._node = 0

    def allowed(self) -> Mask | None:
        """All but what would complete a banned text."""
        return self._ban.mask(self._node)

    def advance(self, code: int) -> None:
        """Take the code that was written."""
        self._node = self._ban.after(self._node, code)


class NoRepeat:
    """No `n` characters in a row twice in one text, its seed included.

    What has followed each n - 1 codes is kept under their hash, a polynomial modulo a prime, so that a large `n` takes
    no more memory than a small one. No repetition is ever missed. Where two rows of codes have the same hash, a
    character is left out without need: in a text of a million characters, once in a trillion that are written.
    """

    PRIME = 2**61 - 1
    BASE = 0x1E3779B97F4A7C15

    def __init__(self, n: int, symbols: int) -> None:
        """Take `n`, at least 2, and the number of the model's symbols."""
        self.n, self.bits, self.all = n, (symbols - 1).bit_length(), bytes([True]) * symbols
        self.top = self.bits * (n - 2)  # where the first of n - 1 codes stands among their bits,
        self.weight = pow(self.BASE, n - 1, self.PRIME)  # and what it counts in the next hash
        self._last: tuple[list[int], Unrepeated] | None = None

    def begin(self, seed: NDArray[np.integer], length: int) -> "Unrepeated":
        """A text that follows a seed. Many texts often follow the same one: what was seen in it is shared by them."""
        last, codes = self._last, seed.tolist()
        if last is None or last[0] != codes:
            read = Unrepeated(self, {}, (0, 0), 0)
            for code in codes:
                read.advance(code)
            self._last = last = (codes, read)
        return last[1].branch()


class Unrepeated:
    """Keeps one text from having the same characters in a row again."""

    name: Name = "no_repeat"

    def __init__(self, rule: NoRepeat, in_seed: dict[int, tuple[int, ...]], last: tuple[int, int], read: int) -> None:
        """Go on after a seed of `read` codes; of the last n - 1, `last` has the bits and the hash."""
        self._rule = rule
        self._all_bits = (1 << rule.bits * (rule.n - 1)) - 1
        self._in_seed = in_seed
        self._seen: dict[int, tuple[int, ...]] = {}  # what has followed each n - 1 codes, by their hash
        (self._row, self._key), self._read = last, read

    def branch(self) -> "Unrepeated":
        """The constraint of another text that continues from here; this one must not be advanced any more."""
        return Unrepeated(self._rule, self._seen, (self._row, self._key), self._read)

    def allowed(self) -> Mask | None:
        """All but what has followed the same n - 1 characters before."""
        followers = self._in_seed.get(self._key, ()) + self._seen.get(self._key, ())
        if not followers:
            return None
        mask = bytearray(self._rule.all)  # quicker than NumPy, since what follows is of few kinds
        for code in followers:
            mask[code] = False
        return np.frombuffer(mask, np.bool_)

    def advance(self, code: int) -> None:
        """Take the code that was written."""
        rule = self._rule
        if self._read >= rule.n - 1:
            followers = self._seen.get(self._key, ())
            if code not in followers:
                self._seen[self._key] = (*followers, code)
        self._key = (self._key * rule.BASE + code - (self._row >> rule.top) * rule.weight) % rule.PRIME
        self._row = (self._row << rule.bits | code) & self._all_bits
        self._read += 1
