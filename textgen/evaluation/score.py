"""`textgen.score`: what a model predicted at each character of a text."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Unpack

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import PATH, expect, expect_known
from textgen.config import LIKELIEST, Reading
from textgen.corpus.codes import gather, parts
from textgen.corpus.corpus import Corpus, SourceOptions
from textgen.corpus.vocabulary import UNKNOWN
from textgen.evaluation.baselines import best_order, ngram_nats
from textgen.evaluation.subject import UNKNOWN_BITS, Subject, fitted_on, read_alike, read_subject
from textgen.evaluation.surprisal import BIT, detailed
from textgen.evaluation.tinting import tinted
from textgen.model_file import read_model
from textgen.page.tinted import notebook

PIECE = 2**15  # characters of a piece: as many as are read at once


class Place(NamedTuple):
    """A place in a text.

    Attributes:
        position: of the character, counted from 0.
        line: counted from 1.
        column: the character's place in its line, counted from 1.
    """

    position: int
    line: int
    column: int

    def after(self, text: str) -> "Place":
        """The place after some text."""
        lines = text.count("\n")
        column = len(text) - text.rfind("\n") if lines else self.column + len(text)
        return Place(self.position + len(text), self.line + lines, column)


@dataclass(frozen=True, eq=False)
class Score:
    """What a model predicted at each character of a text.

    The text is normalised as the model's training text was: the characters are those that the model reads. Bits are
    -log2 of a probability.

    Attributes:
        text: the N characters.
        bits: their surprisals, float32 `(N,)`: log2 1,114,112 for an unknown character, as for one of all of Unicode's,
            unless the model has a symbol for rare ones, of which it is one then; NaN for the first character that the
            model reads of a text, which nothing predicts.
        rank: how likely each was among all characters, int32 `(N,)`: 1 for the likeliest; 0 where nothing was
            predicted, or the character is not read.
        entropy: the surprisal that was to be expected, in bits, float32 `(N,)`; NaN where the rank is 0.
        likeliest: the likeliest characters, the likeliest first, `<U1` `(N, K)`; empty where the rank is 0.
        likeliest_bits: their surprisals, float32 `(N, K)`; NaN where the rank is 0.
        unknown: which characters are not in the model's vocabulary, bool `(N,)`.
        ngram_bits: the surprisals under the best n-gram, float32 `(N,)`; None if it was not asked for.
        ngram: the name of that, "n-gram (5)" for instance; None likewise.
        part: what was evaluated: `hold-out`, `whole`, `whole, seen in training`, or `whole, partly seen in
            training`.
        place: of the first character in the whole text.
        notes: for the user, on how the text was read.
    """

    text: str
    bits: NDArray[np.float32]
    rank: NDArray[np.int32]
    entropy: NDArray[np.float32]
    likeliest: NDArray[np.str_]
    likeliest_bits: NDArray[np.float32]
    unknown: NDArray[np.bool_]
    ngram_bits: NDArray[np.float32] | None
    ngram: str | None
    part: str
    place: Place
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.text)

    def __repr__(self) -> str:
        return f"<Score of {len(self):,} characters: {self.bpc:.3f} bits per character>"

    def _repr_html_(self) -> str:
        """How a notebook shows it: the text, or the beginning of a long one, tinted by surprisal."""
        return notebook(tinted(self))

    @property
    def bpc(self) -> float:
        """The mean of the bits; NaN if nothing was predicted."""
        known = self.bits[~np.isnan(self.bits)]
        return float(known.mean(dtype=np.float64)) if len(known) else math.nan

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON has it: arrays as lists, None for NaN."""
        values: dict[str, Any] = {"text": self.text, "bpc": None if math.isnan(self.bpc) else self.bpc}
        for name in _ARRAYS:
            array = getattr(self, name)
            values[name] = None if array is None else plain(array)
        return values | {"ngram": self.ngram, "part": self.part, "place": self.place._asdict(), "notes": [*self.notes]}


_ARRAYS = ("bits", "rank", "entropy", "likeliest", "likeliest_bits", "unknown", "ngram_bits")


def plain(array: NDArray[Any]) -> list[Any]:
    """An array as lists of Python's numbers and strings, with None for NaN."""
    if array.dtype.kind == "f":
        array = array.astype(object)
        array[array != array] = None  # NaN alone does not equal itself  # noqa: PLR0124
    values: list[Any] = array.tolist()
    return values


class ScoringOptions(SourceOptions, total=False):
    """The keyword arguments of `score`."""

    text: str | None
    against_ngram: bool
    baseline: str | Path | None
    everything: bool
    likeliest: int
    reading: Reading | None


def score(model: str | Path, *texts: str | Path, **options: Unpack[ScoringOptions]) -> Score:
    """What a model predicted at each character of texts, which are joined and normalised as its training text was.

    Of the model's training text only the held-out part is scored. See `Score` for what is given, and for what unknown
    characters cost.

    Args:
        model: a run folder or a `.keras` file.
        *texts: files, folders, archives, `-` for standard input.
        **options: those of `evaluate` that say how files are read;
            `text`, a string to score instead of files;
            `against_ngram`, whether to give the surprisals under the best character n-gram too;
            `baseline`, a text to train the n-gram on; by default it is the training part of the model's training text;
            `everything`, whether to score the whole training text;
            `likeliest`, how many of the likeliest characters to give at each place (default 3, at most 20).

    Raises:
        ModelFileError: the model cannot be read.
        CorpusError: a text cannot be read, has no character to score, or there is nothing to train the n-gram on.
        ValueError: an argument is wrong.
        TypeError: an argument is of a wrong type.
    """
    return joined(score_pieces(model, *texts, **options))


def score_pieces(
    model: str | Path,
    *texts: str | Path,
    text: str | None = None,
    against_ngram: bool = False,
    baseline: str | Path | None = None,
    everything: bool = False,
    likeliest: int = 3,
    reading: Reading | None = None,
    **options: Unpack[SourceOptions],
) -> Iterator[Score]:
    """What `score` gives, in pieces of at most 32,768 characters, at least one, for texts larger than memory."""
    expect_known(options, tuple(ScoringOptions.__annotations__))
    expect("baseline", baseline, PATH | None)
    for name, flag in (("against_ngram", against_ngram), ("everything", everything)):
        expect(name, flag, bool)
    likeliest = LIKELIEST.check("likeliest", likeliest)
    reading = Reading.given("reading", reading, options)
    subject = subject_of(model, texts, text=text, everything=everything, reading=reading)
    if not against_ngram:
        return _pieces(subject, likeliest, None, None)
    training = fitted_on(subject, baseline, reading)
    symbols = len(subject.model.description.vocabulary)
    order = best_order(training, subject.predicted, symbols)
    return _pieces(subject, likeliest, ngram_nats(training, subject.predicted, symbols, order), f"n-gram ({order})")


def subject_of(
    model: str | Path, texts: Sequence[str | Path], *, text: str | None, everything: bool, reading: Reading
) -> Subject:
    """The subject of texts or of a string, for `read_model`'s model."""
    expect("model", model, PATH)
    expect("text", text, str | None)
    read = read_model(model)
    if text is None:
        corpus = read_alike(read, texts, reading)
    elif texts:
        raise ValueError("`text` and paths exclude each other; give only one")
    else:
        info = read.description.text
        corpus = Corpus.from_text(text, unicode=info.unicode, lowercase=info.lowercase)
    return read_subject(read, corpus, everything=everything)


def joined(pieces: Iterable[Score]) -> Score:
    """One score of neighbouring pieces, at least one."""
    whole = [*pieces]
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(piece, name) for piece in whole])
        for name in _ARRAYS
        if getattr(whole[0], name) is not None
    }
    return replace(whole[0], text="".join([piece.text for piece in whole]), **arrays)


class _Columns:
    """Arrays of equally many rows that come in blocks, and are taken by any number of rows."""

    def __init__(self, blocks: Iterator[tuple[NDArray[Any], ...]]) -> None:
        self._blocks, self._rest = blocks, next(blocks)

    def take(self, rows: int) -> tuple[NDArray[Any], ...]:
        taken = [tuple(column[:0] for column in self._rest)]
        while rows:
            if not len(self._rest[0]):
                self._rest = next(self._blocks)
            taken.append(tuple(column[:rows] for column in self._rest))
            self._rest = tuple(column[rows:] for column in self._rest)
            rows -= len(taken[-1][0])
        return tuple(np.concatenate(columns) for columns in zip(*taken, strict=True))


def _pieces(
    subject: Subject, likeliest: int, ngram: Iterator[NDArray[np.float64]] | None, name: str | None
) -> Iterator[Score]:
    """The evaluated part, piece by piece."""
    symbols = np.array(subject.model.description.vocabulary.symbols)
    predicted = _Columns(
        (block.bits, block.rank, block.entropy, block.likeliest, block.likeliest_bits)
        for block in detailed(subject.model.weights, subject.known, subject.known_first, likeliest=likeliest)
    )
    simpler = None if ngram is None else _Columns(_with_first(subject, ngram))
    is_unknown, codes = subject.is_unknown, subject.corpus.codes
    place = begin(subject)
    for number, start in enumerate(range(subject.first, len(codes), PIECE), 1):
        piece = gather(codes, slice(start, start + PIECE), number)
        known = subject.table[piece] != UNKNOWN
        rows = int(known.sum())
        bits, rank, entropy, best, best_bits = predicted.take(rows)
        letters = np.where(rank[:, None] > 0, symbols[best], "")
        text = subject.corpus.vocabulary.decode(piece)
        yield Score(
            text=text,
            bits=_spread(bits.astype(np.float32), known, UNKNOWN_BITS),
            rank=_spread(rank, known, 0),
            entropy=_spread(entropy, known, np.nan),
            likeliest=_spread(letters, known, ""),
            likeliest_bits=_spread(best_bits, known, np.nan),
            unknown=is_unknown[piece],
            ngram_bits=None if simpler is None else _spread(simpler.take(rows)[0], known, UNKNOWN_BITS),
            ngram=name,
            part=subject.part,
            place=place,
            notes=subject.corpus.notes,
        )
        place = place.after(text)


def _spread(values: NDArray[Any], known: NDArray[np.bool_], missing: Any) -> NDArray[Any]:
    """Values of the known characters, and what stands at the others."""
    if known.all():
        return values
    spread = np.full((len(known), *values.shape[1:]), missing, values.dtype)
    spread[known] = values
    return spread


def _with_first(subject: Subject, ngram: Iterator[NDArray[np.float64]]) -> Iterator[tuple[NDArray[np.float32]]]:
    """The bits of an n-gram, in blocks, with the text's first character, which is not predicted."""
    first = [] if subject.known_first else [np.full(1, np.nan)]
    for nats in chain(first, ngram):
        yield ((nats / BIT).astype(np.float32),)


def begin(subject: Subject) -> Place:
    """The place of the evaluated part's first character."""
    place = Place(0, 1, 1)
    for part in parts(subject.corpus.codes[: subject.first]):
        place = place.after(subject.corpus.vocabulary.decode(part))
    return place
