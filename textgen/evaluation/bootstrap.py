"""Intervals for the mean of a quantity along a text, by the moving block bootstrap."""

import math

import numpy as np
from numpy.typing import NDArray

SAMPLES = 2000
CONFIDENCE = 0.95
NORMAL = 1.959964  # standard deviations of a normal distribution that hold 95 % of it on both sides
PART = 2**22  # numbers gathered at once


def half_widths(values: NDArray[np.float64], sizes: NDArray[np.int64], block: int) -> NDArray[np.float64]:
    """By how much the means of a text may be off: 95 % intervals are mean ± half width.

    Neighbouring characters are not independent, so whole blocks of neighbours are drawn, overlapping ones, as many as
    fill the text (moving block bootstrap: Künsch, 1989), and the mean of each of 2,000 such samples is computed. All
    means are of the same samples. Few blocks vary less than the text does: the spread is multiplied by √(n / (n - 1))
    for n blocks, and by the quotient of Student's and the normal quantile (to first order, Fisher, 1925).

    Args:
        values: sums over each of U stretches that follow each other, `(K, U)`.
        sizes: what each sum is divided by to be a mean, `(U,)`, such as the number of characters.
        block: the size of a block, in the unit of `sizes`.

    Returns:
        Half widths, `(K,)`; infinite where the text has fewer than two blocks.
    """
    length = max(1, round(block / sizes.mean()))
    blocks = len(sizes) // length
    if blocks < 2:
        return np.full(len(values), np.inf)
    sums = _moving(np.vstack([values, sizes]), length)
    means = values.sum(axis=1) / sizes.sum()
    residuals = sums[:-1] - means[:, None] * sums[-1]  # of a quotient of two sums, to first order
    residuals -= residuals.mean(axis=1, keepdims=True)  # the text's ends are in fewer blocks than its middle
    spread = np.quantile(np.abs(_sample_means(residuals, blocks)), CONFIDENCE, axis=1) / sums[-1].mean()
    student = 1 + (NORMAL**2 + 1) / (4 * (blocks - 1))
    return np.asarray(spread * math.sqrt(blocks / (blocks - 1)) * student)


def _moving(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """The sums over each `length` neighbours, `(K, U - length + 1)`."""
    totals = np.pad(np.cumsum(values, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    return np.asarray(totals[:, length:] - totals[:, :-length])


def _sample_means(blocks: NDArray[np.float64], drawn: int) -> NDArray[np.float64]:
    """The mean of each of 2,000 samples of so many blocks, `(K, 2000)`; always the same samples."""
    rng = np.random.default_rng(0)
    means = np.empty((len(blocks), SAMPLES))
    step = max(1, PART // (drawn * len(blocks)))
    for start in range(0, SAMPLES, step):
        places = rng.integers(blocks.shape[1], size=(min(step, SAMPLES - start), drawn))
        means[:, start : start + step] = blocks[:, places].mean(axis=2)
    return means
