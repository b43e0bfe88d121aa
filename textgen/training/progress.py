"""What a training run reports, to one callable."""

from dataclasses import dataclass
from pathlib import Path

from textgen.evaluation.baselines import Baseline


@dataclass(frozen=True)
class Started:
    """The run is about to take its first step."""

    name: str  # the corpus's
    characters: int  # of the whole text
    hold_out: int  # characters of it held out
    symbols: int
    parameters: int
    streams: int
    window: int
    epochs: int | None  # None under a budget of minutes
    dropout: float
    embedding: int
    learning_rate: float  # the peak
    rng_seed: int
    resumed_at: float  # epochs done by the run before it was interrupted; 0 of a new one
    reading: tuple[str, ...]  # what is to be told of how the text was read
    notes: tuple[str, ...]  # what was done otherwise than asked


@dataclass(frozen=True)
class Stepped:
    """A step is done."""

    step: int
    planned_steps: int
    loss: float  # nats per character, of this step's windows
    epochs: float
    characters: int  # trained so far
    seconds_left: float | None  # None until the speed is known


@dataclass(frozen=True)
class Scored:
    """The held-out text has been scored, or would have been if there were one."""

    epochs: float
    seconds: float
    train_nats: float  # mean since the last scoring
    validation_nats: float | None
    best: bool  # these weights are the ones kept
    sample: str  # a few dozen characters the model wrote


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended: what it reports last, and what `textgen.train` returns.

    Attributes:
        model: the model file with the best weights.
        validation_nats: their held-out loss, nats per character; None without a hold-out, or before the first scoring.
        epochs: how often the text was read in all.
        seconds: wall-clock time of the run, its interrupted parts included.
        stopped_by: `plan`, `budget`, `patience`, `callback`, `SIGINT`, `SIGTERM` or `SIGHUP`.
        baselines: simpler predictors of the held-out text; none of an interrupted run.
    """

    model: Path
    validation_nats: float | None
    epochs: float
    seconds: float
    stopped_by: str
    baselines: list[Baseline]


Event = Started | Stepped | Scored | TrainingResult
