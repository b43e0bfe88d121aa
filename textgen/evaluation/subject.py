"""A text as a model reads it: which part of it is evaluated, and which of its characters the model knows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textgen.config import Reading
from textgen.corpus.codes import count_known, translate
from textgen.corpus.corpus import Corpus, held_out
from textgen.corpus.vocabulary import UNKNOWN, Codes
from textgen.errors import CorpusError
from textgen.evaluation.baselines import HIGHEST_ORDER
from textgen.evaluation.seen import Seen, as_in_training, seen, seen_note
from textgen.model_file import Model
from textgen.wording import counted

UNKNOWN_BITS = math.log2(1_114_112)  # an unknown character is one of all of Unicode's
UNKNOWN_NATS = math.log(1_114_112)


@dataclass(frozen=True, eq=False)
class Subject:
    """A text that a model is to judge.

    The network does not read characters that are not in its vocabulary, unless it has a symbol that replaces rare ones:
    that replaces them too.

    Attributes:
        model: the model.
        corpus: the text, normalised as the model's training text was.
        first: where the evaluated part begins.
        part: what is evaluated: `hold-out`, `whole`, `whole, seen in training`, or `whole, partly seen in training`.
        table: the model's code of each of the corpus's; `UNKNOWN` where it has none.
        known: the codes of what the network reads, `(M,)`.
        known_first: where the evaluated part begins in them.
    """

    model: Model
    corpus: Corpus
    first: int
    part: str
    table: NDArray[np.int32]
    known: Codes
    known_first: int

    @property
    def predicted(self) -> Codes:
        """What the network reads of the evaluated part and something predicts: all but a text's first character."""
        return self.known[max(self.known_first, 1) :]

    @property
    def unread(self) -> int:
        """The number of characters in the evaluated part that the network does not read."""
        return len(self.corpus) - self.first - (len(self.known) - self.known_first)

    @property
    def characters(self) -> int:
        """The number of evaluated characters: those that are predicted, and those that are not read."""
        return len(self.predicted) + self.unread

    @property
    def is_unknown(self) -> NDArray[np.bool_]:
        """Which of the corpus's codes stand for characters that are not in the model's vocabulary."""
        return _plain(self.model, self.corpus) == UNKNOWN

    @property
    def unknown(self) -> int:
        """The number of characters in the evaluated part that are not in the vocabulary."""
        codes = self.corpus.codes[self.first :]
        return len(codes) - count_known(codes, np.where(self.is_unknown, UNKNOWN, 0))

    def mean(self, nats: float) -> float:
        """The mean loss of all evaluated characters, from that of those that are predicted."""
        return (nats * len(self.predicted) + UNKNOWN_NATS * self.unread) / self.characters


def read_subject(model: Model, corpus: Corpus, *, everything: bool = False) -> Subject:
    """Prepare a text for evaluation: of the model's training text only the held-out part, of another text all of it.

    Args:
        model: the model.
        corpus: the text, from `read_alike`.
        everything: evaluate all of the training text too.

    Raises:
        CorpusError: the text has no character to evaluate.
    """
    found = seen(model.description, corpus)
    first, part = _part(model, corpus, found, everything)
    if note := seen_note(model.description, found, corpus):
        corpus = replace(corpus, notes=(*corpus.notes, note))
    table = _table(model, corpus)
    known = translate(corpus.codes, table)
    subject = Subject(model, corpus, first, part, table, known, count_known(corpus.codes[:first], table))
    if not len(subject.predicted):
        if len(known):
            why = "has no character after its first, which nothing predicts, that the model knows; expected more text"
        else:
            why = "no character of it is in the model's vocabulary; expected a text in the same script"
        raise CorpusError(f"{corpus.label}: {why}")
    return subject


def read_alike(model: Model, texts: Sequence[str | Path], reading: Reading) -> Corpus:
    """Texts, joined and normalised as the model's training text was; those of that text, in its order and way."""
    text = model.description.text
    alike = replace(reading, unicode=text.unicode, lowercase=text.lowercase, min_count=1)
    return Corpus.from_found(texts, alike, as_in_training(text))


def training_codes(subject: Subject, baseline: str | Path | None, reading: Reading) -> Codes:
    """The codes that baselines are fitted on: of another text, or of the part of the text that precedes the evaluated.

    Raises:
        CorpusError: the other text cannot be read, or is too short.
    """
    if baseline is None:
        return subject.known[: subject.known_first]
    corpus = read_alike(subject.model, [baseline], reading)
    training = translate(corpus.codes, _table(subject.model, corpus))
    if len(training) < HIGHEST_ORDER:
        raise CorpusError(
            f"{baseline}: has {counted(len(training), 'character')} of the model's vocabulary; expected at least "
            f"{HIGHEST_ORDER} to train the baselines on"
        )
    return training


def fitted_on(subject: Subject, baseline: str | Path | None, reading: Reading) -> Codes:
    """What `training_codes` gives; `CorpusError` if there is nothing."""
    training = training_codes(subject, baseline, reading)
    if len(training):
        return training
    raise CorpusError(f"{subject.corpus.label}: has no training part to train the n-gram on; give another `baseline`")


def _plain(model: Model, corpus: Corpus) -> NDArray[np.int32]:
    """The model's code of each of a corpus's; `UNKNOWN` where there is none."""
    return model.description.vocabulary.lookup("".join(corpus.vocabulary.symbols))


def _table(model: Model, corpus: Corpus) -> NDArray[np.int32]:
    """Likewise, with the replacement for unknown symbols if the model has one."""
    plain, replacement = _plain(model, corpus), model.description.text.replacement
    if replacement is None:
        return plain
    return np.where(plain == UNKNOWN, np.int32(model.description.vocabulary.codes[replacement]), plain)


def _part(model: Model, corpus: Corpus, found: Seen, everything: bool) -> tuple[int, str]:
    """Where the evaluated part starts, and its name."""
    description = model.description
    if corpus.sha256 == description.text.sha256:
        learnt = len(corpus) - held_out(len(corpus), description.training.validation)
    elif found.whole:
        learnt = found.characters
    else:
        return 0, "whole, partly seen in training" if found.characters else "whole"
    if everything and learnt:
        return 0, "whole, seen in training"
    if learnt >= len(corpus):
        raise CorpusError(
            f"{model.path}: was trained on all of this text, nothing was held out; "
            "evaluate another text, or this one as seen in training with `everything=True`"
        )
    return learnt, "hold-out"
