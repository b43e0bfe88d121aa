"""What `textgen train` shows as it goes: a bar on a terminal, a line for each scoring."""

import math
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from tqdm import tqdm

from textgen.cli.options import as_options
from textgen.cli.table import cut
from textgen.cli.terminal import bar, printable, tell
from textgen.training.progress import Event, Scored, Started, Stepped
from textgen.wording import counted

LAYOUT = "{percentage:3.0f}%|{bar}| {desc}"
SMOOTHING = 0.05  # of the loss beside the bar
COLUMNS = 80  # of the line with the sample


def loss(nats: float) -> str:
    """A loss in both units."""
    return f"{nats:.3f} nats ({nats / math.log(2):.2f} bpc)"


def percentage(event: Stepped) -> int:
    """How much of a run is done; it is not all done while there is time left, to score the model for instance."""
    done = 100 * event.step // event.planned_steps
    return min(done, 99 if event.seconds_left else 100)


class Display(AbstractContextManager["Display"]):
    """Writes a run's events to stderr.

    Attributes:
        held_out: the held-out loss told last, nats a character.
    """

    def __init__(self, notes: Sequence[str] = ()) -> None:
        """Nothing is shown yet; the notes, of how the text was read, come first of all."""
        self.held_out: float | None = None
        self._notes = notes
        self._bar: Any = None
        self._loss: float | None = None
        self._speed = _Speed()

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Started):
            self._started(event)
        elif isinstance(event, Stepped):
            self._stepped(event)
        else:
            self._scored(event)

    def _started(self, event: Started) -> None:
        for note in self._notes:
            self._line(as_options(note))
        for note in event.notes:
            self._line(f"Note: {as_options(note)}")
        plan = f"{counted(event.epochs, 'epoch')} planned" if event.epochs else "as many epochs as the time allows"
        self._line(
            f"{event.name}: {counted(event.characters, 'character')}, {counted(event.symbols, 'different one')}; "
            f"{event.hold_out:,} at the end {'is' if event.hold_out == 1 else 'are'} held out"
        )
        self._line(
            f"{counted(event.parameters, 'parameter')}, {counted(event.streams, 'stream')} of {event.window}-character "
            f"windows, {plan}"
        )
        self._line(
            f"dropout {event.dropout:g}, embedding {event.embedding}, learning rate {event.learning_rate:g}, "
            f"rng seed {event.rng_seed}"
        )
        if event.resumed_at:
            self._line(f"resumed after {event.resumed_at:.2f} epochs")
        self._bar = bar(bar_format=LAYOUT, dynamic_ncols=True, miniters=0)

    def _stepped(self, event: Stepped) -> None:
        self._loss = event.loss if self._loss is None else self._loss + SMOOTHING * (event.loss - self._loss)
        self._speed.add(event.characters)
        if self._bar.disable:
            return
        left = "" if event.seconds_left is None else f", {tqdm.format_interval(event.seconds_left)} left"
        shown = f"epoch {event.epochs:.1f}, loss {self._loss:.3f}, {self._speed}{left}"
        self._bar.set_description_str(shown, refresh=False)
        self._bar.total = None if event.seconds_left is None else 100
        self._bar.update(percentage(event) - self._bar.n)

    def _scored(self, event: Scored) -> None:
        held_out = "none held out" if event.validation_nats is None else f"held-out {loss(event.validation_nats)}"
        mark = ", the best so far" if event.best and event.validation_nats is not None else ""
        self._line(
            f"epoch {event.epochs:.1f}, {tqdm.format_interval(event.seconds)}: train {event.train_nats:.3f}, "
            f"{held_out}{mark}; {self._speed}"
        )
        self._line(cut(f"    | {printable(' '.join(event.sample.split()))}", COLUMNS))
        self.held_out = event.validation_nats

    def _line(self, text: str) -> None:
        if self._bar is None:
            tell(text)
            return
        self._bar.clear()
        tell(text)
        self._bar.refresh()


class _Speed:
    """Characters a second, over the last few seconds."""

    def __init__(self) -> None:
        self._marks: list[tuple[float, int]] = []

    def add(self, characters: int) -> None:
        now = time.monotonic()
        self._marks = [*[mark for mark in self._marks if mark[0] > now - 10][-200:], (now, characters)]

    def __str__(self) -> str:
        (begun, first), (ended, last) = self._marks[0], self._marks[-1]
        return f"{(last - first) / (ended - begun):,.0f} characters/s" if ended > begun else "-"
