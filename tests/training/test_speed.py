import statistics
import time
from collections.abc import Callable

import numpy as np
import pytest

from textgen.cells import CELLS
from textgen.config import Shape
from textgen.kernel import library
from textgen.training import speed
from textgen.training.speed import characters_a_second

USUAL = Shape(2, 300, 0.2, 64)
STREAMS, WINDOW, SYMBOLS = 16, 50, 65


def test_a_larger_network_is_expected_to_train_more_slowly() -> None:
    small, usual, large = (characters_a_second(Shape(2, units, 0.0, 64), 16, 65) for units in (100, 300, 900))
    assert small > 2 * usual > 4 * large > 0


def test_a_cell_without_compiled_loops_takes_longer_for_each_weight() -> None:
    speeds = {cell: characters_a_second(Shape(2, 300, 0.0, 64, cell), 16, 65) for cell in CELLS}
    assert speeds["lstm"] > speeds["gru"] > 0  # though it has a quarter fewer weights
    assert speeds["rnn"] > speeds["gru"]


@pytest.mark.parametrize("is_bfloat16", [True, False])
def test_without_the_kernel_a_third_less_is_expected(is_bfloat16: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(speed.time, "perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr(speed, "cores", lambda: 1)
    monkeypatch.setattr(speed, "bfloat16", lambda: is_bfloat16)
    found = []
    for there in (object(), None):
        monkeypatch.setattr(library, "library", lambda there=there: there)
        found.append(characters_a_second(USUAL, STREAMS, SYMBOLS))
    assert found[0] / found[1] == pytest.approx(4 / 3, rel=0.03)


def compiled_step() -> Callable[[], float]:
    """A training step of the usual network, as it is compiled with the kernel that there is; it returns its time."""
    from textgen.training.backend import tf
    from textgen.training.network import build
    from textgen.training.step import compile_step, make_optimizer

    network = build(USUAL, SYMBOLS, 1)
    step = compile_step(network, make_optimizer(network), dropout=0.2, streams=STREAMS, rng_seed=1)
    codes = np.random.default_rng(0).integers(0, SYMBOLS, (STREAMS, WINDOW)).astype(np.int32)
    states = [[tf.zeros((STREAMS, USUAL.units))] * 2] * USUAL.layers

    def take() -> float:
        begun = time.perf_counter()
        float(step(codes, codes, states, tf.constant(1), tf.constant(0.001))[0])
        return time.perf_counter() - begun

    take()
    return take


@pytest.mark.slow
def test_the_speed_is_near_that_of_real_steps_with_the_kernel_and_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = library.library()
    if kernel is None:
        pytest.skip("there is no kernel here")
    steps = {}
    for there in (True, False):
        monkeypatch.setattr(library, "library", lambda there=there: kernel if there else None)
        steps[there] = compiled_step()

    def ratios() -> dict[bool, float]:
        """The time of a real step over the expected one, with the kernel and without it."""
        taken, expected = {True: [], False: []}, {True: [], False: []}  # type: ignore[var-annotated]
        for _ in range(15):  # in turns, for both must meet the same of what else is going on
            for there, step in steps.items():
                monkeypatch.setattr(library, "library", lambda there=there: kernel if there else None)
                expected[there].append(STREAMS * WINDOW / characters_a_second(USUAL, STREAMS, SYMBOLS))
                taken[there].append(step())
        return {there: statistics.median(taken[there]) / statistics.median(expected[there]) for there in steps}

    rounds = []
    for _ in range(4):  # a machine that others use is no failure
        rounds.append(found := ratios())
        if all(1 / 2 < ratio < 2 for ratio in found.values()) and found[True] == pytest.approx(found[False], rel=0.3):
            return
    pytest.fail(f"no round was near: {rounds}")
