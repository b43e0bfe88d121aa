"""The progress of `textgen train`: a bar and lines for a person, or one JSON object per line for a program."""

import math
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict

from tqdm import tqdm

from textgen.cli.options import as_options
from textgen.cli.table import cut
from textgen.cli.terminal import UNWRITABLE, bar, printable, tell, write_json
from textgen.errors import RunError
from textgen.evaluation.evaluate import verdict
from textgen.training.bar import ProgressBar
from textgen.training.progress import Consulted, Evaluated, Event, Started, Stepped, TeacherTrained, TrainingResult
from textgen.wording import counted, quoted

COLUMNS = 80  # of the line with the sample
PAUSE = 0.25  # seconds between two "stepped" or "consulted" events: a training would wait for a reader of thousands
NAMES = {  # in JSON
    Consulted: "consulted",
    Started: "started",
    Stepped: "stepped",
    Evaluated: "evaluated",
    TeacherTrained: "teacher_trained",
    TrainingResult: "finished",
}
STOPPED = {
    "plan": "all planned epochs are done",
    "budget": "the time budget is used up",
    "patience": "early stopping, since the validation loss has stopped falling",
    "SIGINT": "interrupted",
    "SIGTERM": "terminated",
    "SIGHUP": "the terminal was closed",
}

Report = Callable[[Event], None] | None


def report(*, as_json: bool, quiet: bool) -> AbstractContextManager[Report]:
    """The function that reports a run's events as the options say; None for --quiet."""
    if as_json:
        return nullcontext(JsonLines())
    return nullcontext() if quiet else Display()


def loss(nats: float) -> str:
    """A loss in both units."""
    return f"{nats:.3f} nats ({nats / math.log(2):.2f} bpc)"


class JsonLines:
    """Writes a run's events to stdout, for a program. If stdout can no longer be written, the run continues."""

    def __init__(self) -> None:
        """Nothing is written yet."""
        self._due = -math.inf

    def __call__(self, event: Event) -> None:
        """Write one event; of steps and readings, at most one every quarter of a second."""
        if isinstance(event, Stepped | Consulted):
            if time.monotonic() < self._due:
                return
            self._due = time.monotonic() + PAUSE
        values = {"event": NAMES[type(event)]} | asdict(event)
        if isinstance(event, Started):
            values |= {name: [as_options(note) for note in values[name]] for name in ("reading", "notes")}
        with suppress(RunError, *UNWRITABLE):
            write_json(values, default=str)  # for paths


class Display(AbstractContextManager["Display"]):
    """Writes a run's events to stderr, for a person."""

    def __init__(self) -> None:
        """Nothing is shown yet."""
        self._bar = ProgressBar(bar)
        self._last_nats: float | None = None  # the validation loss shown last, nats per character

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Started):
            self._bar.close()  # that of the teachers
            self._started(event)
        self._bar(event)
        if isinstance(event, Evaluated):
            self._scored(event)
        elif isinstance(event, TeacherTrained):
            self._taught(event)
        elif isinstance(event, TrainingResult):
            self._finished(event)

    def _started(self, event: Started) -> None:
        if event.parts > 1:
            whose = "the student" if event.part == event.parts else f"teacher {event.part}"
            tell(f"Training {event.part} of {event.parts}: {whose}")
        for note in event.reading:
            tell(as_options(note))
        for note in event.notes:
            tell(f"Note: {as_options(note)}")
        plan = (
            f"{counted(event.epochs, 'epoch')} planned" if event.epochs else "as many epochs as the time budget allows"
        )
        tell(
            f"{event.name}: {counted(event.characters, 'character')}, {event.symbols:,} distinct; "
            f"the last {event.hold_out:,} held out for validation"
        )
        tell(
            f"{counted(event.parameters, 'parameter')}, batch size {event.streams}, sequence length {event.window}, "
            f"{plan}"
        )
        tell(
            f"dropout {event.dropout:g}, embedding dimension {event.embedding}, peak learning rate "
            f"{event.learning_rate:g}, weight decay {event.weight_decay:g}, random seed {event.rng_seed}"
        )
        if event.resumed_at:
            tell(f"resumed after {event.resumed_at:.2f} epochs")

    def _scored(self, event: Evaluated) -> None:
        nats = event.validation_nats
        validation = "" if nats is None else f", validation loss {loss(nats)}{', best so far' * event.best}"
        self._bar.write(
            f"epoch {event.epochs:.1f}, {tqdm.format_interval(event.seconds)}: training loss {event.train_nats:.3f}"
            f"{validation}; {self._bar.speed}",
            tell,
        )
        self._bar.write(cut(f"    | {printable(' '.join(event.sample.split()))}", COLUMNS), tell)
        self._last_nats = nats

    def _taught(self, event: TeacherTrained) -> None:
        validation = "" if event.validation_nats is None else f", validation loss {loss(event.validation_nats)}"
        tell(f"Teacher {event.number} of {event.teachers} is trained: {event.model}{validation}")
        self._last_nats = None

    def _finished(self, result: TrainingResult) -> None:
        nats, folder = result.validation_nats, quoted(result.model.parent)
        validation = "" if nats is None or nats == self._last_nats else f", validation loss {loss(nats)}"
        if gained := result.calibration:
            tell(
                f"Calibrated: the logits are divided by {gained.temperature:g}, which lowers the validation loss from "
                f"{gained.nats_before:.3f} to {gained.nats:.3f} nats (fitted on the first half of the held-out text "
                f"alone, from {gained.half_nats_before:.3f} to {gained.half_nats:.3f} on the second)."
            )
        tell(f"Stopped: {STOPPED[result.stopped_by]}. Model: {result.model}{validation}.")
        if nats is not None and result.baselines:
            tell(f"Verdict: {verdict(nats, result.baselines)}.")
        if result.stopped_by in signal.Signals.__members__:
            tell(f"Resume:  textgen train --resume -o {quoted(result.run) if result.run else folder}")
        tell(f"Generate:  textgen generate {folder}")
