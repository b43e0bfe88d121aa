import numpy as np
import pytest

from textgen.corpus.windows import Windows
from textgen.training import plan
from textgen.training.plan import Budget, is_scoring


def windows(characters: int, streams: int, length: int) -> Windows:
    return Windows(np.zeros(characters, np.uint8), streams, length, 0)


def test_each_epoch_s_end_is_scored() -> None:
    short = windows(1000, 2, 50)
    assert short.per_epoch == 10
    assert [step for step in range(1, 31) if is_scoring(step, short)] == [10, 20, 30]


def test_a_long_epoch_is_scored_every_two_million_characters() -> None:
    long = windows(5_000_000, 20, 50)
    assert long.per_epoch == 5000
    assert [step for step in range(1, 10_001) if is_scoring(step, long)] == [2000, 4000, 5000, 7000, 9000, 10_000]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(plan.time, "monotonic", lambda: now[0])
    return now


def test_a_budget_counts_from_the_command_s_start_and_leaves_time_to_finish(clock: list[float]) -> None:
    budget = Budget.of(1.0, started=90.0, scoring_seconds=2.5, finishing_seconds=2.0)
    assert budget.deadline == 150.0
    assert budget.seconds_left() == pytest.approx(150 - 100 - 2.5 - 2.0)
    clock[0] = 150.0
    assert budget.steps_left(0.1, 100) == 0


def test_steps_are_planned_from_their_time_and_the_scorings_between(clock: list[float]) -> None:
    budget = Budget(deadline=152.0, scoring_seconds=1.0, finishing_seconds=2.0)
    assert budget.steps_left(step_seconds=0.1, interval=10) == int(49 / 0.2)
    assert budget.pause(planned_steps=4000, interval=1000) == 200
    assert budget.pause(planned_steps=4000, interval=100) == 100
    assert budget.pause(planned_steps=40, interval=100) == plan.FIRST_LOOK
