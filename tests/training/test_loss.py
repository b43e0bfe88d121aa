"""The loss with teachers, and its gradients, against NumPy and plain Keras."""

from collections.abc import Callable

import numpy as np
import pytest

keras = pytest.importorskip("textgen.training.backend").keras

from tests.training.test_step import B, T, V, choose_loops, states, window  # noqa: E402
from textgen.config import Shape  # noqa: E402
from textgen.training import recurrence  # noqa: E402
from textgen.training.backend import tf  # noqa: E402
from textgen.training.dropout import step_dropout  # noqa: E402
from textgen.training.loss import mean_loss  # noqa: E402
from textgen.training.network import build  # noqa: E402
from textgen.training.step import compile_step, loss_and_gradients, make_optimizer  # noqa: E402

RNG = np.random.default_rng(3)


def dense(symbols: int) -> tuple[np.ndarray, ...]:
    """Probabilities of all symbols; those of some characters are silent."""
    rows = RNG.dirichlet(np.ones(symbols), (B, T))
    rows[RNG.random((B, T)) < 0.2] = 0
    return (rows.astype(np.float16),)


def sparse(symbols: int) -> tuple[np.ndarray, ...]:
    """Probabilities of a few symbols."""
    codes = np.array([[RNG.permutation(symbols)[:7] for _ in range(T)] for _ in range(B)], np.int32)
    rows = RNG.dirichlet(np.ones(7), (B, T))
    rows[RNG.random((B, T)) < 0.2] = 0
    return rows.astype(np.float16), codes


def mixed(targets: np.ndarray, probabilities: np.ndarray, codes: np.ndarray | None, symbols: int) -> np.ndarray:
    """The distribution that is learnt, `(B, T, V)`, number by number."""
    whole = np.zeros((B, T, symbols))
    for stream, place in np.ndindex(B, T):
        given = probabilities[stream, place].astype(np.float64)
        whole[stream, place, targets[stream, place]] += 1 - given.sum() / 2
        for number, share in enumerate(given):
            whole[stream, place, number if codes is None else codes[stream, place, number]] += share / 2
    return whole


@pytest.mark.parametrize("make", [dense, sparse])
@pytest.mark.parametrize("symbols", [V, 300])
def test_the_loss_and_its_gradient_are_those_of_half_and_half(
    make: Callable[[int], tuple[np.ndarray, ...]], symbols: int
) -> None:
    logits = RNG.normal(size=(T, B, symbols))
    targets = RNG.integers(0, symbols, (B, T)).astype(np.int32)
    soft = make(symbols)
    variable = tf.Variable(logits, dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = mean_loss(variable, tf.constant(targets), [tf.constant(array) for array in soft])
    expected = mixed(targets, soft[0], soft[1] if len(soft) > 1 else None, symbols)
    by_stream = logits.transpose(1, 0, 2)
    softmax = np.exp(by_stream) / np.exp(by_stream).sum(axis=2, keepdims=True)
    assert float(loss) == pytest.approx(-(expected * np.log(softmax)).sum() / (B * T), rel=1e-5)
    gradient = tape.gradient(loss, variable).numpy().transpose(1, 0, 2)
    np.testing.assert_allclose(gradient, (softmax - expected) / (B * T), atol=1e-7)


@pytest.mark.parametrize("written", [True, False])
def test_gradients_are_those_of_plain_keras_with_the_two_losses(written: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurrence, "FACTORS", tf.float32)
    choose_loops(None, monkeypatch)
    network = build(Shape(2, 16, 0.3, 8), V, 1)
    dropped = step_dropout(0.3, 2, 3, tf.constant(4))
    codes, targets = window()
    probabilities = RNG.dirichlet(np.ones(V), (B, T)).astype(np.float16)
    loss, gradients, _ = loss_and_gradients(
        network, codes, targets, states(network), dropped, [tf.constant(probabilities)], written=written
    )
    variables = network.training_model.trainable_variables
    with tf.GradientTape() as tape:
        outputs = network.embedding(codes)
        for number, (layer, state) in enumerate(zip(network.layers, states(network), strict=True)):
            outputs, *_ = layer(outputs, initial_state=state, training=True)
            outputs *= tf.transpose(dropped.mask(number, (T, B, 16)), (1, 0, 2))
        logits = network.head(outputs)
        with_text = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(targets, logits)
        teachers = probabilities.astype(np.float32)
        with_teachers = keras.losses.CategoricalCrossentropy(from_logits=True)(teachers, logits)
        expected = (with_text + with_teachers) / 2
    assert float(loss) == pytest.approx(float(expected), rel=1e-3)
    for one, other in zip(gradients, tape.gradient(expected, variables), strict=True):
        other = tf.convert_to_tensor(other).numpy()
        np.testing.assert_allclose(one.numpy(), other, atol=2e-3 * np.abs(other).max())


def test_a_student_of_teachers_that_know_the_text_is_trained_as_by_the_text() -> None:
    results = []
    for taught in (False, True):
        network = build(Shape(1, 16, 0.2, 8), V, 1)
        step = compile_step(network, make_optimizer(network), dropout=0.2, streams=B, rng_seed=1)
        carried = states(network)
        for number in range(3):
            codes, targets = window(number)
            soft = (np.eye(V, dtype=np.float16)[targets.numpy()],) if taught else ()
            loss, carried = step(codes, targets, carried, tf.constant(number), tf.constant(0.01), soft)
        results.append([float(loss), *network.weights()])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
