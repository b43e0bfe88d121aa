from dataclasses import replace
from pathlib import Path

import pytest

from textgen.cli.progress import Display
from textgen.cli.table import width
from textgen.evaluation.baselines import Baseline
from textgen.training.progress import Event, Scored, Started, Stepped, TrainingResult

STARTED = Started("play", 1000, 100, 31, 1, 1, 50, 1, 0.1, 64, 0.01, 3, 0.0, ())
STEPPED = Stepped(1, 10, 2.0, 0.1, 50, None)
SCORED = Scored(1.0, 5.0, 2.0, 1.9, True, "")
RESULT = TrainingResult(Path("my models/play/model.keras"), 1.9, 1.0, 6.0, "plan", [Baseline("n-gram (3)", 2.0)])


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


def test_how_a_run_ended_is_told_with_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, STARTED, STEPPED, SCORED, RESULT)[-3:] == [
        "Stopped: all planned epochs are done. The model is my models/play/model.keras.",
        "Verdict: better than the best n-gram (order 3) by 0.15 bits a character (2.74 to 2.89).",
        "Write with it:  textgen generate 'my models/play'",
    ]
    ended = replace(RESULT, stopped_by="SIGTERM", validation_nats=1.8, baselines=[])
    assert shown(capsys, STARTED, STEPPED, SCORED, ended)[-3:] == [
        "Stopped: terminated. The model is my models/play/model.keras, held-out loss 1.800 nats (2.60 bpc).",
        "Go on with it:  textgen train --resume -o 'my models/play'",
        "Write with it:  textgen generate 'my models/play'",
    ]
