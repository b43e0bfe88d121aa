"""What a text has copied from a corpus, as figures; both are arrays of codes.

As a yardstick, the end of the corpus is compared with the rest: a text as new as that has only what its author, or its
language, repeats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textgen import machine
from textgen.config import TrainingConfig
from textgen.corpus.codes import parts
from textgen.corpus.corpus import held_out
from textgen.errors import CorpusError
from textgen.evaluation.suffixes import Codes, Passages, Places, Suffixes, blank, memory_of
from textgen.generation.copying import Other
from textgen.wording import counted

RUNS = (20, 50, 100)  # characters in a row from which on they count as copied
SHORTEST = RUNS[0]
DISTINCT = (2, 4, 8)  # the n of distinct n-grams, each twice the one before


@dataclass(frozen=True)
class Figures:
    """How new a text is.

    Attributes:
        characters: its number of characters.
        copied: for each number of characters of `RUNS`, the share of the text inside passages of as many or more that
            stand in the corpus, 0 to 1.
        longest: the number of characters of the longest passage; 0 if no character is in the corpus.
        distinct: for each n of `DISTINCT`, the number of different n-grams of characters by that of all (distinct-n;
            Li, Galley, Brockett, Gao and Dolan, 2016), in the first `distinct_of` characters; NaN if they are fewer.
        distinct_of: as many of the text as of its yardstick, since a longer text has a smaller share of different ones.
    """

    characters: int
    copied: dict[int, float]
    longest: int
    distinct: dict[int, float]
    distinct_of: int


class Compared(NamedTuple):
    """A text compared with a corpus.

    Attributes:
        figures: of the text.
        held_out: of the corpus's end, compared with the rest; None if one of the two is too short.
        longest: how many characters from each of the text on stand in the corpus, `(N,)`.
        passages: of the text that stand in the corpus.
        places: where each begins first in the corpus, `(P,)`.
        times: how often it does, `(P,)`.
    """

    figures: Figures
    held_out: Figures | None
    longest: Places
    passages: Passages
    places: Places
    times: Places


def joined(others: Sequence[Other], symbols: int) -> Codes:
    """The codes of a corpus, from 1 on, with 0 between two texts and for what is unknown.

    Args:
        others: its texts, at least one.
        symbols: the number of codes of their tables.

    Raises:
        CorpusError: the memory is too small to sort them.
    """
    total = sum(len(other.codes) for other in others) + len(others) - 1
    need, have = memory_of(total, symbols + 1), machine.memory()
    if have is not None and need > have:
        raise CorpusError(
            f"comparing {counted(total, 'character')} needs {need / 1e9:.2g} GB of memory, and {have / 1e9:.2g} GB is "
            "available; compare fewer texts"
        )
    codes, place = blank(total, symbols + 1), 0
    for other in others:
        table = (other.table + 1).astype(codes.dtype)
        for part in parts(other.codes):
            codes[place : place + len(part)] = table[part]
            place += len(part)
        place += 1
    return codes


def compare(text: Codes, corpus: Codes, symbols: int) -> Compared:
    """Compare a text with a corpus, both from `joined`; the borders of the text are changed to another code."""
    distinct_of = min(len(text), _end(corpus) or len(text))
    suffixes = Suffixes(corpus)
    figures, longest, passages = measured(text, suffixes, symbols, distinct_of)
    found = [suffixes.occurrences(text[start : start + length]) for start, length in zip(*passages, strict=True)]
    places, times = np.array(found, np.int64).reshape(-1, 2).T
    del suffixes  # the yardstick needs as much memory
    return Compared(figures, yardstick(corpus, symbols, distinct_of), longest, passages, places, times)


def yardstick(corpus: Codes, symbols: int, distinct_of: int) -> Figures | None:
    """The figures of the end of a corpus, compared with the rest; None if one of the two is too short."""
    end = _end(corpus)
    if not end:
        return None
    text = blank(end, symbols + 1)
    text[:] = kept = corpus[-end:].copy()
    corpus[-end:] = 0  # the zeros that are needed after the rest
    try:
        return measured(text, Suffixes(corpus[:-end]), symbols, min(end, distinct_of))[0]
    finally:
        corpus[-end:] = kept


def _end(corpus: Codes) -> int:
    """The number of characters at the end that are compared with the rest; 0 if that or the rest is too short."""
    end = held_out(len(corpus), TrainingConfig().validation)
    return end if min(end, len(corpus) - end) >= SHORTEST else 0


def measured(
    text: Codes, suffixes: Suffixes, symbols: int, distinct_of: int | None = None
) -> tuple[Figures, Places, Passages]:
    """The figures of a text, how much from each place on is in the corpus, and its passages.

    Args:
        text: from `joined`; its borders are changed to another code than those of the corpus.
        suffixes: of the corpus.
        symbols: the number of codes of both.
        distinct_of: characters that the distinct n-grams are counted in; None for all.
    """
    border = symbols + 1
    text[text == 0] = border
    longest = suffixes.longest(text)
    passages = suffixes.passages(text, longest, SHORTEST)
    ends = np.zeros(len(text), np.int64)
    ends[passages.starts] = passages.starts + passages.lengths
    np.maximum.accumulate(ends, out=ends)
    np.maximum(longest, ends - np.arange(len(text)), out=longest)  # of the longest, what `suffixes` has cut
    characters = int(np.count_nonzero(text != border))
    figures = Figures(
        characters,
        {run: int(np.count_nonzero(_inside(longest, run))) / max(characters, 1) for run in RUNS},
        int(longest.max(initial=0)),
        distinct(text[:distinct_of], border),
        len(text) if distinct_of is None else distinct_of,
    )
    return figures, longest, passages


def _inside(longest: Places, run: int) -> NDArray[np.bool_]:
    """Which characters are inside a passage of at least `run`, `(N,)`."""
    begins = np.flatnonzero(longest >= run)
    edges = np.zeros(len(longest) + 1, np.int8)
    edges[begins] += 1
    edges[begins + run] -= 1
    return np.cumsum(edges[:-1], dtype=np.int32) > 0


def distinct(text: Codes, border: int) -> dict[int, float]:
    """For each n of `DISTINCT`, the share of different ones among the n-grams of a text that have no border in them."""
    found, size = {}, 1
    grams, is_whole = text.astype(np.int64), text != border
    while size < DISTINCT[-1]:
        # Two neighbours make one twice as long; numbers for them keep it small.
        grams = grams[:-size] * (int(grams.max(initial=0)) + 1) + grams[size:]
        is_whole = is_whole[:-size] & is_whole[size:]
        size *= 2
        _, grams = np.unique(grams, return_inverse=True)
        if size in DISTINCT:
            total = int(np.count_nonzero(is_whole))
            different = len(np.unique(grams[is_whole]))
            found[size] = different / total if total else float("nan")
    return found
