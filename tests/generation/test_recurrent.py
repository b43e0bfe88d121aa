import numpy as np
import pytest

from tests.conftest import random_weights
from textgen.config import ModelConfig
from textgen.generation.recurrent import Recurrent
from textgen.model_file import Weights


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def naive(weights: Weights, codes: list[int]) -> np.ndarray:
    """The textbook's LSTM in float64, gate by gate: the logits after each code, (N, V)."""
    states = [(np.zeros(lstm.recurrent.shape[0]),) * 2 for lstm in weights.lstms]
    rows = []
    for code in codes:
        x = weights.embedding[code].astype(np.float64)
        for layer, (kernel, recurrent, bias) in enumerate(weights.lstms):
            h, c = states[layer]
            i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            x = sigmoid(o) * np.tanh(c)
            states[layer] = (x, c)
        rows.append(x @ weights.head + weights.head_bias)
    return np.array(rows)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_steps_agree_with_the_textbook(layers: int) -> None:
    weights = Weights.from_list(random_weights(ModelConfig(layers, 10, 0.0, 6), 7))
    codes = np.random.default_rng(1).integers(0, 7, 60)
    network = Recurrent(weights)
    state = network.start()
    logits = [network.step(np.array([code]), state)[0].copy() for code in codes]
    np.testing.assert_allclose(logits, naive(weights, codes.tolist()), atol=1e-5)


def test_streams_do_not_disturb_each_other() -> None:
    weights = Weights.from_list(random_weights(ModelConfig(2, 10, 0.0, 6), 7))
    network = Recurrent(weights)
    together, codes = network.start(3), np.random.default_rng(1).integers(0, 7, (30, 3))
    alone = [network.start() for _ in range(3)]
    for row in codes:
        joint = network.step(row, together)
        for stream, state in enumerate(alone):
            np.testing.assert_allclose(joint[stream], network.step(row[stream : stream + 1], state)[0], atol=1e-5)
