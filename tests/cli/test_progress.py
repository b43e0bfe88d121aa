from dataclasses import replace

import pytest

from textgen.cli.progress import Display, percentage
from textgen.cli.table import width
from textgen.training.progress import Event, Scored, Started, Stepped

STARTED = Started("play", 1000, 100, 31, 1, 1, 50, 1, 0.1, 64, 0.01, 3, 0.0, ())
STEPPED = Stepped(1, 10, 2.0, 0.1, 50, None)
SCORED = Scored(1.0, 5.0, 2.0, 1.9, True, "")


def shown(capsys: pytest.CaptureFixture[str], *events: Event) -> list[str]:
    with Display(["a note\nin two lines"]) as display:
        for event in events:
            display(event)
    return capsys.readouterr().err.splitlines()


def test_numbers_agree_with_their_nouns(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, STARTED)
    assert lines[0] == r"a note\nin two lines"
    assert lines[2] == "1 parameter, 1 stream of 50-character windows, 1 epoch planned"
    assert shown(capsys, replace(STARTED, epochs=2))[2].endswith("2 epochs planned")


@pytest.mark.parametrize("sample", ["吾輩は" * 30, "a" * 90, "\x1b[2J" * 30, "e\u0301" * 90, "a\nb\t" * 50])
def test_a_sample_is_a_line_of_80_columns_that_steers_nothing(capsys: pytest.CaptureFixture[str], sample: str) -> None:
    line = shown(capsys, STARTED, STEPPED, replace(SCORED, sample=sample))[-1]
    assert line.startswith("    | ")
    assert 78 <= width(line) <= 80
    assert line.isprintable()
    assert not line.endswith("e")  # its accent is not cut off


def test_the_display_knows_what_it_told_last() -> None:
    with Display() as display:
        display(STARTED)
        display(STEPPED)
        assert display.held_out is None
        display(SCORED)
        assert display.held_out == 1.9


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
