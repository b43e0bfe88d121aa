"""Runs that train their own teachers first: what they leave, and that they resume wherever they were ended."""

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import textgen
from tests.conftest import TEXT, in_process, run_here
from tests.training.test_resume import CORPUS, MODEL, TRAINING, KilledError, die, outcome
from textgen import Cluster, Corpus, TrainingConfig
from textgen.config import RNG_SEED
from textgen.corpus import cache
from textgen.errors import RunError, TrainingError
from textgen.model_file import read_model
from textgen.training import ensemble as module
from textgen.training.ensemble import Ensemble, start_ensemble
from textgen.training.progress import Consulted, Event, Started, Stepped, TeacherTrained
from textgen.training.run_folder import ENSEMBLE, open_run_folder

pytestmark = pytest.mark.usefixtures("quick")


def train(output: Path, on_progress: Callable[[Event], None] | None = None, **options: object) -> Any:
    given = {"model": MODEL, "training": TRAINING, "epochs": 3, "checkpoint_seconds": 0.0, "seeds": 2} | options
    if given.get("resume"):
        given = {"resume": True, "checkpoint_seconds": 0.0}
    return textgen.train(CORPUS, output=output, on_progress=on_progress, **given)  # type: ignore[arg-type]


def outcomes(folder: Path) -> list[tuple]:
    return [outcome(place) for place in (folder / "teacher-1", folder / "teacher-2", folder)]


@pytest.fixture(scope="module")
def whole(quick: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    train(folder)
    return folder


def test_the_parts_are_runs_as_any_others(whole: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        training = TrainingConfig(window=20, batch_size=4, learning_rate=0.02, rng_seed=TRAINING.rng_seed + number)
        train(tmp_path / str(number), seeds=None, training=training)
    train(tmp_path / "student", seeds=None, teachers=[tmp_path / "1", tmp_path / "2"])
    assert outcomes(whole) == [outcome(tmp_path / name) for name in ("1", "2", "student")]
    assert sorted(path.name for path in whole.iterdir()) == [
        ".lock",
        "history.csv",
        "model.keras",
        "teacher-1",
        "teacher-2",
    ]
    seeds = [
        read_model(place).description.training.rng_seed for place in (whole / "teacher-1", whole / "teacher-2", whole)
    ]
    assert seeds == [2, 3, 1]


def test_what_such_a_run_tells(tmp_path: Path) -> None:
    cache.clean()
    events: list[Event] = []
    (tmp_path / "fox.txt").write_text(TEXT * 14)
    result = textgen.train(
        Corpus.from_files(tmp_path / "fox.txt"),
        output=tmp_path / "run",
        model=MODEL,
        training=TRAINING,
        epochs=2,
        seeds=2,
        on_progress=events.append,
    )
    kinds = [type(event) for event in events if not isinstance(event, Stepped)]
    assert kinds.count(TeacherTrained) == 2
    assert events[-1] is result
    started = [event for event in events if isinstance(event, Started)]
    assert [(event.part, event.parts, event.rng_seed) for event in started] == [(1, 3, 2), (2, 3, 3), (3, 3, 1)]
    assert [len(event.reading) for event in started] == [1, 0, 0], "it is told once"
    taught = [event for event in events if isinstance(event, TeacherTrained)]
    assert [(event.number, event.teachers, event.model) for event in taught] == [
        (number, 2, tmp_path / "run" / f"teacher-{number}" / "model.keras") for number in (1, 2)
    ]
    assert taught[0].validation_nats == read_model(taught[0].model).description.training.validation_nats
    assert kinds.index(Consulted) > kinds.index(TeacherTrained)
    assert result.model == tmp_path / "run" / "model.keras"
    assert result.run is None
    assert result.seconds > taught[0].seconds + taught[1].seconds


class End:
    """Ends a run at an event."""

    def __init__(self, kind: type, number: int, act: Callable[[], None] = die) -> None:
        self.kind, self.left, self.act = kind, number, act

    def __call__(self, event: Event) -> None:
        if isinstance(event, self.kind):
            self.left -= 1
            if self.left == 0:
                self.act()


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        *((Stepped, number) for number in (2, 30, 45, 61, 90)),
        (TeacherTrained, 1),
        (TeacherTrained, 2),
        (Consulted, 1),
        (Started, 2),
        (Started, 3),
    ],
)
def test_a_run_killed_anywhere_ends_as_one_that_was_not(tmp_path: Path, whole: Path, kind: type, number: int) -> None:
    cache.clean()
    with pytest.raises(KilledError):
        train(tmp_path / "run", End(kind, number))
    assert (tmp_path / "run" / ENSEMBLE).exists()
    cache.clean()
    train(tmp_path / "run", resume=True)
    assert outcomes(tmp_path / "run") == outcomes(whole)
    assert not (tmp_path / "run" / ENSEMBLE).exists()


def test_a_run_killed_again_and_again_ends_as_one_that_was_not(tmp_path: Path, whole: Path) -> None:
    for attempt in range(20):
        try:
            train(tmp_path / "run", End(Stepped, 7), resume=attempt > 0)
        except KilledError:
            continue
        break
    assert attempt > 10
    assert outcomes(tmp_path / "run") == outcomes(whole)


@pytest.mark.parametrize(("step", "model"), [(10, "teacher-1"), (40, "teacher-2"), (70, "")])
def test_an_interrupted_run_names_the_folder_to_resume(tmp_path: Path, whole: Path, step: int, model: str) -> None:
    result = train(tmp_path / "run", End(Stepped, step, lambda: signal.raise_signal(signal.SIGINT)))
    assert result.stopped_by == "SIGINT"
    assert result.model == tmp_path / "run" / model / "model.keras"
    assert result.run == tmp_path / "run"
    train(tmp_path / "run", resume=True)
    assert outcomes(tmp_path / "run") == outcomes(whole)


def test_a_run_is_resumed_where_it_was_moved_to(tmp_path: Path, whole: Path) -> None:
    with pytest.raises(KilledError):
        train(tmp_path / "run", End(Stepped, 75))
    (tmp_path / "run").rename(tmp_path / "moved")
    train(tmp_path / "moved", resume=True)
    assert outcomes(tmp_path / "moved") == outcomes(whole)


def test_a_forced_run_begins_anew_and_a_plain_one_is_refused(tmp_path: Path, whole: Path) -> None:
    for step in (75, 40):
        with pytest.raises(KilledError):
            train(tmp_path / "run", End(Stepped, step), force=True, training=replace(TRAINING, rng_seed=9))
    with pytest.raises(RunError, match="the folder has a run already"):
        train(tmp_path / "run")
    train(tmp_path / "run", force=True)
    assert outcomes(tmp_path / "run") == outcomes(whole)
    with pytest.raises(RunError, match="the run is finished"):
        train(tmp_path / "run", resume=True)


def test_runs_in_the_folders_of_teachers_are_replaced_by_force_only_and_others_never(tmp_path: Path) -> None:
    train(tmp_path / "teacher-2", seeds=None)
    with pytest.raises(KilledError):
        train(tmp_path / "teacher-3", End(Stepped, 20), seeds=None)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(RunError, match=r"/teacher-2: the folder has a run already; name another folder with `output`,"):
        train(tmp_path)
    assert all(path.read_bytes() == content for path, content in files.items())
    train(tmp_path, force=True)
    assert (tmp_path / "teacher-3" / "checkpoint").read_bytes() == files[tmp_path / "teacher-3" / "checkpoint"]
    assert read_model(tmp_path / "teacher-2").description.training.rng_seed == 3


def test_a_run_that_fails_before_its_first_step_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise TrainingError("no")

    monkeypatch.setattr("textgen.training.session.check_memory", fail)
    with pytest.raises(TrainingError, match="no"):
        train(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def of(folder: Path, **meta: object) -> Ensemble:
    options = {"force": True, "seeds": 3, "epochs": None, "minutes": 10.0, "model": None, "training": None}
    with open_run_folder(folder) as opened, start_ensemble(opened, CORPUS, **options) as ensemble:
        return Ensemble(opened, {**ensemble.meta, **meta})


def test_a_budget_is_divided_evenly_and_what_one_leaves_goes_to_those_after_it(tmp_path: Path) -> None:
    shares = []
    for done, elapsed in ((0, 0), (1, 150), (2, 260), (3, 500), (3, 1000)):
        shares.append(of(tmp_path / str(len(shares)), done=done, elapsed=elapsed).settings()["minutes"])
    assert shares == pytest.approx([2.5, 2.5, (10 - 260 / 60) / 2, 10 - 500 / 60, 0.001])
    assert of(tmp_path / "done").with_done(30.0).with_done(12.0).meta["elapsed"] == 42.0


def test_random_seeds_follow_that_of_the_run(tmp_path: Path) -> None:
    high = int(RNG_SEED.high)
    training = vars(TrainingConfig(rng_seed=high))
    seeds = [
        of(tmp_path / str(done), done=done, training=training).settings()["training"].rng_seed for done in range(4)
    ]
    assert seeds == [0, 1, 2, high]
    drawn = of(tmp_path / "a").meta["training"]["rng_seed"], of(tmp_path / "b").meta["training"]["rng_seed"]
    assert None not in drawn
    assert drawn[0] != drawn[1]


def test_a_run_with_a_budget_is_trained_in_parts(tmp_path: Path) -> None:
    result = train(tmp_path / "run", epochs=None, minutes=0.1)
    assert result.stopped_by == "budget"
    assert result.seconds < 8


def test_resuming_asks_for_the_same_run(tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        train(tmp_path / "run", End(Stepped, 40))
    for given, told in (
        ({"seeds": 3}, "`seeds` is 3, but the run was started with 2"),
        ({"epochs": 4}, "`epochs` is 4, but the run was started with 3"),
        ({"training": TrainingConfig(window=20, rng_seed=2)}, "`rng_seed` is 2, but the run was started with 1"),
        ({"corpus": Corpus.from_text(TEXT * 15)}, "the run was started on another text (fox, SHA-256 "),
        ({"cluster": Cluster(("a:1", "b:1"), 0)}, "the run has teachers, from which several workers cannot learn"),
    ):
        with pytest.raises(RunError) as error:
            textgen.train(**{"corpus": CORPUS, "output": tmp_path / "run", "resume": True} | given)  # type: ignore[arg-type]
        assert told in str(error.value)
    with pytest.raises(RunError) as error:
        textgen.train(output=tmp_path / "run", resume=True)
    assert "the run's text was a string, not a file" in str(error.value)
    result = textgen.train(CORPUS, output=tmp_path / "run", resume=True, seeds=2)
    assert result.stopped_by == "plan"


@pytest.mark.parametrize("other", [{"teachers": ["a"]}, {"start_from": "a"}])
def test_seeds_exclude_teachers_and_models_to_start_from(tmp_path: Path, other: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"`seeds` and `{next(iter(other))}` exclude each other; give only one"):
        train(tmp_path / "run", **other)
    with pytest.raises(ValueError, match="`seeds` must be a whole number from 1 to 100, not 0"):
        train(tmp_path / "run", seeds=0)


WRONG = [None, True, -1, 1.5, "x", "\ud800", [], [[]], {}, {"a": 1}, 10**400, float("nan"), "9" * 300]


def test_a_damaged_file_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        train(tmp_path / "run", End(Stepped, 40))
    file = tmp_path / "run" / ENSEMBLE
    whole = file.read_bytes()
    meta = json.loads(whole)
    contents = [whole[: len(whole) // 2], b"", b"\xff", b"[]", b"[" * 100_000, json.dumps({"format": 2}).encode()]
    contents += [json.dumps({key: value for key, value in meta.items() if key != left}).encode() for left in meta]
    for key in meta:
        for value in WRONG:
            if not (key in ("epochs", "minutes", "teachers") and value in (None, [])) and (key, value) != (
                "elapsed",
                1.5,
            ):
                contents.append(json.dumps(meta | {key: value}).encode())
    for content in contents:
        file.write_bytes(content)
        with pytest.raises(RunError) as error:
            train(tmp_path / "run", resume=True)
        assert str(error.value).startswith(f"{file}: is damaged, or of another version of textgen (")
        assert str(error.value).endswith("); start a new run with `force=True`")
        assert len(str(error.value)) < 500
    file.write_bytes(whole)
    assert train(tmp_path / "run", resume=True).stopped_by == "plan"


def test_the_command_trains_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fox.txt").write_text(TEXT * 14)
    monkeypatch.chdir(tmp_path)
    words = ["train", "fox.txt", "-o", "a run", "--epochs", "2", "--seeds", "2", "--rng-seed", "5"]
    monkeypatch.setattr(module, "secrets", None)  # nothing is drawn
    end = End(TeacherTrained, 1, lambda: signal.raise_signal(signal.SIGINT))
    real = module.train_all
    monkeypatch.setattr(
        "textgen.training.train.train_all",
        lambda run, train_next, tell: real(run, train_next, lambda event: (tell(event), end(event))),
    )
    code, _, errors = in_process(*words)
    assert code == 130
    monkeypatch.setattr("textgen.training.train.train_all", real)
    assert "Training 1 of 3: teacher 1\n" in errors
    assert "Teacher 1 of 2 is trained: a run/teacher-1/model.keras, validation loss " in errors
    resumed = run_here("train", "--resume", "-o", "a run")
    assert resumed.returncode == 0, resumed.stderr
    assert "Training 1 of 3" not in resumed.stderr
    assert "Training 2 of 3: teacher 2\n" in resumed.stderr
    assert "Training 3 of 3: the student\n" in resumed.stderr
    assert resumed.stderr.endswith("Generate:  textgen generate 'a run'\n")
    for other, told in (("--teacher", "--seeds and --teacher"), ("--from", "--seeds and --from")):
        refused = run_here(*words, other, "model")
        assert refused.returncode == 2
        assert f"{told} exclude each other; give only one of them." in refused.stderr
    shutil.rmtree("a run")
