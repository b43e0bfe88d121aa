"""Damaged checkpoints, and the files of runs with teachers of their own: the run goes on, or is refused in one line."""

import copy
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.attack.harness import attempt, damaged
from tests.conftest import TEXT
from tests.training.test_checkpoint import leaves
from textgen.config import Hyperparameters, Shape, TrainingConfig
from textgen.corpus.corpus import Corpus
from textgen.errors import TrainingError
from textgen.model_file import layout
from textgen.training.checkpoint import NEWEST, PREVIOUS, Checkpoint, write_checkpoint
from textgen.training.ensemble import start_ensemble
from textgen.training.plan import Epochs, Plan
from textgen.training.run_folder import ENSEMBLE, open_run_folder

SHAPE = Shape(layers=1, units=4, dropout=0.1, embedding=2)
TRAINING = Hyperparameters(window=20, batch_size=2, learning_rate=0.01, patience=5, validation=0.1, rng_seed=1)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run that was interrupted; going on with it ends before its first step."""

    def stop(*_: object, **__: object) -> None:
        raise TrainingError("stopped before the first step")

    monkeypatch.setattr("textgen.training.session.make_learner", stop)
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(TEXT * 5)
    folder = tmp_path / "run"
    folder.mkdir()
    write_checkpoint(folder, whole(Plan(Corpus.from_files("text.txt"), SHAPE, TRAINING, Epochs(3))))
    return folder


def whole(plan: Plan) -> Checkpoint:
    """What a run may have written."""
    weights = [np.zeros(shape, np.float32) for shape in layout(SHAPE, len(plan.corpus.vocabulary)).values()]
    arrays = {
        "weights": weights,
        "averages": weights,
        "optimizer": [np.int64(4), np.float32(0.1), *weights, *weights],
        "states": [np.zeros((2, 4), np.float32)] * 2,
    }
    position = {"states": [], "best": None, "planned_steps": 33, "step": 4}
    position |= {"loss_sum": 8.5, "loss_count": 4, "scorings_since_best": 0}
    return Checkpoint({**plan.to_meta(), "position": position, "elapsed": 5.1, "history": []}, arrays)


def with_right_sums(content: bytes, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    for case, payload in damaged(content[32:], count, seed):
        yield f"{case} under a right checksum", hashlib.sha256(payload).digest() + payload


def resumed(case: str) -> str:
    """What going on tells in the end; without a text it takes the run's own."""
    code, _, stderr = attempt(case, "train", "--resume", "-o", "run")
    assert code == 1
    return stderr.splitlines()[-1]


HOSTILE = [
    None,
    True,
    -1,
    1.5,
    10**400,
    float("nan"),
    "",
    "a\n\x1b[2J",
    "\ud800",
    "x" * 10**6,
    [],
    [[]],
    {},
    {"a\n": 1},
]
GONE_ON = "textgen: error: stopped before the first step"


def test_a_damaged_checkpoint_is_gone_on_from_or_refused(run: Path) -> None:
    content = (run / NEWEST).read_bytes()
    assert resumed("whole") == GONE_ON
    for case, other in [*damaged(content, 40, seed=6), *with_right_sums(content, 150, seed=7)]:
        (run / NEWEST).write_bytes(other)
        told = resumed(case)
        assert told == GONE_ON or "checkpoint" in told, f"{case}: {told}"
        if "right checksum" not in case and other != content:
            assert "is damaged: its checksum is wrong" in told, f"{case}: {told}"


def test_wrong_content_under_a_right_check_sum_is_gone_on_from_or_refused(run: Path) -> None:
    checkpoint = whole(Plan(Corpus.from_files("text.txt"), SHAPE, TRAINING, Epochs(3)))
    meta = json.loads(json.dumps(checkpoint.meta))
    rng = np.random.default_rng(10)
    for place in 2 * leaves(meta)[1:]:
        if place[:2] == ("text", "sources"):  # the files that it names are refused as any others are
            continue
        changed = copy.deepcopy(meta)
        holder = changed
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = value = HOSTILE[rng.integers(len(HOSTILE))]
        write_checkpoint(run, Checkpoint(changed, checkpoint.arrays))
        (run / PREVIOUS).unlink(missing_ok=True)
        case = f"{place} is {value!r}"[:200]
        told = resumed(case)
        assert told == GONE_ON or "run: " in told or "checkpoint" in told, f"{case}: {told}"


def test_a_damaged_newest_checkpoint_leads_to_the_one_before(run: Path) -> None:
    content = (run / NEWEST).read_bytes()
    for case, other in [*damaged(content, 30, seed=8), *with_right_sums(content, 60, seed=9)]:
        (run / NEWEST).write_bytes(other)
        (run / PREVIOUS).write_bytes(content)
        assert resumed(case) == GONE_ON, case


@pytest.fixture
def ensemble(run: Path) -> Path:
    """The file of a run with teachers of its own, of which the first has been trained; its student is resumed."""
    options = {"force": True, "seeds": 1, "epochs": 3, "minutes": None, "model": None}
    corpus, training = Corpus.from_files("text.txt"), TrainingConfig(window=20, rng_seed=1)
    checkpoint = (run / NEWEST).read_bytes()
    with (
        open_run_folder(run, force=True) as folder,
        start_ensemble(folder, corpus, training=training, **options) as begun,  # type: ignore[arg-type]
    ):
        begun.with_done(5.0)
    (run / NEWEST).write_bytes(checkpoint)
    return run / ENSEMBLE


def is_gone_on_from(ensemble: Path, case: str) -> bool:
    """Whether the run goes on; else what is told is that its file is damaged, or that what it names differs."""
    code, _, stderr = attempt(case, "train", "--resume", "-o", "run")
    told = stderr.splitlines()[-1]
    assert code in (1, 2), case
    assert told == GONE_ON or any(part in told for part in (ensemble.name, "run: ", "file")), f"{case}: {told}"
    return told == GONE_ON


def test_the_damaged_file_of_a_run_with_teachers_is_gone_on_from_or_refused(ensemble: Path) -> None:
    content = ensemble.read_bytes()
    assert resumed("whole") == GONE_ON
    refused = 0
    for case, other in damaged(content, 120, seed=11):
        ensemble.write_bytes(other)
        refused += not is_gone_on_from(ensemble, case)
    assert refused > 60


def test_wrong_values_in_the_file_of_a_run_with_teachers_are_gone_on_from_or_refused(ensemble: Path) -> None:
    meta = json.loads(ensemble.read_bytes())
    for place in leaves(meta)[1:]:
        for value in HOSTILE:
            changed = copy.deepcopy(meta)
            holder = changed
            for key in place[:-1]:
                holder = holder[key]
            holder[place[-1]] = value
            ensemble.write_text(json.dumps(changed))
            is_gone_on_from(ensemble, f"{place} is {value!r}"[:200])
