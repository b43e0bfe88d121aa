"""`textgen.memory_curve`: how much a model's predictions gain from more context."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import PATH, expect, expect_known, shown
from textgen.config import LARGEST_HOLD_OUT, MEMORY, Reading
from textgen.corpus.corpus import SourceOptions
from textgen.corpus.vocabulary import Codes
from textgen.errors import CorpusError
from textgen.evaluation.baselines import HIGHEST_ORDER, MOST_CHARACTERS, ngram_losses
from textgen.evaluation.score import ScoringOptions, plain, subject_of
from textgen.evaluation.subject import training_codes
from textgen.evaluation.surprisal import BIT, surprisals, surprisals_after
from textgen.model_file import Weights
from textgen.wording import counted

CONTEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
MOST_CONTEXTS = 50
STEPS = 100_000  # characters that are read for a context, in all,
FEWEST, MOST = 100, 10_000  # and the places that are measured then
NORMAL = 1.96  # standard errors on each side of a 95 % interval


@dataclass(frozen=True, eq=False)
class MemoryCurve:
    """A model's mean surprisal by the number of characters that it has read before.

    Attributes:
        contexts: those numbers, ascending, int64 `(K,)`.
        bits: the mean surprisals with so much context, float64 `(K,)`.
        margins: half the widths of their 95 % intervals, since not every place of the text is measured, float64 `(K,)`.
        ngram_bits: those of the n-gram with the same context, float64 `(K,)`; NaN above order 8; None if there was no
            text to train it on.
        all_bits: the mean surprisal with all of the text before as context.
        characters: the number of characters that the means are of.
        part: what was evaluated, as in `Score`.
        notes: for the user, on how the text was read.
    """

    contexts: NDArray[np.int64]
    bits: NDArray[np.float64]
    margins: NDArray[np.float64]
    ngram_bits: NDArray[np.float64] | None
    all_bits: float
    characters: int
    part: str
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON has it: arrays as lists, None for NaN."""
        arrays = {name: getattr(self, name) for name in ("contexts", "bits", "margins", "ngram_bits")}
        values = {name: None if array is None else plain(array) for name, array in arrays.items()}
        rest = {"all_bits": self.all_bits, "characters": self.characters, "part": self.part, "notes": [*self.notes]}
        return values | rest


def memory_curve(
    model: str | Path,
    *texts: str | Path,
    contexts: Sequence[int] = CONTEXTS,
    text: str | None = None,
    baseline: str | Path | None = None,
    everything: bool = False,
    reading: Reading | None = None,
    **options: Unpack[SourceOptions],
) -> MemoryCurve:
    """A model's mean surprisal by how many characters of context it is given, from a zero state.

    The means are of the same characters: the known ones of the evaluated part, of which at most the first 200,000
    count. With all of the text before as context, each is measured. The difference that a shorter context makes is
    measured at 100 to 10,000 evenly spaced places, as many as 100,000 steps allow, and its mean is added.

    Args:
        model: a run folder or a `.keras` file.
        *texts: files, folders, archives, `-` for standard input.
        contexts: the numbers of characters, 1 to 10,000, at most 50 of them.
        text: a string, instead of files.
        baseline: a text to train the n-gram on, as in `score`.
        everything: evaluate the whole training text, not only its held-out part.
        reading: how to read files, instead of options.
        **options: as in `score`.

    Raises:
        ModelFileError: the model cannot be read.
        CorpusError: a text cannot be read, or is shorter than a context.
        ValueError: an argument is wrong.
        TypeError: an argument is of a wrong type.
    """
    expect_known(options, ("contexts", *ScoringOptions.__annotations__))
    expect("contexts", contexts, Sequence)
    expect("baseline", baseline, PATH | None)
    expect("everything", everything, bool)
    wanted = sorted({MEMORY.check("contexts", context) for context in contexts})
    if not 1 <= len(wanted) <= MOST_CONTEXTS:
        raise ValueError(f"`contexts` must be 1 to {MOST_CONTEXTS} numbers, not {shown(contexts)}")
    reading = Reading.given("reading", reading, options)
    subject = subject_of(model, texts, text=text, everything=everything, reading=reading)
    first = max(subject.known_first, 1)
    codes = subject.known[: first + LARGEST_HOLD_OUT]
    if len(codes) <= wanted[-1]:
        raise CorpusError(
            f"{subject.corpus.label}: has {counted(len(codes), 'character')} that the model knows; expected more than "
            f"the longest context, {wanted[-1]:,}"
        )
    weights = subject.model.weights
    whole = surprisals(weights, codes, first)
    measured = [_measured(weights, codes, first, whole, context) for context in wanted]
    training = training_codes(subject, baseline, reading)
    symbols = len(subject.model.description.vocabulary)
    return MemoryCurve(
        contexts=np.array(wanted),
        bits=np.array([bits for bits, _ in measured]),
        margins=np.array([margin for _, margin in measured]),
        ngram_bits=_ngram_bits(training, codes[first:], symbols, wanted) if len(training) else None,
        all_bits=float(whole.mean(dtype=np.float64)),
        characters=len(whole),
        part=subject.part,
        notes=subject.corpus.notes,
    )


def _measured(
    weights: Weights, codes: Codes, first: int, whole: NDArray[np.float32], context: int
) -> tuple[float, float]:
    """The mean bits after so much context, and half the width of their 95 % interval."""
    begin = max(first, context)
    places = min(len(codes) - begin, MOST, max(FEWEST, STEPS // context))
    chosen = np.linspace(begin, len(codes), places, endpoint=False).astype(np.int64)
    more = surprisals_after(weights, codes, chosen, context).astype(np.float64) - whole[chosen - first]
    left_out = 1 - places / len(whole)  # a mean of all places has no error
    error = more.std(ddof=1) / np.sqrt(places) * np.sqrt(left_out) if places > 1 else np.nan
    return float(whole.mean(dtype=np.float64) + more.mean()), float(NORMAL * error)


def _ngram_bits(training: Codes, text: Codes, symbols: int, contexts: Sequence[int]) -> NDArray[np.float64]:
    """The mean bits of the n-gram with each context; NaN above the highest order."""
    losses = np.array(ngram_losses(training[-MOST_CHARACTERS:], text, symbols)) / BIT
    return np.array([losses[context] if context < HIGHEST_ORDER else np.nan for context in contexts])
