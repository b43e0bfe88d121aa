"""The kernel on another processor, and under the compiler's sanitizers, computes what the textbook does.

Neither can be loaded into this process, so a small C program calls the kernel's functions.
"""

import ctypes
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import ml_dtypes
import numpy as np
import pytest

from tests.generation.test_recurrent import naive, some_weights
from textgen.generation.compiled import Compiled, _Network, _State
from textgen.kernel.arrays import LANES, PANEL
from textgen.kernel.library import FOLDER, LEVELS, runs
from textgen.model_file import Weights

tf = pytest.importorskip("textgen.training.backend").tf

from textgen.training.compiled import ARRAYS, room  # noqa: E402
from textgen.training.dropout import Dropout, threshold  # noqa: E402

SANITIZERS = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
STEP, FORWARD, BACKWARD = range(3)


class Driver:
    """The C program: a function's number, sizes and arrays in; the same arrays, as the function leaves them, out."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = command

    def __call__(self, function: int, sizes: Sequence[int], arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        words = [function, len(sizes), *sizes, len(arrays)]
        given = np.array(words, np.int64).tobytes()
        given += b"".join(np.int64(array.nbytes).tobytes() + array.tobytes() for array in arrays)
        done = subprocess.run(self.command, input=given, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        ends = np.cumsum([array.nbytes for array in arrays])
        parts = [done.stdout[end - array.nbytes : end] for array, end in zip(arrays, ends, strict=True)]
        return [
            np.frombuffer(part, array.dtype).reshape(array.shape) for part, array in zip(parts, arrays, strict=True)
        ]


@pytest.fixture(scope="module", params=LEVELS)
def driver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Driver:
    """The program for each of this processor's levels, with sanitizers; and for aarch64, on an emulator."""
    level, program = request.param, tmp_path_factory.mktemp("driver") / "driver"
    emulated = level == "neon" and not runs(level)
    if emulated:
        compiler, options = "aarch64-linux-gnu-gcc", ["-O3", "-static"]
        needed, command = [compiler, "qemu-aarch64"], ["qemu-aarch64", str(program)]
    else:
        compiler, options = "cc", [*SANITIZERS, *LEVELS[level].options]
        needed, command = [compiler], [str(program)]
    if missing := [tool for tool in needed if shutil.which(tool) is None]:
        pytest.skip(f"no {missing[0]}")
    if not (emulated or runs(level)):
        pytest.skip(f"this processor does not run {level}")
    sources = [Path(__file__).with_name("driver.c"), FOLDER / "training.c"]
    built = subprocess.run(
        [compiler, "-std=gnu11", "-Wall", "-Wextra", *options, f"-I{FOLDER}", *map(str, sources), "-o", str(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return Driver(command)


def numbers(address: int, size: int, kind: type = ctypes.c_float) -> np.ndarray:
    """The array at an address."""
    return np.ctypeslib.as_array((kind * size).from_address(address))


def run_step(driver: Driver, network_at: int, state_at: int, predict: int) -> None:
    """`textgen_step` in the program, with the arrays at the addresses that it would be given here."""
    network, state = _Network.from_address(network_at), _State.from_address(state_at)
    layers, units, symbols = network.layers, network.units, network.head.columns
    capacity, rows = state.capacity, state.rows
    width = -(-units // LANES) * PANEL
    matrices = [*(type(network.head) * layers).from_address(network.lstms), network.head]
    arrays = [numbers(network.table, symbols * width)]
    for number, matrix in enumerate(matrices):
        panels = width // PANEL if number < layers else -(-symbols // PANEL)
        arrays += [
            numbers(matrix.weights, panels * -(-matrix.rows // 2) * PANEL, ctypes.c_uint32),
            numbers(matrix.bias, panels * PANEL),
        ]
    own = [
        numbers(state.codes, rows, ctypes.c_int64),
        numbers(state.outputs, capacity * layers * units),
        numbers(state.cells, layers * capacity * units),
        numbers(state.fresh, rows * units),
        numbers(state.logits, capacity * symbols),
    ]
    after = driver(STEP, [layers, units, symbols, capacity, rows, predict], [*arrays, *own])
    for before, now in zip([*arrays, *own], after, strict=True):
        before[...] = now


def through(driver: Driver, weights: Weights) -> Compiled:
    """The network whose steps are the program's."""
    return Compiled(weights, SimpleNamespace(textgen_step=lambda *given: run_step(driver, *given)))


@pytest.mark.parametrize(
    ("layers", "units", "symbols", "streams"),
    [(1, 1, 1, 1), (2, 7, 40, 1), (1, 16, 33, 5), (3, 9, 31, 4), (2, 33, 7, 9)],
)
def test_steps_agree_with_the_textbook(driver: Driver, layers: int, units: int, symbols: int, streams: int) -> None:
    weights = some_weights(layers, units, symbols)
    network = through(driver, weights)
    state = network.start(streams + 2)  # the rows of two more are not active: nothing is read or written there
    state.resize(streams)
    codes = np.random.default_rng(1).integers(0, symbols, (5, streams))
    for row in codes[:-1]:
        network.advance(row, state)
    logits = network.step(codes[-1], state)
    for stream in range(streams):
        np.testing.assert_allclose(logits[stream], naive(weights, codes[:, stream].tolist())[-1], atol=1e-5)


@pytest.mark.parametrize(("layers", "units", "symbols"), [(2, 33, 40), (1, 16, 65)])
def test_a_text_is_the_same_bit_for_bit_beside_others(driver: Driver, layers: int, units: int, symbols: int) -> None:
    network = through(driver, some_weights(layers, units, symbols))
    texts = np.random.default_rng(1).integers(0, symbols, (3, 3))  # three texts, in turn, in all rows
    state = network.start(13)

    def read(codes: np.ndarray) -> np.ndarray:
        state.resize(codes.shape[1])
        state.reset(slice(None))
        return np.array([network.step(row, state).copy() for row in codes])

    alone = np.concatenate([read(texts[:, text : text + 1]) for text in range(3)], axis=1)
    for rows in (2, 3, 4, 5, 6, 7, 9, 13):
        order = np.arange(rows) % 3
        assert read(texts[:, order]).tobytes() == alone[:, order].tobytes(), rows


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def forward(projected: np.ndarray, h: np.ndarray, c: np.ndarray, kernel: np.ndarray) -> tuple[np.ndarray, ...]:
    """Outputs, cells and gates of all steps, in float64."""
    outputs, cells, gates = [], [], []
    for now in projected:
        i, f, g, o = np.split(now + h @ kernel, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        outputs.append(h)
        cells.append(c)
        gates.append(np.concatenate([i, f, g, o], axis=1))
    return np.array(outputs), np.array(cells), np.array(gates)


def backward(
    d_outputs: np.ndarray,
    d_h: np.ndarray,
    d_c: np.ndarray,
    first: np.ndarray,
    kernel: np.ndarray,
    cells: np.ndarray,
    gates: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The gradients of what was projected, and of the outputs and cells before the first step, in float64."""
    d_projected = []
    before = np.concatenate([first[None], cells[:-1]])
    for now in reversed(range(len(cells))):
        i, f, g, o = np.split(gates[now], 4, axis=1)
        squashed = np.tanh(cells[now])
        d_h = d_h + d_outputs[now]
        d_c = d_c + d_h * o * (1 - squashed**2)
        d_gates = [d_c * g * i * (1 - i), d_c * before[now] * f * (1 - f), d_c * i * (1 - g**2)]
        d_gates = np.concatenate([*d_gates, d_h * squashed * o * (1 - o)], axis=1)
        d_projected.append(d_gates)
        d_h, d_c = d_gates @ kernel.T, d_c * f
    return np.array(d_projected[::-1]), d_h, d_c


@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize(("steps", "streams", "units"), [(1, 1, 1), (3, 2, 7), (4, 5, 33), (2, 9, 40)])
def test_the_loop_and_its_gradient_agree_with_the_textbook(
    driver: Driver, request: pytest.FixtureRequest, steps: int, streams: int, units: int, dropped: bool
) -> None:
    """With dropout from a table of five symbols' products, in any order; and without it from products in order."""
    rng = np.random.default_rng(1)
    bf16 = "bf16" in request.node.callspec.params["driver"]
    number, close = (ml_dtypes.bfloat16 if bf16 else np.float32), {"atol": 0.02 if bf16 else 1e-5}

    def some(*shape: int) -> np.ndarray:
        return (0.5 * rng.normal(size=shape)).astype(np.float32)

    width, rows, key, first = 4 * units, steps * streams, 7, 2**31 - 3
    of_steps, of_streams = (steps, streams, units), (streams, units)
    sizes = [*of_steps, first, key, threshold(0.4) if dropped else 0]
    places = rng.integers(0, 5, (steps, streams)).astype(np.int32) if dropped else np.zeros(0, np.int32)
    table = some(5 if dropped else rows, width)
    bias, h, c, kernel = some(width), some(*of_streams), some(*of_streams), some(units, width)
    arrays = {name: np.zeros(0, np.float32) for name in ARRAYS}
    arrays |= {"projected": table.astype(number), "places": places, "bias": bias, "first_outputs": h}
    arrays |= {"first_cells": c, "kernel": kernel, "before": np.zeros(of_steps, number)}
    arrays |= {"after": np.zeros(of_steps, number), "cells": np.zeros(of_steps, np.float32)}
    arrays |= {"gates": np.zeros((steps, streams, width), np.float32), "last_outputs": np.zeros_like(h)}

    def call(function: int) -> dict[str, np.ndarray]:
        arrays["room"] = np.zeros(room(streams, units)[function - FORWARD], np.float32)
        return dict(zip(ARRAYS, driver(function, sizes, list(arrays.values())), strict=True))

    projected = (table[places] if dropped else table.reshape(steps, streams, width)) + bias
    outputs, cells, gates = forward(*(array.astype(np.float64) for array in (projected, h, c, kernel)))
    mask = Dropout(0.4 if dropped else 0.0, tf.constant([key], tf.uint32), first).mask(0, of_steps).numpy()
    got = call(FORWARD)
    expected = {"after": outputs * mask, "last_outputs": outputs[-1], "cells": cells, "gates": gates}
    expected |= {"before": np.concatenate([h[None], outputs[:-1]])}
    for name, wanted in expected.items():
        np.testing.assert_allclose(got[name].astype(np.float32), wanted, **close, err_msg=name)
    if dropped:
        np.testing.assert_array_equal(got["after"] == 0, mask == 0)

    d_after, d_h, d_c = some(*of_steps), some(*of_streams), some(*of_streams)
    arrays |= {"d_after": d_after.astype(number), "d_outputs": d_h, "d_cells": d_c}
    arrays |= {"cells": cells.astype(np.float32), "gates": gates.astype(np.float32)}
    arrays |= {
        "d_projected": np.zeros((rows, width), number),
        "d_sums": np.zeros((5 if dropped else 1, width), np.float32),
    }
    got = call(BACKWARD)
    given = (d_after * mask, d_h, d_c, c, kernel, cells, gates)
    d_projected, *ends = backward(*(array.astype(np.float64) for array in given))
    d_sums = np.zeros((5 if dropped else 1, width))
    np.add.at(d_sums, places.ravel() if dropped else np.zeros(rows, int), d_projected.reshape(rows, width))
    expected = {"d_outputs": ends[0], "d_cells": ends[1], "d_projected": d_projected.reshape(rows, width)}
    for name, wanted in (expected | {"d_sums": d_sums}).items():
        np.testing.assert_allclose(got[name].astype(np.float32), wanted, **close, err_msg=name)
