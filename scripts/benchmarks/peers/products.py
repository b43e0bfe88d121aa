"""Matrix products of one library, named as the argument: numpy, tensorflow or torch."""

import functools
import sys
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.network import LAYERS, STEP_BYTES, UNITS
from benchmarks.peer import rate, serve

Product = Callable[[], object]


@functools.cache
def operands(rows: int, inner: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Two matrices of ordinary numbers."""
    rng = np.random.default_rng(1)
    return rng.random((rows, inner), np.float32), rng.random((inner, columns), np.float32)


def numpy_product(left: np.ndarray, right: np.ndarray) -> Product:
    """NumPy's, into an array made before."""
    result = np.empty((len(left), right.shape[1]), np.float32)
    return lambda: np.dot(left, right, result)


def tensorflow_product(left: np.ndarray, right: np.ndarray) -> Product:
    """TensorFlow's, called directly."""
    import tensorflow as tf

    left, right = tf.constant(left), tf.constant(right)
    return lambda: tf.matmul(left, right)


def torch_product(left: np.ndarray, right: np.ndarray, kind: str = "float32") -> Product:
    """PyTorch's, into a tensor made before."""
    import torch

    dtype = getattr(torch, kind)
    a, b = torch.from_numpy(left).to(dtype), torch.from_numpy(right).to(dtype)
    result = torch.empty(len(a), b.shape[1], dtype=dtype)
    return lambda: torch.mm(a, b, out=result)


def rate_of(product: Product, flops: float, seconds: float) -> float:
    """A product's FLOP/s."""

    def run() -> float:
        product()
        return flops

    return rate(run, seconds)


def step_bytes(threads: int, seconds: float) -> float:
    """Bytes/s of the recurrent weights in the products of one stream's step, one layer's after the other's."""
    shapes = [(1, (1 + (layer > 0)) * UNITS, 4 * UNITS) for layer in range(LAYERS)]
    products = [numpy_product(*operands(*shape)) for shape in shapes]

    def run() -> float:
        for product in products:
            product()
        return STEP_BYTES

    with threadpool_limits(threads):
        return rate(run, seconds)


def memory_bytes(threads: int, seconds: float) -> float:
    """Bytes/s of a vector times a matrix that no cache holds."""
    with threadpool_limits(threads):
        return rate_of(numpy_product(*operands(1, 8192, 8192)), 4 * 8192**2, seconds)


def main() -> None:
    """Serve the products of the library that is named."""
    of_library = {"numpy": numpy_product, "tensorflow": tensorflow_product, "torch": torch_product}[sys.argv[1]]

    def product(rows: int, inner: int, columns: int, seconds: float) -> float:
        return rate_of(of_library(*operands(rows, inner, columns)), 2.0 * rows * inner * columns, seconds)

    def bfloat16_product(rows: int, inner: int, columns: int, seconds: float) -> float:
        left, right = operands(rows, inner, columns)
        return rate_of(torch_product(left, right, "bfloat16"), 2.0 * rows * inner * columns, seconds)

    serve(product=product, bfloat16_product=bfloat16_product, step_bytes=step_bytes, memory_bytes=memory_bytes)


if __name__ == "__main__":
    main()
