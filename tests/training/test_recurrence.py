"""The compiled loops over time are TensorFlow's, for all shapes."""

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

tf = pytest.importorskip("textgen.training.backend").tf

from tests.training.test_step import choose_loops  # noqa: E402
from textgen.bfloat16 import rounded  # noqa: E402
from textgen.kernel import library  # noqa: E402
from textgen.training import compiled, recurrence  # noqa: E402
from textgen.training.compiled import compiled_layer  # noqa: E402
from textgen.training.dropout import Dropout  # noqa: E402


def loops(
    level: str | None, arrays: list[np.ndarray], monkeypatch: pytest.MonkeyPatch, rate: float = 0.0, shuffled: int = 0
) -> list[np.ndarray]:
    """Outputs, ends and gradients of projected, bias, h0, c0 and the kernel; ends and outputs all count.

    With `shuffled` places, what is projected are as many rows, of which each character has any.
    """
    choose_loops(level, monkeypatch)
    projected, bias, h0, c0, kernel, *weighing = arrays
    dropped = Dropout(rate, tf.constant([5, 6], tf.uint32), first=3)
    rows = projected.reshape(-1, len(bias))
    places = np.random.default_rng(2).integers(0, shuffled, projected.shape[:2]).astype(np.int32) if shuffled else None

    @tf.function(autograph=False)
    def compute(*given: tf.Tensor) -> list:
        *inputs, d_outputs, d_h, d_c = given
        rows, bias, h0, c0, kernel = inputs
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            if level:
                cell = SimpleNamespace(bias=Value(bias), recurrent_kernel=Value(kernel))
                results = compiled_layer(library.library(), rows, places, cell, h0, c0, dropped, 1)
            else:
                each = tf.reshape(rows, projected.shape) if places is None else tf.gather(rows, places)
                outputs, *ends = recurrence.recurrence(each + bias, h0, c0, kernel)
                results = [outputs * dropped.mask(1, outputs.shape), *ends]
            results = [tf.cast(array, tf.float32) for array in results]
            loss = tf.add_n([tf.reduce_sum(a * b) for a, b in zip(results, (d_outputs, d_h, d_c), strict=True)])
        return [*results, *map(tf.convert_to_tensor, tape.gradient(loss, inputs))]

    given = [rows[:shuffled] if shuffled else rows, bias, h0, c0, kernel, *weighing]
    return [array.numpy() for array in compute(*map(tf.constant, given))]


class Value(NamedTuple):
    """A variable of a layer."""

    value: tf.Tensor


def some_arrays(length: int, streams: int, units: int, scale: float = 0.5) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    steps, state, width = (length, streams, units), (streams, units), 4 * units
    shapes = [(*steps[:2], width), (width,), state, state, (units, width), steps, state, state]
    return [(scale * rng.normal(size=shape)).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("level", ["avx512", "avx2"])
@pytest.mark.parametrize(("streams", "units"), [(1, 1), (1, 33), (3, 8), (4, 7), (5, 33), (8, 64)])
@pytest.mark.parametrize(("rate", "shuffled"), [(0.0, 0), (0.4, 0), (0.4, 5)])
def test_the_kernel_computes_what_tensorflow_does(
    level: str, streams: int, units: int, rate: float, shuffled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurrence, "FACTORS", tf.float32)
    arrays = some_arrays(6, streams, units)
    of_kernel, expected = (loops(which, arrays, monkeypatch, rate, shuffled) for which in (level, None))
    for one, other in zip(of_kernel, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(other).max())


@pytest.mark.parametrize(("streams", "units"), [(1, 1), (4, 7), (6, 33), (8, 64)])
def test_the_kernel_rounds_to_bfloat16_what_tensorflow_does(
    streams: int, units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a sum lies between two numbers, the two may round it apart; so single numbers differ, and not all."""
    monkeypatch.setattr(recurrence, "FACTORS", tf.bfloat16)
    arrays = some_arrays(6, streams, units)
    of_kernel, expected = (loops(which, arrays, monkeypatch) for which in ("avx512bf16", None))
    for one, other in zip(of_kernel, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=0.02 * np.abs(other).max())


def test_the_kernel_s_factors_are_rounded_to_bfloat16_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    projected, bias, h0, c0, kernel, *others = some_arrays(1, 5, 33)
    projected = rounded(projected)  # as the large product before the loop gives them
    h0[0, :2] = 1 + 2.0**-8, 1 + 3 * 2.0**-8  # ties
    _, outputs, *_ = loops("avx512bf16", [projected, bias, h0, c0, kernel, *others], monkeypatch)
    i, f, g, o = np.split(projected[0] + bias + rounded(h0) @ rounded(kernel), 4, axis=1)
    cells = c0 / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
    np.testing.assert_allclose(outputs, np.tanh(cells) / (1 + np.exp(-o)), atol=2e-6)


@pytest.mark.parametrize("level", library.LEVELS)
@pytest.mark.parametrize(("streams", "units"), [(1, 1), (3, 7), (5, 8), (9, 33), (40, 31)])
def test_the_kernel_stays_within_its_arrays(
    level: str, streams: int, units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def guarded(shape: Sequence[int], dtype: type = np.float32) -> np.ndarray:
        size = math.prod(shape)
        made.append(np.full(size + 64, 7.25, dtype))
        return made[-1][32 : size + 32].reshape(shape)

    def guarded_copy(array: np.ndarray) -> np.ndarray:
        copy = guarded(array.shape, array.dtype)
        copy[...] = array
        return copy

    monkeypatch.setattr(compiled, "empty", guarded)
    monkeypatch.setattr(compiled, "aligned", guarded_copy)
    loops(level, some_arrays(3, streams, units), monkeypatch)
    assert len(made) == 11  # five results and room forward; two results, two copies and room back
    assert all((array[edge] == 7.25).all() for array in made for edge in (slice(32), slice(-32, None)))


def test_gates_that_are_shut_or_wide_open_give_finite_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = some_arrays(6, 4, 16, scale=100)
    for array in loops("avx2", arrays, monkeypatch):
        assert np.isfinite(array).all()
