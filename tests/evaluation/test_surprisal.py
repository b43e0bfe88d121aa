import math
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import random_weights
from textgen.config import ModelConfig, Shape
from textgen.evaluation import surprisal
from textgen.evaluation.surprisal import cross_entropy, detailed, evaluation_seconds, scaled_halves, surprisals
from textgen.generation.compiled import Compiled, prepare
from textgen.generation.recurrent import Recurrent
from textgen.generation.sampling import losses
from textgen.model_file import Weights

V = 7
WEIGHTS = Weights.from_list(random_weights(ModelConfig(2, 12, 0.0, 6), V))
CODES = np.random.default_rng(4).integers(0, V, 3000).astype(np.uint8)
FIRSTS = [0, 1, 2, 100, 300, 2700, 2990, 2999]


def distributions(codes: np.ndarray, weights: Weights = WEIGHTS) -> np.ndarray:
    """One pass over the whole text: log2 of the probabilities of each character but the first, float64 `(N - 1, V)`."""
    network = Recurrent(weights)
    state, found = network.start(), []
    for code in codes[:-1]:
        logits = network.step(code[None], state)[0].astype(np.float64)
        found.append((logits - np.log(np.exp(logits).sum())) / math.log(2))
    return np.array(found)


def one_pass(codes: np.ndarray, first: int) -> np.ndarray:
    """The bits of the characters from `first` on, but for the text's first, of one pass."""
    bits = -distributions(codes)[np.arange(len(codes) - 1), codes[1:]]
    return bits[max(first, 1) - 1 :]


def stretch_by_stretch(first: int, bounds: list[int], read_in: int) -> float:
    """The mean loss of neighbouring stretches, each read alone, added up character by character."""
    network, nats = prepare(WEIGHTS), 0.0
    for start, end in pairwise(bounds):
        state = network.start()
        for place in range(max(0, start - read_in), end - 1):
            logits = network.step(CODES[place : place + 1], state)
            if place + 1 >= start:
                nats += losses(logits, CODES[place + 1 : place + 2]).item()
    return nats / (len(CODES) - max(first, 1))


@pytest.mark.parametrize("first", FIRSTS)
def test_each_character_has_the_bits_of_one_pass(first: int) -> None:
    found = surprisals(WEIGHTS, CODES, first)
    assert (found.shape, found.dtype) == ((3000 - first,), np.float32)
    if not first:
        assert np.isnan(found[0]), "nothing predicts a text's first character"
        found = found[1:]
    np.testing.assert_allclose(found, one_pass(CODES, first), atol=1e-4)


@pytest.mark.parametrize("first", FIRSTS)
def test_the_mean_is_the_loss_of_the_carried_protocol(first: int) -> None:
    start = max(first, 1)
    count = max(2, (3000 - start) // 512 // 2 * 2) if first < 2999 else 1
    bounds = np.linspace(start, 3000, count + 1).astype(int).tolist()
    nats = cross_entropy(WEIGHTS, CODES, first)
    assert nats == pytest.approx(stretch_by_stretch(first, bounds, 512), rel=1e-9)
    blocks = list(detailed(WEIGHTS, CODES, first))
    assert np.nanmean(np.concatenate([block.bits for block in blocks])) * math.log(2) == pytest.approx(nats, rel=1e-9)
    assert np.nanmean(surprisals(WEIGHTS, CODES, first)) * math.log(2) == pytest.approx(nats, rel=1e-6)


@pytest.mark.parametrize("context", [1, 64, 2999, 10_000])
def test_the_mean_is_the_loss_of_the_cold_protocol(context: int) -> None:
    bounds = [*range(2, 3000, context), 3000]
    nats = cross_entropy(WEIGHTS, CODES, 2, protocol="cold", context=context)
    assert nats == pytest.approx(stretch_by_stretch(2, bounds, 1), rel=1e-9)
    bits = [block.bits for block in detailed(WEIGHTS, CODES, 2, protocol="cold", context=context)]
    assert np.concatenate(bits).mean() * math.log(2) == pytest.approx(nats, rel=1e-9)


def test_short_texts_are_read() -> None:
    for length in (2, 3, 20, 40):
        np.testing.assert_allclose(surprisals(WEIGHTS, CODES[:length])[1:], one_pass(CODES[:length], 0), atol=1e-4)


@pytest.mark.parametrize(("length", "first"), [(0, 0), (1, 0), (10, 10)])
def test_where_nothing_is_predicted_there_are_no_bits(length: int, first: int) -> None:
    codes = CODES[:length]
    assert np.isnan(cross_entropy(WEIGHTS, codes, first))
    assert np.isnan(cross_entropy(WEIGHTS, codes, first, protocol="cold"))
    assert np.isnan(surprisals(WEIGHTS, codes, first)).all()
    assert sum(len(block) for block in detailed(WEIGHTS, codes, first)) == length - first


def test_rank_entropy_and_the_likeliest_are_those_of_the_distribution() -> None:
    blocks = list(detailed(WEIGHTS, CODES, likeliest=3))
    assert [block.start for block in blocks] == np.cumsum([0, *(len(block) for block in blocks[:-1])]).tolist()
    first, *_ = blocks
    assert (first.start, len(first), int(first.rank[0])) == (0, 1, 0)
    assert np.isnan([first.bits[0], first.entropy[0], *first.likeliest_bits[0]]).all()
    shares = distributions(CODES)
    order = np.argsort(-shares, axis=1, kind="stable")
    rank, entropy, likeliest, bits = (
        np.concatenate([getattr(block, name) for block in blocks[1:]])
        for name in ("rank", "entropy", "likeliest", "likeliest_bits")
    )
    assert [array.dtype for array in (rank, entropy, likeliest, bits)] == [np.int32, np.float32, np.int32, np.float32]
    np.testing.assert_array_equal(rank, np.argmax(order == CODES[1:, None], axis=1) + 1)
    np.testing.assert_allclose(entropy, -(np.exp2(shares) * shares).sum(axis=1), atol=1e-4)
    np.testing.assert_array_equal(likeliest, order[:, :3])
    np.testing.assert_allclose(bits, -np.take_along_axis(shares, order[:, :3], axis=1), atol=1e-4)


def test_equally_likely_characters_rank_in_the_order_of_codes_and_what_cannot_come_last() -> None:
    zeros = [np.zeros_like(array) for array in random_weights(ModelConfig(1, 2, 0.0, 2), 4)]
    zeros[-1][2] = -np.inf  # the symbol that replaces rare characters
    *_, block = detailed(Weights.from_list(zeros), np.array([0, 3, 2, 1, 0], np.uint8), likeliest=9)
    assert block.rank.tolist()[-2:] == [2, 1]
    assert block.likeliest[-1].tolist() == [0, 1, 3, 2]
    np.testing.assert_allclose(block.entropy, math.log2(3), rtol=1e-6)
    np.testing.assert_allclose(block.likeliest_bits[-1, :3], math.log2(3), rtol=1e-6)
    assert block.likeliest_bits[-1, 3] == np.inf
    codes = np.array([0, 2, 1], np.uint8)
    assert surprisals(Weights.from_list(zeros), codes)[1] == np.inf
    assert np.concatenate([part.rank for part in detailed(Weights.from_list(zeros), codes)])[1] == 4


@given(st.integers(0, 10**10))
def test_a_text_is_cut_evenly_into_stretches_that_fit_into_memory(characters: int) -> None:
    count = surprisal._streams(characters)
    assert count <= characters or not characters
    assert characters <= count * surprisal.LONGEST
    assert count < 2 or count % 2 == 0, "two halves"
    assert count <= 32 or (count % 32 == 0 and characters / count > surprisal.LONGEST / 3), "rounds are full"


@pytest.mark.parametrize("protocol", ["carried", "cold"])
def test_memory_does_not_grow_with_the_text(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surprisal, "LONGEST", 64)
    monkeypatch.setattr(surprisal, "READ_IN", 8)
    codes, peaks = np.tile(CODES, 20), []
    for length in (9_000, 27_000):
        tracemalloc.start()
        for block in detailed(WEIGHTS, codes[:length], protocol=protocol, context=64):
            assert len(block) <= 64
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + 100_000


@pytest.mark.parametrize("there", [1, 3, 8, 64])
def test_the_bits_do_not_depend_on_the_cores(there: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for cores in (2, there):
        monkeypatch.setattr("textgen.generation.batch.cores", lambda cores=cores: cores)
        found[cores] = (
            surprisals(WEIGHTS, CODES),
            surprisals(WEIGHTS, CODES, protocol="cold", context=50),
            scaled_halves(WEIGHTS, CODES, 1, [0.5, 1.5]),
        )
    kernel = isinstance(prepare(WEIGHTS), Compiled)
    for numbers, expected in zip(found[there], found[2], strict=True):  # in NumPy, by the rounding of BLAS
        np.testing.assert_allclose(numbers, expected, rtol=0 if kernel else 1e-5)


def test_all_cores_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textgen.generation.batch.cores", lambda: 8)
    started: list[int] = []
    real = ThreadPoolExecutor.submit

    def submit(self: ThreadPoolExecutor, *arguments: Any) -> Any:
        started.append(self._max_workers)
        return real(self, *arguments)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit)
    surprisals(WEIGHTS, CODES)
    assert set(started) == {8}, "eight groups of four streams, on eight threads"


@pytest.mark.parametrize("kernel", [True, False])
def test_the_time_of_an_evaluation_is_known_before(kernel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not kernel:
        monkeypatch.setattr("textgen.kernel.library.library", lambda: None)
    shape = Shape(2, 128, 0.0, 64)
    weights = Weights.from_list(random_weights(shape, 50))
    codes = np.random.default_rng(4).integers(0, 50, 8_000).astype(np.uint8)
    ratios = []
    for _ in range(7):
        begun = time.perf_counter()
        cross_entropy(weights, codes)
        ratios.append((time.perf_counter() - begun) / evaluation_seconds(shape, 50, len(codes)))
    assert 1 / 2 < np.median(ratios) < 2


def test_details_do_not_depend_on_how_many_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = list(detailed(WEIGHTS, CODES[:500], 1, likeliest=4))[:1]
    monkeypatch.setattr("textgen.evaluation.details.HELD", 5 * V)
    (found,) = list(detailed(WEIGHTS, CODES[:500], 1, likeliest=4))[:1]
    for name in ("bits", "rank", "entropy", "likeliest", "likeliest_bits"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
