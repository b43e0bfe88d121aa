"""Finds what a text has in common with a corpus, word for word, by an array of the corpus's suffixes in their order.

The order is found by divsufsort (Mori, 2008; Fischer and Kurpicz, 2017). For every place of a text, a binary search
gives the suffixes between which it stands, and one of these two begins with as much of the text as any (Manber and
Myers, 1993). All places of a text are searched at once, eight bytes at a time.
"""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.unsignedinteger]
Places = NDArray[np.int64]

WORD = 8  # bytes compared at once
LONGEST = 128  # characters that are compared for every place of a text; what is longer is found stretch by stretch
QUERIES = 2**16  # places that are searched at once, so that little memory is needed beside the array
PART = 2**20


class Passages(NamedTuple):
    """Stretches of a text that stand in a corpus, and in none longer that does; by their beginning.

    Attributes:
        starts: where each begins in the text, `(P,)`.
        lengths: their numbers of characters, `(P,)`.
    """

    starts: Places
    lengths: Places


def blank(characters: int, symbols: int) -> Codes:
    """An array `(N,)` of zeros for codes up to `symbols`, in big-endian order, with the zeros after it that are needed.

    0 stands for what is in no text, such as the border between two.
    """
    dtype = np.min_scalar_type(symbols).newbyteorder(">")
    return np.zeros(characters + WORD, dtype)[:characters]


def memory_of(characters: int, symbols: int) -> int:
    """The bytes that an array of `blank` and its `Suffixes` take."""
    size = characters * np.min_scalar_type(symbols).itemsize
    return size + size * (4 if size < 2**31 else 8)


class Suffixes:
    """All suffixes of a corpus, in order.

    Memory: beside the codes, 4 bytes a character if codes are bytes, or else 8; twice that from 2³¹ bytes of codes on.
    """

    def __init__(self, codes: Codes) -> None:
        """Sort the suffixes of an array that `blank` has made, or of its beginning if zeros follow it; `(N,)`."""
        from pydivsufsort import divsufsort  # type: ignore[import-untyped]

        self._width = codes.itemsize
        self._data = codes.view(np.uint8).data
        self._words = _words(codes)
        order = divsufsort(codes.view(np.uint8))
        self._order = order if self._width == 1 else _whole(order, self._width)

    def __len__(self) -> int:
        return len(self._order)

    def longest(self, text: Codes) -> Places:
        """How many characters from each place of a text on stand somewhere in the corpus, in a row.

        Args:
            text: its codes, `(M,)`, from `blank` for as many symbols.

        Returns:
            Lengths `(M,)`, at most `LONGEST`.
        """
        found = np.empty(len(text), np.int64)
        words = _words(text)
        for start in range(0, len(text), QUERIES):
            places = np.arange(start, min(start + QUERIES, len(text)))
            lengths = self._search(words, places * self._width) // self._width
            found[places] = np.minimum(np.minimum(lengths, LONGEST), len(text) - places)
        return found

    def passages(self, text: Codes, longest: Places, shortest: int) -> Passages:
        """The passages of at least `shortest` characters, at most `LONGEST`, of what `longest` has found."""
        found: list[tuple[int, int]] = []
        before = np.append(0, longest[:-1])
        starts = np.flatnonzero((longest >= shortest) & (longest < LONGEST) & (before != longest + 1))
        found += zip(starts.tolist(), (starts + longest[starts]).tolist(), strict=True)
        is_long = np.concatenate([[False], longest == LONGEST, [False]])
        edges = np.flatnonzero(is_long[1:] != is_long[:-1])
        for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            found += self._stretch(text, first, end - 1 + LONGEST)
        found.sort()
        array = np.array(found, np.int64).reshape(-1, 2)
        return Passages(array[:, 0], array[:, 1] - array[:, 0])

    def occurrences(self, passage: Codes) -> tuple[int, int]:
        """Where in the corpus a passage begins first, and how often it does; `(-1, 0)` if it is not there."""
        low, high = self._range(passage)
        return (int(self._order[low:high].min()), high - low) if high > low else (-1, 0)

    def _stretch(self, text: Codes, start: int, end: int) -> list[tuple[int, int]]:
        """The passages of a stretch all of whose pieces of `LONGEST` characters are in the corpus.

        What begins later ends later, and a part of what is in the corpus is there too, so either end of the next
        passage is found by bisection.
        """
        found = []
        while True:
            stop = end
            if not self._has(text[start:end]):
                ends = range(start + LONGEST + 1, end + 1)
                stop = ends[bisect_left(ends, True, key=lambda stop: not self._has(text[start:stop]))] - 1
            found.append((start, stop))
            if stop == end:
                return found
            starts = range(start + 1, stop + 2 - LONGEST)
            start = starts[bisect_left(starts, True, key=lambda start: self._has(text[start : stop + 1]))]

    def _has(self, passage: Codes) -> bool:
        low, high = self._range(passage, one=True)
        return high > low

    def _range(self, passage: Codes, *, one: bool = False) -> tuple[int, int]:
        """Between which places of the order suffixes begin with a passage; with `one`, only the first is told."""
        wanted = passage.tobytes()

        def start_of(place: int) -> bytes:
            begin = int(self._order[place]) * self._width
            return bytes(self._data[begin : begin + len(wanted)])

        places = range(len(self))
        low = bisect_left(places, wanted, key=start_of)
        if low == len(self) or start_of(low) != wanted:
            return low, low
        return low, low + 1 if one else bisect_right(places, wanted, low, key=start_of)

    def _search(self, words: NDArray[np.uint64], starts: Places) -> Places:
        """The number of bytes from each of some places of a text on, in `words`, that stand in the corpus."""
        low = np.zeros(len(starts), np.int64)
        high = np.full(len(starts), len(self), np.int64)
        same_low, same_high = np.zeros_like(low), np.zeros_like(low)  # words in common with the suffixes before and at
        active = np.arange(len(starts))
        while len(active):
            middle = (low[active] + high[active]) // 2
            same = np.minimum(same_low[active], same_high[active])
            is_less = self._compare(self._order[middle] * np.int64(self._width), words, starts[active], same)
            less, others = active[is_less], active[~is_less]
            low[less], same_low[less] = middle[is_less] + 1, same[is_less]
            high[others], same_high[others] = middle[~is_less], same[~is_less]
            active = active[low[active] < high[active]]
        before = self._bytes_in_common(low - 1, words, starts, same_low)
        after = self._bytes_in_common(low, words, starts, same_high)
        return np.maximum(before, after)

    def _compare(self, suffixes: Places, words: NDArray[np.uint64], starts: Places, same: Places) -> NDArray[np.bool_]:
        """Whether suffixes of the corpus come before those of a text; advance `same`, the words that are equal.

        What is equal for `LONGEST` characters does not.
        """
        is_less = np.zeros(len(starts), np.bool_)
        active = np.arange(len(starts))
        while len(active):
            done = same[active] * WORD
            ours, theirs = _at(self._words, suffixes[active] + done), _at(words, starts[active] + done)
            is_less[active] = ours < theirs
            active = active[ours == theirs]
            active = active[same[active] < LONGEST * self._width // WORD]
            same[active] += 1
        return is_less

    def _bytes_in_common(self, places: Places, words: NDArray[np.uint64], starts: Places, same: Places) -> Places:
        """The same in bytes, of suffixes at some places of the order; none of one that is not there."""
        is_there = (places >= 0) & (places < len(self))
        suffixes = self._order[np.clip(places, 0, len(self) - 1)] * np.int64(self._width)
        differ = _at(self._words, suffixes + same * WORD) ^ _at(words, starts + same * WORD)
        in_bytes = differ.astype(">u8").view(np.uint8).reshape(-1, WORD) != 0
        more = np.where(differ == 0, WORD, in_bytes.argmax(axis=1))
        return np.where(is_there, same * WORD + more, 0)


def _words(codes: Codes) -> NDArray[np.uint64]:
    """The eight bytes from each byte of an array of `blank` on, `(bytes + 1,)`; what is after its end is zero."""
    whole = codes if codes.base is None else codes.base  # with the zeros
    return np.ndarray(codes.nbytes + 1, ">u8", whole, strides=(1,))


def _at(words: NDArray[np.uint64], places: Places) -> NDArray[np.uint64]:
    """Some of the words, in the machine's own order of bytes."""
    return words[np.minimum(places, len(words) - 1)].astype(np.uint64)


def _whole(order: NDArray[np.signedinteger], width: int) -> NDArray[np.signedinteger]:
    """Of an order of bytes, that of whole characters, in its own memory."""
    count = 0
    for start in range(0, len(order), PART):
        part = order[start : start + PART]
        kept = part[part % width == 0] // width
        order[count : count + len(kept)] = kept
        count += len(kept)
    return order[:count]
