"""Texts that never copy: no `n` characters in a row that stand in certain other texts.

Of these, one sorted array of 64-bit numbers is kept: the upper bits of each are a hash of n - 1 codes in a row, the
lower ones the code that follows them somewhere. So a character of the texts needs 8 bytes at most, and two searches
tell what has followed the last n - 1 codes. Nothing that stands in the texts is ever missed. Where two rows of codes
have the same hash, a character is left out without need: of a million characters of English, once in 10¹¹ that are
written, and of a million of Japanese once in 10⁹.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import PATH, expect
from textgen.config import Reading
from textgen.corpus import cache
from textgen.corpus.codes import count_known, mapped
from textgen.corpus.corpus import Corpus
from textgen.corpus.vocabulary import UNKNOWN, Codes, Vocabulary
from textgen.description import Description
from textgen.errors import CorpusError
from textgen.generation.constraints import Name
from textgen.generation.sampling import Mask
from textgen.wording import counted

Words = NDArray[np.uint64]
Against = str | Path | Corpus

FIRST_BITS = 14  # of a hash: from a table, they tell where to search, which spares most of the memory's delays
PART = 2**14  # characters that are treated at once, so that little is needed beside the array
WORD = 2**64 - 1  # sums and products are taken modulo 2⁶⁴
BASE = 0x9E3779B97F4A7C15  # of the hash, a polynomial; odd, so that powers can be taken back
INVERSE = pow(BASE, -1, 2**64)
FEWEST_KNOWN = 0.5  # share of a text's characters; with fewer it is in another script


class Other(NamedTuple):
    """A text not to copy from: its codes `(N,)`, and what each is to the model, its code or `UNKNOWN`."""

    codes: Codes
    table: NDArray[np.int32]


def own_text(description: Description) -> Other:
    """The text that a model was trained on, from the cache.

    Raises:
        CorpusError: it is not there.
    """

    def is_it(meta: Mapping[str, Any]) -> bool:
        known = meta["sha256"] == description.text.sha256
        return known and not any(symbol in description.vocabulary for symbol in meta["replaced"])

    stored = cache.find(is_it)
    if stored is None:
        raise CorpusError(
            f"the text that the model was trained on, {description.text.name}, is not in the cache folder; "
            "name its files with `against`"
        )
    vocabulary = Vocabulary(stored.meta["vocabulary"])
    return Other(mapped(stored.codes, vocabulary.dtype), _table(vocabulary, description))


def other_text(corpus: Corpus, description: Description) -> Other:
    """A text that is not the model's own.

    Raises:
        CorpusError: it is in another script than the model's.
        ValueError: it was not normalised as the model's.
    """
    text, reading = description.text, corpus.reading
    if (reading.unicode, reading.lowercase) != (text.unicode, text.lowercase) or corpus.replacement is not None:
        raise ValueError(
            f"`against` must be normalised as the model's text was, with `unicode={text.unicode!r}`, "
            f"`lowercase={text.lowercase}` and all its symbols: {corpus.label} is not"
        )
    share = count_known(corpus.codes, description.vocabulary.lookup("".join(corpus.vocabulary.symbols))) / len(corpus)
    if share < FEWEST_KNOWN:
        raise CorpusError(
            f"{corpus.label}: the model knows {100 * share:.2g} % of its characters, so nothing can be copied from it; "
            "expected a text in the model's script in `against`"
        )
    return Other(corpus.codes, _table(corpus.vocabulary, description))


def _table(vocabulary: Vocabulary, description: Description) -> NDArray[np.int32]:
    """The model's code of each of a text's; rare symbols are replaced as in the model's text."""
    table = description.vocabulary.lookup("".join(vocabulary.symbols))
    if description.text.replacement is not None:
        table[table == UNKNOWN] = description.vocabulary.codes[description.text.replacement]
    return table


def listed(against: Against | Sequence[Against], name: str = "against") -> list[Against]:
    """The texts of an argument; `TypeError` if one is neither a path nor a `Corpus`."""
    expect(name, against, PATH | Corpus | Sequence)
    items: Any = [against] if isinstance(against, PATH | Corpus) else against
    for place, item in enumerate(items):
        expect(f"{name}[{place}]", item, PATH | Corpus)
    return list(items)


def others(against: Sequence[Against], description: Description) -> list[Other]:
    """The texts not to copy from: those given, or else the one that the model was trained on.

    Raises:
        CorpusError: one cannot be read, is in another script, or is not to be found.
        ValueError: one was not normalised as the model's text.
    """
    reading = reading_of(description)
    return [other_text(read_text(item, reading), description) for item in against] or [own_text(description)]


def reading_of(description: Description) -> Reading:
    """How to read a text so that it is normalised as the model's was."""
    return Reading(unicode=description.text.unicode, lowercase=description.text.lowercase)


def read_text(text: Against, reading: Reading) -> Corpus:
    """A text not to copy from, or one that may have been copied: it is read, unless it is a `Corpus` already."""
    return text if isinstance(text, Corpus) else Corpus.from_files(text, reading=reading)


class NoCopy:
    """No `n` characters in a row that stand in other texts; a seed's last ones count."""

    def __init__(self, n: int, others: Sequence[Other], symbols: int) -> None:
        """Take `n`, at least 2, the texts, and the number of the model's symbols.

        Memory: 8 bytes for each character of the texts, and a megabyte.

        Raises:
            ValueError: all texts are shorter than `n`.
        """
        longest = max(len(other.codes) for other in others)
        if n > longest:
            raise ValueError(
                f"`no_copy` must be at most the length of the text, {counted(longest, 'character')}, not {n:,}"
            )
        self.n, self.symbols = n, symbols
        self._low = (1 << symbols.bit_length()) - 1  # the code `symbols` stands for what the model does not know
        self._all = bytes([True]) * (symbols + 1)
        self._values: Words = np.random.default_rng(symbols).integers(WORD, size=symbols + 2, dtype=np.uint64)
        self._values[-1] = 0  # stands for what is before a text, which no other text has
        self._values_of = self._values.tolist()
        self._top = pow(BASE, n - 2, WORD + 1)
        self._entries = self._sorted(others)
        self._view = self._entries.data
        firsts = np.arange(2**FIRST_BITS + 1, dtype=np.uint64) << np.uint64(64 - FIRST_BITS)
        firsts[-1] = WORD
        self._starts = (
            np.searchsorted(self._entries, firsts).astype(np.uint32).data
        )  # where hashes begin with each bits

    def begin(self, seed: NDArray[np.integer], length: int) -> "Uncopied":
        """A text that follows a seed."""
        return Uncopied(self, seed[1 - self.n :].tolist())

    def after(self, value: int) -> Mask | None:
        """All codes but those that follow n - 1 codes of a hash in the texts; None if none do."""
        value = _mixed(value)
        least = value & ~self._low
        most = least | self._low
        begin = value >> 64 - FIRST_BITS
        first = bisect_left(self._view, least, self._starts[begin], self._starts[begin + 1])
        if first == len(self._view) or self._view[first] > most:
            return None
        last = bisect_right(self._view, most, first, min(first + self.symbols + 1, len(self._view)))
        mask = bytearray(self._all)  # quicker than NumPy, since what follows is of few kinds
        for entry in self._view[first:last]:
            mask[entry & self._low] = False
        return np.frombuffer(mask, np.bool_, self.symbols)

    def shifted(self, value: int, first: int, code: int) -> int:
        """The hash of n - 1 codes after their first one is gone and another has come."""
        return ((value - self._values_of[first]) * INVERSE + self._values_of[code] * self._top) & WORD

    def _sorted(self, others: Sequence[Other]) -> Words:
        """The array of hashes and codes."""
        entries = np.empty(sum(len(other.codes) + 1 for other in others), np.uint64)
        filled = 0
        for other in others:
            if len(other.codes) >= self.n:
                filled += self._fill(entries[filled : filled + len(other.codes) + 1], other)
        entries[:filled].sort()
        return entries[: _distinct(entries[:filled])]  # a smaller array would be a second one

    def _fill(self, entries: Words, other: Other) -> int:
        """Make the entries of one text, in an array `(N + 1,)`; return how many there are.

        The array holds the hash of the text up to each place first. The difference of two is the hash of what is
        between them, times a power of the base.
        """
        table = np.where(other.table == UNKNOWN, self.symbols, other.table).astype(np.uint64)
        total, raised, lowered = 0, 1, 1
        entries[0] = 0
        powers, inverses = _powers(BASE), _powers(INVERSE)
        for start in range(0, len(other.codes), PART):
            values = self._values[table[other.codes[start : start + PART]]]
            values *= powers[: len(values)]
            values *= np.uint64(raised)
            sums = np.cumsum(values, out=entries[start + 1 : start + 1 + len(values)])
            sums += np.uint64(total)
            total, raised = int(sums[-1]), raised * pow(BASE, PART, WORD + 1) & WORD
        row = self.n - 1
        count = len(other.codes) - row
        for start in range(0, count, PART):
            stop = min(start + PART, count)
            values = entries[start + row : stop + row] - entries[start:stop]
            values *= inverses[: len(values)]
            values *= np.uint64(lowered)
            lowered = lowered * pow(INVERSE, PART, WORD + 1) & WORD
            _mix(values)
            values &= np.uint64(WORD - self._low)
            values |= table[other.codes[start + row : stop + row]]
            entries[start:stop] = values
        return count


def _powers(base: int) -> Words:
    """The powers of a number from 0 on, `(PART,)`."""
    powers = np.full(PART, base, np.uint64)
    powers[0] = 1
    return np.cumprod(powers, out=powers)


def _mix(values: Words) -> None:
    """Let every bit depend on all, in place (the finalizer of splitmix64; Steele, Lea and Flood, 2014)."""
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)


def _mixed(value: int) -> int:
    """The same of one number."""
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & WORD
    value = (value ^ value >> 27) * 0x94D049BB133111EB & WORD
    return value ^ value >> 31


def _distinct(entries: Words) -> int:
    """Move each different entry of a sorted array to its front; return how many there are."""
    count = 0
    for start in range(0, len(entries), PART):
        part = entries[start : start + PART]
        is_new = np.empty(len(part), np.bool_)
        is_new[0] = not count or part[0] != entries[count - 1]
        np.not_equal(part[1:], part[:-1], out=is_new[1:])
        kept = part[is_new]
        entries[count : count + len(kept)] = kept
        count += len(kept)
    return count


class Uncopied:
    """Keeps one text from copying."""

    name: Name = "no_copy"

    def __init__(self, rule: NoCopy, seed: Sequence[int]) -> None:
        """Begin after a seed's last codes."""
        self._rule = rule
        self._row = deque([rule.symbols + 1] * (rule.n - 1))  # the last n - 1 codes
        self._hash = 0
        for code in seed:
            self.advance(code)

    def allowed(self) -> Mask | None:
        """All but what has followed the last n - 1 characters in the other texts."""
        return self._rule.after(self._hash)

    def advance(self, code: int) -> None:
        """Take the code that was written."""
        self._row.append(code)
        self._hash = self._rule.shifted(self._hash, self._row.popleft(), code)
