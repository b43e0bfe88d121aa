import json

import numpy as np
import pytest

from tests.conftest import TEXT
from textgen import Corpus, TrainingConfig
from textgen.corpus.windows import Windows
from textgen.training.plan import Epochs, Minutes, Plan, is_evaluation_due, make_plan
from textgen.training.recipe import planned_epochs


def windows(characters: int, streams: int, length: int) -> Windows:
    return Windows(np.zeros(characters, np.uint8), streams, length, 0)


def test_each_epoch_s_end_is_scored() -> None:
    short = windows(1000, 2, 50)
    assert short.per_epoch == 10
    assert [step for step in range(1, 31) if is_evaluation_due(step, short)] == [10, 20, 30]


def test_a_long_epoch_is_scored_every_two_million_characters() -> None:
    long = windows(5_000_000, 20, 50)
    assert long.per_epoch == 5000
    assert [step for step in range(1, 10_001) if is_evaluation_due(step, long)] == [
        2000,
        4000,
        5000,
        7000,
        9000,
        10_000,
    ]


CORPUS = Corpus.from_text(TEXT * 40)


@pytest.mark.parametrize(
    ("until", "asked", "patience"),
    [(None, None, 5), (Epochs(3), None, 5), (Epochs(3), 2, 2), (Minutes(1.0), None, None), (Minutes(1.0), 2, 2)],
)
def test_a_run_stops_early_unless_it_is_given_a_time(
    until: Epochs | Minutes | None, asked: int | None, patience: int | None
) -> None:
    plan, _ = make_plan(CORPUS, until=until, training=TrainingConfig(patience=asked))
    assert plan.training.patience == patience
    assert plan.until == (until or Epochs(planned_epochs(len(CORPUS) - plan.hold_out)))


@pytest.mark.parametrize("until", [Epochs(3), Minutes(1.5)])
def test_a_plan_is_read_from_a_checkpoint_as_it_was_written(until: Epochs | Minutes) -> None:
    plan, _ = make_plan(CORPUS, until=until, training=TrainingConfig(rng_seed=4))
    again = Plan.from_meta(json.loads(json.dumps(plan.to_meta())), CORPUS)
    assert (again.model, again.training, again.until) == (plan.model, plan.training, until)


def test_a_checkpoint_that_leaves_the_patience_open_is_read_with_the_usual_one() -> None:
    meta = make_plan(CORPUS, until=Epochs(3))[0].to_meta()
    meta["training"]["patience"] = None
    assert Plan.from_meta(meta, CORPUS).training.patience == 5


def test_a_longer_time_reads_the_text_more_often_with_more_dropout() -> None:
    short, long = (make_plan(CORPUS, until=Minutes(minutes))[0].model.dropout for minutes in (0.1, 60.0))
    assert (short, long) == (0.0, 0.3)
