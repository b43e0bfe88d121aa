"""The events that a training run reports to `on_progress`."""

from dataclasses import dataclass
from pathlib import Path

from textgen.evaluation.baselines import Baseline
from textgen.training.calibration import Calibration


@dataclass(frozen=True)
class Consulted:
    """The teachers of the run, which is about to start, have read so much of the text."""

    characters: int
    total: int  # characters to read


@dataclass(frozen=True)
class Started:
    """The run is about to start its first step."""

    name: str  # the corpus's
    characters: int  # in the whole text
    hold_out: int  # characters held out at its end
    symbols: int  # vocabulary size
    parameters: int
    streams: int  # batch size
    window: int  # sequence length
    epochs: int | None  # planned; None with a budget of minutes
    dropout: float
    embedding: int  # dimension
    learning_rate: float  # the peak
    weight_decay: float
    rng_seed: int
    resumed_at: float  # epochs done before the interruption; 0 in a new run
    reading: tuple[str, ...]  # how the texts were read, a line each
    notes: tuple[str, ...]  # what differs from what was asked for
    part: int = 1  # which of the trainings of the run this is, of
    parts: int = 1  # so many: those of its own teachers, and its own


@dataclass(frozen=True)
class Stepped:
    """A training step is done."""

    step: int
    planned_steps: int
    loss: float  # mean cross-entropy of this step, with teachers that with text and teachers; nats per character
    epochs: float
    characters: int  # trained on so far
    seconds_left: float | None  # None until the speed is known


@dataclass(frozen=True)
class Evaluated:
    """The validation loss has been computed, if text is held out."""

    epochs: float
    seconds: float
    train_nats: float  # mean training loss since the last evaluation, nats per character
    validation_nats: float | None  # None if nothing is held out
    best: bool  # lowest validation loss so far: these weights are saved
    sample: str  # a few dozen generated characters


@dataclass(frozen=True)
class TeacherTrained:
    """One of the run's own teachers is trained."""

    number: int  # from 1
    teachers: int  # of the run
    model: Path
    validation_nats: float | None  # nats per character; None if nothing is held out
    epochs: float
    seconds: float  # wall-clock time of all parts of its training


@dataclass(frozen=True)
class TrainingResult:
    """The result of a run: its last event, and what `textgen.train` returns.

    Attributes:
        model: the model file with the best weights.
        validation_nats: their validation loss, nats per character; None if nothing is held out, or before the first
            evaluation.
        epochs: the number of epochs, including those before an interruption.
        seconds: wall-clock time of all parts of the run.
        stopped_by: `plan`, `budget`, `patience`, `callback`, `SIGINT`, `SIGTERM` or `SIGHUP`.
        baselines: the losses of an n-gram model and xz on the held-out text; none of an interrupted run.
        calibration: the temperature of the model's logits, and the losses before and after; None if it was not
            calibrated, as after an interruption.
        run: the folder to resume, if a teacher of the run's own was interrupted, whose model this is; None otherwise.
    """

    model: Path
    validation_nats: float | None
    epochs: float
    seconds: float
    stopped_by: str
    baselines: list[Baseline]
    calibration: Calibration | None = None
    run: Path | None = None


Event = Consulted | Started | Stepped | Evaluated | TeacherTrained | TrainingResult
