"""What is asked of a trace: which cells tell a feature, what gates do at a pattern and over time, what is alike.

All of these read a text once, piece by piece, and hold at most a quarter of a gigabyte of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import expect, expect_known
from textgen.config import LARGEST_HOLD_OUT, Reading
from textgen.corpus.corpus import SourceOptions
from textgen.corpus.vocabulary import UNKNOWN
from textgen.errors import CorpusError
from textgen.evaluation.score import subject_of
from textgen.evaluation.subject import Subject
from textgen.inspection.around import AFTER, BEFORE, GatesAt, around
from textgen.inspection.blocks import Choice
from textgen.inspection.features import called, compiled, feature
from textgen.inspection.finding import FoundCells, check, find
from textgen.inspection.saturation import Saturation, saturated
from textgen.inspection.similar import SimilarPassages, similar
from textgen.inspection.trace import traced_subject

MOST_BYTES = 2**28  # of a trace that are held
LONGEST = 1000  # characters of a passage
ACTIVE = {"cell": 1.0, "hidden": 0.5}  # the size of what a unit remembers from which on it is active
Array = NDArray[Any]
LARGEST = float(np.finfo(np.float16).max)


class AnalysisOptions(SourceOptions, total=False):
    """The keyword arguments that all analyses have."""

    text: str | None
    everything: bool
    reading: Reading | None


def find_cells(model: str | Path, *texts: str | Path, find: str, **options: Unpack[AnalysisOptions]) -> FoundCells:
    """The cells of a model that tell a feature of texts best, chosen on one half of them and judged on the other.

    Beside them is what the best cell would tell of the same feature, shuffled. At most the first 200,000 characters
    count, and fewer of a model of more than 671 units.

    Args:
        model: a run folder or a `.keras` file.
        *texts: files, folders or names of texts in the catalog.
        find: `quotes`, `line` (the position in it), `word`, `sentence`, `speaker` (of a play), `brackets`, `indent`, or
            a regular expression for what is inside its matches.
        **options: as in `trace`, but for `layers`, `quantities` and `units`.

    Raises:
        ModelFileError: the model cannot be read.
        CorpusError: a text cannot be read, is too short, or its characters are all alike in the feature.
        ValueError: an argument is wrong.
        TypeError: an argument is of a wrong type.
    """
    return cells_that_tell(_subject(model, texts, **options), find)


def saturation(model: str | Path, *texts: str | Path, **options: Unpack[AnalysisOptions]) -> Saturation:
    """How much of the time each gate of a model is open, or shut, as it reads texts.

    Args and errors are those of `find_cells`, without `find`; a plain RNN, which has no gates, is a `ValueError`.
    """
    return saturation_of(_subject(model, texts, **options))


def gates_at(model: str | Path, *texts: str | Path, at: str, **options: Unpack[AnalysisOptions]) -> GatesAt:
    """What the gates of a model's layers do on average where a regular expression matches in texts, and elsewhere.

    Args and errors are those of `find_cells`, with `at`, the expression, instead of `find`.
    """
    return gates_where(_subject(model, texts, **options), at)


def similar_passages(
    model: str | Path, *texts: str | Path, start: int, end: int, **options: Unpack[AnalysisOptions]
) -> SimilarPassages:
    """Where else in texts the units are active that are active in one passage.

    Args:
        model: as in `find_cells`.
        *texts: likewise.
        start: the place of the passage's first character in the text, counted from 0, as `Score` counts them.
        end: the place after its last one.
        **options: as in `find_cells`.

    Raises:
        ModelFileError: the model cannot be read.
        CorpusError: a text cannot be read, or no unit is active throughout the passage.
        ValueError: the passage is not inside the part that is read, or an argument is wrong.
        TypeError: an argument is of a wrong type.
    """
    return similar_to(_subject(model, texts, **options), start, end)


class Remembered:
    """What the cells of a model hold as it reads a text, traced once, whatever features are looked for."""

    def __init__(self, subject: Subject) -> None:
        """Take a model and a text, which is read when a feature is looked for that it has."""
        self._subject = subject
        self._memory, self._choice = _memory(subject)
        self._text, self._known = _examined(subject, min(LARGEST_HOLD_OUT, MOST_BYTES // (2 * self._choice.size)))

    def telling(self, name: str) -> FoundCells:
        """What `find_cells` gives."""
        expect("find", name, str)
        whole = feature(name, self._text)
        asked = replace(whole, values=whole.values[self._known])
        check(asked)
        return find(self._cells, asked)

    @cached_property
    def _cells(self) -> Array:
        """What each cell holds after each character that is read, float16, as the ranks of `find` need it."""

        def clipped(piece: Mapping[str, Array]) -> Array:
            return piece[self._memory].clip(-LARGEST, LARGEST)

        return _held(self._subject, self._choice, self._known, np.float16, clipped)


def cells_that_tell(subject: Subject, name: str) -> FoundCells:
    """What `find_cells` gives, of a subject."""
    return Remembered(subject).telling(name)


def saturation_of(subject: Subject) -> Saturation:
    """What `saturation` gives, of a subject."""
    weights = subject.model.weights
    gates = weights.cell.gate_names
    if not gates:
        raise ValueError(f"`saturation` is of gates, which {weights.cell.keras} layers do not have; use `find`")
    choice = Choice.of(weights, quantities=gates)
    pieces = traced_subject(subject, choice)
    return saturated(
        ({gate: piece.values[gate][piece.known] for gate in gates} for piece in pieces), gates, choice.layers
    )


def gates_where(subject: Subject, pattern: str) -> GatesAt:
    """What `gates_at` gives, of a subject."""
    expect("at", pattern, str)
    expression = compiled("at", pattern)
    weights = subject.model.weights
    gates = weights.cell.gate_names
    quantities = (*gates, *reversed(weights.cell.memory))
    choice = Choice.of(weights, quantities=quantities)
    text, known = _examined(subject, MOST_BYTES // (4 * len(quantities) * len(choice.layers)))
    ends = [found.end() - 1 for found in expression.finditer(text) if found.end() > found.start()]
    index = np.cumsum(known) - 1  # of each character among those that are read
    places = index[ends][known[ends]] if ends else index[:0]
    if not len(places):
        raise CorpusError(
            f"{called(pattern)}: matches nowhere in this text of {len(text):,} characters; try another pattern or text"
        )

    def means(piece: Mapping[str, Array]) -> Array:
        parts = [piece[name] if name in gates else np.abs(piece[name]) for name in quantities]
        return np.stack([part.mean(axis=2) for part in parts], axis=2)  # (T, layers, quantities)

    series = _held(subject, choice, known, np.float32, means)
    found, margins, elsewhere, count = around(series.reshape(len(series), -1), places)
    shape = series.shape[1:]
    return GatesAt(
        pattern=pattern,
        places=count,
        characters=len(series),
        offsets=np.arange(-BEFORE, AFTER + 1),
        layers=choice.layers,
        quantities=quantities,
        means=found.reshape(*shape, -1),
        margins=margins.reshape(*shape, -1),
        elsewhere=elsewhere.reshape(shape),
    )


def similar_to(subject: Subject, start: int, end: int) -> SimilarPassages:
    """What `similar_passages` gives, of a subject."""
    memory, choice = _memory(subject)
    text, known = _examined(subject, min(LARGEST_HOLD_OUT, MOST_BYTES // choice.size))
    first, last = subject.first, subject.first + len(text)
    if not (first <= start < end <= last and end - start <= LONGEST):
        raise ValueError(
            f"`similar` must be START:END, of at most {LONGEST:,} characters, in what is read, from {first} to {last}, "
            f"not {start}:{end}"
        )
    places = np.flatnonzero(known)
    begin, close = np.searchsorted(places, [start - first, end - first]).tolist()
    if begin == close:
        raise CorpusError(f"`similar={start}:{end}`: the model knows none of these characters; give another passage")

    def signs(piece: Mapping[str, Array]) -> Array:
        return np.sign(piece[memory]) * (np.abs(piece[memory]) >= ACTIVE[memory])

    found = similar(_held(subject, choice, known, np.int8, signs), "".join(np.array([*text])[known]), begin, close)
    passages = [replace(passage, start=first + int(places[passage.start])) for passage in found.passages]
    return replace(found, start=start, passages=tuple(passages))


def _subject(
    model: str | Path,
    texts: tuple[str | Path, ...],
    text: str | None = None,
    everything: bool = False,
    reading: Reading | None = None,
    **options: Unpack[SourceOptions],
) -> Subject:
    """What is read, from the arguments that all analyses have."""
    expect_known(options, tuple(AnalysisOptions.__annotations__))
    expect("everything", everything, bool)
    reading = Reading.given("reading", reading, options)
    return subject_of(model, texts, text=text, everything=everything, reading=reading)


def _memory(subject: Subject) -> tuple[str, Choice]:
    """What units remember, an LSTM's cell or the other cells' output, and the choice of it."""
    weights = subject.model.weights
    memory = weights.cell.memory[-1]
    return memory, Choice.of(weights, quantities=memory)


def _examined(subject: Subject, most: int) -> tuple[str, NDArray[np.bool_]]:
    """The first characters of what is read, and which of them the model reads."""
    codes = subject.corpus.codes[subject.first : subject.first + most]
    return subject.corpus.vocabulary.decode(codes), subject.table[codes] != UNKNOWN


def _held(
    subject: Subject,
    choice: Choice,
    known: NDArray[np.bool_],
    kind: type,
    of: Callable[[Mapping[str, Array]], Array],
) -> Array:
    """What is made of each piece of a trace, in one array with a row for each of the first characters that are read."""
    held: Array = np.zeros(0, kind)
    end, size = 0, int(known.sum())
    for piece in traced_subject(subject, choice):
        made = of({name: values[piece.known] for name, values in piece.values.items()})[: size - end]
        if not end:
            held = np.empty((size, *made.shape[1:]), kind)
        held[end : end + len(made)] = made
        end += len(made)
        if end == size:
            break
    return held
