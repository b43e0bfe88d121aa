from dataclasses import replace

import pytest

from tests.conftest import TEXT
from textgen import Corpus, ModelConfig
from textgen.training import limit
from textgen.training.limit import FIRST_REPLAN, REPLANS, Budget, Limit, limit_of, short_budget
from textgen.training.plan import Epochs, Minutes, Plan, make_plan
from textgen.training.teachers import Teacher


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(limit.time, "monotonic", lambda: now[0])
    return now


def budget(deadline: float, scoring: float = 1.0, finishing: float = 2.0, interval: int = 10, step: int = 0) -> Budget:
    return Budget(deadline, finishing_seconds=finishing, evaluation_seconds=scoring, interval=interval, step=step)


def timed(limit: Limit, seconds: float) -> None:
    """Time two steps, of which a process's first compiles and does not count."""
    for each in (seconds if limit.stopwatch.compiled else 60.0, seconds):
        limit.stopwatch.add(each)


def test_the_epochs_steps_end_a_run_and_their_mean_time_tells_how_long_it_takes() -> None:
    epochs = Limit()
    assert epochs.seconds_left(1, 10) is None
    timed(epochs, 0.5)
    epochs.stopwatch.add(1.5)
    assert epochs.seconds_left(3, 10) == 7.0
    assert [epochs.ended(step, 10) for step in (9, 10)] == [None, "plan"]
    assert epochs.replanned(3, evaluated=True) is None


def test_a_budget_leaves_time_to_score_and_to_finish(clock: list[float]) -> None:
    limited = budget(deadline=150.0, scoring=2.5)
    assert limited.seconds_left(0, 1000) == 50.0
    clock[0] = 150 - 3 * 2.5 - 2.0 - 0.01
    assert limited.ended(5, 1000) is None
    assert limited.ended(1000, 1000) == "budget"
    clock[0] += 0.02
    assert limited.ended(5, 1000) == "budget"
    limited.add_evaluation(1.0)
    assert limited.ended(5, 1000) is None
    clock[0] = 160.0
    assert limited.seconds_left(5, 1000) == 0.0
    timed(limited, 0.1)
    assert limited.replanned(5, evaluated=True) == 5


def test_steps_are_planned_from_their_time_and_the_scorings_between(clock: list[float]) -> None:
    limited = budget(deadline=152.0)
    assert limited.replanned(50, evaluated=True) is None  # no step was timed
    timed(limited, 0.1)
    assert limited.replanned(50, evaluated=True) == 50 + int(47 / 0.2)
    assert limited.stopwatch.step_seconds is None


@pytest.mark.parametrize(("interval", "pause"), [(1000, 4800 // REPLANS), (100, 100), (5, FIRST_REPLAN)])
def test_between_scorings_the_plan_is_made_anew_a_few_times(clock: list[float], interval: int, pause: int) -> None:
    limited = budget(deadline=150.0, scoring=0.0, interval=interval, step=30)
    looks = []
    for step in range(31, 500):
        timed(limited, 0.01)
        if limited.replanned(step, evaluated=False) is not None:
            looks.append(step)
    assert looks[0] == 30 + FIRST_REPLAN + 1
    assert abs(looks[1] - looks[0] - pause) <= 3


def plan_of(until: Epochs | Minutes, layers: int = 1, units: int = 16) -> Plan:
    model = ModelConfig(layers=layers, units=units, dropout=0.0, embedding=8)
    return make_plan(Corpus.from_text(TEXT * 40), until=until, model=model)[0]


def test_a_budget_too_short_for_a_step_and_an_evaluation_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "characters_a_second", lambda model, streams, symbols: streams * 50 / 5.0)
    limited = budget(deadline=0.0, scoring=20.0)
    assert short_budget(plan_of(Minutes(0.5)), limited) == [
        "a budget of 30 s is too short for one step and one evaluation of this network: "
        "with startup they take about 75 s on this machine, and so will the run"
    ]
    assert short_budget(plan_of(Minutes(1.3)), limited) == []
    taught = replace(plan_of(Minutes(1.3)), teachers=(Teacher("/a", "0" * 64),))
    (note,) = short_budget(taught, limited, read=10.0)
    assert "with startup and what the teachers have read they take about 85 s on this machine" in note
    assert short_budget(taught, limited) == [], "it was in the cache"
    (note,) = short_budget(plan_of(Minutes(1.0), layers=4, units=2048), limited)
    assert "about 109 s on this machine" in note, "the first weights alone take half a minute"


def test_epochs_have_no_budget() -> None:
    plan = plan_of(Epochs(3))
    limited = limit_of(plan, started=0.0, step=0)
    assert type(limited) is Limit
    assert short_budget(plan, limited) == []


def test_a_budget_knows_from_the_start_what_an_evaluation_takes() -> None:
    small, large = (limit_of(plan_of(Minutes(1.0), units=units), started=5.0, step=3) for units in (16, 512))
    assert isinstance(small, Budget)
    assert isinstance(large, Budget)
    assert 0 < 3 * small.evaluation_seconds < large.evaluation_seconds
    assert small.deadline == 65.0
    assert small.next_replan == 3 + FIRST_REPLAN + 1
