"""Rounding to bfloat16, the upper 16 bits of a float32."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def rounded(array: Array) -> Array:
    """A copy, in float32, with each finite number rounded to the nearest bfloat16 value, ties to even."""
    bits = array.view(np.uint32)
    return ((bits + (0x7FFF + (bits >> 16 & 1))) & 0xFFFF0000).view(np.float32)


def holds(array: Array) -> bool:
    """Whether every number is a bfloat16 value."""
    return not (array.view(np.uint32) & 0xFFFF).any()
