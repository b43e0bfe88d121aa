"""Logits → codes: pure functions on arrays, in float64.

`choose` applies them in one order: temperature, then top-k, top-p and min-p, each on what the one before has left, then
one draw. They work on likelihoods: likelihoods up to a factor for each row, so that nothing need be divided by its
sum. Ties go to the lowest code.
"""

import numpy as np
from numpy.typing import NDArray

from textgen.config import SamplingConfig

Logits = NDArray[np.floating]
Likelihoods = NDArray[np.float64]


def argmax(logits: Logits) -> NDArray[np.intp]:
    """The likeliest codes `(B,)` of logits `(B, V)`."""
    return logits.argmax(axis=-1)


def likelihoods(logits: Logits, temperature: float = 1.0) -> Likelihoods:
    """Likelihoods `(B, V)` of logits `(B, V)` divided by a temperature above 0; the likeliest symbol of a row has 1.

    The softmax (Bridle, 1990) with a temperature (Ackley, Hinton and Sejnowski, 1985), not yet divided by its sum.

    The largest logit is subtracted before the division, so that the likeliest symbols share all at temperatures
    near 0, and nothing overflows but to a likelihood of 0, as it should.
    """
    shifted = np.subtract(logits, np.maximum.reduce(logits, axis=-1, keepdims=True), dtype=np.float64)
    if temperature < 1e-300:  # the smallest divisors would overflow with a warning
        return (shifted == 0).astype(np.float64)
    shifted /= temperature
    np.exp(shifted, shifted)
    return shifted


def top_k(likelihoods: Likelihoods, k: int) -> Likelihoods:
    """Keep the k likeliest symbols of each row, the others become 0 (Fan, Lewis and Dauphin, 2018)."""
    return np.where(_ranks(likelihoods) < k, likelihoods, 0.0)


def top_p(likelihoods: Likelihoods, p: float) -> Likelihoods:
    """Keep the fewest likeliest symbols that hold at least the share p (nucleus: Holtzman et al., 2020)."""
    order = _likeliest_first(likelihoods)
    ordered = np.take_along_axis(likelihoods, order, axis=-1)
    before = np.cumsum(ordered, axis=-1) - ordered
    kept = np.where(before < p * ordered.sum(axis=-1, keepdims=True), ordered, 0.0)
    kept[..., 0] = ordered[..., 0]
    result = np.empty_like(likelihoods)
    np.put_along_axis(result, order, kept, axis=-1)
    return result


def min_p(likelihoods: Likelihoods, p: float) -> Likelihoods:
    """Keep the symbols of at least p times the likeliest one's probability (Nguyen et al., 2024)."""
    return np.where(likelihoods >= p * likelihoods.max(axis=-1, keepdims=True), likelihoods, 0.0)


def draw(likelihoods: Likelihoods, *, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw a code from each row, `(B,)`, by its share of the row's sum. A symbol of likelihood 0 is never drawn."""
    cumulative = likelihoods.cumsum(axis=-1)
    # The largest number drawn is 1 - 2**-53; its product with a float64 is rounded below that float64, never to it.
    threshold = rng.random(len(cumulative)) * cumulative[:, -1]
    if len(cumulative) == 1:
        return cumulative[0].searchsorted(threshold, side="right")  # much quicker than a comparison for one stream
    return (cumulative <= threshold[:, None]).sum(axis=-1)


def choose(logits: Logits, config: SamplingConfig, *, rng: np.random.Generator) -> NDArray[np.intp]:
    """Choose the next codes `(B,)` from logits `(B, V)` as the configuration says."""
    if config.temperature == 0:
        return argmax(logits)
    remaining = likelihoods(logits, config.temperature)
    if config.top_k is not None:
        remaining = top_k(remaining, config.top_k)
    if config.top_p is not None:
        remaining = top_p(remaining, config.top_p)
    if config.min_p is not None:
        remaining = min_p(remaining, config.min_p)
    return draw(remaining, rng=rng)


def _likeliest_first(likelihoods: Likelihoods) -> NDArray[np.intp]:
    return np.argsort(-likelihoods, axis=-1, kind="stable")


def _ranks(likelihoods: Likelihoods) -> NDArray[np.intp]:
    """Each symbol's place among those of its row, the likeliest 0."""
    return np.argsort(_likeliest_first(likelihoods), axis=-1, kind="stable")
