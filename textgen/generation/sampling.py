"""Sampling: pure functions from logits to codes, in float64.

The order is temperature, top-k, top-p, min-p, each on what the previous one left, then one draw. The filters work on
likelihoods: probabilities up to a factor per row, so that no row need be divided by its sum. Ties go to the lowest
code.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from textgen.config import SamplingConfig

Logits = NDArray[np.floating]
Likelihoods = NDArray[np.float64]
Mask = NDArray[np.bool_]


def likelihoods(logits: Logits, temperature: float = 1.0) -> Likelihoods:
    """Likelihoods `(B, V)` of logits `(B, V)` at a temperature above 0; the most probable symbol of a row has 1.

    The softmax (Bridle, 1990) with a temperature (Ackley, Hinton and Sejnowski, 1985), not yet divided by its sum.

    The largest logit is subtracted before the division, so that the most probable symbols share everything at
    temperatures near 0, and underflow gives a likelihood of 0, as it should.
    """
    shifted = logits.astype(np.float64)
    shifted -= np.maximum.reduce(shifted, axis=-1, keepdims=True)
    if temperature < 1e-300:  # the smallest divisors would overflow with a warning
        return (shifted == 0).astype(np.float64)
    shifted /= temperature
    np.exp(shifted, shifted)
    return shifted


def to_noise(exponentials: NDArray[np.float64], temperatures: NDArray[np.float64]) -> None:
    """Turn draws of a standard exponential into what `choose` draws with: Gumbel noise times a temperature.

    Minus the logarithm of a standard exponential is Gumbel's, and takes a third of the time of what is usual.

    Args:
        exponentials: shape `(B, N, V)`, above 0, overwritten.
        temperatures: shape `(B,)`.
    """
    np.log(exponentials, exponentials)
    exponentials *= -temperatures[:, None, None]


def choose(logits: Logits, config: SamplingConfig, drawn: NDArray[np.float64]) -> NDArray[np.intp]:
    """Choose the next codes `(B,)` from logits `(B, V)` as the configuration says.

    The largest of logits plus Gumbel noise times the temperature is a draw from the softmax of logits / temperature
    (the Gumbel-max trick: Gumbel, 1954; Maddison, Tarlow and Minka, 2014). It needs neither exponentials nor sums, and
    at temperature 0 it is the argmax.

    Args:
        logits: shape `(B, V)`.
        config: temperature and filters.
        drawn: from `to_noise`, with the configuration's temperature, shape `(B, V)`.
    """
    scores = logits + drawn
    if config.filters and config.temperature > 0:
        np.putmask(scores, ~kept(logits, config), -np.inf)
    return scores.argmax(axis=-1)


def kept(logits: Logits, config: SamplingConfig) -> Mask:
    """Which symbols the configuration's filters keep, `(B, V)`, from logits `(B, V)`.

    First the k most probable (top-k: Fan, Lewis and Dauphin, 2018); of these, the fewest of total probability at least
    p (top-p, or nucleus: Holtzman et al., 2020); of these, the ones at least p times as probable as the most probable
    one (min-p: Nguyen et al., 2024). Symbols of likelihood 0 may be among them: they are never drawn.
    """
    shares = likelihoods(logits, config.temperature)
    rows, symbols = shares.shape
    k = symbols if config.top_k is None else min(config.top_k, symbols)
    left = None
    if config.top_p is not None:
        ordered = -shares
        ordered.sort(axis=-1)
        np.negative(ordered, ordered)  # the most probable first
        ordered[:, k:] = 0
        counts = _nucleus(ordered, config.top_p)
        left = _most_probable(shares, ordered[np.arange(rows), counts - 1], counts)
    elif k < symbols:
        ordered = shares.copy()
        ordered.partition(symbols - k, axis=-1)
        left = _most_probable(shares, ordered[:, symbols - k], k)
    if config.min_p is None:
        return np.ones(shares.shape, np.bool_) if left is None else left
    probable = shares >= config.min_p  # that of the most probable one is 1
    return probable if left is None else left & probable


def _nucleus(ordered: Likelihoods, p: float) -> NDArray[np.intp]:
    """How many symbols `(B,)` have a total probability of at least p; those of a row are in descending order."""
    before = np.add.accumulate(ordered, axis=-1)
    before -= ordered
    fewer = before < p * np.add.reduce(ordered, axis=-1, keepdims=True)
    fewer[:, 0] = True
    return np.add.reduce(fewer, axis=-1)


def _most_probable(shares: Likelihoods, least: Likelihoods, counts: int | NDArray[np.intp]) -> Mask:
    """The most probable symbols of each row, as a mask `(B, V)`.

    Args:
        shares: shape `(B, V)`.
        least: the likelihood of the last symbol to keep, `(B,)`.
        counts: the number of symbols to keep, in each row or `(B,)`.
    """
    least = least[:, None]
    mask = shares >= least
    total = len(shares) * counts if isinstance(counts, int) else np.add.reduce(counts)
    if np.count_nonzero(mask) > total and least.any():  # too many are as probable as the last: drop the highest codes
        surplus = np.add.reduce(mask, axis=-1) - counts
        equals = shares == least
        mask &= ~equals | (np.cumsum(equals[:, ::-1], axis=-1)[:, ::-1] > surplus[:, None])
    return mask


def losses(logits: Logits, codes: NDArray[np.integer]) -> NDArray[np.float64]:
    """The cross-entropy, in nats, of codes `(N,)` under logits `(N, V)`."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    normaliser = np.log(np.exp(shifted).sum(axis=-1, dtype=np.float64))
    return normaliser - shifted[np.arange(len(codes)), codes]


def scaled_losses(logits: Logits, codes: NDArray[np.integer], scales: Sequence[float]) -> NDArray[np.float64]:
    """What `losses` gives, `(K, N)`, of the logits multiplied by each of K positive numbers."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    of_codes = shifted[np.arange(len(codes)), codes].astype(np.float64)
    work, found = np.empty_like(shifted), np.empty((len(scales), len(codes)))
    for place, scale in enumerate(scales):
        np.multiply(shifted, scale, out=work)
        np.exp(work, work)
        found[place] = np.log(work.sum(axis=-1)) - scale * of_codes
    return found
