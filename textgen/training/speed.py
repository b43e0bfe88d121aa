"""How fast this machine will train, roughly, and before TensorFlow is there: it decides what a budget is used for."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from textgen.config import Shape
from textgen.generation.blas import one_thread
from textgen.kernel import library
from textgen.machine import bfloat16, cores

SHARD_ROWS = 4  # streams a thread needs for its products to pay
TIMED = 3  # products at least, and
ENOUGH = 0.05  # seconds of them, after which their time is known
# Of a whole step of 16 streams over this product, with the kernel and without it; in bfloat16 and in float32.
EFFICIENCY = {True: (1.6, 1.2), False: (1.05, 0.8)}
IMPORTING = 8.0  # seconds that the import of TensorFlow and the compilation of a step take
ORTHOGONAL = 1e-9  # seconds, times the cube of the units, that an LSTM's first weights take


def shards(streams: int) -> int:
    """Into how many parts of a batch, each on one core, a step is cut."""
    return max(1, min(cores(), streams // SHARD_ROWS))


def characters_a_second(model: Shape, streams: int, symbols: int) -> float:
    """The targets a second that a network will be trained on, from the time of the product its steps repeat most.

    A target takes six operations a weight: two forward, four backward. The product is timed on all cores that a step
    uses at once, for they share what else is going on.
    """
    weights = model.units * ((8 * model.layers - 4) * model.units + symbols)
    parts = shards(streams)
    rows = -(-streams // parts)
    outputs = np.ones((rows, model.units), np.float32)
    kernel = np.ones((model.units, 4 * model.units), np.float32)

    def product_seconds(_: int) -> float:
        gates = np.dot(outputs, kernel)
        begun, products = time.perf_counter(), 0
        while products < TIMED or time.perf_counter() - begun < ENOUGH:
            np.dot(outputs, kernel, gates)
            products += 1
        return (time.perf_counter() - begun) / products

    with one_thread(), ThreadPoolExecutor(parts) as pool:
        seconds = sum(pool.map(product_seconds, range(parts))) / parts
    with_kernel, without = EFFICIENCY[bfloat16()]
    operations = 2 * rows * kernel.size / seconds
    return (with_kernel if library.library() else without) * parts * operations / (6 * weights)


def starting_seconds(model: Shape) -> float:
    """What passes before a network's first step is done, roughly, the step itself left out."""
    return IMPORTING + ORTHOGONAL * model.layers * model.units**3
