"""The plan of a run, with every setting decided: made before the first step, or read from a checkpoint."""

import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any, Self

from textgen import __version__
from textgen.config import (
    DEFAULT_PATIENCE,
    LARGEST_HOLD_OUT,
    SMALL_HOLD_OUT,
    Hyperparameters,
    ModelConfig,
    Shape,
    TrainingConfig,
)
from textgen.corpus.corpus import Corpus, unseen_note
from textgen.corpus.windows import Windows
from textgen.description import MOST_SOURCES, Description, TextInfo, TrainingInfo
from textgen.errors import RunError
from textgen.model_file import Model
from textgen.training.cluster import Cluster
from textgen.training.recipe import batch_size, complete, planned_epochs, shape
from textgen.training.speed import characters_a_second
from textgen.training.teachers import Teacher
from textgen.wording import counted

EVALUATION_CHARACTERS = 2_000_000  # trained on between two evaluations inside a longer epoch
STARTING_SECONDS = 10  # of a budget that go into imports, compilation and the last evaluation
COMPLETED = (
    "plan",
    "budget",
    "patience",
    "callback",
)  # reasons to stop after which the run is complete, so that nothing is left to resume
PACKAGES = ("keras", "tensorflow", "numpy")  # whose versions are recorded in the model file


@dataclass(frozen=True)
class Epochs:
    """A run of a number of epochs, unless early stopping ends it."""

    number: int


@dataclass(frozen=True)
class Minutes:
    """A run with a wall-clock budget."""

    number: float


@dataclass(frozen=True, eq=False)
class Plan:
    """All that a run depends on: with the same plan and text, an interrupted run ends as an uninterrupted one.

    Attributes:
        corpus: the text, encoded with the model's vocabulary.
        model: the network's architecture.
        training: the hyperparameters of training.
        until: what ends the run.
        teachers: the models that it also learns from.
        cluster: the workers that train together; None on one machine.
    """

    corpus: Corpus
    model: Shape
    training: Hyperparameters
    until: Epochs | Minutes
    teachers: tuple[Teacher, ...] = ()
    cluster: Cluster | None = None

    @property
    def rows(self) -> slice:
        """The streams of a batch that this process trains on."""
        return self.cluster.rows(self.training.batch_size) if self.cluster else slice(None)

    @property
    def streams(self) -> int:
        """The number of streams that this process trains on."""
        return len(range(self.training.batch_size)[self.rows])

    @property
    def epochs(self) -> int | None:
        """The number of epochs; None with a wall-clock budget."""
        return self.until.number if isinstance(self.until, Epochs) else None

    @property
    def minutes(self) -> float | None:
        """The wall-clock budget; None with a number of epochs."""
        return self.until.number if isinstance(self.until, Minutes) else None

    @cached_property
    def hold_out(self) -> int:
        """The number of characters held out at the end of the text."""
        return self.corpus.hold_out(self.training.validation)

    @cached_property
    def windows(self) -> Windows:
        """The windows of the text to train on."""
        training = self.training
        codes = self.corpus.codes[: len(self.corpus) - self.hold_out]
        return Windows(codes, training.batch_size, training.window, training.rng_seed, self.rows)

    def describe(
        self, *, epochs: float = 0.0, seconds: float = 0.0, validation_nats: float | None = None, date: str = ""
    ) -> Description:
        """The description in the model file, of weights after so many epochs and seconds."""
        corpus, training = self.corpus, self.training
        return Description(
            corpus.vocabulary,
            self.model,
            TextInfo(
                name=corpus.name,
                sha256=corpus.sha256,
                characters=len(corpus),
                unicode=corpus.reading.unicode,
                lowercase=corpus.reading.lowercase,
                replacement=corpus.replacement,
                repair=corpus.reading.repair,
                strip=corpus.reading.strip,
                separator=corpus.reading.separator,
                sources=corpus.texts if len(corpus.texts) <= MOST_SOURCES else (),
            ),
            TrainingInfo(
                epochs=epochs,
                seconds=seconds,
                window=training.window,
                batch_size=training.batch_size,
                learning_rate=training.learning_rate,
                validation=training.validation,
                rng_seed=training.rng_seed,
                validation_nats=validation_nats,
                versions={"textgen": __version__, "python": platform.python_version()}
                | {name: version(name) for name in PACKAGES},
                date=date,
            ),
        )

    def to_meta(self) -> dict[str, Any]:
        """As JSON values, for a checkpoint."""
        corpus = self.corpus
        text = {name: getattr(corpus, name) for name in ("name", "sha256", "sources", "replacement")}
        several = {"workers": len(self.cluster.workers)} if self.cluster else {}
        return several | {
            "text": text,
            "reading": asdict(corpus.reading),
            "vocabulary": corpus.vocabulary.symbols,
            "model": asdict(self.model),
            "training": asdict(self.training),
            "epochs": self.epochs,
            "minutes": self.minutes,
            "teachers": [asdict(teacher) for teacher in self.teachers],
        }

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any], corpus: Corpus) -> Self:
        """The plan that is stored in a checkpoint, for the same text in the stored vocabulary."""
        until = Minutes(meta["minutes"]) if meta["epochs"] is None else Epochs(meta["epochs"])
        training = _with_patience(TrainingConfig.from_dict(meta["training"]), until)
        teachers = tuple(Teacher.from_dict(teacher) for teacher in meta["teachers"])
        chosen, decided = Shape.from_dict(meta["model"]), Hyperparameters.from_dict(asdict(training))
        return cls(corpus, chosen, decided, until, teachers)


def make_plan(
    corpus: Corpus,
    *,
    until: Epochs | Minutes | None = None,
    model: ModelConfig | None = None,
    training: TrainingConfig | None = None,
    source: Model | None = None,
) -> tuple[Plan, list[str]]:
    """Decide the settings that the user leaves open.

    Args:
        corpus: the text, in the codes of the model to train.
        until: the number of epochs or the budget; None chooses the number of epochs from the text's size.
        model: the architecture, as far as it is given.
        training: the hyperparameters, as far as they are given.
        source: the model whose weights the run starts from.

    Returns:
        The plan, and notes for the user.

    Raises:
        RunError: the given architecture is not that of `source`.
    """
    training = training or TrainingConfig()
    model = (model or ModelConfig()) if source is None else shape_of(source, model)
    symbols, characters = len(corpus.vocabulary), len(corpus) - corpus.hold_out(training.validation)
    until = until or Epochs(planned_epochs(characters))
    if isinstance(until, Epochs):
        expected: float = until.number
    else:
        streams = training.batch_size or batch_size(characters)
        speed = characters_a_second(shape(model, symbols=symbols, epochs=1), streams, symbols)
        expected = max(0.0, 60 * until.number - STARTING_SECONDS) * speed / characters
    chosen, decided, notes = complete(
        model,
        _with_patience(training, until),
        characters=characters,
        symbols=symbols,
        epochs=expected,
        fine_tuning=source is not None,
    )
    notes += [*_unseen(corpus, training.validation, source), *_imprecise(corpus.hold_out(training.validation))]
    return Plan(corpus, chosen, decided, until), notes


def _with_patience(training: TrainingConfig, until: Epochs | Minutes) -> TrainingConfig:
    """With the default patience if none is given; a run with a budget has no early stopping by default."""
    usual = DEFAULT_PATIENCE if isinstance(until, Epochs) else None
    return replace(training, patience=training.patience or usual)


def shape_of(source: Model, model: ModelConfig | None) -> ModelConfig:
    """The architecture of the model to start from, with the given dropout."""
    model, its = model or ModelConfig(), source.description.model
    for name in ("layers", "units", "embedding", "cell"):
        asked = getattr(model, name)
        if asked not in (None, getattr(its, name)):
            raise RunError(
                f"{source.path}: `{name}` is {asked}, but the model has {getattr(its, name)}; leave out `{name}`"
            )
    return ModelConfig(its.layers, its.units, model.dropout, its.embedding, its.cell)


def _unseen(corpus: Corpus, validation: float, source: Model | None) -> list[str]:
    """A note on characters that only the held-out part has, and that the model to start from does not have either."""
    learnt = () if source is None else source.description.vocabulary.symbols
    found = {symbol: count for symbol, count in corpus.unseen(validation).items() if symbol not in learnt}
    return [unseen_note(found, corpus.hold_out(validation))] if found else []


def _imprecise(hold_out: int) -> list[str]:
    """A note on a held-out part too small for a precise loss, whose error falls with the root of its length."""
    if not 0 < hold_out < SMALL_HOLD_OUT:
        return []
    nats = 0.005 * math.sqrt(LARGEST_HOLD_OUT / hold_out)
    return [
        f"the held-out part has only {counted(hold_out, 'character')}: validation losses that differ by less than "
        f"{nats:.2f} nats cannot be told apart; add text, or make `validation` larger"
    ]


def evaluation_interval(windows: Windows) -> int:
    """The number of steps between two evaluations inside an epoch."""
    return max(1, min(windows.per_epoch, EVALUATION_CHARACTERS // (windows.streams * windows.length)))


def is_evaluation_due(step: int, windows: Windows) -> bool:
    """Whether the model is evaluated after this step: at the end of each epoch, and inside longer epochs."""
    place = step % windows.per_epoch
    return place == 0 or place % evaluation_interval(windows) == 0
