"""A search for settings: what is tried, when it ends, what is recommended, and where it goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT, TEXT
from textgen.errors import CorpusError, RunError, TrainingError
from textgen.training import apart
from textgen.training.apart import Trained, train_apart
from textgen.training.confirmation import Confirmation
from textgen.training.progress import Evaluated
from textgen.training.search import Search, Trying
from textgen.training.space import USUAL, Choice, Span, searched, space_of
from textgen.training.tuning import Planned, Tuning, search_minutes, tune

SMALL: dict[str, Any] = {"layers": 1, "cell": "lstm", "dropout": 0.0, "window": 20, "batch_size": 4}
# A process that trains the learner of a few lines, as `textgen.training.tether` does with TensorFlow.
CHILD = f"""
import runpy, sys
from unittest import mock
sys.path[0] = {str(PROJECT)!r}
from tests.training.numpy_learner import INSTEAD
for name, value in INSTEAD.items():
    mock.patch(name, value).start()
sys.argv[0] = "textgen"
runpy.run_module("textgen.training.tether", run_name="__main__")
"""
Fake = Callable[[dict[str, float]], float]


@pytest.fixture
def play(tmp_path: Path) -> Path:
    path = tmp_path / "play.txt"
    path.write_text(TEXT * 30, encoding="utf-8")
    return path


class Trainings:
    """Stands for `train_apart`: the loss is a function of the settings, and each training is remembered."""

    def __init__(self, loss: Fake) -> None:
        self.loss = loss
        self.done: list[dict[str, float]] = []
        self.words: list[str] = []

    def __call__(self, words: list[str], minutes: float, on_event: Callable[[Any], None]) -> Trained:
        self.words = list(words)
        options = dict(pairwise(words))
        numbers = ("units", "learning-rate", "weight-decay", "rng-seed")
        self.done.append({name: float(options[f"--{name}"]) for name in numbers})
        return Trained(self.loss(self.done[-1]), 1.0, 60 * minutes)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fake], Trainings]:
    def install(loss: Fake) -> Trainings:
        found = Trainings(loss)
        monkeypatch.setattr("textgen.training.search.train_apart", found)
        return found

    return install


def small(asked: dict[str, float]) -> float:
    """A loss that is the lower the smaller the network is, and differs a little from seed to seed."""
    return 2.0 + asked["units"] / 1000 + asked["rng-seed"] / 1000


def search(play: Path, trials: int = 6, output: str = "study", **options: Any) -> Tuning:
    options = {"minutes": 2.0, "space": SMALL, **options}
    return tune(play, output=play.parent / output, trials=trials, **options)


def test_the_best_settings_are_confirmed_with_other_seeds_and_recommended(
    play: Path, trainings: Callable[[Fake], Trainings]
) -> None:
    trained, events = trainings(small), []
    result = search(play, lowercase=True, on_progress=events.append)
    default, *others = trained.done[:6]
    assert (default["units"], default["learning-rate"], default["weight-decay"]) == (300, 0.01, 0.3)
    assert {asked["rng-seed"] for asked in trained.done[:6]} == {1}
    assert [trial.nats for trial in result.trials] == sorted(small(asked) for asked in trained.done[:6])
    best = min(others, key=lambda asked: asked["units"])
    assert result.best.settings["units"] == best["units"] < 300
    sides = sorted((asked["rng-seed"], asked["units"]) for asked in trained.done[6:])
    assert sides == sorted((seed, units) for seed in (2, 3, 4) for units in (300, best["units"]))
    confirmation = result.confirmation
    assert confirmation is not None
    assert confirmation.holds
    assert confirmation.mean == pytest.approx((300 - best["units"]) / 1000)
    assert result.command[:5] == ("textgen", "train", str(play), "--lowercase", "--minutes")
    assert result.command[result.command.index("--units") + 1] == f"{best['units']:.0f}"
    assert result.command[result.command.index("--learning-rate") + 1] == f"{best['learning-rate']:g}"
    assert trained.words[-5:] == ["--lowercase", "--minutes", "2", "--", str(play)]
    assert [type(event).__name__ for event in events] == ["Planned", *["Trying", "Tried"] * 6, *["Confirming"] * 6]
    assert not list((play.parent / "study").glob(".training*"))


def test_what_only_luck_made_better_is_not_recommended(play: Path, trainings: Callable[[Fake], Trainings]) -> None:
    luck = {1.0: 0.5, 2.0: -0.3, 3.0: 0.2, 4.0: 0.0}
    trainings(lambda asked: 2.0 - luck[asked["rng-seed"]] * (asked["units"] != 300))
    result = search(play, 3)
    assert result.best.nats == 1.5
    assert result.confirmation is not None
    assert result.confirmation.differences == pytest.approx([-0.3, 0.2, 0.0])
    assert not result.confirmation.holds
    assert result.command == (
        *("textgen", "train", str(play), "--minutes", "2", "--layers", "1", "--cell", "lstm", "--dropout", "0"),
        *("--window", "20", "--batch-size", "4"),
    ), "the default, as far as the space was limited"


def test_a_default_that_no_trial_beats_needs_no_confirmation(
    play: Path, trainings: Callable[[Fake], Trainings]
) -> None:
    trained = trainings(lambda asked: abs(asked["units"] - 300))
    result = search(play, 3, space={})
    assert (result.best.default, result.confirmation, len(trained.done)) == (True, None, 3)
    assert result.command == ("textgen", "train", str(play), "--minutes", "2")


def test_an_interrupted_search_goes_on_with_the_trial_that_was_interrupted(
    play: Path, trainings: Callable[[Fake], Trainings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def until_third(asked: dict[str, float]) -> float:
        if len(trained.done) == 3:
            raise KeyboardInterrupt
        return small(asked)

    trained = trainings(until_third)
    with pytest.raises(KeyboardInterrupt):
        search(play, 4)
    del trained.done[2:]
    with monkeypatch.context() as patch:
        patch.setattr(Search, "_give_back", lambda *_: None)  # as if it had been killed
        with pytest.raises(KeyboardInterrupt):
            search(play, 4)
    first, trained, events = trained, trainings(small), list[Any]()
    result = search(play, 4, on_progress=events.append)
    assert trained.done[0] == first.done[2]
    assert [(event.done, event.trials) for event in events if isinstance(event, Planned)] == [(2, 4)]
    assert [event.place for event in events if isinstance(event, Trying)] == [3, 4]
    assert len(result.trials) == 4
    assert {trial.state for trial in result.trials} == {"complete"}
    again = trainings(small)
    assert search(play, 4) == result
    assert again.done == []


def test_a_trial_that_fails_is_not_the_end(play: Path, trainings: Callable[[Fake], Trainings]) -> None:
    def fails(asked: dict[str, float]) -> float:
        if asked["units"] != 300:
            raise TrainingError("the loss became nan")
        return 2.0

    trainings(fails)
    result = search(play, 3)
    assert [(trial.state, trial.error) for trial in result.trials] == [
        ("complete", None),
        ("failed", "the loss became nan"),
        ("failed", "the loss became nan"),
    ]
    trainings(lambda _: fails({"units": 0}))
    with pytest.raises(TrainingError, match=r"none of 2 trials has succeeded: the loss became nan$"):
        search(play, 2, "other")


def test_a_trial_that_is_worse_than_others_at_the_same_time_ends_early(
    play: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([2.0, 2.1, 2.2, 2.3, 3.0, 1.0])

    def trained(words: list[str], minutes: float, on_event: Callable[[Any], None]) -> Trained:
        loss, began = next(losses), time.monotonic()
        while time.monotonic() < began + 1.1 * 60 * minutes:
            on_event(Evaluated(1.0, 1.0, loss, loss, True, ""))
            time.sleep(0.01)
        return Trained(loss, 1.0, 1.0)

    monkeypatch.setattr("textgen.training.search.train_apart", trained)
    with pytest.raises(StopIteration):  # at the first that confirms
        search(play, 6, minutes=0.2 / 60)
    monkeypatch.setattr("textgen.training.search.train_apart", lambda *_: Trained(9.0, 1.0, 1.0))
    result = search(play, 6, minutes=0.2 / 60)
    assert [(trial.number, trial.state) for trial in result.trials] == [
        *[(5, "complete"), (0, "complete"), (1, "complete"), (2, "complete"), (3, "complete"), (4, "pruned")]
    ]
    assert result.trials[-1].nats == 3.0


def test_a_study_of_something_else_is_refused_with_what_differs(
    play: Path, trainings: Callable[[Fake], Trainings]
) -> None:
    trained = trainings(small)
    search(play, 1)
    for changed, told in (
        ({"minutes": 3}, "`minutes` is 3.0, but the study was started with 2.0; give what"),
        ({"space": SMALL | {"units": (8, 64)}}, "`units` is 8:64, but the study was started with 64:1024; give what"),
        (
            {"rng_seed": 7, "min_count": 2},
            "`min_count` is 2, but the study was started with 1; `rng_seed` is 7, but the",
        ),
        ({"lowercase": True}, "the study was started on another text (SHA-256 "),
    ):
        with pytest.raises(RunError) as error:
            search(play, 1, **changed)  # type: ignore[arg-type]
        assert f"{play.parent / 'study'}: {told}" in str(error.value)
        assert str(error.value).endswith("give what it was started with, or name another folder with `output`")
    assert len(trained.done) == 1


def test_several_machines_share_a_study(play: Path, trainings: Callable[[Fake], Trainings]) -> None:
    trained = trainings(lambda asked: 2.0 + (asked["units"] == 300))
    address = f"sqlite:///{play.parent}/shared.db"
    first = search(play, 3, "a/study", storage=address)
    assert len(trained.done) == 9
    second = search(play, 5, "b/study", storage=address)
    assert {trial.number for trial in first.trials} < {trial.number for trial in second.trials}
    assert len({tuple(asked.items()) for asked in trained.done[:3] + trained.done[9:11]}) == 5
    assert not (play.parent / "b" / "study" / "study.db").exists()


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("nonsense", "the database: the study's database cannot be used (Could not parse"),
        ("postgresql://me:secret@h/x", "postgresql://me:***@h/x: the study's database cannot be used ("),
        ("sqlite:////no/such/folder/x.db", "cannot be used ((sqlite3.OperationalError) unable to open database file)"),
        ("redis://x", "cannot be used (RedisStorage is removed"),
        (f"sqlite:///{__file__}", "cannot be used ((sqlite3.DatabaseError) file is not a database)"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_without_its_password(play: Path, address: str, told: str) -> None:
    with pytest.raises(RunError) as error:
        search(play, 1, storage=address)
    assert told in str(error.value)
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_plots_are_drawn(play: Path, trainings: Callable[[Fake], Trainings]) -> None:
    trainings(small)
    search(play, 4, plot=play.parent / "plots")
    names = {path.name for path in (play.parent / "plots").iterdir()}
    assert names == {
        *("history.png", "importances.png", "intermediate-values.png", "parallel-coordinates.png", "slices.png"),
        "timeline.png",
    }
    with pytest.raises(RunError, match=r"play\.txt: cannot be written \(.*\); name another folder with `plot`$"):
        search(play, 4, plot=play)


def test_texts_that_a_trial_could_not_read_again_are_refused(play: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"^standard input: can be read only once, but each trial reads its text;"):
        tune("-", output=tmp_path / "study")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.keras").touch()
    with pytest.raises(RunError, match=r"run: the folder has a run of textgen train; name another folder"):
        search(play, 1, "run")


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("units", 64, Choice((64,))),
        ("units", (64, 512), Span(64, 512, log=True)),
        ("units", (64, 64), Choice((64,))),
        ("units", [512, 64], Choice((512, 64))),
        ("cell", ["gru", "rnn"], Choice(("gru", "rnn"))),
        ("weight_decay", (0, 1), Span(0.0, 1.0, log=False)),
        ("units", (512, 64), "`units` must have its lowest value first, not 512:64"),
        ("units", (1, 2, 3), "`units` must have two bounds, the lowest and the highest, not (1, 2, 3)"),
        ("units", 0, "`units` must be a whole number from 1 to 4,096, not 0"),
        ("dropout", [0.1, 0.1], "`dropout` must have 1 to 50 different values, not [0.1, 0.1]"),
        ("cell", "tree", "`cell` must be one of lstm, gru, rnn, or several of them, not 'tree'"),
    ],
)
def test_what_is_searched_is_a_value_a_range_or_a_choice(name: str, value: Any, found: Any) -> None:
    if not isinstance(found, str):
        assert searched(name, value) == found
        return
    with pytest.raises(ValueError, match=r"^`") as error:
        searched(name, value)
    assert str(error.value) == found


def test_a_short_text_has_short_windows_and_few_streams() -> None:
    assert space_of({}, 10**6, 9 * 10**5) == USUAL
    short = space_of({}, 201, 181)
    assert (short["window"], short["batch_size"]) == (Span(25, 100, log=True), Choice((1,)))
    assert space_of({"window": 30}, 201, 181)["batch_size"] == Span(4, 6, log=True)


def test_the_rule_of_the_confirmation() -> None:
    seeds = (2, 3, 4)
    assert Confirmation(seeds, (2.0, 2.0, 2.0), (1.99, 1.98, 1.985)).holds
    assert not Confirmation(seeds, (2.0, 2.0, 2.0), (1.99, 1.90, 1.999)).holds, "the seeds differ more than the sides"
    assert not Confirmation(seeds, (2.0, 2.0, 2.0), (2.0, 2.0, 2.0)).holds
    assert Confirmation(seeds, (2.0, None, 2.0), (1.9, 1.9, 1.9)).holds
    assert not Confirmation(seeds, (2.0, None, 2.0), (1.9, 1.9, None)).holds
    errors = Confirmation(seeds, (2.0, 2.0, 2.0), (1.9, 1.8, 1.7))
    assert (errors.mean, errors.standard_error) == (pytest.approx(0.2), pytest.approx(0.1 / 3**0.5))


def test_a_budget_leaves_time_to_confirm() -> None:
    assert search_minutes(5, 60) == 25
    with pytest.raises(
        ValueError, match=r"^`total_minutes` must be at least 8 times `minutes`, 40 minutes: for the def"
    ):
        search_minutes(5, 39)


@pytest.fixture
def quick_child(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(apart, "COMMAND", (sys.executable, "-c", CHILD))
    return


@pytest.mark.usefixtures("quick_child")
def test_a_training_apart_tells_its_events_and_its_loss_or_why_it_failed(play: Path, tmp_path: Path) -> None:
    events: list[Any] = []
    words = ["--epochs", "2", "--units", "8", "--rng-seed", "1", "-o", str(tmp_path / "run"), "--", str(play)]
    found = train_apart(words, 1.0, events.append)
    assert found.epochs == 2
    assert 0 < found.nats <= min(event.validation_nats for event in events if isinstance(event, Evaluated))
    assert {type(event).__name__ for event in events} == {"Started", "Stepped", "Evaluated"}
    with pytest.raises(TrainingError, match=r"run: the folder has a run already; name another folder with -o"):
        train_apart(words, 1.0, events.append)
    with pytest.raises(ZeroDivisionError):
        train_apart([*words[:-4], "-o", str(tmp_path / "b"), "--", str(play)], 1.0, lambda _: 1 / 0)


def test_a_training_apart_is_none_of_several_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", "{}")
    monkeypatch.setattr(
        apart, "COMMAND", (sys.executable, "-c", "import os, sys; sys.exit(os.getenv('TF_CONFIG', 'no'))")
    )
    with pytest.raises(TrainingError, match=r"^no$"):
        train_apart([], 1.0, lambda _: None)


def test_a_training_apart_ends_with_the_process_that_started_it(play: Path, tmp_path: Path) -> None:
    words = ["--epochs", "1000000", "--patience", "1000000", "-o", str(tmp_path / "run"), "--", str(play)]
    script = (
        "import os, signal, sys; from textgen.training import apart\n"
        f"apart.COMMAND = (sys.executable, '-c', {CHILD!r})\n"
        f"apart.train_apart({words!r}, 1.0, lambda event: os.kill(os.getpid(), signal.SIGKILL))"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    assert parent.wait() == -signal.SIGKILL
    lock = tmp_path / "run" / ".lock"
    deadline = time.monotonic() + 60
    while _is_open(lock):
        assert time.monotonic() < deadline, "the child trains on"
        time.sleep(0.05)


def _is_open(path: Path) -> bool:
    """Whether a process holds a file open."""
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link) == str(path):  # noqa: PTH115
                return True
        except OSError:
            continue
    return False


@pytest.mark.slow
def test_a_search_trains_for_real(play: Path) -> None:
    result = search(play, 1, minutes=0.02, space=SMALL | {"units": 8})
    assert result.best.default
    assert result.best.nats is not None
    assert 0 < result.best.nats < 4
