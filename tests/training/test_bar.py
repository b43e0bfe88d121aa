import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

import textgen
from textgen.training.bar import LAYOUT, ProgressBar, percentage
from textgen.training.progress import Consulted, Evaluated, Started, Stepped, TrainingResult

STARTED = Started("play", 1000, 100, 31, 1, 1, 50, 1, 0.1, 64, 0.01, 0.1, 3, 0.0, (), ())
STEPPED = Stepped(3, 10, 2.0, 0.3, 50, 7.0)
EVALUATED = Evaluated(1.0, 5.0, 2.0, 1.9, True, "")
RESULT = TrainingResult(Path("model.keras"), 1.9, 1.0, 6.0, "patience", [])


class Terminal(io.StringIO):
    """What a bar is drawn on."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("step", "planned", "left", "percent"),
    [
        (0, 10, 9.0, 0),
        (999, 1000, 1.0, 99),
        (10, 10, 4.0, 99),
        (10, 10, 0.0, 100),
        (1, 1, None, 100),
        (12, 10, 0.5, 99),
    ],
)
def test_a_bar_is_full_only_when_no_time_is_left(step: int, planned: int, left: float | None, percent: int) -> None:
    assert percentage(Stepped(step, planned, 2.0, 1.0, 500, left)) == percent


def test_a_bar_shows_where_the_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    show = textgen.progress()
    show(STARTED)
    show(STEPPED)
    show(EVALUATED)
    assert "30%|" in shown.getvalue()
    assert shown.getvalue().rstrip().endswith("| epoch 0.3, loss 2.000, -, 00:07 left, validation loss 1.900")
    show(RESULT)  # early stopping is an end, not a failure
    last = shown.getvalue().rstrip().split("\r")[-1]
    assert last.startswith("100%|")
    show(STARTED)  # it can be used for another run
    assert shown.getvalue().split("\r")[-1].lstrip().startswith("0%|")
    show(replace(RESULT, stopped_by="SIGINT"))


def test_a_bar_shows_how_far_the_teachers_have_read() -> None:
    bars = []

    def make(**options: Any) -> Any:
        bars.append(tqdm(file=io.StringIO(), **options))
        return bars[-1]

    show = ProgressBar(make, LAYOUT)
    for characters, reached in ((10, 25), (30, 75), (40, 100)):
        show(Consulted(characters, 40))
        assert bars[0].n == reached
    assert bars[0].desc == "the teachers read the text"
    show(STARTED)  # in a bar of its own
    show(STEPPED)
    assert [bar.n for bar in bars] == [100, 30]
    assert bars[0].disable  # tqdm's mark of a closed bar


def test_where_nobody_looks_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    show = textgen.progress()
    for event in (STARTED, STEPPED, EVALUATED, RESULT):
        show(event)
    assert shown.getvalue() == ""


def test_a_bar_of_an_interrupted_run_stays_where_it_was() -> None:
    bars = []

    def make(**options: Any) -> Any:
        bars.append(tqdm(file=io.StringIO(), **options))
        return bars[-1]

    show = ProgressBar(make, LAYOUT)
    for stopped_by, reached in (("SIGINT", 30), ("plan", 100), ("budget", 100)):
        for event in (STARTED, STEPPED, replace(RESULT, stopped_by=stopped_by)):
            show(event)
        assert bars[-1].n == reached
        assert bars[-1].disable  # tqdm's mark of a closed bar


def test_a_bar_that_cannot_be_drawn_does_not_end_the_run() -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    show = ProgressBar(lambda **options: tqdm(file=Gone(), **options))
    for event in (STARTED, STEPPED, EVALUATED, RESULT):
        show(event)
