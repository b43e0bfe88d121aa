"""A run that was interrupted, however, ends as one that was not."""

import csv
import hashlib
import json
import shutil
import signal
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import textgen
from tests.conftest import TEXT, in_process
from tests.training.numpy_learner import before_calibration
from textgen import Corpus, ModelConfig, TrainingConfig
from textgen.errors import RunError
from textgen.model_file import read_model
from textgen.training import resume, run_folder
from textgen.training.checkpoint import NEWEST, PREVIOUS, Checkpoint, read_checkpoint, write_checkpoint
from textgen.training.progress import Evaluated, Started

pytestmark = pytest.mark.usefixtures("quick")

CORPUS = Corpus.from_text(TEXT * 14, name="fox")  # ten steps an epoch
MODEL = ModelConfig(layers=1, units=2, dropout=0.3, embedding=2)
TRAINING = TrainingConfig(window=20, batch_size=4, learning_rate=0.02, rng_seed=1)
TIMES = ("seconds",)


class KilledError(Exception):
    """Stands for what ends a process without a chance to save."""


class KillAt:
    """Ends the run after so many steps of this process."""

    def __init__(self, steps: int, act: Callable[[], None]) -> None:
        self.left, self.act = steps, act

    def on_train_batch_end(self, batch: int, logs: dict) -> None:
        self.left -= 1
        if self.left == 0:
            self.act()


def die() -> None:
    raise KilledError


def train(output: Path, **options: object) -> textgen.TrainingResult:
    given = {"model": MODEL, "training": TRAINING, "epochs": 3, "checkpoint_seconds": 0.0} | options
    return textgen.train(CORPUS, output=output, **given)  # type: ignore[arg-type]


def outcome(folder: Path) -> tuple:
    """All that must be the same: the best weights, calibrated, and the history without its times."""
    model = read_model(folder)
    with (folder / "history.csv").open() as file:
        rows = [{name: value for name, value in row.items() if name not in TIMES} for row in csv.DictReader(file)]
    training = model.description.training
    weights = [array.tobytes() for array in model.weights.arrays]
    return weights, rows, training.validation_nats, training.temperature


@pytest.fixture(scope="module")
def whole(quick: None, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert train(folder).calibration is not None
    return outcome(folder)


@pytest.mark.parametrize("kills", [[1], [9], [10], [11], [20], [29], [30], [6, 7, 11]])
def test_a_killed_run_ends_with_the_same_weights_and_history(tmp_path: Path, whole: tuple, kills: list[int]) -> None:
    for number, steps in enumerate(kills):
        try:
            train(tmp_path / "run", callbacks=[KillAt(steps, die)], resume=number > 0, force=number == 0)
        except KilledError:
            continue
    if (tmp_path / "run" / NEWEST).exists():
        (tmp_path / "run" / ".textgen-77.tmp.keras").touch()
        train(tmp_path / "run", resume=True)
    else:  # killed before its first checkpoint
        train(tmp_path / "run", force=True)
    assert outcome(tmp_path / "run") == whole
    assert not list((tmp_path / "run").glob(".*.tmp*"))


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_a_killed_run_of_another_cell_ends_with_the_same_weights_and_history(tmp_path: Path, cell: str) -> None:
    model = replace(MODEL, cell=cell)
    train(tmp_path / "whole", model=model)
    with pytest.raises(KilledError):
        train(tmp_path / "run", model=model, callbacks=[KillAt(14, die)])
    train(tmp_path / "run", resume=True, model=None)
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")
    assert read_model(tmp_path / "run").description.model.cell == cell


@pytest.mark.parametrize("steps", [1, 10, 15])
def test_an_interrupted_run_ends_with_the_same_weights_and_history(tmp_path: Path, whole: tuple, steps: int) -> None:
    stop = KillAt(steps, lambda: signal.raise_signal(signal.SIGINT))
    result = train(tmp_path / "run", callbacks=[stop], checkpoint_seconds=1000.0)
    assert (result.stopped_by, result.calibration) == ("SIGINT", None)
    assert read_model(tmp_path / "run").description.training.temperature is None, "it may still go on"
    assert textgen.load(tmp_path / "run").description.text.sha256 == CORPUS.sha256
    train(tmp_path / "run", resume=True, model=None, training=None, epochs=None)
    assert outcome(tmp_path / "run") == whole


def test_a_run_killed_just_after_its_calibration_ends_with_the_same_weights(
    tmp_path: Path, whole: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_folder, "remove_checkpoints", lambda _: die())
    with pytest.raises(KilledError):
        train(tmp_path / "run")
    monkeypatch.undo()
    content = (tmp_path / "run" / "model.keras").read_bytes()
    monkeypatch.setattr("textgen.training.finishing.calibrate", lambda *_: die())  # it is not done twice
    events: list = []
    result = train(tmp_path / "run", resume=True, on_progress=events.append)
    assert events[0].notes == ()
    assert result.validation_nats == whole[2]
    assert outcome(tmp_path / "run") == whole
    assert (tmp_path / "run" / "model.keras").read_bytes() == content


def test_without_a_hold_out_an_interrupted_run_keeps_its_last_weights(tmp_path: Path) -> None:
    stop = KillAt(15, lambda: signal.raise_signal(signal.SIGTERM))
    options = {"training": replace(TRAINING, validation=0.0), "checkpoint_seconds": 1000.0}
    result = train(tmp_path / "run", callbacks=[stop], **options)
    assert result.stopped_by == "SIGTERM"
    assert read_model(tmp_path / "run").description.training.epochs == round(result.epochs, 4) == round(15 / 11, 4)


def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before_and_says_so(tmp_path: Path, whole: tuple) -> None:
    with pytest.raises(KilledError):
        train(tmp_path / "run", callbacks=[KillAt(14, die)])
    newest = tmp_path / "run" / NEWEST
    newest.write_bytes(newest.read_bytes()[:-1])
    events: list = []
    train(tmp_path / "run", resume=True, on_progress=events.append)
    assert events[0].notes == (f"{newest} is damaged: its checksum is wrong; resuming from the previous one",)
    assert outcome(tmp_path / "run") == whole


def test_a_damaged_checkpoint_never_takes_the_place_of_a_whole_one(tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        train(tmp_path / "run", callbacks=[KillAt(14, die)])
    newest = tmp_path / "run" / NEWEST
    newest.write_bytes(newest.read_bytes()[:-1])
    with pytest.raises(KilledError):
        train(tmp_path / "run", resume=True, callbacks=[KillAt(2, die)])
    newest.unlink()  # as if killed between the two renames
    assert read_checkpoint(tmp_path / "run")[0].meta["position"]["step"] == 12


def test_a_model_and_history_ahead_of_the_checkpoint_are_written_again(tmp_path: Path, whole: tuple) -> None:
    with pytest.raises(KilledError):
        train(tmp_path / "run", callbacks=[KillAt(9, die)])
    old = (tmp_path / "run" / NEWEST).read_bytes()
    with pytest.raises(KilledError):
        train(tmp_path / "run", resume=True, callbacks=[KillAt(14, die)])
    (tmp_path / "run" / NEWEST).write_bytes(old)
    train(tmp_path / "run", resume=True)
    assert outcome(tmp_path / "run") == whole


def from_file(folder: Path, **reading: object) -> Corpus:
    (folder / "fox.txt").write_text(TEXT * 14 + "Éé" * 2, encoding=str(reading.get("encoding", "utf-8")))
    return Corpus.from_files(folder / "fox.txt", **reading)  # type: ignore[arg-type]


def test_nothing_but_the_folder_is_needed_to_resume(tmp_path: Path) -> None:
    """The text is read again from its own file, as it was the first time."""
    corpus = from_file(tmp_path, encoding="cp1252", lowercase=True, min_count=3)
    for name in ("whole", "run"):
        stop = KillAt(14, lambda: signal.raise_signal(signal.SIGINT))
        callbacks = [stop] if name == "run" else []
        given = {"model": MODEL, "training": TRAINING, "epochs": 3, "callbacks": callbacks}
        textgen.train(corpus, output=tmp_path / name, **given)  # type: ignore[arg-type]
    assert textgen.train(output=tmp_path / "run", resume=True).stopped_by == "plan"
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")
    assert read_model(tmp_path / "run").description == replace(
        read_model(tmp_path / "whole").description, training=read_model(tmp_path / "run").description.training
    )


def test_a_text_that_was_no_file_is_asked_for(unfinished: Path) -> None:
    with pytest.raises(RunError) as error:
        textgen.train(output=unfinished, resume=True)
    assert str(error.value) == f"{unfinished}: the run's text was a string, not a file; give it again as `corpus`"


def test_a_checkpoint_is_read_once_and_under_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the command too, which finds text and options in it."""
    corpus = from_file(tmp_path)
    stop = KillAt(14, lambda: signal.raise_signal(signal.SIGINT))
    textgen.train(corpus, output=tmp_path / "run", training=TRAINING, epochs=3, callbacks=[stop])
    read = []

    def locked(folder: Path) -> tuple[Checkpoint, str | None]:
        with pytest.raises(RunError, match="another process is training into this folder"):
            run_folder.open_run_folder(folder, force=True).__enter__()
        read.append(folder)
        return read_checkpoint(folder)

    monkeypatch.setattr(resume, "read_checkpoint", locked)
    refused = in_process("train", "--resume", "-o", str(tmp_path / "run"), "--units", "17", "--min-count", "1")
    assert refused == (
        1,
        "",
        f"textgen: error: {tmp_path / 'run'}: --units is 17, but the run was started with 300; "
        "give --resume alone, or start a new run with --force\n",
    )
    code, _, told = in_process("train", "--resume", "-o", str(tmp_path / "run"), "--min-count", "1", "--epochs", "3")
    assert (code, read) == (0, [tmp_path / "run"] * 2)
    assert told.splitlines()[0] == f"{tmp_path / 'fox.txt'}: 956 characters"
    assert "\nresumed after 1.40 epochs\n" in told


def test_a_damaged_checkpoint_stays_until_the_run_goes_on(unfinished: Path, tmp_path: Path) -> None:
    """Or the next attempt would not tell that it goes on from an older one."""
    folder = Path(shutil.copytree(unfinished, tmp_path / "run"))
    (folder / NEWEST).write_bytes(b"damaged")
    for _ in range(2):
        with pytest.raises(RunError, match="`epochs` is 4, but the run was started with 3"):
            train(folder, resume=True, epochs=4)
    events: list = []
    train(folder, resume=True, on_progress=events.append)
    assert events[0].notes == (f"{folder / NEWEST} is damaged: its checksum is wrong; resuming from the previous one",)


def test_a_run_with_a_budget_goes_on_with_its_state_and_its_time(tmp_path: Path) -> None:
    options = {"epochs": None, "minutes": 5.0}
    with pytest.raises(KilledError):
        train(tmp_path / "run", callbacks=[KillAt(20, die)], **options)
    before = read_checkpoint(tmp_path / "run")[0]
    stop = KillAt(1, lambda: signal.raise_signal(signal.SIGINT))
    train(tmp_path / "run", resume=True, callbacks=[stop], **options)
    after = read_checkpoint(tmp_path / "run")[0]
    assert after.meta["position"]["step"] == before.meta["position"]["step"] + 1 == 20
    assert after.meta["minutes"] == 5.0
    assert before.meta["elapsed"] < after.meta["elapsed"] < 300


def test_a_finished_run_is_not_resumed(tmp_path: Path) -> None:
    train(tmp_path / "run", epochs=1)
    with pytest.raises(RunError) as error:
        train(tmp_path / "run", resume=True)
    assert str(error.value) == (
        f"{tmp_path / 'run'}: the run is finished; to train its model further, name another folder "
        f'and give `start_from="{tmp_path / "run"}"`'
    )


def test_nothing_to_resume_is_told_and_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is nothing to resume; start the run without `resume`"):
        train(tmp_path / "none", resume=True)
    assert not (tmp_path / "none").exists()


@pytest.fixture(scope="module")
def unfinished(quick: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unfinished") / "run"
    with pytest.raises(KilledError):
        train(folder, callbacks=[KillAt(14, die)])
    return folder


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"epochs": 4}, "`epochs` is 4, but the run was started with 3"),
        ({"model": replace(MODEL, cell="gru")}, "`cell` is gru, but the run was started with lstm"),
        ({"model": replace(MODEL, units=3)}, "`units` is 3, but the run was started with 2"),
        ({"training": replace(TRAINING, window=21)}, "`window` is 21, but the run was started with 20"),
        ({"training": replace(TRAINING, rng_seed=2)}, "`rng_seed` is 2, but the run was started with 1"),
        ({"epochs": None, "minutes": 1.0}, "`minutes` is 1.0, but the run was started with None"),
    ],
)
def test_changed_options_are_refused_by_name(unfinished: Path, changed: dict, message: str) -> None:
    with pytest.raises(RunError, match="give `resume=True` alone, or start a new run with `force=True`") as error:
        train(unfinished, resume=True, **changed)
    assert message in str(error.value)


def test_a_run_of_before_an_option_was_there_goes_on_with_its_default(unfinished: Path, tmp_path: Path) -> None:
    stored = read_checkpoint(unfinished)[0]
    before = {name: value for name, value in stored.meta["reading"].items() if name not in ("markup", "repair")}
    model = {name: value for name, value in stored.meta["model"].items() if name != "cell"}
    write_checkpoint(tmp_path, Checkpoint(dict(stored.meta) | {"reading": before, "model": model}, stored.arrays))
    assert read_checkpoint(tmp_path)[0].meta == stored.meta
    assert stored.meta["model"]["cell"] == "lstm"


def test_a_changed_text_is_refused(unfinished: Path) -> None:
    other = Corpus.from_text(TEXT * 14 + "!", name="fox")
    with pytest.raises(RunError, match=r"started on another text \(fox, SHA-256 [0-9a-f]{12}…, not [0-9a-f]{12}…\)"):
        textgen.train(other, output=unfinished, resume=True)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), both=st.booleans(), cut=st.booleans())
def test_a_flipped_bit_or_a_cut_is_never_resumed_from(
    unfinished: Path, tmp_path_factory: pytest.TempPathFactory, place: float, bit: int, both: bool, cut: bool
) -> None:
    folder = tmp_path_factory.getbasetemp() / "flipped"
    folder.mkdir(exist_ok=True)
    for name in (NEWEST, PREVIOUS):
        content = bytearray((unfinished / name).read_bytes())
        if name == NEWEST or both:
            where = int(place * len(content))
            content[where] ^= 1 << bit
            content = content[:where] if cut else content
        (folder / name).write_bytes(content)
    if both:
        with pytest.raises(RunError, match=r"is damaged: its checksum is wrong; .*start a new run with `force=True`"):
            read_checkpoint(folder)
    else:
        found, warning = read_checkpoint(folder)
        (folder / NEWEST).unlink()
        assert found.meta == read_checkpoint(folder)[0].meta
        assert warning is not None
        assert warning.endswith("resuming from the previous one")


@pytest.mark.parametrize("problem", ["No space left on device", "Read-only file system"])
def test_a_folder_that_cannot_be_written_any_more_leaves_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: tuple, problem: str
) -> None:
    written = []
    write = run_folder.write_checkpoint

    def fail_later(folder: Path, checkpoint: Checkpoint) -> None:
        if len(written) == 12:
            raise OSError(28, problem)
        written.append(checkpoint)
        write(folder, checkpoint)

    monkeypatch.setattr(run_folder, "write_checkpoint", fail_later)
    with pytest.raises(RunError, match=rf"cannot be written \({problem}\)"):
        train(tmp_path / "run")
    monkeypatch.undo()
    train(tmp_path / "run", resume=True)
    assert outcome(tmp_path / "run") == whole


def retold(model: Path, **changes: object) -> None:
    """Let a model file say something else of its training."""
    with zipfile.ZipFile(model) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(entries["textgen.json"])
    told["training"] |= changes
    with zipfile.ZipFile(model, "w") as archive:
        for name, content in (entries | {"textgen.json": json.dumps(told)}).items():
            archive.writestr(name, content)


def delete(model: Path) -> None:
    model.unlink()


def damage(model: Path) -> None:
    model.write_bytes(model.read_bytes()[:-100])


def put_another_seed_s(model: Path) -> None:
    retold(model, rng_seed=2)


def put_an_older_one(model: Path) -> None:
    retold(model, validation_nats=9.0)


def put_one_that_was_never_scored(model: Path) -> None:
    retold(model, validation_nats=None)


@pytest.mark.parametrize(
    ("happens", "problem"),
    [
        (delete, "is missing"),
        (damage, "not a complete Keras archive (File is not a zip file); it may be cut short or damaged"),
        (put_another_seed_s, "is a model of another run"),
        (put_an_older_one, "is not this run's best model"),
        (put_one_that_was_never_scored, "is not this run's best model"),
    ],
)
def test_a_run_that_has_lost_its_best_model_says_so_and_keeps_the_next(
    unfinished: Path, tmp_path: Path, happens: Callable[[Path], None], problem: str
) -> None:
    folder = Path(shutil.copytree(unfinished, tmp_path / "run"))
    model = folder / "model.keras"
    happens(model)
    found = model.read_bytes() if model.exists() else None
    kept, events = [], []

    def watch(event: object) -> None:
        if not kept and not isinstance(event, Started):
            kept.append(read_model(folder).description.training.epochs)
        events.append(event)

    result = train(folder, resume=True, on_progress=watch)
    assert kept == [pytest.approx(13 / 10, abs=1e-4)], "the weights of the checkpoint are kept before anything else"
    aside = "" if found is None else f" it was renamed to {folder / 'other.keras'}, and"
    (note,) = events[0].notes
    assert note.startswith(f"{model}: {problem}")
    assert note.endswith(f";{aside} the run continues without its best model")
    assert result.validation_nats == read_model(folder).description.training.validation_nats
    assert before_calibration(result) == min(event.validation_nats for event in events if isinstance(event, Evaluated))
    if found is not None:
        assert hashlib.sha256((folder / "other.keras").read_bytes()).digest() == hashlib.sha256(found).digest()


def test_what_lies_aside_is_never_written_over(unfinished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(unfinished, tmp_path / "run"))
    (folder / "other.keras").write_text("mine")
    damage(folder / "model.keras")
    events: list = []
    train(folder, resume=True, on_progress=events.append)
    assert f"it was renamed to {folder / 'other-2.keras'}" in events[0].notes[0]
    assert (folder / "other.keras").read_text() == "mine"


def test_a_better_model_that_the_run_has_left_is_kept(unfinished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(unfinished, tmp_path / "run"))
    retold(folder / "model.keras", validation_nats=0.001)
    content = (folder / "model.keras").read_bytes()
    events: list = []
    result = train(folder, resume=True, on_progress=events.append)
    assert events[0].notes == ()
    assert result.validation_nats == 0.001
    assert (folder / "model.keras").read_bytes() == content


def test_a_run_that_loses_its_model_at_its_very_end_still_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_folder, "remove_checkpoints", lambda _: die())
    with pytest.raises(KilledError):
        train(tmp_path / "run", epochs=1)
    monkeypatch.undo()
    (tmp_path / "run" / "model.keras").unlink()
    result = train(tmp_path / "run", epochs=1, resume=True)
    assert read_model(tmp_path / "run").description.training.validation_nats == result.validation_nats is not None


@pytest.mark.parametrize("happens", [delete, lambda model: retold(model, epochs=0.9)])
def test_without_a_hold_out_a_model_that_is_gone_or_older_is_replaced(
    tmp_path: Path, happens: Callable[[Path], None]
) -> None:
    options = {"training": replace(TRAINING, validation=0.0)}
    with pytest.raises(KilledError):
        train(tmp_path / "run", callbacks=[KillAt(20, die)], **options)
    happens(tmp_path / "run" / "model.keras")
    events: list = []
    result = train(tmp_path / "run", resume=True, on_progress=events.append, **options)
    assert len(events[0].notes) == 1
    assert result.validation_nats is None
    assert read_model(tmp_path / "run").description.training.epochs == 3.0
