"""What decides a run, with nothing left open: made in one place before the first step, or read from a checkpoint."""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any, Self

from textgen import __version__
from textgen.config import DEFAULT_PATIENCE, Hyperparameters, ModelConfig, Shape, TrainingConfig
from textgen.corpus.corpus import Corpus, unseen_note
from textgen.corpus.windows import Windows
from textgen.errors import RunError
from textgen.model_file import Description, Model, TextInfo, TrainingInfo
from textgen.training.recipe import batch_size, complete, planned_epochs, shape
from textgen.training.speed import characters_a_second

SCORING_CHARACTERS = 2_000_000  # trained between two scorings inside a longer epoch
STARTING_SECONDS = 10  # imports, compilation, and the last scoring: what a budget has not for its steps
COMPLETED = ("plan", "budget", "patience", "callback")  # ends of a run after which nothing is left to do
PACKAGES = ("keras", "tensorflow", "numpy")  # whose versions the model file names


@dataclass(frozen=True)
class Epochs:
    """A run that reads the text so often, unless its patience ends it."""

    number: int


@dataclass(frozen=True)
class Minutes:
    """A run that takes so much wall-clock time."""

    number: float


@dataclass(frozen=True, eq=False)
class Plan:
    """All that decides a run: with the same plan and text, an interrupted run ends as one that was not.

    Attributes:
        corpus: the text, encoded with the model's vocabulary.
        model: the network's shape.
        training: how it is trained.
        until: what ends the run.
    """

    corpus: Corpus
    model: Shape
    training: Hyperparameters
    until: Epochs | Minutes

    @property
    def epochs(self) -> int | None:
        """How often the text is read; None where the time decides it."""
        return self.until.number if isinstance(self.until, Epochs) else None

    @property
    def minutes(self) -> float | None:
        """How long the run takes; None where the epochs decide it."""
        return self.until.number if isinstance(self.until, Minutes) else None

    @cached_property
    def hold_out(self) -> int:
        """How many characters at the text's end are held out."""
        return self.corpus.hold_out(self.training.validation)

    @cached_property
    def windows(self) -> Windows:
        """The windows of the text to train on."""
        training = self.training
        codes = self.corpus.codes[: len(self.corpus) - self.hold_out]
        return Windows(codes, training.batch_size, training.window, training.rng_seed)

    def describe(
        self, *, epochs: float = 0.0, seconds: float = 0.0, validation_nats: float | None = None, date: str = ""
    ) -> Description:
        """What the model file says, of weights that so much was done for."""
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
        """What a checkpoint holds of it, as JSON values."""
        corpus = self.corpus
        text = {name: getattr(corpus, name) for name in ("name", "sha256", "sources", "replacement")}
        return {
            "text": text,
            "reading": asdict(corpus.reading),
            "vocabulary": corpus.vocabulary.symbols,
            "model": asdict(self.model),
            "training": asdict(self.training),
            "epochs": self.epochs,
            "minutes": self.minutes,
        }

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any], corpus: Corpus) -> Self:
        """The plan that a checkpoint holds, of the same text in the vocabulary that it names."""
        until = Minutes(meta["minutes"]) if meta["epochs"] is None else Epochs(meta["epochs"])
        training = _with_patience(TrainingConfig.from_dict(meta["training"]), until)
        return cls(corpus, Shape.from_dict(meta["model"]), Hyperparameters.from_dict(asdict(training)), until)


def make_plan(
    corpus: Corpus,
    *,
    until: Epochs | Minutes | None = None,
    model: ModelConfig | None = None,
    training: TrainingConfig | None = None,
    source: Model | None = None,
) -> tuple[Plan, list[str]]:
    """Decide what a user leaves open.

    Args:
        corpus: the text, in the codes of the model to train.
        until: what ends the run; None plans the number of epochs from the text's size.
        model: the network's shape, as far as it is asked for.
        training: how to train, as far as it is asked for.
        source: the model whose weights the run starts from.

    Returns:
        The plan, and what a user must be told of it.

    Raises:
        RunError: the shape asked for is not `source`'s.
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
    return Plan(corpus, chosen, decided, until), [*notes, *_unseen(corpus, training.validation, source)]


def _with_patience(training: TrainingConfig, until: Epochs | Minutes) -> TrainingConfig:
    """With the usual patience where none is asked for: a run that is given a time uses it."""
    usual = DEFAULT_PATIENCE if isinstance(until, Epochs) else None
    return replace(training, patience=training.patience or usual)


def shape_of(source: Model, model: ModelConfig | None) -> ModelConfig:
    """The shape of a model to start from, with the dropout that is asked for."""
    model, its = model or ModelConfig(), source.description.model
    for name in ("layers", "units", "embedding"):
        asked = getattr(model, name)
        if asked not in (None, getattr(its, name)):
            raise RunError(f"{source.path}: has {getattr(its, name)} {name}, not {asked}; leave out `{name}`")
    return ModelConfig(its.layers, its.units, model.dropout, its.embedding)


def _unseen(corpus: Corpus, validation: float, source: Model | None) -> list[str]:
    """What to tell of symbols that the hold-out alone has, and the model to start from has not learnt either."""
    learnt = () if source is None else source.description.vocabulary.symbols
    found = {symbol: count for symbol, count in corpus.unseen(validation).items() if symbol not in learnt}
    return [unseen_note(found, corpus.hold_out(validation))] if found else []


def scoring_interval(windows: Windows) -> int:
    """The steps between two scorings, the epochs' ends aside."""
    return max(1, min(windows.per_epoch, SCORING_CHARACTERS // (windows.streams * windows.length)))


def is_scoring(step: int, windows: Windows) -> bool:
    """Whether the model is scored after so many steps: at each epoch's end, and inside longer epochs."""
    place = step % windows.per_epoch
    return place == 0 or place % scoring_interval(windows) == 0
