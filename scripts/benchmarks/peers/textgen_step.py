"""textgen's compiled training step."""

import functools
from collections.abc import Callable

from benchmarks.network import DROPOUT, EMBEDDING, LAYERS, SYMBOLS, UNITS, WINDOW, random_windows
from benchmarks.peer import rate, serve
from textgen.config import Shape
from textgen.training.backend import tf
from textgen.training.network import build
from textgen.training.step import compile_step, make_optimizer


@functools.cache
def stepper(batch: int) -> Callable[[], float]:
    """A function that trains one step and returns its targets."""
    network = build(Shape(LAYERS, UNITS, DROPOUT, EMBEDDING), SYMBOLS, rng_seed=1)
    step = compile_step(network, make_optimizer(network), dropout=DROPOUT, streams=batch, length=WINDOW, rng_seed=1)
    states = [[tf.zeros((batch, UNITS))] * 2] * LAYERS
    windows, number = random_windows(batch), 0

    def run() -> float:
        nonlocal states, number
        loss, states = step(*windows.window(number), states, tf.constant(number), tf.constant(1e-3))
        number += 1
        float(loss)  # waits for it, as the training loop does
        return batch * WINDOW

    return run


if __name__ == "__main__":
    serve(train=lambda batch, seconds: rate(stepper(batch), seconds))
