"""Estimates the training speed of this machine before TensorFlow is loaded, to plan a run with a budget."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from textgen.cells import CELLS
from textgen.config import Shape
from textgen.generation.blas import one_thread
from textgen.kernel import library
from textgen.machine import bfloat16, cores

SHARD_ROWS = 4  # streams that a thread needs to be worth its cost
TIMED = 3  # products at least
ENOUGH = 0.05  # seconds of them
# Speed of a whole step of 16 streams relative to this product: (with, without the kernel), by bfloat16 or float32.
EFFICIENCY = {True: (1.6, 1.2), False: (1.05, 0.8)}
PLAIN = 0.4  # the same of the plain Keras layers, which train cells that the kernel does not have
IMPORTING = 8.0  # seconds for importing TensorFlow and compiling a step
WITHOUT_KERNEL = "no compiled kernel for this machine, so training is slower; see Install in the README"
ORTHOGONAL = 1e-9  # seconds for initialising a layer, times the cube of its units


def shards(streams: int) -> int:
    """The number of shards of a batch, each of which runs on one core."""
    return max(1, min(cores(), streams // SHARD_ROWS))


def characters_a_second(model: Shape, streams: int, symbols: int) -> float:
    """Estimated training speed in characters per second, from the time of the most frequent matrix product.

    A character takes six operations per weight: two forward, four backward. The product is timed on all cores that a
    step uses at the same time, since other processes slow them too.
    """
    cell = CELLS[model.cell]
    weights = model.units * (cell.gates * (2 * model.layers - 1) * model.units + symbols)
    parts = shards(streams)
    rows = -(-streams // parts)
    outputs = np.ones((rows, model.units), np.float32)
    kernel = np.ones((model.units, cell.gates * model.units), np.float32)

    def product_seconds(_: int) -> float:
        gates = np.dot(outputs, kernel)
        begun, products = time.perf_counter(), 0
        while products < TIMED or time.perf_counter() - begun < ENOUGH:
            np.dot(outputs, kernel, gates)
            products += 1
        return (time.perf_counter() - begun) / products

    with one_thread(), ThreadPoolExecutor(parts) as pool:
        seconds = sum(pool.map(product_seconds, range(parts))) / parts
    efficiency = EFFICIENCY[bfloat16()][0 if library.library() else 1] if cell.kernel else PLAIN
    operations = 2 * rows * kernel.size / seconds
    return efficiency * parts * operations / (6 * weights)


def starting_seconds(model: Shape) -> float:
    """Estimated seconds until a network is ready for its first step."""
    return IMPORTING + ORTHOGONAL * model.layers * model.units**3


def slow_cell(name: str) -> list[str]:
    """A note if a network of these cells could be trained faster on this machine."""
    cell = CELLS[name]
    if cell.kernel:
        return [] if library.library() else [WITHOUT_KERNEL]
    return [f"the kernel has no {cell.keras}: Keras's own layers train it, more slowly than an LSTM of this size"]
