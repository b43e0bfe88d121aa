import numpy as np
import pytest

from textgen.evaluation.bootstrap import half_widths


def correlated(length: int, rho: float, rng: np.random.Generator) -> np.ndarray:
    """An autoregressive series of order 1 with mean 0."""
    values = rng.standard_normal(length)
    values[0] /= np.sqrt(1 - rho**2)
    for place in range(1, length):
        values[place] += rho * values[place - 1]
    return values


@pytest.mark.parametrize(("length", "rho", "block"), [(1000, 0.0, 50), (1000, 0.9, 50), (4000, 0.9, 200)])
def test_the_interval_covers_the_true_mean_in_95_of_100_texts(length: int, rho: float, block: int) -> None:
    rng, unit = np.random.default_rng(1), block // 4
    sizes = np.full(length // unit, unit)
    covered = 0
    for _ in range(200):
        values = correlated(length, rho, rng)[: len(sizes) * unit].reshape(-1, unit).sum(axis=1)
        covered += abs(values.mean()) / unit <= half_widths(values[None], sizes, block)[0]
    assert 0.91 <= covered / 200 <= 0.99


def test_single_draws_would_cover_too_little_of_a_correlated_text() -> None:
    rng, sizes, covered = np.random.default_rng(1), np.full(500, 1), 0
    for _ in range(40):
        values = correlated(500, 0.9, rng)
        covered += abs(values.mean()) <= half_widths(values[None], sizes, 1)[0]
    assert covered < 26


def test_independent_values_have_the_textbook_interval() -> None:
    values = np.random.default_rng(0).standard_normal((2, 4000))
    found = half_widths(values, np.full(4000, 1), 1)
    assert found == pytest.approx(1.96 * values.std(axis=1) / np.sqrt(4000), rel=0.05)


def test_stretches_of_different_sizes_are_weighed() -> None:
    sizes = np.random.default_rng(0).integers(1, 9, 400)
    assert half_widths(sizes[None] * 0.5, sizes, 40)[0] == pytest.approx(0, abs=1e-12)


def test_less_than_two_blocks_tell_nothing() -> None:
    assert half_widths(np.ones((2, 7)), np.full(7, 5), 20).tolist() == [np.inf, np.inf]


def test_the_same_text_has_the_same_interval() -> None:
    values = np.random.default_rng(0).standard_normal((1, 100))
    assert half_widths(values, np.full(100, 1), 5) == half_widths(values, np.full(100, 1), 5)
