"""How fast this machine will train, roughly, and before TensorFlow is there: it decides what a budget is used for."""

import time

import numpy as np

from textgen.config import Shape
from textgen.generation.blas import one_thread
from textgen.machine import cores

SHARD_ROWS = 4  # streams a thread needs for its products to pay
TIMED = 5  # tries of which the quickest counts
EFFICIENCY = 1.6  # of a whole step of 16 streams over this product, with the kernel; 1.2 without


def shards(streams: int) -> int:
    """Into how many parts of a batch, each on one core, a step is cut."""
    return max(1, min(cores(), streams // SHARD_ROWS))


def characters_a_second(model: Shape, streams: int, symbols: int) -> float:
    """The targets a second that a network will be trained on, from the time of the product its steps repeat most.

    A target takes six operations a weight: two forward, four backward.
    """
    weights = model.units * ((8 * model.layers - 4) * model.units + symbols)
    parts = shards(streams)
    rows = -(-streams // parts)
    outputs = np.ones((rows, model.units), np.float32)
    kernel = np.ones((model.units, 4 * model.units), np.float32)
    gates = np.empty((rows, 4 * model.units), np.float32)
    seconds = []
    with one_thread():
        for _ in range(TIMED):
            begun = time.perf_counter()
            for _ in range(TIMED):
                np.dot(outputs, kernel, gates)
            seconds.append((time.perf_counter() - begun) / TIMED)
    operations = 2 * rows * kernel.size / min(seconds)
    return EFFICIENCY * parts * operations / (6 * weights)
