"""Keras behind the loop's interface: the states that are carried, and what a checkpoint holds of it."""

import numpy as np
import pytest

from tests.conftest import TEXT
from textgen import Corpus
from textgen.cells import CELLS
from textgen.config import Hyperparameters, Shape
from textgen.training.keras_learner import KerasLearner
from textgen.training.plan import Epochs, Plan

CARRY, BEGIN = np.zeros(4, bool), np.ones(4, bool)


def learner(
    text: str = TEXT * 4, streams: int = 4, dropout: float = 0.0, cell: str = "lstm", **options: float
) -> KerasLearner:
    training = Hyperparameters(
        window=10, batch_size=streams, learning_rate=0.01, patience=None, validation=0.0, rng_seed=1, **options
    )
    return KerasLearner(Plan(Corpus.from_text(text), Shape(2, 8, dropout, 4, cell), training, Epochs(1)))


def window(number: int) -> tuple[np.ndarray, np.ndarray]:
    codes = np.random.default_rng(number).integers(0, 20, (4, 11), np.int32)
    return codes[:, :-1], codes[:, 1:]


@pytest.mark.parametrize("cell", CELLS)
def test_states_are_carried_from_window_to_window_unless_a_stream_begins(cell: str) -> None:
    carrying, fresh = learner(cell=cell), learner(cell=cell)
    carrying.train(*window(0), BEGIN, 0, 0.0)
    state = carrying.state()
    assert all(np.abs(array).max() > 0 for array in state["states"])
    carried = carrying.train(*window(1), CARRY, 1, 0.0)
    carrying.restore(state)
    assert carrying.train(*window(1), BEGIN, 1, 0.0) == fresh.train(*window(1), BEGIN, 0, 0.0) != carried
    carrying.restore(state)
    some = np.array([True, False, True, False])
    assert carrying.train(*window(1), some, 1, 0.0) not in (carried, fresh.train(*window(1), BEGIN, 1, 0.0))


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_restored_goes_on_bit_for_bit(cell: str) -> None:
    first, second = learner(dropout=0.3, cell=cell), learner(dropout=0.3, cell=cell)
    for number in range(3):
        first.train(*window(number), CARRY, number, 0.01)
    second.restore(first.state())
    losses = [[each.train(*window(number), CARRY, number, 0.01) for number in (3, 4)] for each in (first, second)]
    assert losses[0] == losses[1]
    for one, other in zip(first.kept(), second.kept(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_decay_as_the_plan_says() -> None:
    rate, before = 0.5, learner().state()["weights"]
    usual, none = learner(), learner(weight_decay=0.0)
    for each in (usual, none):
        each.train(*window(0), BEGIN, 0, rate)
    for start, one, other in zip(before, usual.state()["weights"], none.state()["weights"], strict=True):
        np.testing.assert_allclose(other - one, 0.1 * rate * start, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "streams"), [("a" * 100, 4), (TEXT, 1), (TEXT * 2, 7)], ids=["symbol", "stream", "batch"]
)
def test_one_symbol_one_stream_and_odd_batches_train(text: str, streams: int) -> None:
    codes = np.zeros((streams, 10), np.int32)
    loss = learner(text, streams).train(codes, codes, np.ones(streams, bool), 0, 0.01)
    assert loss == pytest.approx(np.log(len(set(text))), abs=0.1)
