"""`textgen.novelty`: what texts have copied, word for word, from others.

Characters are compared exactly, also their case and the space between words, after Unicode normalisation.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Unpack

import numpy as np

from textgen.arguments import expect_known
from textgen.config import Reading
from textgen.corpus.corpus import Corpus, SourceOptions
from textgen.corpus.notes import NAMES, such_as
from textgen.corpus.vocabulary import Vocabulary
from textgen.description import Description
from textgen.errors import CorpusError
from textgen.evaluation.copied import SHORTEST, Figures, compare, joined, measured, yardstick
from textgen.evaluation.marking import marked, verdict
from textgen.evaluation.places import Place, located
from textgen.evaluation.suffixes import Codes, Places, Suffixes
from textgen.generation.copying import Against, Other, listed, read_text
from textgen.page.tinted import notebook
from textgen.wording import counted


@dataclass(frozen=True, eq=False)
class Novelty:
    """What texts have copied from a corpus.

    A passage is a stretch of at least 20 characters that stands in the corpus, and is part of no longer one that does.
    Passages can overlap. They are listed by their beginning.

    Attributes:
        name: of the text.
        corpus: the name of the corpus.
        text: the text, normalised; several are joined by newlines.
        figures: how new it is.
        held_out: the same of the corpus's own end, its last tenth as training holds it out, compared with the rest;
            None if one of the two has fewer than 20 characters.
        longest: how many characters from each of the text on stand in the corpus, in a row, int64 `(N,)`.
        starts: where each passage begins in the text, int64 `(P,)`.
        lengths: their numbers of characters, int64 `(P,)`.
        times: how often each is in the corpus, int64 `(P,)`.
        text_places: where each begins in the files of the text, `(P,)`.
        corpus_places: where each begins first in the files of the corpus, `(P,)`.
        notes: for the user, on how the texts were read, and on texts that are in the corpus as a whole.
    """

    name: str
    corpus: str
    text: str
    figures: Figures
    held_out: Figures | None
    longest: Places
    starts: Places
    lengths: Places
    times: Places
    text_places: tuple[Place, ...]
    corpus_places: tuple[Place, ...]
    notes: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        """How a notebook shows it: the text, or the beginning of a long one, with the copied passages marked."""
        return notebook(marked(self))

    def passage(self, number: int) -> str:
        """The characters of a passage."""
        start = int(self.starts[number])
        return self.text[start : start + int(self.lengths[number])]

    def by_length(self) -> list[int]:
        """The numbers of all passages, the longest first."""
        return np.argsort(-self.lengths, kind="stable").tolist()

    def leading(self, most: int) -> list[int]:
        """The numbers of the longest passages, at most so many, without those that are mostly inside longer ones."""
        taken = np.zeros(len(self.text), np.bool_)
        chosen: list[int] = []
        for number in self.by_length():
            if len(chosen) == most:
                break
            stretch = taken[self.starts[number] : self.starts[number] + self.lengths[number]]
            if 2 * np.count_nonzero(stretch) < len(stretch):
                chosen.append(number)
                stretch[:] = True
        return chosen

    def to_dict(self) -> dict[str, Any]:
        """All but the text and the array `longest`, as JSON values; all passages, the longest first."""
        return {
            "figures": as_values(self.figures),
            "held_out": None if self.held_out is None else as_values(self.held_out),
            "passages": [
                {
                    "passage": self.passage(number),
                    "characters": int(self.lengths[number]),
                    "times": int(self.times[number]),
                    "text": self.text_places[number]._asdict(),
                    "corpus": self.corpus_places[number]._asdict(),
                }
                for number in self.by_length()
            ],
        }


def novelty(
    *texts: Against,
    against: Against | Sequence[Against],
    reading: Reading | None = None,
    **options: Unpack[SourceOptions],
) -> Novelty:
    """Find what texts have copied, word for word, from a corpus.

    Memory: 5 bytes for each character of the corpus, or 10 if there are more than 254 different ones.

    Args:
        *texts: files, folders, archives, `-` for standard input, or a `Corpus`.
        against: the corpus: one or several of the same.
        reading: how to read files, instead of options; no characters are replaced.
        **options: `encoding`, `glob`, `separator`, `markup`, `repair` and `strip`, as in `Corpus.from_files`, for all.

    Raises:
        CorpusError: a text cannot be read or has fewer than 20 characters, or the memory is too small.
        ValueError: an argument is wrong, or a `Corpus` is not normalised as the other texts.
        TypeError: an argument is of a wrong type.
    """
    expect_known(options, ("against", *SourceOptions.__annotations__, "reading"))
    reading = replace(Reading.given("reading", reading, options), min_count=1)
    ours, theirs = _read("texts", texts, reading), _read("against", against, reading)
    _check_alike([*ours, *theirs])
    vocabulary = Vocabulary(sorted({symbol for item in (*ours, *theirs) for symbol in item.vocabulary.symbols}))
    text, corpus = (
        joined(
            [Other(item.codes, vocabulary.lookup("".join(item.vocabulary.symbols))) for item in items], len(vocabulary)
        )
        for items in (ours, theirs)
    )
    found = compare(text, corpus, len(vocabulary))
    newline, border = vocabulary.codes.get("\n", len(vocabulary)) + 1, len(vocabulary) + 1
    sides = (text, _files(ours), found.passages.starts), (corpus, _files(theirs), found.places)
    return Novelty(
        _called(ours),
        _called(theirs),
        _decoded(text, vocabulary),
        found.figures,
        found.held_out,
        found.longest,
        found.passages.starts,
        found.passages.lengths,
        found.times,
        located(text, newline, *sides[0][1:]),
        located(corpus, newline, *sides[1][1:]),
        (
            *(note for item in (*ours, *theirs) for note in item.notes),
            *_whole(sides, found.passages.lengths, (0, newline, border)),
        ),
    )


class OfModel:
    """Compares texts of a model with the text that it was trained on, or with others."""

    def __init__(self, description: Description, others: Sequence[Other]) -> None:
        """Take the model's description, and the texts from `textgen.generation.copying.others`."""
        self._vocabulary = description.vocabulary
        self._corpus = joined(others, len(self._vocabulary))

    def values(self, text: str) -> dict[str, Any]:
        """How new a text is: its `Figures`, as JSON values."""
        return as_values(measured(self._coded([text]), self._suffixes, len(self._vocabulary))[0])

    def verdict(self, texts: Sequence[str]) -> str:
        """The same of several texts together, in one line, with the yardstick."""
        figures = measured(self._coded(texts), self._suffixes, len(self._vocabulary))[0]
        return verdict(figures, yardstick(self._corpus, len(self._vocabulary), figures.distinct_of))

    @cached_property
    def _suffixes(self) -> Suffixes:
        return Suffixes(self._corpus)

    def _coded(self, texts: Sequence[str]) -> Codes:
        same = np.arange(len(self._vocabulary), dtype=np.int32)
        return joined([Other(self._vocabulary.encode(text), same) for text in texts], len(self._vocabulary))


def as_values(figures: Figures) -> dict[str, Any]:
    """Figures as JSON values, which have no NaN."""
    values = asdict(figures)
    values["distinct"] = {size: None if math.isnan(share) else share for size, share in figures.distinct.items()}
    return values


def _read(name: str, items: Against | Sequence[Against], reading: Reading) -> list[Corpus]:
    """The texts of an argument; each long enough for a passage."""
    read = [read_text(item, reading) for item in listed(items, name)]
    if not read:
        raise ValueError(f"`{name}` must have at least one text")
    for corpus in read:
        if len(corpus) < SHORTEST:
            raise CorpusError(
                f"{corpus.label}: has {counted(len(corpus), 'character')}; expected at least {SHORTEST}, from which on "
                "a passage counts as copied"
            )
    return read


def _check_alike(corpora: Sequence[Corpus]) -> None:
    """Raise `ValueError` unless all texts are normalised alike, with all their symbols."""
    first = corpora[0].reading
    for corpus in corpora:
        reading = corpus.reading
        if (reading.unicode, reading.lowercase) != (first.unicode, first.lowercase) or corpus.replacement is not None:
            raise ValueError(
                f"all texts must be normalised alike, here with `unicode={first.unicode!r}`, "
                f"`lowercase={first.lowercase}` and all their symbols: {corpus.label} is not"
            )


def _decoded(text: Codes, vocabulary: Vocabulary) -> str:
    """The text, with a newline for each border."""
    symbols = ["\n", *vocabulary.symbols, "\n"]
    return "".join([symbols[code] for code in text.tolist()])


def _called(corpora: Sequence[Corpus]) -> str:
    """The name of texts together."""
    more = f" and {len(corpora) - 1:,} more" if len(corpora) > 1 else ""
    return f"{corpora[0].label}{more}"


def _files(corpora: Sequence[Corpus]) -> list[tuple[str, int]]:
    """The name of each file, and where it begins in the codes of all."""
    files, start = [], 0
    for corpus in corpora:
        files += [(name, start + place) for name, place in corpus.parts or ((corpus.label, 0),)]
        start += len(corpus) + 1
    return files


def _whole(
    sides: Sequence[tuple[Codes, Sequence[tuple[str, int]], Places]], lengths: Places, outside: Sequence[int]
) -> list[str]:
    """Notes on files that one side has of the other as a whole, which is hardly what was to be found out.

    Args:
        sides: the codes of the text and of the corpus, their files, and where each passage begins.
        lengths: of the passages.
        outside: codes that may be at the end of a file without being in the passage: newlines and borders.
    """
    ours, theirs = (_covered(*side, lengths, outside) for side in sides)
    if ours:
        return [f"the corpus holds all of {_named(ours)}; compare with a corpus that does not"]
    return [f"the text holds all of {_named(theirs)}, which is in the corpus"] if theirs else []


def _named(names: Sequence[str]) -> str:
    return f"{len(names):,} texts{such_as(names)}" if len(names) > NAMES else ", ".join(names)


def _covered(
    codes: Codes, files: Sequence[tuple[str, int]], starts: Places, lengths: Places, outside: Sequence[int]
) -> list[str]:
    """The names of the files that are inside one passage."""
    order = np.argsort(starts, kind="stable")
    ends = np.maximum.accumulate((starts + lengths)[order])
    borders = [start for _, start in files[1:]] + [len(codes)]
    names = []
    for (name, start), border in zip(files, borders, strict=True):
        end = border
        while end > start and codes[end - 1] in outside:
            end -= 1
        last = int(np.searchsorted(starts[order], start, side="right")) - 1
        if end - start >= SHORTEST and last >= 0 and ends[last] >= end:
            names.append(name)
    return names
