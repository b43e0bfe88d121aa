"""The compiled loops over time are TensorFlow's, for all shapes."""

import numpy as np
import pytest

tf = pytest.importorskip("textgen.training.backend").tf

from tests.training.test_step import choose_loops  # noqa: E402
from textgen.training import recurrence  # noqa: E402


def loops(level: str | None, arrays: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Outputs, ends and gradients of projected, h0, c0 and the kernel; ends and outputs all count."""
    choose_loops(level, monkeypatch)
    *inputs, d_hs, d_h, d_c = map(tf.constant, arrays)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        results = recurrence.recurrence(*inputs)
        loss = tf.add_n([tf.reduce_sum(a * b) for a, b in zip(results, (d_hs, d_h, d_c), strict=True)])
    return [array.numpy() for array in (*results, *tape.gradient(loss, inputs))]


def some_arrays(length: int, streams: int, units: int, scale: float = 0.5) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    steps, state = (length, streams, units), (streams, units)
    shapes = [(*steps[:2], 4 * units), state, state, (units, 4 * units), steps, state, state]
    return [(scale * rng.normal(size=shape)).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("level", ["avx512", "avx2"])
@pytest.mark.parametrize("streams", [1, 3, 4, 5, 8])
@pytest.mark.parametrize("units", [1, 7, 8, 33, 64])
def test_the_kernel_computes_what_tensorflow_does(
    level: str, streams: int, units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurrence, "FACTORS", tf.float32)
    arrays = some_arrays(6, streams, units)
    compiled, expected = (loops(which, arrays, monkeypatch) for which in (level, None))
    for one, other in zip(compiled, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(other).max())


@pytest.mark.parametrize("streams", [1, 4, 6])
@pytest.mark.parametrize("units", [1, 7, 33, 64])
def test_the_kernel_rounds_to_bfloat16_what_tensorflow_does(
    streams: int, units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a sum lies between two numbers, the two may round it apart; so single numbers differ, and not all."""
    monkeypatch.setattr(recurrence, "FACTORS", tf.bfloat16)
    arrays = some_arrays(6, streams, units)
    compiled, expected = (loops(which, arrays, monkeypatch) for which in ("avx512bf16", None))
    for one, other in zip(compiled, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=0.02 * np.abs(other).max())


def test_gates_that_are_shut_or_wide_open_give_finite_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = some_arrays(6, 4, 16, scale=100)
    for array in loops("avx2", arrays, monkeypatch):
        assert np.isfinite(array).all()
