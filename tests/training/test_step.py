from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from tests.conftest import kernel_for
from textgen.cells import CELLS
from textgen.config import Shape
from textgen.generation.compiled import Compiled, prepare
from textgen.generation.recurrent import Recurrent
from textgen.kernel import library
from textgen.model_file import Weights, layout

keras = pytest.importorskip("textgen.training.backend").keras

from textgen.training import recurrence  # noqa: E402
from textgen.training.backend import tf  # noqa: E402
from textgen.training.dropout import step_dropout  # noqa: E402
from textgen.training.network import KerasNetwork, assign, build  # noqa: E402
from textgen.training.step import compile_step, loss_and_gradients, make_optimizer  # noqa: E402

B, T, V = 6, 12, 20


def window(seed: int = 0) -> tuple:
    rng = np.random.default_rng(seed)
    return tf.constant(rng.integers(0, V, (B, T)), tf.int32), tf.constant(rng.integers(0, V, (B, T)), tf.int32)


def states(network: KerasNetwork, seed: int = 0) -> list:
    rng = np.random.default_rng(seed)
    shape = (B, network.layers[0].units)
    return [
        [tf.constant(rng.normal(size=shape), tf.float32) for _ in range(network.cell.states)] for _ in network.layers
    ]


def choose_loops(level: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train with the kernel for a level of processors, or, with None, without."""
    kernel = kernel_for(level) if level else None
    monkeypatch.setattr(library, "library", lambda: kernel)


def furthest_apart(layers: int, dropout: float, symbols: int) -> list[float]:
    """The largest difference of the Keras layers and the written-out step, for loss, gradients and states.

    Each in parts of the largest number of its array.
    """
    network = build(Shape(layers, 16, dropout, 8), symbols, 1)
    for variable in network.training_model.trainable_variables:  # far from the first values, some of which are 0
        variable.assign(np.random.default_rng(2).normal(size=variable.shape) * 0.4)
    dropped = step_dropout(dropout, layers, 3, tf.constant(4)).part(2)
    arguments = (network, *window(), states(network), dropped)
    plain = tf.nest.flatten(loss_and_gradients(*arguments, written=False))
    written = tf.nest.flatten(loss_and_gradients(*arguments, written=True))
    assert len(plain) == len(written) == 1 + (3 + 3 * layers) + 2 * layers
    return [
        float(np.abs(one - other).max() / max(np.abs(one).max(), 1e-3))
        for one, other in zip(map(np.asarray, plain), map(np.asarray, written), strict=True)
    ]


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("symbols", [V, 200])  # the table of input products is used for the first, not the second
@pytest.mark.parametrize("level", ["avx512", "avx2", None])
def test_the_written_out_step_is_the_keras_layers_step(
    layers: int, dropout: float, symbols: int, level: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurrence, "FACTORS", tf.float32)
    choose_loops(level, monkeypatch)
    assert max(furthest_apart(layers, dropout, symbols)) < 1e-5


@pytest.mark.parametrize("level", ["avx512bf16", None])
def test_bfloat16_rounds_and_does_no_more(level: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps 8 bits, so that a factor is off by up to a 512th part; along a window errors add up."""
    monkeypatch.setattr(recurrence, "FACTORS", tf.bfloat16)
    choose_loops(level, monkeypatch)
    apart = furthest_apart(2, 0.4, 200)
    assert 1e-4 < np.mean(apart) < 1e-2
    assert max(apart) < 0.05


@pytest.mark.parametrize(
    ("cell", "layers", "level"),
    [
        *((cell, layers, None) for cell in CELLS for layers in (1, 2, 3)),
        *(("lstm", 2, level) for level in library.LEVELS),
    ],
)
def test_what_writes_predicts_what_keras_predicts(
    cell: str, layers: int, level: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_loops(level, monkeypatch)
    network = build(Shape(layers, 300, 0.2, 64, cell), V, 5)
    for layer in network.layers:  # whose biases are zeros at first, but for some of an LSTM
        layer.cell.bias.assign(np.random.default_rng(6).normal(size=layer.cell.bias.shape) * 0.1)
    # As sure as trained weights; larger recurrent ones would make a chaos in which any rounding grows.
    network.embedding.embeddings.assign(network.embedding.embeddings * 20)
    network.head.kernel.assign(network.head.kernel * {"lstm": 50, "gru": 50, "rnn": 15}[cell])
    assign(network.averages, network.weights())
    assign(network.training_model.trainable_variables, network.kept())
    codes = np.random.default_rng(3).integers(0, V, 200)
    keras_probabilities = network.saved_model(codes[None]).numpy()[0]
    recurrent = prepare(Weights.from_list(network.weights()))
    assert isinstance(recurrent, Compiled if level else Recurrent)
    state = recurrent.start()
    logits = np.array([recurrent.step(codes[place : place + 1], state)[0].copy() for place in range(200)], np.float64)
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    assert keras_probabilities.max() > 0.5
    np.testing.assert_allclose(probabilities, keras_probabilities, atol=1e-5, rtol=0)


@pytest.mark.parametrize("cell", CELLS)
def test_weights_come_in_the_order_of_the_file_s_layout(cell: str) -> None:
    network = build(Shape(3, 16, 0.2, 8, cell), V, 5)
    expected = list(layout(Shape(3, 16, 0.2, 8, cell), V).values())
    assert [array.shape for array in network.weights()] == expected


def test_the_seed_decides_the_first_weights() -> None:
    config = Shape(2, 8, 0.2, 4)
    first, again, other = (build(config, V, seed).weights() for seed in (1, 1, 2))
    assert all((one == two).all() for one, two in zip(first, again, strict=True))
    assert not (first[0] == other[0]).any()
    assert not (first[1][:4] == first[4][:4]).any()  # layers differ too


@pytest.mark.parametrize(("cell", "level"), [("lstm", "avx2"), *((cell, None) for cell in CELLS)])
def test_shards_compute_what_the_whole_batch_computes(
    cell: str, level: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurrence, "FACTORS", tf.float32)
    choose_loops(level, monkeypatch)
    results = []
    for cores in (1, 3):
        monkeypatch.setattr("textgen.training.speed.cores", lambda cores=cores: cores)
        monkeypatch.setattr("textgen.training.speed.SHARD_ROWS", 2)
        network = build(Shape(2, 16, 0.3, 8, cell), V, 1)
        step = compile_step(network, make_optimizer(network), dropout=0.3, streams=B, rng_seed=1)
        carried = states(network)
        for number in range(3):
            loss, carried = step(*window(number), carried, tf.constant(number), tf.constant(0.01))
        results.append([float(loss), *(array.numpy() for array in tf.nest.flatten(carried)), *network.weights()])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_averages_start_as_the_weights_and_follow_them_ever_more_slowly() -> None:
    network = build(Shape(1, 8, 0.0, 4), V, 1)
    expected = network.averaged()
    assert all((one == two).all() for one, two in zip(expected, network.weights(), strict=True))
    step = compile_step(network, make_optimizer(network), dropout=0.0, streams=B, rng_seed=1)
    carried = states(network)
    for number in (0, 1, 2, 50_000):
        _, carried = step(*window(number), carried, tf.constant(number), tf.constant(0.01))
        kept = min(0.998, (1 + number) / (10 + number))
        expected = [kept * one + (1 - kept) * two for one, two in zip(expected, network.weights(), strict=True)]
        for one, two in zip(expected, network.averaged(), strict=True):
            np.testing.assert_allclose(one, two, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_the_archive_holds_the_averages_with_rounded_matrices_and_the_weights_stay(cell: str, tmp_path: Path) -> None:
    network = build(Shape(1, 8, 0.0, 4, cell), V, 1)
    weights = network.weights()
    averages = [2 * array + np.float32(0.1) for array in weights]
    assign(network.averages, averages)
    network.save(tmp_path / "model.keras", network.kept())
    saved = keras.saving.load_model(tmp_path / "model.keras").get_weights()
    for place, (one, two) in enumerate(zip(saved, averages, strict=True)):
        is_bias = place in (3, 5)
        np.testing.assert_array_equal(one, two if is_bias else two.astype(ml_dtypes.bfloat16).astype(np.float32))
    assert all((one == two).all() for one, two in zip(network.weights(), weights, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_a_network_learns_a_window_by_heart(cell: str) -> None:
    network = build(Shape(2, 48, 0.0, 8, cell), V, 1)
    step = compile_step(network, make_optimizer(network), dropout=0.0, streams=B, rng_seed=1)
    zeros = tf.nest.map_structure(tf.zeros_like, states(network))
    losses = [float(step(*window(), zeros, tf.constant(n), tf.constant(0.01))[0]) for n in range(150)]
    assert losses[0] == pytest.approx(np.log(V), abs=0.1)
    assert losses[-1] < 0.1
