"""`textgen.evaluate`: the loss of a model on a text, compared with the baselines."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack, get_args

from textgen.arguments import PATH, expect, expect_known, shown
from textgen.config import CONTEXT, Reading
from textgen.corpus.corpus import SourceOptions
from textgen.evaluation.baselines import Baseline, baselines
from textgen.evaluation.subject import read_alike, read_subject, training_codes
from textgen.evaluation.surprisal import Protocol, cross_entropy
from textgen.model_file import read_model


@dataclass(frozen=True)
class Evaluation:
    """The loss of a model on a text.

    Attributes:
        characters: the number evaluated, including unknown ones.
        unknown: the number of those that are not in the vocabulary.
        nats: the loss: mean cross-entropy in nats per character.
        part: what was evaluated: `hold-out`, `whole`, `whole, seen in training`, or `whole, partly seen in
            training`.
        baselines: the losses of n-gram and xz on the same characters; empty if there was no text to fit them on.
        notes: for the user, on how the text was read.
    """

    characters: int
    unknown: int
    nats: float
    part: str
    baselines: list[Baseline]
    notes: tuple[str, ...] = ()

    @property
    def bpc(self) -> float:
        """Bits per character."""
        return self.nats / math.log(2)

    @property
    def perplexity(self) -> float:
        """exp(mean cross-entropy): the number of equally likely characters with the same loss."""
        return math.exp(self.nats)


def verdict(nats: float, compared: Sequence[Baseline]) -> str:
    """The comparison of a model with the baselines, in words.

    "better than the best n-gram (order 5) by 0.30 bits per character (2.11 vs. 2.41; xz 2.52)", for instance.

    Args:
        nats: the model's loss.
        compared: from `baselines`, the n-gram first, or nothing.
    """
    bits = round(nats / math.log(2), 2)
    if not compared:
        return f"{bits:.2f} bits per character"
    (ngram, least), *others = [(item.name, round(item.nats / math.log(2), 2)) for item in compared]
    best = f"the best {ngram.replace('(', '(order ')}"
    figures = "; ".join([f"{bits:.2f} vs. {least:.2f}", *(f"{name} {value:.2f}" for name, value in others)])
    if bits == least:
        return f"as good as {best} ({figures} bits per character)"
    if bits < least:
        return f"better than {best} by {least - bits:.2f} bits per character ({figures})"
    worse = f"worse than {best} by {bits - least:.2f} bits per character"
    return f"{worse} ({figures}): it needs more training, or more text"


def evaluate(
    model: str | Path,
    *texts: str | Path,
    baseline: str | Path | None = None,
    everything: bool = False,
    protocol: Protocol = "carried",
    context: int = 256,
    reading: Reading | None = None,
    **options: Unpack[SourceOptions],
) -> Evaluation:
    """Compute the loss of a model on texts, which are joined and normalised as its training text was.

    Of the model's training text only the held-out part is evaluated, and the baselines are fitted on the rest. So it is
    of some of the files that it was joined from, in any order: they are recognised by their bytes and read as in
    training, and a note says how many of their characters were trained on. Of another text everything but the first
    character is evaluated, and the baselines are fitted on `baseline`, if given.

    A character that is not in the vocabulary is not read by the network. It costs ln 1,114,112 nats, as one of all of
    Unicode's, under the model and the n-gram. If the model has a symbol that replaces rare characters, it also replaces
    unknown ones, and they cost what it costs.

    Args:
        model: a run folder or a `.keras` file.
        *texts: files, folders, archives, `-` for standard input.
        baseline: a text to train the baselines on, of the same kinds.
        everything: evaluate the whole training text.
        protocol: `carried` carries the state through the text; `cold` evaluates windows of `context` characters,
            each from a zero state.
        context: length of the windows of the cold protocol.
        reading: how to read files, instead of options; Unicode form, lowercase and rare characters are always those of
            the model.
        **options: `encoding`, `glob`, `separator`, `markup`, `repair` and `strip`, as in `Corpus.from_files`; they
            apply to the baseline too.

    Raises:
        ModelFileError: the model cannot be read.
        CorpusError: a text cannot be read, has no character to evaluate, or the baseline's text is too short.
        ValueError: an argument is wrong.
        TypeError: an argument is of a wrong type.
    """
    expect_known(options, ("baseline", "everything", "protocol", "context", *SourceOptions.__annotations__, "reading"))
    expect("model", model, PATH)
    expect("baseline", baseline, PATH | None)
    expect("everything", everything, bool)
    if protocol not in get_args(Protocol):
        raise ValueError(f"`protocol` must be one of {', '.join(get_args(Protocol))}, not {shown(protocol)}")
    context = CONTEXT.check("context", context)
    reading = Reading.given("reading", reading, options)
    read = read_model(model)
    subject = read_subject(read, read_alike(read, texts, reading), everything=everything)
    nats = cross_entropy(read.weights, subject.known, subject.known_first, protocol=protocol, context=context)
    training = training_codes(subject, baseline, reading)
    vocabulary = read.description.vocabulary
    compared = baselines(training, subject.predicted, vocabulary) if len(training) else []
    return Evaluation(
        characters=subject.characters,
        unknown=subject.unknown,
        nats=subject.mean(nats),
        part=subject.part,
        baselines=[Baseline(item.name, subject.mean(item.nats)) for item in compared],
        notes=subject.corpus.notes,
    )
