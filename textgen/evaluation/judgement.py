"""Which of several models predicts a text best, with intervals; the verdict may be that nobody can tell."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textgen.corpus.normalisation import MarksError, stretches
from textgen.corpus.separate import Whole
from textgen.corpus.vocabulary import UNKNOWN
from textgen.errors import CorpusError
from textgen.evaluation.bootstrap import half_widths
from textgen.evaluation.stylometry import Distances
from textgen.evaluation.subject import UNKNOWN_BITS
from textgen.evaluation.surprisal import surprisals
from textgen.evaluation.words import words
from textgen.model_file import Model
from textgen.wording import counted

FEWEST_CHARACTERS = 1000  # that a model knows, for a verdict
FEW_CHARACTERS, FEW_WORDS = 10_000, 2500  # fewer of either make attribution unreliable (Eder, 2015)
BLOCKS = 20  # in a text of up to 20,000 characters
SHORT_BLOCK, LONG_BLOCK = 50, 1000  # characters: how long the blocks of short and of longer texts are
MOST_BLOCKS = 1000  # longer texts have longer blocks
UNITS = 4  # stretches of a block


@dataclass(frozen=True)
class Candidate:
    """How well one model predicts a text.

    Attributes:
        name: of the model, or of the author whose texts it has learnt.
        bits: mean surprisal of a character of the text, in bits.
        difference: the bits a character that it takes more than the best model.
        low: the lower end of the difference's 95 % interval; 0 for the best model.
        high: the upper end.
        unknown: the number of characters that are not in the model's vocabulary.
        seen: whether the model was trained on this very text.
    """

    name: str
    bits: float
    difference: float
    low: float
    high: float
    unknown: int
    seen: bool

    @property
    def interval(self) -> str:
        """The interval in words, for a person."""
        return f"{self.low:+.4f} to {self.high:+.4f}" if math.isfinite(self.high) else "text too short"


@dataclass(frozen=True)
class Judgement:
    """Which of several models predicts one text best.

    Attributes:
        text: its name.
        characters: its number of characters, as read.
        words: its number of words; None in a script that does not part them by spaces.
        block: the length of the bootstrap's blocks, in characters.
        candidates: the models, the best first.
        distances: from each author's texts by other methods; empty where models were compared.
    """

    text: str
    characters: int
    words: int | None
    block: int
    candidates: tuple[Candidate, ...]
    distances: tuple[Distances, ...] = ()

    @property
    def known(self) -> int:
        """The number of characters that count as evidence: those that the model with the fewest unknown ones knows."""
        return max(0, self.characters - min(item.unknown for item in self.candidates))

    @property
    def best(self) -> str | None:
        """The name of the model that predicts the text better than all others; None where that cannot be told."""
        return None if self.known < FEWEST_CHARACTERS or len(self.equal) > 1 else self.candidates[0].name

    @property
    def equal(self) -> tuple[str, ...]:
        """The names of the best model and those that cannot be told from it: their interval reaches 0."""
        return tuple(item.name for item in self.candidates if item.low <= 0)

    @property
    def verdict(self) -> str:
        """In words, for a person."""
        if self.known < FEWEST_CHARACTERS:
            that = "" if self.known == self.characters else " that a model knows"
            return f"none: the text has {counted(self.known, 'character')}{that}, a verdict needs {FEWEST_CHARACTERS:,}"
        if self.best is None:
            return f"cannot tell: {' or '.join(self.equal)}"
        return self.best

    @property
    def warning(self) -> str | None:
        """What makes a verdict doubtful, in words; None if nothing does."""
        if self.characters >= FEW_CHARACTERS and (self.words is None or self.words >= FEW_WORDS):
            return None
        of_words = "" if self.words is None else f", {counted(self.words, 'word')}"
        return (
            f"{self.text}: short for an attribution ({counted(self.characters, 'character')}{of_words}); below "
            f"{FEW_WORDS:,} words or {FEW_CHARACTERS:,} characters it is unreliable (Eder, 2015)"
        )

    def to_dict(self) -> dict[str, Any]:
        """As values of JSON, with `best` and `verdict`; the end of an interval is None where it is infinite."""
        values = asdict(self) | {"best": self.best, "verdict": self.verdict}
        for item in values["candidates"]:
            item |= {end: item[end] if math.isfinite(item[end]) else None for end in ("low", "high")}
        return values


def judge(text: Whole, models: Sequence[Model], names: Sequence[str]) -> Judgement:
    """Compare how well models predict one text, stretch by stretch.

    Each model reads the text in its own normalisation, which may change the number of characters. So bits are summed
    over stretches of the text as it was read, which are the same for all models, and divided by its characters, without
    the first one, which nothing predicts. A character that is not in a model's vocabulary costs log2 1,114,112 bits, as
    one of all of Unicode's; in a model with a symbol for rare characters it costs what that symbol does.

    Args:
        text: the text.
        models: at least two.
        names: what to call each.

    Raises:
        CorpusError: the text has fewer than two characters, or a model knows fewer than two of them.
    """
    block = block_length(len(text.text))
    cut = list(stretches(text.text, max(1, block // UNITS)))
    read = [_read(text.name, cut, model) for model in models]
    bits = np.array([found.bits for found in read])
    sizes = np.array([len(stretch) for stretch in cut])
    sizes[0] -= 1
    best = int(np.argmin(bits.sum(axis=1)))
    differences = bits - bits[best]
    half = half_widths(differences, sizes, block)
    half[best] = 0.0
    mean, further = bits.sum(axis=1) / sizes.sum(), differences.sum(axis=1) / sizes.sum()
    columns = zip(names, mean.tolist(), further.tolist(), half.tolist(), read, strict=True)
    candidates = [
        Candidate(name, its, more, more - width, more + width, found.unknown, found.seen)
        for name, its, more, width, found in columns
    ]
    candidates.insert(0, candidates.pop(best))  # even if another is as good
    found_words = words(text.text)
    return Judgement(
        text.name,
        len(text.text),
        None if found_words is None else len(found_words),
        block,
        tuple(sorted(candidates, key=lambda item: item.difference)),
    )


def block_length(characters: int) -> int:
    """The length of the bootstrap's blocks for a text, in characters.

    A twentieth of the text, between 50 and 1,000: longer blocks follow the text's own connections further, but of fewer
    than 20 the spread cannot be told. A thousandth of a text above a million.
    """
    return max(min(max(characters // BLOCKS, SHORT_BLOCK), LONG_BLOCK), characters // MOST_BLOCKS)


class _Read(NamedTuple):
    """What a model makes of a text: the bits of each stretch, `(U,)`, and as in `Candidate`."""

    bits: NDArray[np.float64]
    unknown: int
    seen: bool


def _read(name: str, cut: Sequence[str], model: Model) -> _Read:
    """Let a model read a text that is cut into stretches."""
    text, vocabulary = model.description.text, model.description.vocabulary
    try:
        normalised = [text.normalisation(stretch) for stretch in cut]
    except MarksError as error:
        raise CorpusError(f"{name}: {error}") from error
    whole = "".join(normalised)
    codes = vocabulary.lookup(whole)
    unknown = int((codes == UNKNOWN).sum())
    if text.replacement is not None:
        codes[codes == UNKNOWN] = vocabulary.codes[text.replacement]
    known = codes != UNKNOWN
    if known.sum() < 2:
        raise CorpusError(
            f"{name}: fewer than two of its characters are in the vocabulary of {model.path}; expected a text in the "
            "same script"
        )
    bits = np.full(len(codes), UNKNOWN_BITS)
    bits[known] = np.nan_to_num(surprisals(model.weights, codes[known].astype(vocabulary.dtype), 0))
    starts = np.cumsum([0, *map(len, normalised[:-1])])
    seen = sha256(whole.encode()).hexdigest() == text.sha256
    return _Read(np.add.reduceat(bits, starts), unknown, seen)
