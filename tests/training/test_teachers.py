"""Runs with teachers: what they must be, what is told of them, and that such a run resumes as any other."""

from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT, run_here
from tests.training.taught import write_teacher
from tests.training.test_resume import CORPUS, MODEL, TRAINING, KillAt, KilledError, die, outcome
from textgen.corpus import cache
from textgen.errors import CorpusError, ModelFileError, RunError
from textgen.model_file import read_model
from textgen.training.checkpoint import NEWEST, read_checkpoint
from textgen.training.progress import Consulted, Event, Started

pytestmark = pytest.mark.usefixtures("quick")

SYMBOLS = "".join(sorted(set(TEXT)))


def train(output: Path, *teachers: Path, **options: object) -> tuple[textgen.TrainingResult, list[Event]]:
    events: list[Event] = []
    given = {"model": MODEL, "training": TRAINING, "epochs": 3, "checkpoint_seconds": 0.0} | options
    result = textgen.train(CORPUS, output=output, teachers=teachers, on_progress=events.append, **given)  # type: ignore[arg-type]
    return result, events


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    return write_teacher(tmp_path / "teacher" / "model.keras", SYMBOLS)


def notes_of(event: object) -> list[str]:
    """The notes that a run begins with, but for that on its small held-out part."""
    assert isinstance(event, Started)
    small, *others = event.notes
    assert small.startswith("the held-out part has only 96 characters")
    return others


def test_teachers_read_the_text_before_the_run_begins_and_change_what_is_learnt(tmp_path: Path, teacher: Path) -> None:
    cache.clean()
    _, events = train(tmp_path / "run", teacher.parent)
    begun = [type(event) for event in events].index(Started)
    assert begun > 0
    assert all(isinstance(event, Consulted) for event in events[:begun])
    assert notes_of(events[begun]) == []
    train(tmp_path / "plain")
    one, other = (read_model(tmp_path / name).weights.head_bias for name in ("run", "plain"))
    assert (one != other).any()


@pytest.mark.parametrize("kills", [[1], [11], [6, 7, 11], [29]])
def test_a_killed_run_with_teachers_ends_with_the_same_weights_and_history(
    tmp_path: Path, teacher: Path, kills: list[int]
) -> None:
    other = write_teacher(tmp_path / "b.keras", SYMBOLS[:4:-1], 1)
    train(tmp_path / "whole", teacher, other)
    for number, steps in enumerate(kills):
        cache.clean()  # they are computed anew
        given = {"resume": True} if number else {"force": True}
        with pytest.raises(KilledError):
            train(tmp_path / "run", *([] if number else [teacher, other]), callbacks=[KillAt(steps, die)], **given)
    if (tmp_path / "run" / NEWEST).exists():
        train(tmp_path / "run", teacher, other, resume=True)
    else:  # killed before its first checkpoint
        train(tmp_path / "run", teacher, other, force=True)
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


def interrupted(folder: Path, *teachers: Path) -> Path:
    with pytest.raises(KilledError):
        train(folder, *teachers, callbacks=[KillAt(14, die)])
    return folder


@pytest.mark.parametrize("how", ["changed", "vanished"])
def test_a_run_is_not_resumed_with_a_teacher_that_is_not_what_it_was(tmp_path: Path, teacher: Path, how: str) -> None:
    run = interrupted(tmp_path / "run", teacher)
    before = (run / NEWEST).read_bytes()
    content = teacher.read_bytes()
    if how == "changed":
        write_teacher(teacher, SYMBOLS, 5)
    else:
        teacher.unlink()
    with pytest.raises(RunError) as error:
        train(run, resume=True)
    stored = read_checkpoint(run)[0].meta["teachers"][0]["sha256"]
    told = {
        "changed": f"has changed since the run was started (its SHA-256 was {stored[:12]}…); put the same model there",
        "vanished": "cannot be read (No such file or directory); put the model there again",
    }
    assert str(error.value) == f"{teacher}: the teacher {told[how]}, or start a new run with `force=True`"
    assert (run / NEWEST).read_bytes() == before
    teacher.write_bytes(content)
    assert train(run, resume=True)[0].stopped_by == "plan"


def test_a_run_is_not_resumed_with_other_teachers(tmp_path: Path, teacher: Path) -> None:
    other = write_teacher(tmp_path / "b.keras", SYMBOLS, 1)
    run, plain = interrupted(tmp_path / "run", teacher), interrupted(tmp_path / "plain")
    for folder, given, stored in ((run, other, teacher), (plain, teacher, None)):
        with pytest.raises(RunError) as error:
            train(folder, given, resume=True)
        assert str(error.value) == (
            f"{folder}: `teachers` is {given}, but the run was started with {stored}; give `resume=True` alone, or "
            "start a new run with `force=True`"
        )
    assert train(run, teacher.parent, resume=True)[0].stopped_by == "plan"


def test_what_cannot_teach_is_refused_before_anything_is_written(tmp_path: Path, teacher: Path) -> None:
    foreign = write_teacher(tmp_path / "kana.keras", "あいうえおthe qui")
    broken = tmp_path / "broken.keras"
    broken.write_bytes(teacher.read_bytes()[:-40])
    for given, kind, told in (
        (tmp_path / "none", ModelFileError, f"{tmp_path / 'none'}: no such model; name a run folder or a .keras file"),
        (broken, ModelFileError, "not a complete Keras archive"),
        (
            foreign,
            CorpusError,
            f"fox: the teacher {foreign} knows 41.4 % of its characters; expected at least 50 %: name a teacher that "
            "was trained on the same alphabet",
        ),
    ):
        with pytest.raises(kind) as error:
            train(tmp_path / "run", given)
        assert told in str(error.value)
        assert not (tmp_path / "run").exists()
    with pytest.raises(RunError, match=r"`teachers` names .* twice; name each teacher once"):
        train(tmp_path / "run", teacher, teacher.parent)
    with pytest.raises(TypeError, match=r"`teachers\[0\]` must be str or PathLike, not int"):
        train(tmp_path / "run", 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`teachers` must be"):
        textgen.train(CORPUS, output=tmp_path / "run", teachers=3)  # type: ignore[arg-type]


def test_a_run_is_not_its_own_teacher(tmp_path: Path) -> None:
    train(tmp_path / "run")
    (tmp_path / "alias").symlink_to(tmp_path / "run")
    before = (tmp_path / "run" / "model.keras").read_bytes()
    for name in ("run", "alias"):
        with pytest.raises(RunError) as error:
            train(tmp_path / "run", tmp_path / name, force=True)
        assert str(error.value) == (
            f"{tmp_path / name / 'model.keras'}: a run cannot be its own teacher, since it replaces the model; name "
            "another folder with `output`"
        )
    assert (tmp_path / "run" / "model.keras").read_bytes() == before
    assert train(tmp_path / "next", tmp_path / "run")[0].stopped_by == "plan"


def test_a_teacher_that_does_not_know_all_is_heard_where_it_does(tmp_path: Path) -> None:
    partial = write_teacher(tmp_path / "a.keras", SYMBOLS.replace("e", "é").replace("z", ""))
    _, events = train(tmp_path / "run", partial)
    (started,) = [event for event in events if isinstance(event, Started)]
    assert notes_of(started) == [
        f"the teacher {partial} does not know 2 symbols of the text (10.3 % of its characters); there it is not "
        "listened to",
    ]


def test_a_teacher_may_teach_what_starts_from_another_model_and_without_a_hold_out(
    tmp_path: Path, teacher: Path
) -> None:
    start = write_teacher(tmp_path / "start.keras", SYMBOLS + "ÄÖ", 3, units=2, unicode="nfc")
    training = textgen.TrainingConfig(window=20, batch_size=4, rng_seed=1, validation=0.0)
    result, _ = train(tmp_path / "run", teacher, start_from=start, model=None, training=training)
    assert result.validation_nats is None
    assert np.isfinite(read_model(result.model).weights.head_bias).all()


def test_the_command_takes_several_teachers_and_tells_its_option(tmp_path: Path, teacher: Path) -> None:
    other = write_teacher(tmp_path / "b.keras", SYMBOLS, 1)
    (tmp_path / "fox.txt").write_text(TEXT * 14)
    words = ["train", "fox.txt", "-o", "run", "--epochs", "1", "--teacher", str(teacher), "--teacher"]
    result = run_here(*words, str(other), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    refused = run_here(*words, "none.keras", "--force", cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr == "textgen: error: none.keras: no such model; name a run folder or a .keras file\n"
    twice = run_here(*words, str(teacher), "--force", cwd=tmp_path)
    assert twice.returncode == 1
    assert f"--teacher names {teacher} twice; name each teacher once" in twice.stderr
    interrupted(tmp_path / "other", teacher)
    wrong = run_here("train", "--resume", "fox.txt", "-o", "other", "--teacher", str(other), cwd=tmp_path)
    assert wrong.returncode == 1
    assert f"--teacher is {other}, but the run was started with {teacher}; give --resume alone" in wrong.stderr
