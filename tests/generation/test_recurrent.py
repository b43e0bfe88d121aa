import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from tests.conftest import kernel_for, random_weights
from textgen.config import ModelConfig
from textgen.generation.compiled import Compiled, prepare
from textgen.generation.recurrent import Network, Recurrent
from textgen.kernel import library
from textgen.model_file import Weights

SHAPES = [(1, 10), (2, 10), (3, 10), (1, 7), (2, 7), (2, 16)]  # layers and units: odd, even, and whole vectors


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -x))


def naive(weights: Weights, codes: list[int]) -> np.ndarray:
    """The textbook's LSTM in float64, gate by gate: the logits after each code, (N, V)."""
    states = [(np.zeros(lstm.recurrent.shape[0]),) * 2 for lstm in weights.lstms]
    rows = []
    for code in codes:
        x = weights.embedding[code].astype(np.float64)
        for layer, (weight, recurrent, bias) in enumerate(weights.lstms):
            h, c = states[layer]
            i, f, g, o = np.split(x @ weight + h @ recurrent + bias, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            x = sigmoid(o) * np.tanh(c)
            states[layer] = (x, c)
        rows.append(x @ weights.head + weights.head_bias)
    return np.array(rows)


def some_weights(layers: int = 2, units: int = 10, symbols: int = 7, *, scale: float = 1) -> Weights:
    return Weights.from_list(random_weights(ModelConfig(layers, units, 0.0, 6), symbols, scale=0.3 * scale))


def compiled(level: str) -> Callable[[Weights], Network]:
    """What makes a network for the kernel of a level."""
    return lambda weights: Compiled(weights, kernel_for(level))


both = pytest.mark.parametrize("made", [Recurrent, *map(compiled, library.LEVELS)], ids=["NumPy", *library.LEVELS])


@both
@pytest.mark.parametrize(("layers", "units"), SHAPES)
@pytest.mark.parametrize("symbols", [1, 7, 40, 64])
def test_steps_agree_with_the_textbook(
    made: Callable[[Weights], Network], layers: int, units: int, symbols: int
) -> None:
    weights = some_weights(layers, units, symbols)
    codes = np.random.default_rng(1).integers(0, symbols, 60)
    network = made(weights)
    state = network.start()
    logits = [network.step(np.array([code]), state)[0].copy() for code in codes]
    np.testing.assert_allclose(logits, naive(weights, codes.tolist()), atol=1e-5)


@both
def test_sums_of_any_size_shut_or_open_the_gates(made: Callable[[Weights], Network]) -> None:
    weights = some_weights(scale=100)  # sums far beyond where the exponential overflows
    codes = np.random.default_rng(1).integers(0, 7, 60)
    network = made(weights)
    state = network.start()
    logits = [network.step(np.array([code]), state)[0].copy() for code in codes]
    expected = naive(weights, codes.tolist())
    np.testing.assert_allclose(logits, expected, atol=1e-4 * np.abs(expected).max())


@both
@pytest.mark.parametrize("streams", [3, 4, 9])
def test_streams_do_not_disturb_each_other(made: Callable[[Weights], Network], streams: int) -> None:
    network = made(some_weights())
    together, codes = network.start(streams), np.random.default_rng(1).integers(0, 7, (30, streams))
    alone = [network.start() for _ in range(streams)]
    for row in codes:
        joint = network.step(row, together)
        for stream, state in enumerate(alone):
            np.testing.assert_allclose(joint[stream], network.step(row[stream : stream + 1], state)[0], atol=1e-5)


@both
def test_advancing_is_a_step_without_a_prediction(made: Callable[[Weights], Network]) -> None:
    network = made(some_weights())
    one, two = network.start(5), network.start(5)
    for row in np.random.default_rng(1).integers(0, 7, (30, 5)):
        network.step(row, one)
        network.advance(row, two)
    np.testing.assert_array_equal(one.outputs, two.outputs)
    np.testing.assert_array_equal(one.cells, two.cells)
    assert one.logits.any()
    assert not two.logits.any()


@both
def test_a_caller_may_set_the_state(made: Callable[[Weights], Network]) -> None:
    network = made(some_weights())
    one, three = network.start(), network.start(3)
    network.step(np.array([2]), one)
    three.outputs[:], three.cells[:] = one.outputs, one.cells
    np.testing.assert_allclose(
        network.step(np.array([5, 5, 5]), three), network.step(np.array([5]), one).repeat(3, axis=0), atol=1e-6
    )


@both
def test_a_network_can_be_sent_to_another_process(made: Callable[[Weights], Network]) -> None:
    network = made(some_weights())
    sent = pickle.loads(pickle.dumps(network))
    for one, other in ((network, sent), (network, copy.deepcopy(network))):
        np.testing.assert_array_equal(one.step(np.array([1]), one.start()), other.step(np.array([1]), other.start()))


@both
def test_a_symbol_that_is_never_written_keeps_its_infinite_bias(made: Callable[[Weights], Network]) -> None:
    weights = some_weights()
    weights.head_bias[3] = -np.inf
    network = made(weights)
    logits = network.step(np.array([1]), network.start())[0]
    assert logits[3] == -np.inf
    assert np.isfinite(np.delete(logits, 3)).all()


@both
def test_codes_out_of_range_are_read_as_the_nearest(made: Callable[[Weights], Network]) -> None:
    network = made(some_weights())
    outside, inside = network.start(2), network.start(2)
    np.testing.assert_array_equal(network.step(np.array([-1, 7]), outside), network.step(np.array([0, 6]), inside))


def test_a_kernel_takes_weights_that_bfloat16_holds() -> None:
    assert isinstance(prepare(some_weights()), Compiled if library.library() else Recurrent)


def test_weights_that_bfloat16_does_not_hold_are_left_to_numpy() -> None:
    weights = some_weights()
    weights.head[2, 3] = 1 + 2.0**-8
    assert isinstance(prepare(weights), Recurrent)


def test_without_a_kernel_numpy_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "library", lambda: None)
    assert isinstance(prepare(some_weights()), Recurrent)
