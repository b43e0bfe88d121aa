"""What `textgen train` shows as it goes: a bar on a terminal, a line for each scoring."""

import math
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from tqdm import tqdm

from textgen.cli.options import as_options
from textgen.training.progress import Event, Scored, Started, Stepped
from textgen.wording import counted

LAYOUT = "{percentage:3.0f}%|{bar}| {desc}"
SMOOTHING = 0.05  # of the loss beside the bar


def loss(nats: float) -> str:
    """A loss in both units."""
    return f"{nats:.3f} nats ({nats / math.log(2):.2f} bpc)"


class Display(AbstractContextManager["Display"]):
    """Writes a run's events to stderr."""

    def __init__(self, notes: Sequence[str] = ()) -> None:
        """Nothing is shown yet; the notes, of how the text was read, come first of all."""
        self._notes = notes
        self._bar: Any = None
        self._loss: float | None = None
        self._speed = _Speed()
        self._mute = False

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, event: Event) -> None:
        """Show one event; training goes on when nobody reads any more."""
        if self._mute:
            return
        try:
            self._show(event)
        except BrokenPipeError:
            self._mute = True

    def _show(self, event: Event) -> None:
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
        hidden = not sys.stderr.isatty()
        self._line(
            f"dropout {event.dropout:g}, embedding {event.embedding}, learning rate {event.learning_rate:g}, "
            f"rng seed {event.rng_seed}"
        )
        if event.resumed_at:
            self._line(f"resumed after {event.resumed_at:.2f} epochs")
        self._bar = tqdm(disable=hidden, file=sys.stderr, leave=False, bar_format=LAYOUT, dynamic_ncols=True)

    def _stepped(self, event: Stepped) -> None:
        self._loss = event.loss if self._loss is None else self._loss + SMOOTHING * (event.loss - self._loss)
        self._speed.add(event.characters)
        bar = self._bar
        if bar.disable:
            return
        bar.total = event.planned_steps if event.seconds_left is not None else None
        left = "" if event.seconds_left is None else f", {tqdm.format_interval(event.seconds_left)} left"
        bar.set_description_str(f"epoch {event.epochs:.1f}, loss {self._loss:.3f}, {self._speed}{left}", refresh=False)
        bar.update(event.step - bar.n)

    def _scored(self, event: Scored) -> None:
        held_out = "none held out" if event.validation_nats is None else f"held-out {loss(event.validation_nats)}"
        mark = ", the best so far" if event.best and event.validation_nats is not None else ""
        self._line(
            f"epoch {event.epochs:.1f}, {tqdm.format_interval(event.seconds)}: train {event.train_nats:.3f}, "
            f"{held_out}{mark}; {self._speed}"
        )
        self._line(f"    | {' '.join(event.sample.split())}")

    def _line(self, text: str) -> None:
        if self._bar is None:
            print(text, file=sys.stderr, flush=True)
        else:
            self._bar.write(text, file=sys.stderr)


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
