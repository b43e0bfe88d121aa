import itertools

import pytest

from textgen.config import ModelConfig, Shape, TrainingConfig
from textgen.training.recipe import FLOOR, complete, learning_rate, planned_epochs


def test_what_is_given_stays_and_what_is_open_is_filled() -> None:
    model, training, notes = complete(
        ModelConfig(dropout=0.0, embedding=7),
        TrainingConfig(batch_size=5, learning_rate=0.5, rng_seed=0),
        characters=100_000,
        symbols=60,
        epochs=3.0,
    )
    assert (model.dropout, model.embedding) == (0.0, 7)
    assert (training.batch_size, training.learning_rate, training.rng_seed) == (5, 0.5, 0)
    assert notes == []
    model, training, notes = complete(ModelConfig(), TrainingConfig(), characters=10**6, symbols=60, epochs=1.0)
    assert model == Shape(2, 300, 0.0, 64)
    assert None not in (model.dropout, model.embedding, training.batch_size, training.learning_rate, training.rng_seed)
    assert notes == []


def test_a_short_text_gets_fewer_streams_and_says_so_when_asked_for_more() -> None:
    _, training, notes = complete(ModelConfig(), TrainingConfig(batch_size=32), characters=499, symbols=60, epochs=1.0)
    assert training.batch_size == 9
    assert notes == ["the text is too short for batch size 32; 9 is used"]
    _, training, notes = complete(ModelConfig(), TrainingConfig(), characters=90, symbols=60, epochs=1.0)
    assert (training.batch_size, notes) == (1, [])


def test_a_short_text_is_read_in_fewer_streams() -> None:
    sizes = [
        complete(ModelConfig(), TrainingConfig(), characters=characters, symbols=60, epochs=9.0)[1].batch_size
        for characters in (30_000, 49_999, 50_000, 10**6)
    ]
    assert sizes == [8, 8, 16, 16]


def test_a_long_text_is_learnt_at_a_lower_rate() -> None:
    rates = [
        complete(ModelConfig(), TrainingConfig(), characters=characters, symbols=60, epochs=1.0)[1].learning_rate
        for characters in (30_000, 10**6, 3 * 10**6, 10**7)
    ]
    assert rates == [0.01, 0.01, 0.007, 0.007]


def test_more_is_dropped_the_more_often_a_text_is_read() -> None:
    rates = [
        complete(ModelConfig(), TrainingConfig(), characters=10**6, symbols=60, epochs=epochs)[0].dropout
        for epochs in (0.3, 3.9, 4.0, 8.9, 9.0, 40.0)
    ]
    assert rates == [0.0, 0.0, 0.1, 0.1, 0.3, 0.3]


def test_the_weights_of_a_short_text_decay_faster_but_not_those_of_a_model_that_is_trained_further() -> None:
    def decay(characters: int, given: float | None = None, *, fine_tuning: bool = False) -> float:
        config = TrainingConfig(weight_decay=given)
        return complete(ModelConfig(), config, characters=characters, symbols=60, epochs=9.0, fine_tuning=fine_tuning)[
            1
        ].weight_decay

    assert [decay(30_000), decay(299_999), decay(300_000), decay(10**6)] == [0.3, 0.3, 0.1, 0.1]
    assert decay(30_000, fine_tuning=True) == 0.1
    assert [decay(30_000, 0.2), decay(10**6, 0.0)] == [0.2, 0.0]


def test_small_texts_are_read_more_often() -> None:
    epochs = [planned_epochs(characters) for characters in (100, 30_000, 100_000, 1_000_000, 10**9)]
    assert epochs == sorted(epochs, reverse=True)
    assert epochs[0] <= 40
    assert epochs[-1] >= 2


def test_the_learning_rate_rises_then_falls_along_a_cosine() -> None:
    rates = [learning_rate(0.01, step, 1000) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01 / 50)
    assert rates[49] == max(rates) == pytest.approx(0.01)
    assert rates[525] == pytest.approx(0.01 * (1 + FLOOR) / 2)
    assert rates[1000] == pytest.approx(0.01 * FLOOR)
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[50:]))


def test_the_learning_rate_of_a_short_plan_rises_quickly() -> None:
    assert learning_rate(0.01, 0, 5) == 0.01
    assert learning_rate(0.01, 10, 100) == pytest.approx(0.01)


def test_a_plain_rnn_learns_at_a_lower_rate() -> None:
    usual = (TrainingConfig(), {"characters": 10**6, "symbols": 60, "epochs": 1.0})
    rates = [complete(ModelConfig(cell=cell), usual[0], **usual[1])[1].learning_rate for cell in ("lstm", "gru", "rnn")]
    assert rates == pytest.approx([1e-2, 1e-2, 3e-3])
