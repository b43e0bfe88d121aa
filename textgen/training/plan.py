"""What decides a run: how it is trained, how many steps it takes, where it is scored."""

import platform
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from textgen import __version__
from textgen.config import Shape, TrainingConfig
from textgen.corpus.corpus import Corpus
from textgen.corpus.windows import Windows
from textgen.evaluation.baselines import MOST_CHARACTERS
from textgen.model_file import Description, TextInfo, TrainingInfo

SCORING_CHARACTERS = 2_000_000  # trained between two scorings inside a longer epoch
LOOKS = 20  # how often in a run with a budget the plan is made anew, beside the scorings
FIRST_LOOK = 10  # steps after compilation from which the first plan is made
PACKAGES = ("keras", "tensorflow", "numpy")  # whose versions the model file names
COMPLETED = ("plan", "budget", "patience", "callback")  # ends of a run after which nothing is left to do


@dataclass(frozen=True, eq=False)
class Plan:
    """All that decides a run: with the same plan and text, an interrupted run ends as one that was not.

    Attributes:
        corpus: the text, encoded with the model's vocabulary.
        model: the network's shape.
        training: complete, but for the patience, which may be open.
        epochs: how often to read the text, or None.
        minutes: the budget, or None; one of the two is given.
    """

    corpus: Corpus
    model: Shape
    training: TrainingConfig
    epochs: int | None
    minutes: float | None

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


def decided(training: TrainingConfig) -> tuple[int, float, int]:
    """Streams, peak learning rate and seed of a configuration in which none is open."""
    if training.batch_size is None or training.learning_rate is None or training.rng_seed is None:
        raise ValueError("the training configuration is not complete; see recipe.complete")
    return training.batch_size, training.learning_rate, training.rng_seed


def describe(plan: Plan) -> Description:
    """What the model file says before anything is learnt."""
    corpus, training = plan.corpus, plan.training
    streams, peak, rng_seed = decided(training)
    return Description(
        corpus.vocabulary,
        plan.model,
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
            epochs=0.0,
            seconds=0.0,
            window=training.window,
            batch_size=streams,
            learning_rate=peak,
            validation=training.validation,
            rng_seed=rng_seed,
            validation_nats=None,
            versions={"textgen": __version__, "python": platform.python_version()}
            | {name: version(name) for name in PACKAGES},
            date="",
        ),
    )


def scoring_interval(windows: Windows) -> int:
    """The steps between two scorings, the epochs' ends aside."""
    return max(1, min(windows.per_epoch, SCORING_CHARACTERS // (windows.streams * windows.length)))


def finishing_seconds(characters: int, *, drawn: bool) -> float:
    """What saving, the baselines and the curve will take after the last scoring, roughly."""
    return 1.0 + 2.5e-6 * min(characters, MOST_CHARACTERS) + (1.0 if drawn else 0.0)


def is_scoring(step: int, windows: Windows) -> bool:
    """Whether the model is scored after so many steps: at each epoch's end, and inside longer epochs."""
    place = step % windows.per_epoch
    return place == 0 or place % scoring_interval(windows) == 0


@dataclass
class Budget:
    """A limit of wall-clock time, and the plan of steps that fits into it.

    Attributes:
        deadline: when everything must be done, on `time.monotonic`'s clock.
        scoring_seconds: what a scoring takes; estimated until one is measured.
        finishing_seconds: kept for what comes after the last scoring.
        next_look: the step at which the plan is made anew.
    """

    deadline: float
    scoring_seconds: float
    finishing_seconds: float = 0.0
    next_look: int = FIRST_LOOK + 1  # the first step compiles

    @classmethod
    def of(cls, minutes: float, started: float, scoring_seconds: float, finishing_seconds: float) -> "Budget":
        """A budget of minutes that runs since `started`."""
        return cls(started + 60 * minutes, scoring_seconds, finishing_seconds)

    def seconds_left(self) -> float:
        """The time left for training, the last scoring and all that follows it taken off."""
        return self.deadline - time.monotonic() - self.scoring_seconds - self.finishing_seconds

    def steps_left(self, step_seconds: float, interval: int) -> int:
        """How many steps fit, with a scoring every `interval` steps."""
        return max(0, int(self.seconds_left() / (step_seconds + self.scoring_seconds / interval)))

    def pause(self, planned_steps: int, interval: int) -> int:
        """The steps until the plan is made anew: a share of the run, at most until the next scoring."""
        return max(FIRST_LOOK, min(planned_steps // LOOKS, interval))
