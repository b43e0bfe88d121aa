"""A progress bar for training: for notebooks and programs, and inside the command's display."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from textgen.training.plan import COMPLETED
from textgen.training.progress import Consulted, Evaluated, Event, Started, Stepped, TeacherTrained, TrainingResult

LAYOUT = "{percentage:3.0f}%|{bar}| {desc}"
SMOOTHING = 0.05  # of the loss beside the bar


def progress() -> Callable[[Event], None]:
    """A progress bar for a training run: `textgen.train(corpus, output="models/play", on_progress=textgen.progress())`.

    It shows the percentage done, epochs, training and validation loss, speed and the time left: in a notebook as a
    widget, on a terminal as a line of stderr. If stderr is a file or a pipe, it shows nothing.
    """
    return ProgressBar(_open, LAYOUT + "{postfix}")


def _open(**options: Any) -> Any:
    from tqdm.auto import tqdm  # imported here, since it loads the widgets of notebooks

    return tqdm(disable=None, **options)


class ProgressBar:
    """Shows the events of a run in a tqdm bar, which is opened when the run starts and closed when it ends.

    Attributes:
        speed: characters per second, as text.
    """

    def __init__(self, make: Callable[..., Any], layout: str = LAYOUT) -> None:
        """Take the function that makes a bar from tqdm's options; nothing is shown yet."""
        self._make, self._layout = make, layout
        self._bar: Any = None

    def __call__(self, event: Event) -> None:
        """Show one event. If the bar can no longer be shown, the run continues."""
        with suppress(OSError):
            if isinstance(event, Consulted):
                self._consult(event)
            elif isinstance(event, Started):
                self._start()
            elif self._bar is None:  # it could not be opened
                return
            elif isinstance(event, Stepped):
                self._step(event)
            elif isinstance(event, Evaluated):
                if event.validation_nats is not None:
                    self._bar.set_postfix_str(f"validation loss {event.validation_nats:.3f}")
            else:
                self._finish(event)

    def close(self) -> None:
        """Close the bar, if it is open, however the run has ended."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def write(self, line: str, tell: Callable[[str], None]) -> None:
        """Print a line above the bar."""
        if self._bar is not None:
            self._bar.clear()
        tell(line)
        if self._bar is not None:
            self._bar.refresh()

    def _start(self, shown: str = "") -> None:
        self.close()
        self.speed = _Speed()
        self._loss: float | None = None
        self._bar = self._make(bar_format=self._layout, total=100, dynamic_ncols=True, miniters=0, desc=shown)

    def _consult(self, event: Consulted) -> None:
        if self._bar is None:
            self._start("the teachers read the text")
        self._bar.update(100 * event.characters // event.total - self._bar.n)

    def _step(self, event: Stepped) -> None:
        self._loss = event.loss if self._loss is None else self._loss + SMOOTHING * (event.loss - self._loss)
        self.speed.add(event.characters)
        if self._bar.disable:
            return
        left = "" if event.seconds_left is None else f", {self._bar.format_interval(event.seconds_left)} left"
        shown = f"epoch {event.epochs:.1f}, loss {self._loss:.3f}, {self.speed}{left}"
        self._bar.set_description_str(shown, refresh=False)
        self._bar.update(percentage(event) - self._bar.n)

    def _finish(self, result: TeacherTrained | TrainingResult) -> None:
        if (
            isinstance(result, TeacherTrained) or result.stopped_by in COMPLETED
        ):  # early stopping leaves planned steps undone
            self._bar.update(100 - self._bar.n)
        self.close()


def percentage(event: Stepped) -> int:
    """The percentage of a run that is done; at most 99 while time is left, for example for an evaluation."""
    done = 100 * event.step // event.planned_steps
    return min(done, 99 if event.seconds_left else 100)


class _Speed:
    """Characters per second, over the last few seconds."""

    def __init__(self) -> None:
        self._marks: list[tuple[float, int]] = []

    def add(self, characters: int) -> None:
        now = time.monotonic()
        self._marks = [*[mark for mark in self._marks if mark[0] > now - 10][-200:], (now, characters)]

    def __str__(self) -> str:
        if not self._marks:
            return "-"
        (begun, first), (ended, last) = self._marks[0], self._marks[-1]
        return f"{(last - first) / (ended - begun):,.0f} characters/s" if ended > begun else "-"
