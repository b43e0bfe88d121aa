import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.conftest import kernel_for, random_weights
from textgen.cells import CELLS
from textgen.config import Shape
from textgen.generation.compiled import Compiled, prepare
from textgen.generation.recurrent import Network, Recurrent
from textgen.kernel import library
from textgen.model_file import LayerWeights, Weights

SHAPES = [(1, 10), (2, 10), (3, 10), (1, 7), (2, 7), (2, 16)]  # layers and units: odd, even, and whole vectors


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -x))


def lstm(x: np.ndarray, layer: LayerWeights, h: np.ndarray, c: np.ndarray) -> list[np.ndarray]:
    i, f, g, o = np.split(x @ layer.kernel + h @ layer.recurrent + layer.bias, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru(x: np.ndarray, layer: LayerWeights, h: np.ndarray) -> list[np.ndarray]:
    of_input, of_output = layer.bias
    one, other = np.split(x @ layer.kernel + of_input, 3), np.split(h @ layer.recurrent + of_output, 3)
    z, r = sigmoid(one[0] + other[0]), sigmoid(one[1] + other[1])
    return [z * h + (1 - z) * np.tanh(one[2] + r * other[2])]


def rnn(x: np.ndarray, layer: LayerWeights, h: np.ndarray) -> list[np.ndarray]:
    return [np.tanh(x @ layer.kernel + h @ layer.recurrent + layer.bias)]


TEXTBOOK = {"lstm": (lstm, 2), "gru": (gru, 1), "rnn": (rnn, 1)}  # and what a layer remembers


def naive(weights: Weights, codes: list[int], cell: str = "lstm") -> np.ndarray:
    """The textbook's step in float64, gate by gate: the logits after each code, (N, V)."""
    step, number = TEXTBOOK[cell]
    states = [[np.zeros(layer.recurrent.shape[0])] * number for layer in weights.layers]
    rows = []
    for code in codes:
        x = weights.embedding[code].astype(np.float64)
        for place, layer in enumerate(weights.layers):
            states[place] = step(x, layer, *states[place])
            x = states[place][0]
        rows.append(x @ weights.head + weights.head_bias)
    return np.array(rows)


def some_weights(
    layers: int = 2, units: int = 10, symbols: int = 7, *, scale: float = 1, cell: str = "lstm"
) -> Weights:
    return Weights.from_list(random_weights(Shape(layers, units, 0.0, 6, cell), symbols, scale=0.3 * scale))


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


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("layers", "units"), SHAPES)
def test_steps_of_every_cell_agree_with_the_textbook(cell: str, layers: int, units: int) -> None:
    weights = some_weights(layers, units, cell=cell)
    assert weights.cell is CELLS[cell]
    codes = np.random.default_rng(1).integers(0, 7, 60)
    network = Recurrent(weights)
    state = network.start()
    logits = [network.step(np.array([code]), state)[0].copy() for code in codes]
    np.testing.assert_allclose(logits, naive(weights, codes.tolist(), cell), atol=1e-5)


@both
def test_sums_of_any_size_shut_or_open_the_gates(made: Callable[[Weights], Network]) -> None:
    weights = some_weights(scale=100)  # sums far beyond where the exponential overflows
    codes = np.random.default_rng(1).integers(0, 7, 60)
    network = made(weights)
    state = network.start()
    logits = [network.step(np.array([code]), state)[0].copy() for code in codes]
    expected = naive(weights, codes.tolist())
    np.testing.assert_allclose(logits, expected, atol=1e-4 * np.abs(expected).max())


def each_alone(network: Network, codes: np.ndarray) -> np.ndarray:
    """The logits `(N, B, V)` after each of the codes `(N, B)` of B texts, of which none is beside another."""
    states = [network.start() for _ in codes[0]]
    return np.array(
        [[network.step(row[text : text + 1], state)[0].copy() for text, state in enumerate(states)] for row in codes]
    )


@pytest.mark.parametrize("level", library.LEVELS)
@pytest.mark.parametrize(("layers", "units", "symbols"), [(1, 7, 33), (2, 33, 65), (3, 16, 40), (2, 40, 20)])
def test_a_text_is_the_same_bit_for_bit_in_any_row_beside_any_number_of_others(
    level: str, layers: int, units: int, symbols: int
) -> None:
    network = compiled(level)(some_weights(layers, units, symbols))
    codes = np.random.default_rng(1).integers(0, symbols, (6, 70))
    alone = each_alone(network, codes)
    state = network.start(70)
    for rows in range(1, 71):
        state.resize(rows)
        state.reset(slice(None))
        for row, expected in zip(codes, alone, strict=True):
            assert network.step(row[:rows], state).tobytes() == expected[:rows].tobytes()
    order = np.random.default_rng(2).permutation(70)
    state.reset(slice(None))
    for row, expected in zip(codes, alone, strict=True):
        assert network.step(row[order], state).tobytes() == expected[order].tobytes()


@pytest.mark.parametrize("level", library.LEVELS)
def test_a_text_is_the_same_bit_for_bit_on_any_number_of_threads(level: str) -> None:
    network = compiled(level)(some_weights(units=33))
    codes = np.random.default_rng(1).integers(0, 7, (200, 12))
    alone = each_alone(network, codes)
    parts = [slice(0, 1), slice(1, 3), slice(3, 6), slice(6, 12)]

    def write(part: slice) -> np.ndarray:
        state = network.start(part.stop - part.start)
        return np.array([network.step(row, state).copy() for row in codes[:, part]])

    with ThreadPoolExecutor(len(parts)) as pool:
        for part, logits in zip(parts, pool.map(write, parts), strict=True):
            assert logits.tobytes() == alone[:, part].tobytes()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("streams", [2, 3, 4, 9, 33])
def test_in_numpy_texts_are_the_same_but_for_rounding(streams: int, cell: str) -> None:
    network = Recurrent(some_weights(cell=cell))
    together, codes = network.start(streams), np.random.default_rng(1).integers(0, 7, (30, streams))
    for row, expected in zip(codes, each_alone(network, codes), strict=True):
        np.testing.assert_allclose(network.step(row, together), expected, atol=1e-5)


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
def test_rows_come_and_go_as_if_each_were_a_text_of_its_own(made: Callable[[Weights], Network]) -> None:
    rows_come_and_go(made, "lstm")


@pytest.mark.parametrize("cell", CELLS)
def test_rows_of_every_cell_come_and_go(cell: str) -> None:
    rows_come_and_go(Recurrent, cell)


def rows_come_and_go(made: Callable[[Weights], Network], cell: str) -> None:
    weights, rng, capacity = some_weights(3, 7, cell=cell), np.random.default_rng(1), 9
    network = made(weights)
    state, elsewhere = network.start(capacity), network.start(2)
    elsewhere.resize(1)
    network.step(np.array([3]), elsewhere)
    texts: list[list[int]] = [[] for _ in range(capacity)]  # of each active row, what it has read
    for turn in range(60):
        if turn % 3 == 0:
            rows = int(rng.integers(capacity + 1))
            state.resize(rows)
            texts = texts[:rows] + [[] for _ in range(rows - len(texts))]
        if turn % 4 == 1:
            chosen = rng.random(state.rows) < 0.3
            state.reset(chosen)
            texts = [[] if begins else text for begins, text in zip(chosen, texts, strict=True)]
        if turn % 4 == 2 and state.rows > 2:
            one, two, three = rng.permutation(state.rows)[:3]
            state.copy(one, two)
            state.copy(np.array([three]), 0, elsewhere)
            texts[one], texts[three] = list(texts[two]), [3]
        codes = rng.integers(0, 7, state.rows)
        logits = network.step(codes, state)
        for text, code in zip(texts, codes.tolist(), strict=True):
            text.append(code)
        expected = [naive(weights, text, cell)[-1] for text in texts]
        np.testing.assert_allclose(logits, np.reshape(expected, (state.rows, 7)), atol=1e-5)
        if isinstance(network, Compiled):
            for row, text in zip(logits, texts, strict=True):
                assert row.tobytes() == each_alone(network, np.array(text)[:, None])[-1].tobytes()


@both
def test_a_row_is_copied_whole_and_to_several_at_once(made: Callable[[Weights], Network]) -> None:
    network = made(some_weights())
    one, three = network.start(), network.start(3)
    network.step(np.array([2]), one)
    three.copy(slice(1, None), 0, one)
    for array, source in ((three.outputs, one.outputs), (three.logits, one.logits), (three.cells, one.cells)):
        np.testing.assert_array_equal(array[..., :1, :], 0)
        np.testing.assert_array_equal(array[..., 1:, :], source.repeat(2, axis=-2))
    three.reset(1)
    assert not three.outputs[:2].any()
    assert not three.cells[:, :2].any()
    assert not three.logits[:2].any()
    assert three.logits[2].all()


@both
def test_rows_that_become_active_again_hold_zeros(made: Callable[[Weights], Network]) -> None:
    network = made(some_weights())
    state = network.start(3)
    network.step(np.array([2, 3, 4]), state)
    state.resize(1)
    assert (state.rows, state.capacity) == (1, 3)
    assert state.outputs.shape == (1, 20)
    assert state.cells.shape == (2, 1, 10)
    assert state.logits.shape == network.step(np.array([1]), state).shape == (1, 7)
    state.resize(3)
    for array in (state.outputs, *state.cells, state.logits):
        assert array[0].all()
        assert not array[1:].any()


@both
def test_a_state_is_for_its_own_networks_steps_and_its_own_number_of_rows(made: Callable[[Weights], Network]) -> None:
    network, other = made(some_weights()), made(some_weights(units=30))
    state = network.start(3)
    state.resize(2)
    for read in (other.step, other.advance):
        with pytest.raises(ValueError, match=r"^`state` is of another network: a step takes one that its own .*made$"):
            read(np.array([1, 2]), state)
    with pytest.raises(ValueError, match=r"^`other` must be a state of the same network$"):
        state.copy(0, 0, other.start())
    for read in (network.step, network.advance):
        for codes in (np.array([1]), np.array([1, 2, 3]), np.array([[1, 2]]), np.array(1)):
            with pytest.raises(ValueError, match=r"^`codes` must be of shape \(2,\), one for each active row, not \("):
                read(codes, state)
    for rows in (-1, 4):
        with pytest.raises(ValueError, match=rf"^`rows` must be from 0 to the state's capacity of 3, not {rows}$"):
            state.resize(rows)
    assert state.rows == 2
    assert not state.outputs.any()


@both
def test_the_arrays_of_a_state_are_to_be_read_only(made: Callable[[Weights], Network]) -> None:
    state = made(some_weights()).start(2)
    for name in ("outputs", "cells", "logits", "rows"):
        with pytest.raises(AttributeError, match="no setter"):
            setattr(state, name, np.zeros(2))
    for array in (state.outputs, state.cells, state.logits):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 1


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


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_that_the_kernel_does_not_have_is_left_to_numpy(cell: str) -> None:
    there = CELLS[cell].kernel and library.library()
    assert isinstance(prepare(some_weights(cell=cell)), Compiled if there else Recurrent)


def test_a_kernel_takes_weights_that_bfloat16_holds() -> None:
    assert isinstance(prepare(some_weights()), Compiled if library.library() else Recurrent)


def test_weights_that_bfloat16_does_not_hold_are_left_to_numpy() -> None:
    weights = some_weights()
    weights.head[2, 3] = 1 + 2.0**-8
    assert isinstance(prepare(weights), Recurrent)


def test_without_a_kernel_numpy_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "library", lambda: None)
    assert isinstance(prepare(some_weights()), Recurrent)
