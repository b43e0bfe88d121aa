"""`textgen.trace`: what units of a model do at each character of a text."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import expect, expect_known, shown
from textgen.config import Reading
from textgen.corpus.codes import gather
from textgen.corpus.corpus import SourceOptions
from textgen.corpus.vocabulary import UNKNOWN
from textgen.evaluation.score import Place, begin, subject_of
from textgen.evaluation.subject import Subject
from textgen.inspection.blocks import BLOCK, Block, Choice, traced
from textgen.keras_archive import Array
from textgen.wording import counted

MOST_NUMBERS = 2**28  # of a `Trace`: a gigabyte


@dataclass(frozen=True, eq=False)
class Trace:
    """What units of a model did at each character of a text.

    The text is normalised as the model's training text was. The values at a character are those after it was read.

    Attributes:
        text: the N characters.
        known: which of them the model reads, bool `(N,)`: not those outside its vocabulary, unless it has a symbol for
            rare ones.
        layers: the L layers that were traced, counted from 1.
        units: the U units of each of them, counted from 1.
        values: for each quantity its values, float32 `(N, L, U)`: gates from 0 (shut) to 1 (open), of an LSTM `input`,
            `forget` and `output`, of a GRU `update` and `reset`; `candidate`, from -1 to 1, what a unit would
            remember; an LSTM's `cell`, what it remembers; `hidden`, from -1 to 1, its output. NaN where a
            character is not read.
        part: what was traced: `hold-out`, `whole`, `whole, seen in training`, or `whole, partly seen in training`.
        place: of the first character in the whole text.
        notes: for the user, on how the text was read.
    """

    text: str
    known: NDArray[np.bool_]
    layers: tuple[int, ...]
    units: tuple[int, ...]
    values: Mapping[str, Array]
    part: str
    place: Place
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.text)

    def __repr__(self) -> str:
        layers, units = counted(len(self.layers), "layer"), counted(len(self.units), "unit")
        return f"<Trace of {counted(len(self), 'character')}: {', '.join(self.values)} of {units} of {layers}>"

    def of(self, quantity: str, layer: int, unit: int) -> Array:
        """The values of one unit, float32 `(N,)`; layer and unit are counted from 1.

        Raises:
            ValueError: it was not traced.
        """
        if quantity not in self.values or layer not in self.layers or unit not in self.units:
            raise ValueError(f"{shown(quantity)} of unit {shown(unit)} of layer {shown(layer)} was not traced")
        return self.values[quantity][:, self.layers.index(layer), self.units.index(unit)]


class TracingOptions(SourceOptions, total=False):
    """The keyword arguments of `trace`."""

    text: str | None
    layers: Collection[int] | None
    quantities: str | Sequence[str] | None
    units: Collection[int] | None
    everything: bool
    reading: Reading | None


def trace(model: str | Path, *texts: str | Path, **options: Unpack[TracingOptions]) -> Trace:
    """What units of a model do at each character of texts, which are joined and normalised as its training text was.

    Of the model's training text only the held-out part is traced.

    Args:
        model: a run folder or a `.keras` file.
        *texts: files, folders or names of texts in the catalog.
        **options: `text`, a string instead of files; `layers` and `units`, numbers counted from 1, all by default;
            `quantities`, such as `["forget", "cell"]`, all by default (see `Trace`); `everything`, to trace all of
            the training text; `reading`, or the fields of `Reading` that say how files are read.

    Raises:
        ModelFileError: the model cannot be read.
        CorpusError: a text cannot be read, or the model knows too little of it.
        ValueError: the model has no such layer, unit or quantity, or there are more than 2²⁸ numbers; `trace_pieces`
            gives as many in pieces.
        TypeError: an argument is of a wrong type, or unknown.
    """
    subject, choice = _asked(model, texts, **options)
    return whole(subject, choice)


def trace_pieces(model: str | Path, *texts: str | Path, **options: Unpack[TracingOptions]) -> Iterator[Trace]:
    """What `trace` gives, in pieces of at most 1,024 characters, at least one, for texts larger than memory."""
    return traced_subject(*_asked(model, texts, **options))


def traced_subject(subject: Subject, choice: Choice) -> Iterator[Trace]:
    """The trace of the evaluated part of a subject, in pieces of at most 1,024 characters."""
    corpus, place = subject.corpus, begin(subject)
    blocks = _Blocks(traced(subject.model.weights, subject.known, subject.known_first, choice=choice))
    for number, start in enumerate(range(subject.first, len(corpus.codes), BLOCK), 1):
        codes = gather(corpus.codes, slice(start, start + BLOCK), number)
        known, text = subject.table[codes] != UNKNOWN, corpus.vocabulary.decode(codes)
        values = {name: np.full((len(codes), *shape), np.nan, np.float32) for name, shape in _shapes(choice).items()}
        blocks.fill(values, known)
        yield Trace(text, known, choice.layers, choice.units, values, subject.part, place, corpus.notes)
        place = place.after(text)


def whole(subject: Subject, choice: Choice) -> Trace:
    """The trace of the evaluated part of a subject; `ValueError` if that would take more than a gigabyte."""
    size = len(subject.corpus) - subject.first
    if size * choice.size > MOST_NUMBERS:
        raise ValueError(
            f"the trace of {size:,} characters would have {size * choice.size:,} numbers, more than {MOST_NUMBERS:,}; "
            "choose fewer `layers`, `quantities` or `units`, or a part of the text, or use `trace_pieces`"
        )
    known, texts, end = np.zeros(size, bool), list[str](), 0
    values = {name: np.empty((size, *shape), np.float32) for name, shape in _shapes(choice).items()}
    pieces = traced_subject(subject, choice)
    first = next(pieces)
    for piece in chain([first], pieces):
        start, end = end, end + len(piece)
        texts.append(piece.text)
        known[start:end] = piece.known
        for name, array in piece.values.items():
            values[name][start:end] = array
    return replace(first, text="".join(texts), known=known, values=values)


def _asked(
    model: str | Path,
    texts: Sequence[str | Path],
    text: str | None = None,
    layers: Collection[int] | None = None,
    quantities: str | Sequence[str] | None = None,
    units: Collection[int] | None = None,
    everything: bool = False,
    reading: Reading | None = None,
    **options: Unpack[SourceOptions],
) -> tuple[Subject, Choice]:
    """What is traced, and what of it, from the arguments of `trace`."""
    expect_known(options, tuple(TracingOptions.__annotations__))
    expect("everything", everything, bool)
    reading = Reading.given("reading", reading, options)
    subject = subject_of(model, texts, text=text, everything=everything, reading=reading)
    return subject, Choice.of(subject.model.weights, layers, quantities, units)


class _Blocks:
    """Blocks of the characters that a model reads, to be spread over all of a text."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks, self._rest = blocks, dict[str, Array]()

    def fill(self, values: Mapping[str, Array], known: NDArray[np.bool_]) -> None:
        """Take as many values as there are known characters, and put them in their places."""
        places = np.flatnonzero(known)
        while len(places):
            if not any(map(len, self._rest.values())):
                self._rest = dict(next(self._blocks).values)
            size = min(len(places), *map(len, self._rest.values()))
            for name, rest in self._rest.items():
                values[name][places[:size]] = rest[:size]
                self._rest[name] = rest[size:]
            places = places[size:]


def _shapes(choice: Choice) -> dict[str, tuple[int, int]]:
    return {name: (len(choice.layers), len(choice.units)) for name in choice.quantities}
