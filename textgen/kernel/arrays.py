"""Arrays that the kernel reads and writes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

LANES, PANEL = 8, 32  # of vectors.h: numbers of a vector, and columns that are multiplied with at once
LINE = 64  # bytes of a line of the cache: a vector that crosses two takes twice as long


def empty(shape: Sequence[int], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """An uninitialised array, cache-line aligned."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    space = np.empty(size + LINE, np.uint8)
    start = -space.ctypes.data % LINE
    return space[start : start + size].view(dtype).reshape(shape)


def aligned(array: NDArray[Any]) -> NDArray[Any]:
    """A cache-line aligned copy of an array."""
    copy = empty(array.shape, array.dtype)
    copy[...] = array
    return copy
