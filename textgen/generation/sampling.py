"""Sampling: pure functions from logits to codes, in float64.

The order is temperature, top-k, top-p, min-p, each on what the previous one left, then one draw. The filters work on
likelihoods: probabilities up to a factor per row, so that no row need be divided by its sum. Ties go to
the lowest code.
"""

import numpy as np
from numpy.typing import NDArray

from textgen.config import SamplingConfig

Logits = NDArray[np.floating]
Likelihoods = NDArray[np.float64]


def likelihoods(logits: Logits, temperature: float = 1.0) -> Likelihoods:
    """Likelihoods `(B, V)` of logits `(B, V)` at a temperature above 0; the most probable symbol of a row has 1.

    The softmax (Bridle, 1990) with a temperature (Ackley, Hinton and Sejnowski, 1985), not yet divided by its sum.

    The largest logit is subtracted before the division, so that the most probable symbols share everything at
    temperatures near 0, and underflow gives a likelihood of 0, as it should.
    """
    shifted = np.subtract(logits, np.maximum.reduce(logits, axis=-1, keepdims=True), dtype=np.float64)
    if temperature < 1e-300:  # the smallest divisors would overflow with a warning
        return (shifted == 0).astype(np.float64)
    shifted /= temperature
    np.exp(shifted, shifted)
    return shifted


def top_k(likelihoods: Likelihoods, k: int) -> Likelihoods:
    """Keep the k most probable symbols of each row, set the others to 0 (Fan, Lewis and Dauphin, 2018)."""
    return np.where(_ranks(likelihoods) < k, likelihoods, 0.0)


def top_p(likelihoods: Likelihoods, p: float) -> Likelihoods:
    """Nucleus: keep the fewest most probable symbols of total probability at least p (Holtzman et al., 2020)."""
    order = _likeliest_first(likelihoods)
    ordered = np.take_along_axis(likelihoods, order, axis=-1)
    before = np.cumsum(ordered, axis=-1) - ordered
    kept = np.where(before < p * ordered.sum(axis=-1, keepdims=True), ordered, 0.0)
    kept[..., 0] = ordered[..., 0]
    result = np.empty_like(likelihoods)
    np.put_along_axis(result, order, kept, axis=-1)
    return result


def min_p(likelihoods: Likelihoods, p: float) -> Likelihoods:
    """Keep the symbols at least p times as probable as the most probable one (Nguyen et al., 2024)."""
    return np.where(likelihoods >= p * likelihoods.max(axis=-1, keepdims=True), likelihoods, 0.0)


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
        scores[filtered(logits, config) == 0] = -np.inf
    return scores.argmax(axis=-1)


def filtered(logits: Logits, config: SamplingConfig) -> Likelihoods:
    """The likelihoods `(B, V)` after the configuration's filters; dropped ones are 0."""
    remaining = likelihoods(logits, config.temperature)
    if config.top_k is not None:
        remaining = top_k(remaining, config.top_k)
    if config.top_p is not None:
        remaining = top_p(remaining, config.top_p)
    if config.min_p is not None:
        remaining = min_p(remaining, config.min_p)
    return remaining


def _likeliest_first(likelihoods: Likelihoods) -> NDArray[np.intp]:
    return np.argsort(-likelihoods, axis=-1, kind="stable")


def _ranks(likelihoods: Likelihoods) -> NDArray[np.intp]:
    """Each symbol's place among those of its row, the most probable one 0."""
    return np.argsort(_likeliest_first(likelihoods), axis=-1, kind="stable")


def losses(logits: Logits, codes: NDArray[np.integer]) -> NDArray[np.float64]:
    """The cross-entropy, in nats, of codes `(N,)` under logits `(N, V)`."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    normaliser = np.log(np.exp(shifted).sum(axis=-1, dtype=np.float64))
    return normaliser - shifted[np.arange(len(codes)), codes]
