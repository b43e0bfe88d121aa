"""What `textgen train` shows as it goes: to a person a bar and lines, to a program one JSON object a line."""

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
from textgen.training.progress import Event, Scored, Started, Stepped, TrainingResult
from textgen.wording import counted, quoted

COLUMNS = 80  # of the line with the sample
PAUSE = 0.25  # seconds between two steps told as JSON: thousands a second would keep the training waiting for a reader
NAMES = {Started: "started", Stepped: "stepped", Scored: "evaluated", TrainingResult: "finished"}  # in JSON
STOPPED = {
    "plan": "all planned epochs are done",
    "budget": "the time is used up",
    "patience": "the held-out loss has stopped falling",
    "SIGINT": "interrupted",
    "SIGTERM": "terminated",
    "SIGHUP": "the terminal is gone",
}

Report = Callable[[Event], None] | None


def report(*, as_json: bool, quiet: bool) -> AbstractContextManager[Report]:
    """What tells a run's events in the way that is asked for."""
    if as_json:
        return nullcontext(JsonLines())
    return nullcontext() if quiet else Display()


def loss(nats: float) -> str:
    """A loss in both units."""
    return f"{nats:.3f} nats ({nats / math.log(2):.2f} bpc)"


class JsonLines:
    """Writes a run's events to stdout, for a program. When that cannot be written any more, the run goes on."""

    def __init__(self) -> None:
        """Nothing is written yet."""
        self._due = -math.inf

    def __call__(self, event: Event) -> None:
        """Write one event; of steps, those that a quarter of a second lies between."""
        if isinstance(event, Stepped):
            if time.monotonic() < self._due:
                return
            self._due = time.monotonic() + PAUSE
        values = {"event": NAMES[type(event)]} | asdict(event)
        if isinstance(event, Started):
            values |= {name: [as_options(note) for note in values[name]] for name in ("reading", "notes")}
        with suppress(RunError, *UNWRITABLE):
            write_json(values, default=str)  # a path is no type of JSON's


class Display(AbstractContextManager["Display"]):
    """Writes a run's events to stderr, for a person."""

    def __init__(self) -> None:
        """Nothing is shown yet."""
        self._bar = ProgressBar(bar)
        self._last_nats: float | None = None  # the held-out loss told last, nats a character

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Started):
            self._started(event)
        self._bar(event)
        if isinstance(event, Scored):
            self._scored(event)
        elif isinstance(event, TrainingResult):
            self._finished(event)

    def _started(self, event: Started) -> None:
        for note in event.reading:
            tell(as_options(note))
        for note in event.notes:
            tell(f"Note: {as_options(note)}")
        plan = f"{counted(event.epochs, 'epoch')} planned" if event.epochs else "as many epochs as the time allows"
        tell(
            f"{event.name}: {counted(event.characters, 'character')}, {counted(event.symbols, 'different one')}; "
            f"{event.hold_out:,} at the end {'is' if event.hold_out == 1 else 'are'} held out"
        )
        tell(
            f"{counted(event.parameters, 'parameter')}, {counted(event.streams, 'stream')} of {event.window}-character "
            f"windows, {plan}"
        )
        tell(
            f"dropout {event.dropout:g}, embedding {event.embedding}, learning rate {event.learning_rate:g}, "
            f"rng seed {event.rng_seed}"
        )
        if event.resumed_at:
            tell(f"resumed after {event.resumed_at:.2f} epochs")

    def _scored(self, event: Scored) -> None:
        held_out = "none held out" if event.validation_nats is None else f"held-out {loss(event.validation_nats)}"
        mark = ", the best so far" if event.best and event.validation_nats is not None else ""
        self._bar.write(
            f"epoch {event.epochs:.1f}, {tqdm.format_interval(event.seconds)}: train {event.train_nats:.3f}, "
            f"{held_out}{mark}; {self._bar.speed}",
            tell,
        )
        self._bar.write(cut(f"    | {printable(' '.join(event.sample.split()))}", COLUMNS), tell)
        self._last_nats = event.validation_nats

    def _finished(self, result: TrainingResult) -> None:
        nats, folder = result.validation_nats, quoted(result.model.parent)
        held_out = "" if nats is None or nats == self._last_nats else f", held-out loss {loss(nats)}"
        tell(f"Stopped: {STOPPED[result.stopped_by]}. The model is {result.model}{held_out}.")
        if nats is not None and result.baselines:
            tell(f"Verdict: {verdict(nats, result.baselines)}.")
        if result.stopped_by in signal.Signals.__members__:
            tell(f"Go on with it:  textgen train --resume -o {folder}")
        tell(f"Write with it:  textgen generate {folder}")
