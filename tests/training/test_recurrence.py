"""The compiled loops over time are TensorFlow's, for all shapes."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

tf = pytest.importorskip("textgen.training.backend").tf

from tests.training.test_step import choose_loops  # noqa: E402
from textgen.bfloat16 import rounded  # noqa: E402
from textgen.kernel import library  # noqa: E402
from textgen.training import recurrence  # noqa: E402


def loops(level: str | None, arrays: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Outputs, ends and gradients of projected, h0, c0 and the kernel; ends and outputs all count."""
    choose_loops(level, monkeypatch)

    @tf.function(autograph=False)
    def compute(*inputs: tf.Tensor) -> list:
        *inputs, d_hs, d_h, d_c = inputs
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            results = recurrence.recurrence(*inputs)
            loss = tf.add_n([tf.reduce_sum(a * b) for a, b in zip(results, (d_hs, d_h, d_c), strict=True)])
        return [*results, *tape.gradient(loss, inputs)]

    return [array.numpy() for array in compute(*map(tf.constant, arrays))]


def some_arrays(length: int, streams: int, units: int, scale: float = 0.5) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    steps, state = (length, streams, units), (streams, units)
    shapes = [(*steps[:2], 4 * units), state, state, (units, 4 * units), steps, state, state]
    return [(scale * rng.normal(size=shape)).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("level", ["avx512", "avx2"])
@pytest.mark.parametrize(("streams", "units"), [(1, 1), (1, 33), (3, 8), (4, 7), (5, 33), (8, 64)])
def test_the_kernel_computes_what_tensorflow_does(
    level: str, streams: int, units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurrence, "FACTORS", tf.float32)
    arrays = some_arrays(6, streams, units)
    compiled, expected = (loops(which, arrays, monkeypatch) for which in (level, None))
    for one, other in zip(compiled, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(other).max())


@pytest.mark.parametrize(("streams", "units"), [(1, 1), (4, 7), (6, 33), (8, 64)])
def test_the_kernel_rounds_to_bfloat16_what_tensorflow_does(
    streams: int, units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a sum lies between two numbers, the two may round it apart; so single numbers differ, and not all."""
    monkeypatch.setattr(recurrence, "FACTORS", tf.bfloat16)
    arrays = some_arrays(6, streams, units)
    compiled, expected = (loops(which, arrays, monkeypatch) for which in ("avx512bf16", None))
    for one, other in zip(compiled, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=0.02 * np.abs(other).max())


def test_the_kernel_s_factors_are_rounded_to_bfloat16_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    projected, h0, c0, kernel, *others = some_arrays(1, 5, 33)
    h0[0, :2] = 1 + 2.0**-8, 1 + 3 * 2.0**-8  # ties
    outputs, *_ = loops("avx512bf16", [projected, h0, c0, kernel, *others], monkeypatch)
    i, f, g, o = np.split(projected[0] + rounded(h0) @ rounded(kernel), 4, axis=1)
    cells = c0 / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
    np.testing.assert_allclose(outputs[0], np.tanh(cells) / (1 + np.exp(-o)), atol=2e-6)


@pytest.mark.parametrize("level", library.LEVELS)
@pytest.mark.parametrize(("streams", "units"), [(1, 1), (3, 7), (5, 8), (9, 33), (40, 31)])
def test_the_kernel_stays_within_its_arrays(
    level: str, streams: int, units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def guarded(shape: Sequence[int]) -> np.ndarray:
        size = math.prod(shape)
        made.append(np.full(size + 64, 7.25, np.float32))
        return made[-1][32 : size + 32].reshape(shape)

    def guarded_copy(array: np.ndarray) -> np.ndarray:
        copy = guarded(array.shape)
        copy[...] = array
        return copy

    monkeypatch.setattr(recurrence, "empty", guarded)
    monkeypatch.setattr(recurrence, "aligned", guarded_copy)
    loops(level, some_arrays(3, streams, units), monkeypatch)
    assert len(made) == 8  # three results and room forward, one result, two copies and room back
    assert all((array[edge] == 7.25).all() for array in made for edge in (slice(32), slice(-32, None)))


def test_gates_that_are_shut_or_wide_open_give_finite_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = some_arrays(6, 4, 16, scale=100)
    for array in loops("avx2", arrays, monkeypatch):
        assert np.isfinite(array).all()
