import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.config import SamplingConfig
from textgen.generation.sampling import argmax, choose, draw, likelihoods, min_p, top_k, top_p

rows = st.lists(st.floats(-80, 80, width=32), min_size=1, max_size=12).map(lambda row: np.array([row], np.float32))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def shares(row: np.ndarray) -> list[float]:
    return (row / row.sum(axis=-1, keepdims=True)).round(6).tolist()


def test_likelihoods_are_the_softmax_up_to_a_factor() -> None:
    logits = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]], np.float32))
    assert shares(likelihoods(logits)) == [[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]]
    assert likelihoods(logits).dtype == np.float64
    assert shares(likelihoods(logits, 0.5))[0] == [round(x / 0.54, 6) for x in (0.01, 0.04, 0.49)]


@given(rows, st.sampled_from([1e-320, 1e-300, 1e-12, 1e-3]))
def test_a_temperature_near_zero_is_argmax(logits: np.ndarray, temperature: float) -> None:
    ordered = np.sort(logits[0])
    if len(ordered) > 1 and ordered[-1] - ordered[-2] < 1:
        logits[0, 0] = ordered[-1] + 1
    config = SamplingConfig(temperature=temperature)
    assert choose(logits, config, rng=rng()) == argmax(logits) == choose(logits, SamplingConfig(0), rng=rng())


def test_huge_logits_and_temperatures_do_not_overflow() -> None:
    logits = np.array([[3e38, -3e38, 0]], np.float32)
    assert choose(logits, SamplingConfig(0.001), rng=rng()) == 0
    assert np.isfinite(likelihoods(logits, 100)).all()


def test_top_k_keeps_the_k_likeliest_and_the_lower_code_of_equals() -> None:
    assert top_k(np.array([[0.2, 0.3, 0.2, 0.3]]), 3).tolist() == [[0.2, 0.3, 0, 0.3]]
    assert top_k(np.array([[0.2, 0.3]]), 9).tolist() == [[0.2, 0.3]]


def test_top_p_keeps_the_fewest_that_reach_the_share() -> None:
    row = np.array([[0.1, 0.5, 0.15, 0.25]])
    assert top_p(row, 0.5).tolist() == [[0, 0.5, 0, 0]]
    assert top_p(row, 0.51).tolist() == [[0, 0.5, 0, 0.25]]
    assert top_p(3 * row, 0.76).tolist() == (3 * np.array([[0, 0.5, 0.15, 0.25]])).tolist()
    assert top_p(row, 1.0).tolist() == row.tolist()
    assert top_p(row, 1e-300).tolist() == [[0, 0.5, 0, 0]]


def test_min_p_keeps_what_is_near_the_likeliest() -> None:
    assert min_p(np.array([[0.1, 0.6, 0.3]]), 0.5).tolist() == [[0, 0.6, 0.3]]
    assert min_p(np.array([[0.1, 0.6, 0.3]]), 1.0).tolist() == [[0, 0.6, 0]]


@given(rows, st.integers(1, 12), st.floats(0.01, 1), st.floats(0, 1), st.integers(0, 99))
def test_whatever_the_filters_the_draw_is_of_what_they_keep(
    logits: np.ndarray, k: int, p: float, m: float, seed: int
) -> None:
    config = SamplingConfig(0.7, k, p, m)
    kept = min_p(top_p(top_k(likelihoods(logits, 0.7), k), p), m)
    code = choose(logits, config, rng=rng(seed))
    assert code.shape == (1,)
    assert kept[0, code[0]] > 0


def test_one_row_and_many_are_drawn_by_their_shares() -> None:
    row = np.array([0.0, 1.0, 0.0, 3.0, 0.0])
    generator = rng()
    one = np.bincount([draw(row[None], rng=generator)[0] for _ in range(4000)], minlength=5) / 4000
    many = np.bincount(draw(np.tile(row, (4000, 1)), rng=generator), minlength=5) / 4000
    for counted in (one, many):
        np.testing.assert_allclose(counted, [0, 0.25, 0, 0.75, 0], atol=0.03)


def test_one_row_and_the_first_of_many_are_drawn_alike() -> None:
    row = rng(1).random(20)
    for seed in range(50):
        assert draw(row[None], rng=rng(seed))[0] == draw(np.stack([row, row]), rng=rng(seed))[0]


def test_equal_logits_give_argmax_the_lowest_code() -> None:
    assert argmax(np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 0.0]])).tolist() == [1, 0]


@pytest.mark.parametrize("last", [0.0, 1e-300])
def test_the_greatest_draw_takes_the_last_symbol_that_can_be_drawn(last: float) -> None:
    class Greatest(np.random.Generator):
        def random(self, size: int) -> np.ndarray:  # type: ignore[override]
            return np.full(size, 1 - 2**-53)

    greatest = Greatest(np.random.PCG64(0))
    for scale in rng().random(200):
        rows = np.array([[0.3, 0.4, last]]) * scale
        assert draw(rows, rng=greatest)[0] == 1
        assert draw(np.repeat(rows, 2, axis=0), rng=greatest).tolist() == [1, 1]
