import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from tests.conftest import random_weights
from textgen.config import ModelConfig, Shape
from textgen.evaluation.score import evaluation_seconds, score, score_cold
from textgen.generation.recurrent import Recurrent
from textgen.model_file import Weights

V = 7
WEIGHTS = Weights.from_list(random_weights(ModelConfig(2, 12, 0.0, 6), V))
CODES = np.random.default_rng(4).integers(0, V, 3000).astype(np.uint8)


def carried(codes: np.ndarray, first: int) -> float:
    """One pass with carried state over the whole text: the mean loss of the characters from `first` on."""
    network = Recurrent(WEIGHTS)
    state, nats = network.start(), []
    for place in range(len(codes) - 1):
        logits = network.step(codes[place : place + 1], state).astype(np.float64)
        if place + 1 >= first:
            nats.append(np.log(np.exp(logits).sum()) - logits[0, codes[place + 1]])
    return float(np.mean(nats))


@pytest.mark.parametrize("first", [0, 1, 2, 100, 300, 2700, 2990, 2999])
def test_parallel_streams_score_as_one_carried_pass(first: int) -> None:
    assert score(WEIGHTS, CODES, first) == pytest.approx(carried(CODES, first), abs=1e-6)


def test_a_text_shorter_than_the_streams_is_scored() -> None:
    for length in (2, 3, 20, 40):
        assert score(WEIGHTS, CODES[:length]) == pytest.approx(carried(CODES[:length], 0), abs=1e-6)


@pytest.mark.parametrize(("length", "first"), [(0, 0), (1, 0), (10, 10)])
def test_where_nothing_can_be_scored_there_is_no_loss(length: int, first: int) -> None:
    assert np.isnan(score(WEIGHTS, CODES[:length], first))


@pytest.mark.parametrize("there", [1, 3, 8, 64])
def test_the_loss_does_not_depend_on_the_cores(there: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {}
    for cores in (2, there):
        monkeypatch.setattr("textgen.generation.batch.cores", lambda cores=cores: cores)
        expected[cores] = score(WEIGHTS, CODES), score_cold(WEIGHTS, CODES)
    assert expected[there] == pytest.approx(expected[2], rel=1e-9)


def test_all_cores_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textgen.generation.batch.cores", lambda: 8)
    started: list[int] = []
    real = ThreadPoolExecutor.submit

    def submit(self: ThreadPoolExecutor, *arguments: Any) -> Any:
        started.append(self._max_workers)
        return real(self, *arguments)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit)
    score(WEIGHTS, CODES)
    assert set(started) == {8}, "eight groups of four streams, on eight threads"


@pytest.mark.parametrize("kernel", [True, False])
def test_the_time_of_a_scoring_is_known_before(kernel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not kernel:
        monkeypatch.setattr("textgen.kernel.library.library", lambda: None)
    shape = Shape(2, 128, 0.0, 64)
    weights = Weights.from_list(random_weights(shape, 50))
    codes = np.random.default_rng(4).integers(0, 50, 8_000).astype(np.uint8)
    ratios = []
    for _ in range(3):
        begun = time.perf_counter()
        score(weights, codes)
        ratios.append((time.perf_counter() - begun) / evaluation_seconds(shape, 50, len(codes)))
    assert 1 / 2 < np.median(ratios) < 2
