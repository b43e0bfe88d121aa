"""A model for each author: one base model, fine-tuned on equal amounts of the authors' texts, and kept."""

import random
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from textgen.config import TrainingConfig
from textgen.corpus.cache import digest
from textgen.corpus.corpus import Corpus
from textgen.corpus.vocabulary import Vocabulary
from textgen.errors import ModelFileError, TrainingError
from textgen.model_file import FILE_NAME, Model, read_model
from textgen.training.checkpoint import has_checkpoint
from textgen.training.plan import COMPLETED
from textgen.training.progress import Event
from textgen.training.recipe import batch_size
from textgen.training.speed import IMPORTING, characters_a_second

MOST_CHARACTERS = 300_000  # of each author; three epochs of them take half a minute on two cores
FEWEST_CHARACTERS = 1000  # of each author
TRAINED = 600_000  # characters to train on, in so many epochs of a shorter text,
EPOCHS = (3, 12)  # but at least and at most these
RNG_SEED = 1
BETWEEN = "\n"  # two texts
READING_COST = 1 / 3  # of a character that is read, in characters that are trained on
RULES = 1  # raised when the same texts would give other models


@dataclass(frozen=True)
class Planned:
    """The first event of an attribution to authors: what is to be trained.

    Attributes:
        trainings: the number of models.
        kept: the number of those that an earlier call has trained.
        characters: of each author, to train on.
        seconds: estimated, for the trainings that are left and for judging.
        output: the folder that keeps the runs.
    """

    trainings: int
    kept: int
    characters: int
    seconds: float
    output: Path


@dataclass(frozen=True, eq=False)
class Training:
    """One model to train: an author's, in one fold of the cross-validation or, as fold None, on all known texts."""

    author: str
    fold: int | None
    corpus: Corpus
    epochs: int
    output: Path

    @property
    def is_kept(self) -> bool:
        """Whether the model is there, trained to its end."""
        try:
            trained = read_model(self.output).description.training.epochs
        except ModelFileError:
            return False
        return trained > self.epochs - 0.5 and not has_checkpoint(self.output)


def equal_amounts(known: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """As much text of each author as the one with the least has: whole texts, drawn at random, the last one cut."""
    amount = min(MOST_CHARACTERS, *(sum(map(len, texts)) for texts in known.values()))
    return {name: _first(_shuffled(texts), amount) for name, texts in known.items()}


def dealt(
    known: Mapping[str, Sequence[str]], fold: int, folds: int
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The texts of each author that a fold learns, and those that it judges; each text is judged in one fold."""
    mixed = {name: _shuffled(texts) for name, texts in known.items()}
    judged = {name: texts[fold::folds] for name, texts in mixed.items()}
    learnt = {
        name: [text for place, text in enumerate(texts) if place % folds != fold] for name, texts in mixed.items()
    }
    return learnt, judged


def _shuffled(texts: Sequence[str]) -> list[str]:
    mixed = list(texts)
    random.Random(RNG_SEED).shuffle(mixed)
    return mixed


def _first(texts: Sequence[str], amount: int) -> list[str]:
    chosen = []
    for text in texts:
        if amount <= 0:
            break
        chosen.append(text[:amount])
        amount -= len(text)
    return chosen


def shared_vocabulary(base: Model, known: Mapping[str, Sequence[str]]) -> Vocabulary:
    """The characters of all authors and of the base model, so that none is unknown to the model of one author alone."""
    symbols = {*base.description.vocabulary.symbols, BETWEEN}.union(
        *(set(text) for texts in known.values() for text in texts)
    )
    return Vocabulary(sorted(symbols))


def trainings_of(
    base: Model, learnt: Mapping[str, Sequence[str]], vocabulary: Vocabulary, *, fold: int | None, output: Path
) -> list[Training]:
    """The models of one fold, each with a folder named after the author and a hash of all that the model depends on.

    Args:
        base: the model to fine-tune.
        learnt: equal amounts of text, normalised as the base model's.
        vocabulary: of all models.
        fold: its number, from 0 on; None for the models of all known texts.
        output: where the runs are kept.
    """
    base_hash, text = sha256(base.path.read_bytes()).hexdigest(), base.description.text
    found = []
    for name, texts in learnt.items():
        label = name if fold is None else f"{name}, fold {fold + 1}"
        corpus = Corpus.from_text(BETWEEN.join(texts), name=label, unicode=text.unicode, lowercase=text.lowercase)
        epochs = min(max(round(TRAINED / len(corpus)), EPOCHS[0]), EPOCHS[1])
        key = digest(RULES, base_hash, corpus.sha256, "".join(vocabulary.symbols), epochs, RNG_SEED)
        found.append(Training(name, fold, corpus.recoded(vocabulary), epochs, output / f"{name}-{key[:12]}"))
    return found


def training_seconds(base: Model, left: Sequence[Training], judged: int) -> float:
    """Estimated seconds of trainings, and of reading so many characters."""
    characters = READING_COST * judged + sum(training.epochs * len(training.corpus) for training in left)
    most = max((len(training.corpus) for training in left), default=MOST_CHARACTERS)
    symbols = len(base.description.vocabulary)
    speed = characters_a_second(base.description.model, batch_size(most), symbols)
    return characters / speed + (IMPORTING if left else 0)


def trained(base: Model, training: Training, on_progress: Callable[[Event], None] | None) -> Model:
    """Train a model, or go on with its training, unless it is kept.

    Raises:
        TrainingError: the training was stopped; the same call goes on with it.
    """
    if not training.is_kept:
        from textgen.training.train import train

        begun = has_checkpoint(training.output)
        result = train(
            training.corpus,
            output=training.output,
            epochs=training.epochs,
            training=None if begun else TrainingConfig(validation=0.0, rng_seed=RNG_SEED),
            start_from=None if begun else base.path,
            resume=begun,
            force=not begun and (training.output / FILE_NAME).exists(),
            on_progress=on_progress,
        )
        if result.stopped_by not in COMPLETED:
            signal.raise_signal(signal.Signals[result.stopped_by])  # what would have come if nobody had trained
            raise TrainingError(f"{training.output}: the training was stopped; the same call goes on with it")
    return read_model(training.output)
