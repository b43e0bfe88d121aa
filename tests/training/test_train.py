"""Runs from their beginning to their end, by a learner of a few lines."""

import csv
from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT
from tests.training.numpy_learner import NumPyLearner, before_calibration
from textgen import Corpus, ModelConfig, TrainingConfig
from textgen.errors import CorpusError, RunError, TrainingError
from textgen.model_file import read_model, shipped
from textgen.training import run_folder
from textgen.training.progress import Evaluated, Event, Started, Stepped

pytestmark = pytest.mark.usefixtures("quick")

CORPUS = Corpus.from_text(TEXT * 40, name="fox")  # 2,720 characters, 272 held out
PER_EPOCH = 2448 // 4 // 20
MODEL = ModelConfig(layers=1, units=2, dropout=0.1, embedding=8)
TRAINING = TrainingConfig(window=20, batch_size=4, learning_rate=0.02, rng_seed=1)


def train(output: Path, corpus: Corpus = CORPUS, **options: object) -> tuple[textgen.TrainingResult, list[Event]]:
    events: list[Event] = []
    options = {"model": MODEL, "training": TRAINING, "epochs": 2, "on_progress": events.append} | options
    return textgen.train(corpus, output=output, **options), events  # type: ignore[arg-type]


def notes_before_training(
    corpus: Corpus, output: Path, monkeypatch: pytest.MonkeyPatch, **options: object
) -> list[str]:
    """What a run tells before its first step, which it does not come to."""
    told: list[str] = []

    def run(*_: object, notes: list[str], **__: object) -> None:
        told.extend(notes)
        raise TrainingError("far enough")

    monkeypatch.setattr("textgen.training.session.run", run)
    with pytest.raises(TrainingError, match="far enough"):
        train(output, corpus, **options)
    return told


def test_symbols_that_the_hold_out_alone_has_are_told_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = Corpus.from_text(TEXT * 40 + "€" * 3 + "Ω†Ω" * 10)
    assert notes_before_training(corpus, tmp_path / "a", monkeypatch) == [
        "only in the held-out part, so never trained on: 3 different characters, 33 times in all "
        "(12 % of that part): 'Ω' (U+03A9 GREEK "
        "CAPITAL LETTER OMEGA), '†' (U+2020 DAGGER), '€' (U+20AC EURO SIGN)",
        imprecise(276, "0.13"),
    ]
    assert notes_before_training(CORPUS, tmp_path / "b", monkeypatch) == [imprecise(272, "0.14")]


def imprecise(characters: int, nats: str) -> str:
    return (
        f"the held-out part has only {characters:,} characters: validation losses that differ by less than {nats} nats "
        "cannot be told apart; add text, or make `validation` larger"
    )


@pytest.mark.parametrize(("characters", "notes"), [(19_990, [imprecise(1999, "0.05")]), (20_000, [])])
def test_a_hold_out_too_small_for_a_precise_loss_is_told_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, characters: int, notes: list[str]
) -> None:
    corpus = Corpus.from_text((TEXT * 300)[:characters])
    assert notes_before_training(corpus, tmp_path / "a", monkeypatch) == notes
    without = {"training": TrainingConfig(validation=0, rng_seed=1)}
    assert notes_before_training(corpus, tmp_path / "b", monkeypatch, **without) == []


def test_symbols_that_the_model_to_start_from_has_learnt_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = Corpus.from_text(TEXT * 40 + "Q†" * 10)  # the shipped model knows Q
    options = {"start_from": shipped(), "model": None}
    note, _ = notes_before_training(corpus, tmp_path / "run", monkeypatch, **options)
    assert "1 different character, 10 times" in note


def test_what_a_run_tells_and_leaves(tmp_path: Path) -> None:
    output = tmp_path / "deep" / "run"
    result, events = train(output)
    started, stepped, scored = (
        [event for event in events if isinstance(event, kind)] for kind in (Started, Stepped, Evaluated)
    )
    assert started == [
        Started(
            *("fox", 2720, 272, 31, started[0].parameters, 4, 20, 2, 0.1, 8, 0.02, 0.3, 1),
            resumed_at=0.0,
            reading=(),
            notes=(imprecise(272, "0.14"),),
        )
    ]
    assert [event.step for event in stepped] == list(range(1, 2 * PER_EPOCH + 1))
    assert {event.planned_steps for event in stepped} == {2 * PER_EPOCH}
    assert [event.epochs for event in scored] == [1.0, 2.0]
    assert all(len(event.sample) == 80 for event in scored)
    assert events[-1] is result
    assert result.stopped_by == "plan"
    assert result.epochs == 2.0
    assert sorted(path.name for path in output.iterdir()) == [".lock", "history.csv", "model.keras"]
    with (output / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == [str(PER_EPOCH), str(2 * PER_EPOCH)]
    assert [float(row["validation_nats"]) for row in rows] == [event.validation_nats for event in scored]
    assert tuple(rows[0]) == run_folder.Row._fields
    model = read_model(output)
    assert model.weights.parameters == started[0].parameters
    assert model.description.training.validation_nats == result.validation_nats
    assert before_calibration(result) == min(event.validation_nats for event in scored if event.validation_nats)
    assert model.description.text.sha256 == CORPUS.sha256


def test_the_same_seed_gives_the_same_weights_and_another_others(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(tmp_path / name, epochs=1, training=TrainingConfig(window=20, batch_size=4, rng_seed=seed))
    a, b, c = (read_model(tmp_path / name).weights.head_bias for name in "abc")
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_the_best_weights_are_the_ones_kept_and_patience_ends_the_run(tmp_path: Path) -> None:
    corpus = Corpus.from_text(TEXT * 30 + "".join(sorted(TEXT)) * 4 + "z" * 40)  # the end is another language
    result, events = train(
        tmp_path / "run",
        corpus,
        epochs=200,
        training=TrainingConfig(window=20, batch_size=4, learning_rate=0.001, patience=3),
    )
    losses = [event.validation_nats for event in events if isinstance(event, Evaluated)]
    assert result.stopped_by == "patience"
    assert before_calibration(result) == min(losses)
    assert result.validation_nats == read_model(tmp_path / "run").description.training.validation_nats
    assert losses.index(min(losses)) == len(losses) - 4
    assert [event.best for event in events if isinstance(event, Evaluated)][-4:] == [True, False, False, False]


def test_without_a_hold_out_the_last_weights_are_kept(tmp_path: Path) -> None:
    training = TrainingConfig(window=20, batch_size=4, rng_seed=1, validation=0)
    result, events = train(tmp_path / "run", training=training)
    assert result.validation_nats is None
    assert read_model(tmp_path / "run").description.training.epochs == 2.0
    assert [event.validation_nats for event in events if isinstance(event, Evaluated)] == [None, None]


@pytest.mark.parametrize("characters", [101, 150])
def test_the_shortest_texts_train(tmp_path: Path, characters: int) -> None:
    corpus = Corpus.from_text((TEXT * 3)[:characters])
    training = TrainingConfig(batch_size=8, rng_seed=1)
    result, events = train(tmp_path / "run", corpus, training=training, epochs=3)
    assert result.epochs == 3.0
    shorter = characters * 9 // 10 // 50
    assert events[0].notes[0] == f"the text is too short for batch size 8; {shorter} is used"  # type: ignore[union-attr]


def test_a_text_of_one_symbol_trains(tmp_path: Path) -> None:
    result, _ = train(tmp_path / "run", Corpus.from_text("a" * 500))
    assert result.validation_nats == pytest.approx(0, abs=1e-6)
    assert textgen.load(result.model).generate(length=5) == "aaaaa"


def test_a_text_that_is_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as error:
        train(tmp_path / "run", Corpus.from_text("a" * 100, name="haiku"), training=TrainingConfig())
    assert str(error.value) == (
        "haiku: the text has 100 characters; expected at least 101 with a sequence length of 50: "
        "add text, or make `window` smaller"
    )
    assert not (tmp_path / "run").exists()


class Spoil:
    """Makes the weights, and so the next loss, not a number."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.learner: NumPyLearner

    def on_train_batch_end(self, batch: int, logs: dict) -> None:
        self.left -= 1
        if self.left == 0:
            self.learner.weights[-1] *= np.float32("nan")


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_best(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as error:
        train(tmp_path / "run", epochs=5, callbacks=[Spoil(40)])
    assert str(error.value) == (
        f"the loss became nan at step 41; the best model so far is kept in {tmp_path / 'run'}; "
        "try a lower `learning_rate`"
    )
    assert textgen.load(tmp_path / "run").description.training.epochs == 1.0


@pytest.mark.parametrize("validation", [0, 0.1])
def test_weights_spoilt_by_the_last_update_before_a_scoring_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, validation: float
) -> None:
    training = TrainingConfig(window=20, batch_size=4, rng_seed=1, validation=validation)
    scorings = []
    kept = NumPyLearner.kept

    def spoilt(learner: NumPyLearner) -> list[np.ndarray]:
        scorings.append(learner)
        late = len(scorings) > 2  # at the start and at the first scoring
        return [array * np.float32("nan") if late else array for array in kept(learner)]

    monkeypatch.setattr(NumPyLearner, "kept", spoilt)
    with pytest.raises(TrainingError, match=r"the loss became nan at step .*; the best model so far is kept"):
        train(tmp_path / "run", training=training, epochs=3)
    assert textgen.load(tmp_path / "run").description.training.epochs == 1.0


def test_a_run_that_fails_before_its_first_model_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nothing was saved"):
        train(tmp_path / "run", callbacks=[Spoil(1)])
    assert not (tmp_path / "run").exists()


class Watch:
    """Notes what it is told, and stops after so many epochs."""

    def __init__(self, epochs: int | None = None, steps: int | None = None) -> None:
        self.epochs, self.steps, self.stop = epochs, steps, False
        self.seen: list = []

    def on_train_begin(self) -> None:
        self.seen.append("begin")

    def on_epoch_begin(self, epoch: int) -> None:
        self.seen.append(f"epoch {epoch}")

    def on_train_batch_begin(self, batch: int) -> None:
        self.seen.append(batch)

    def on_train_batch_end(self, batch: int, logs: dict) -> None:
        self.seen.append(sorted(logs))
        self.stop = batch + 1 == self.steps

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        self.seen.append(f"end {epoch} {sorted(logs)}")
        self.stop = epoch + 1 == self.epochs

    def on_train_end(self) -> None:
        self.seen.append("end")


def test_callbacks_see_epochs_steps_and_losses_and_may_stop(tmp_path: Path) -> None:
    watch = Watch(epochs=2)
    result, _ = train(tmp_path / "run", epochs=9, callbacks=[watch])
    steps = [told for place in range(PER_EPOCH) for told in (place, ["loss"])]
    ends = [f"end {number} ['loss', 'val_loss']" for number in (0, 1)]
    assert watch.seen == ["begin", "epoch 0", *steps, ends[0], "epoch 1", *steps, ends[1], "end"]
    assert (result.stopped_by, result.epochs) == ("callback", 2.0)
    assert result.baselines
    with pytest.raises(RunError, match="the run is finished"):
        train(tmp_path / "run", resume=True)


def test_a_callback_that_stops_inside_an_epoch_has_it_scored(tmp_path: Path) -> None:
    watch = Watch(steps=7)
    result, events = train(tmp_path / "run", epochs=9, callbacks=[watch])
    assert watch.seen[-3:] == [["loss"], "end 0 ['loss', 'val_loss']", "end"]
    assert (result.stopped_by, result.epochs) == ("callback", 7 / PER_EPOCH)
    assert [event.best for event in events if isinstance(event, Evaluated)] == [True]


def test_callbacks_are_told_the_end_whatever_happens(tmp_path: Path) -> None:
    watch = Watch()
    with pytest.raises(TrainingError):
        train(tmp_path / "run", callbacks=[Spoil(1), watch])
    assert watch.seen[-1] == "end"


def test_an_existing_run_is_kept_unless_forced_and_then_until_the_new_one_saves(tmp_path: Path) -> None:
    train(tmp_path / "run", epochs=1)
    old = (tmp_path / "run" / "model.keras").read_bytes()
    with pytest.raises(RunError) as error:
        train(tmp_path / "run")
    assert str(error.value) == (
        f"{tmp_path / 'run'}: the folder has a run already; "
        "name another folder with `output`, or replace it with `force=True`"
    )
    with pytest.raises(TrainingError):
        train(tmp_path / "run", force=True, callbacks=[Spoil(1)])
    assert (tmp_path / "run" / "model.keras").read_bytes() == old
    (tmp_path / "run" / "checkpoint.previous").touch()
    train(tmp_path / "run", force=True)
    assert (tmp_path / "run" / "model.keras").read_bytes() != old
    assert not (tmp_path / "run" / "checkpoint.previous").exists()


def test_files_of_others_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    for name in (".editor.tmp", "notes.txt"):
        (tmp_path / "run" / name).touch()
    train(tmp_path / "run", epochs=1)
    train(tmp_path / "run", epochs=1, force=True)
    assert {"checkpoints", ".editor.tmp", "notes.txt"} <= {path.name for path in (tmp_path / "run").iterdir()}


def test_two_runs_cannot_share_a_folder(tmp_path: Path) -> None:
    with run_folder.open_run_folder(tmp_path / "run", force=False), pytest.raises(RunError) as error:
        train(tmp_path / "run")
    assert "another process is training into this folder" in str(error.value)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"cannot be written \(Not a directory\)"):
        train(tmp_path / "file" / "run")
    with pytest.raises(
        RunError, match=r"the output is a run folder, not a model file; name it without \.keras: `output="
    ):
        train(tmp_path / "run.keras")


def test_a_disk_that_fills_up_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_folder, "add_description", full)
    with pytest.raises(RunError, match=r"cannot be written \(No space left on device\)"):
        train(tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": 1, "minutes": 1.0}, "`epochs` and `minutes` exclude each other"),
        ({"epochs": 0}, "`epochs` must be a whole number from 1"),
        ({"epochs": None, "minutes": 0}, "`minutes` must be a number above 0"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train(tmp_path / "run", **wrong)


class Clock:
    """Time that passes with the steps alone, half a second each, and a scoring in between."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)

    def on_train_batch_end(self, batch: int, logs: dict) -> None:
        self.now += 0.5


def test_a_budget_is_used_up_and_not_overdrawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    result, events = train(tmp_path / "run", epochs=None, minutes=1, callbacks=[clock])
    assert result.stopped_by == "budget"
    assert 58 < clock.now - 1000 <= 60 - 1  # a second is kept for what comes after the last scoring
    steps = [event for event in events if isinstance(event, Stepped)]
    assert steps[0].planned_steps == 1000
    assert steps[-1].planned_steps == steps[-1].step == 2 * (clock.now - 1000)
    assert steps[-1].seconds_left == pytest.approx(1060 - clock.now)
    with (tmp_path / "run" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    plans = [int(row["step"]) for row in rows if not row["train_nats"]]
    assert plans[0] == 11
    assert int(rows[-1]["step"]) == steps[-1].step
    assert float(rows[-1]["learning_rate"]) == pytest.approx(0.03 * 0.02, rel=0.01)


def test_a_budget_that_is_gone_before_the_first_step_ends_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    result, events = train(tmp_path / "run", epochs=None, minutes=0.001, callbacks=[clock])
    assert (result.stopped_by, len([event for event in events if isinstance(event, Stepped)])) == ("budget", 1)
    assert result.validation_nats is not None


def test_a_checkpoint_is_written_when_its_time_has_come_and_at_each_scoring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, steps = Clock(monkeypatch), []
    write = run_folder.write_checkpoint

    def note(folder: Path, checkpoint: run_folder.Checkpoint) -> None:
        steps.append(checkpoint.meta["position"]["step"])
        write(folder, checkpoint)

    monkeypatch.setattr(run_folder, "write_checkpoint", note)
    train(tmp_path / "run", callbacks=[clock], checkpoint_seconds=5.0)
    assert steps == [10, 20, 30, 40, 50, 60]
    steps.clear()
    train(tmp_path / "other", callbacks=[clock], checkpoint_seconds=6.0)
    assert steps == [12, 24, 30, 42, 54, 60]
