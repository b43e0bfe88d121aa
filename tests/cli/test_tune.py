"""The command: what it prints, and what it refuses."""

import json
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TEXT, in_process
from textgen.errors import TrainingError
from textgen.training.apart import Trained

SMALL = ("--layers", "1", "--cell", "lstm", "--dropout", "0:0.2", "--window", "20", "--minutes", "2")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("吾輩 は.txt").write_text(TEXT * 30, encoding="utf-8")
    return tmp_path


class Trainings:
    """Stands for `train_apart`: settings other than the default's are better, and the second training fails."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, words: list[str], *_: Any) -> Trained:
        self.done += 1
        if self.done == 2:
            raise TrainingError("training this network needs too much; `batch_size=4` fits")
        units, seed = (int(words[words.index(name) + 1]) for name in ("--units", "--rng-seed"))
        return Trained((2.5 if units == 300 else 2.25) + seed / 100, 1.0, 100.0)


@pytest.fixture(autouse=True)
def _trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textgen.training.search.train_apart", Trainings())


def test_a_table_a_verdict_and_a_command(folder: Path) -> None:
    words = ["tune", "吾輩 は.txt", *SMALL, "--units", "300,64"]
    code, stdout, stderr = in_process(*words, "--trials", "4")
    assert code == 0
    lines = [line.split() for line in stdout.splitlines()]
    assert lines[0] == "trial nats bpc layers units cell dropout rate batch window decay".split()
    assert lines[1][1:6] == ["2.2600", "3.260", "1", "64", "lstm"]
    assert sorted(line[-1] for line in lines[1:5])[-2:] == ["default", "failed"]
    at = next(number for number, line in enumerate(lines) if line[:2] == ["random", "seed"])
    assert [line[0] for line in lines[at + 1 : at + 4]] == ["2", "3", "4"]
    assert {line[-1] for line in lines[at + 1 : at + 4]} == {"+0.2500"}
    *_, verdict, command = stdout.splitlines()
    assert verdict.startswith("Recommended: the settings of trial ")
    assert "a mean difference of +0.2500 nats, more than 2.92 standard errors of 0.0000" in verdict
    assert command.startswith("textgen train '吾輩 は.txt' --minutes 2 --layers 1 --units 64 --cell lstm --dropout 0.")
    assert (
        "吾輩 は-tune: 4 trials of 2 minutes each; then at most 6 trainings that confirm. At most 20:00 in all."
        in stderr
    )
    assert "trial 1 (1 of 4): 2.510 nats (3.62 bpc), best so far; default settings\n" in stderr
    assert "failed: training this network needs too much; --batch-size 4 fits; layers 1, units " in stderr
    assert (folder / "models" / "吾輩 は-tune" / "study.db").exists()

    code, stdout, stderr = in_process(*words, "--trials", "4", "--json")
    assert (code, "trial" in stderr.split("Ctrl-C")[1]) == (0, False)
    found = json.loads(stdout)
    assert (found["study"], found["command"], found["confirmation"]["holds"]) == ("吾輩 は-tune", command, True)
    assert [trial["state"] for trial in found["trials"]].count("failed") == 1
    assert found["recommended"]["units"] == 64
    parsed = shlex.split(command)
    code, _, stderr = in_process(*parsed[1:], "--epochs", "1")
    assert (code, stderr.splitlines()[-1]) == (
        2,
        "Error: --epochs and --minutes exclude each other; give only one of them.",
    )


def test_a_default_that_is_as_good(folder: Path) -> None:
    code, stdout, _ = in_process("tune", "吾輩 は.txt", *SMALL, "--units", "300", "-o", "a", "--trials", "1", "--strip")
    assert code == 0
    assert stdout.splitlines()[-2] == "The default is as good: no trial was better. It is:"
    assert stdout.splitlines()[-1].startswith("textgen train '吾輩 は.txt' --strip --minutes 2 --layers 1 --units 300")


def test_ctrl_c_leaves_a_search_that_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Trained:
        raise KeyboardInterrupt

    monkeypatch.setattr("textgen.training.search.train_apart", interrupted)
    words = ["tune", "吾輩 は.txt", *SMALL, "--units", "300", "-o", "a", "--trials", "1"]
    assert in_process(*words)[0] == 130
    monkeypatch.setattr("textgen.training.search.train_apart", Trainings())
    assert in_process(*words)[0] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--units", "512:64"], "Invalid value for '--units': --units must have its lowest value first, not 512:64."),
        (
            ["--units", "x"],
            "Invalid value for '--units': expected a whole number from 1 to 4,096, two of them such as ",
        ),
        (["--units", "0"], "Invalid value for '--units': --units must be a whole number from 1 to 4,096, not 0."),
        (["--cell", "lstm,tree"], "--cell must be one of lstm, gru, rnn, or several of them, not 'tree'."),
        (["--total-minutes", "30"], "--total-minutes must be at least 8 times --minutes, 40 minutes: for the default,"),
    ],
)
def test_wrong_options(folder: Path, words: list[str], told: str) -> None:
    code, _, stderr = in_process("tune", "吾輩 は.txt", *words)
    assert code == 2
    assert told in stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("optuna", "textgen tune needs Optuna, which is not installed; run pip install 'textgen-lstm[tune]', or in a "),
        (
            "matplotlib",
            "--plot needs matplotlib, which is not installed; run pip install 'textgen-lstm[plot]', or in a ",
        ),
    ],
)
def test_without_what_it_needs(folder: Path, monkeypatch: pytest.MonkeyPatch, missing: str, told: str) -> None:
    monkeypatch.setattr("textgen.training.tuning.find_spec", lambda name: None if name == missing else find_spec(name))
    code, _, stderr = in_process("tune", "吾輩 は.txt", "--plot", "plots")
    assert code == 1
    assert stderr.startswith(f"textgen: error: {told}clone pip install '.[")
    assert not Path("models").exists()
