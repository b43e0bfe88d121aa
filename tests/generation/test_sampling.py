import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.config import SamplingConfig
from textgen.generation.sampling import choose, kept, likelihoods, losses, to_noise

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


def pick(logits: np.ndarray, config: SamplingConfig, seed: int = 0) -> np.ndarray:
    drawn = rng(seed).standard_exponential((1, *logits.shape))
    to_noise(drawn, np.array([config.temperature]))
    return choose(logits, config, drawn[0])


@given(rows, st.sampled_from([0, 1e-320, 1e-300, 1e-12, 1e-3]), st.integers(0, 99))
def test_a_temperature_near_zero_is_argmax(logits: np.ndarray, temperature: float, seed: int) -> None:
    ordered = np.sort(logits[0])
    if len(ordered) > 1 and ordered[-1] - ordered[-2] < 1:
        logits[0, 0] = ordered[-1] + 1
    for filters in ({}, {"top_k": 3, "top_p": 0.5, "min_p": 0.1}):
        assert pick(logits, SamplingConfig(temperature, **filters), seed) == logits.argmax()


def test_huge_logits_and_temperatures_do_not_overflow() -> None:
    logits = np.array([[3e38, -3e38, 0]], np.float32)
    for filters in ({}, {"top_p": 0.9}):
        assert pick(logits, SamplingConfig(0.001, **filters)) == 0
        assert pick(logits, SamplingConfig(100, **filters)) == 0
    assert np.isfinite(likelihoods(logits, 100)).all()


def left(shares: list[float], **filters: float) -> list[int]:
    """The codes that filters leave of some probabilities."""
    logits = np.log(np.array([shares]))
    return np.flatnonzero(kept(logits, SamplingConfig(1.0, **filters))).tolist()  # type: ignore[arg-type]


def test_top_k_keeps_the_k_likeliest_and_the_lower_code_of_equals() -> None:
    assert left([0.2, 0.3, 0.2, 0.3], top_k=3) == [0, 1, 3]
    assert left([0.2, 0.3], top_k=9) == [0, 1]


def test_top_p_keeps_the_fewest_that_reach_the_share() -> None:
    row = [0.1, 0.5, 0.15, 0.25]
    for share, codes in {0.499: [1], 0.51: [1, 3], 0.76: [1, 2, 3], 1.0: [0, 1, 2, 3], 1e-300: [1]}.items():
        assert left(row, top_p=share) == codes
    assert left([0.25, 0.25, 0.25, 0.25], top_p=0.5) == [0, 1]


def test_min_p_keeps_what_is_near_the_likeliest() -> None:
    assert left([0.1, 0.6, 0.299], min_p=0.5) == [1]
    assert left([0.1, 0.6, 0.301], min_p=0.5) == [1, 2]
    assert left([0.1, 0.6, 0.3], min_p=1.0) == [1]


def one_by_one(row: np.ndarray, config: SamplingConfig) -> set[int]:
    """What the filters keep of likelihoods, written as they are described."""
    codes = sorted(range(len(row)), key=lambda code: (-row[code], code))[: config.top_k]
    ordered = np.zeros(len(row))  # NumPy adds in another order where there are fewer numbers
    ordered[: len(codes)] = row[codes]
    if config.top_p is not None:
        before = np.cumsum(ordered) - ordered
        enough = config.top_p * ordered.sum()
        codes = [code for place, code in enumerate(codes) if not place or before[place] < enough]
    return {code for code in codes if row[code] > 0 and row[code] >= (config.min_p or 0)}


@given(
    st.integers(1, 3),
    st.integers(1, 40),
    st.sampled_from([1e-310, 0.01, 0.7, 100]),
    st.one_of(st.none(), st.integers(1, 40)),
    st.one_of(st.none(), st.floats(1e-9, 1)),
    st.one_of(st.none(), st.floats(0, 1)),
    st.booleans(),
    st.integers(0, 9999),
)
def test_the_filters_keep_what_they_say_of_equals_too(
    streams: int,
    symbols: int,
    temperature: float,
    k: int | None,
    p: float | None,
    m: float | None,
    ties: bool,
    seed: int,
) -> None:
    config = SamplingConfig(temperature, k, p, m)
    logits = rng(seed).normal(0, 3, (streams, symbols)).astype(np.float32)
    if ties:
        logits = logits.round()
        logits[rng(seed).random(logits.shape) < 0.2] = -np.inf
        logits[:, 0] = 0
    shares = likelihoods(logits, temperature)
    codes = pick(logits, config, seed)
    for row, code, mask in zip(shares, codes.tolist(), kept(logits, config), strict=True):
        assert set(np.flatnonzero(mask & (row > 0)).tolist()) == one_by_one(row, config)
        assert code in one_by_one(row, config)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_codes_are_drawn_by_their_probabilities(temperature: float) -> None:
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    expected = shares ** (1 / temperature) / (shares ** (1 / temperature)).sum()
    logits = np.tile(np.log(shares).astype(np.float32) + 5, (40_000, 1))
    drawn = np.bincount(pick(logits, SamplingConfig(temperature)), minlength=4) / len(logits)
    np.testing.assert_allclose(drawn, expected, atol=0.012)  # five standard deviations


def test_what_the_filters_leave_is_drawn_by_its_probabilities() -> None:
    logits = np.tile(np.log(np.array([0.1, 0.2, 0.3, 0.4], np.float32)), (40_000, 1))
    drawn = np.bincount(pick(logits, SamplingConfig(1.0, top_k=3, top_p=0.7)), minlength=4) / len(logits)
    np.testing.assert_allclose(drawn, [0, 0, 3 / 7, 4 / 7], atol=0.013)


def test_a_logit_of_minus_infinity_is_never_drawn() -> None:
    logits = np.tile(np.array([[-np.inf, 0.0, -np.inf, 1.0]], np.float32), (2000, 1))
    for config in (SamplingConfig(100), SamplingConfig(0.5, top_p=0.9), SamplingConfig(0), SamplingConfig(1e-320)):
        assert not {0, 2} & set(pick(logits, config).tolist())


def test_equal_logits_give_argmax_the_lowest_code() -> None:
    assert pick(np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 0.0]]), SamplingConfig(0)).tolist() == [1, 0]


def test_the_order_is_temperature_then_top_k_then_top_p_then_min_p() -> None:
    """Of 0.4, 0.3, 0.2, 0.1 the three likeliest are kept, of their sum 0.9 the share 0.7, which two reach."""
    logits = np.log(np.array([[0.4, 0.3, 0.2, 0.1]]))
    assert kept(logits, SamplingConfig(1.0, top_k=3, top_p=0.75)).tolist() == [[True, True, False, False]]
    squared = SamplingConfig(0.2, min_p=0.3)  # twice and more: 0.3 falls under 0.3 of 0.4
    assert kept(logits, squared).tolist() == [[True, False, False, False]]


def test_losses_are_the_cross_entropy() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]], np.float32))
    np.testing.assert_allclose(losses(logits, np.array([1, 2], np.uint8)), -np.log([0.25, 0.8]), rtol=1e-6)
    assert losses(np.array([[1000.0, 0.0]], np.float32), np.array([1], np.uint8))[0] == pytest.approx(1000)
