import errno
import io
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from textgen.cli.progress import Display, JsonLines
from textgen.cli.table import width
from textgen.evaluation.baselines import Baseline
from textgen.training.calibration import Calibration
from textgen.training.progress import Consulted, Evaluated, Event, Started, Stepped, TeacherTrained, TrainingResult

STARTED = Started("play", 1000, 100, 31, 1, 1, 50, 1, 0.1, 64, 0.01, 0.1, 3, 0.0, (), ())
STEPPED = Stepped(1, 10, 2.0, 0.1, 50, None)
EVALUATED = Evaluated(1.0, 5.0, 2.0, 1.9, True, "")
TAUGHT = TeacherTrained(1, 2, Path("run/teacher-1/model.keras"), 1.5, 3.0, 60.0)
RESULT = TrainingResult(Path("my models/play/model.keras"), 1.9, 1.0, 6.0, "plan", [Baseline("n-gram (3)", 2.0)])


def shown(capsys: pytest.CaptureFixture[str], *events: Event) -> list[str]:
    with Display() as display:
        for event in events:
            display(event)
    return capsys.readouterr().err.splitlines()


def test_numbers_agree_with_their_nouns(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, replace(STARTED, reading=("a note\nin two lines",)))
    assert lines[0] == r"a note\nin two lines"
    assert lines[2] == "1 parameter, batch size 1, sequence length 50, 1 epoch planned"
    assert shown(capsys, replace(STARTED, epochs=2))[1].endswith("2 epochs planned")


@pytest.mark.parametrize("sample", ["吾輩は" * 30, "a" * 90, "\x1b[2J" * 30, "e\u0301" * 90, "a\nb\t" * 50])
def test_a_sample_is_a_line_of_80_columns_that_steers_nothing(capsys: pytest.CaptureFixture[str], sample: str) -> None:
    line = shown(capsys, STARTED, STEPPED, replace(EVALUATED, sample=sample))[-1]
    assert line.startswith("    | ")
    assert 78 <= width(line) <= 80
    assert line.isprintable()
    assert not line.endswith("e")  # its accent is not cut off


def test_how_a_run_ended_is_told_with_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, STARTED, STEPPED, EVALUATED, RESULT)[-3:] == [
        "Stopped: all planned epochs are done. Model: my models/play/model.keras.",
        "Verdict: better than the best n-gram (order 3) by 0.15 bits per character (2.74 vs. 2.89).",
        "Generate:  textgen generate 'my models/play'",
    ]
    calibrated = replace(RESULT, validation_nats=1.88, calibration=Calibration(1.15, 1.9, 1.88, 1.95, 1.92))
    assert shown(capsys, STARTED, STEPPED, EVALUATED, calibrated)[-4:-1] == [
        "Calibrated: the logits are divided by 1.15, which lowers the validation loss from 1.900 to 1.880 nats "
        "(fitted on the first half of the held-out text alone, from 1.950 to 1.920 on the second).",
        "Stopped: all planned epochs are done. Model: my models/play/model.keras, "
        "validation loss 1.880 nats (2.71 bpc).",
        "Verdict: better than the best n-gram (order 3) by 0.18 bits per character (2.71 vs. 2.89).",
    ]
    ended = replace(RESULT, stopped_by="SIGTERM", validation_nats=1.8, baselines=[])
    assert shown(capsys, STARTED, STEPPED, EVALUATED, ended)[-3:] == [
        "Stopped: terminated. Model: my models/play/model.keras, validation loss 1.800 nats (2.60 bpc).",
        "Resume:  textgen train --resume -o 'my models/play'",
        "Generate:  textgen generate 'my models/play'",
    ]


def test_a_run_with_teachers_of_its_own_tells_which_training_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, replace(STARTED, part=1, parts=3))[0] == "Training 1 of 3: teacher 1"
    assert shown(capsys, replace(STARTED, part=3, parts=3))[0] == "Training 3 of 3: the student"
    assert shown(capsys, STARTED, STEPPED, TAUGHT)[-1] == (
        "Teacher 1 of 2 is trained: run/teacher-1/model.keras, validation loss 1.500 nats (2.16 bpc)"
    )
    ended = replace(RESULT, stopped_by="SIGINT", run=Path("a run"), baselines=[])
    assert "Resume:  textgen train --resume -o 'a run'" in shown(capsys, STARTED, STEPPED, ended)


def written(events: list[Event], capfdbinary: pytest.CaptureFixture[bytes]) -> list[dict]:
    write = JsonLines()
    for event in events:
        write(event)
    return [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]


def test_each_event_is_a_line_of_json(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    started = replace(STARTED, reading=("the.txt: 9 characters\nwith a newline",), notes=("`units` may be less",))
    lines = written([Consulted(5, 900), started, EVALUATED, RESULT, TAUGHT], capfdbinary)
    told = {"reading": ["the.txt: 9 characters\nwith a newline"], "notes": ["--units may be less"]}
    assert lines == [
        {"event": "consulted", "characters": 5, "total": 900},
        {"event": "started"} | asdict(STARTED) | told,
        {"event": "evaluated"} | asdict(EVALUATED),
        {"event": "finished"} | asdict(RESULT) | {"model": "my models/play/model.keras"},
        {"event": "teacher_trained"} | asdict(TAUGHT) | {"model": "run/teacher-1/model.keras"},
    ]
    assert written([STEPPED], capfdbinary) == [{"event": "stepped"} | asdict(STEPPED)]


@pytest.mark.parametrize("event", [STEPPED, Consulted(1, 2)])
def test_of_steps_and_readings_four_a_second_are_told(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], event: Event
) -> None:
    clock = iter(range(0, 1 << 30, 7))  # milliseconds, in steps that a quarter of a second is no multiple of
    monkeypatch.setattr("time.monotonic", lambda: next(clock) / 1000)
    told = written([event] * 1000 + [EVALUATED], capfdbinary)[:-1]
    assert 7 * 1000 / 1000 * 4 - 4 <= len(told) <= 7 * 1000 / 1000 * 4 + 1


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC, errno.EBADF])
def test_a_run_goes_on_when_its_events_cannot_be_written(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    class Broken(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            tries.append(data)
            raise OSError(number, "broken")

    tries: list[object] = []
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(Broken())))
    write = JsonLines()
    for event in (STARTED, STEPPED, EVALUATED, RESULT):
        write(event)
    assert len(tries) == 4
    with pytest.raises(OSError, match="broken"):  # or the stream would complain when it is thrown away
        sys.stdout.buffer.close()
