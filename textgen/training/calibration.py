"""The temperature at which a trained network's held-out loss is lowest, folded into its output layer.

Networks are over-confident, the more so the longer they have trained: dividing the logits by one number above 1 lowers
the loss (temperature scaling: Guo, Pleiss, Sun and Weinberger, 2017). One number is hardly ever fitted to chance; that
it was not is seen by fitting it on one half of the held-out text and scoring the other.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebpts1

from textgen.bfloat16 import rounded
from textgen.corpus.vocabulary import Codes
from textgen.evaluation.surprisal import cross_entropy, scaled_halves
from textgen.model_file import Weights

TEMPERATURES = np.arange(600, 3001) / 1000  # that are tried
# The loss is so smooth in 1 / temperature that a polynomial through a few of its values is right to 3e-5 nats.
DOMAIN = (1 / TEMPERATURES[-1], 1 / TEMPERATURES[0])
DEGREE = 10


@dataclass(frozen=True)
class Calibration:
    """The number that a network's logits are divided by, and what that gains, in nats per character.

    Attributes:
        temperature: the number.
        nats_before: the held-out loss without it.
        nats: the held-out loss with it.
        half_nats_before: the loss of the second half of the held-out text without it.
        half_nats: the same loss with the number that is best for the first half.
    """

    temperature: float
    nats_before: float
    nats: float
    half_nats_before: float
    half_nats: float


def calibrate(weights: Weights, codes: Codes, first: int, nats: float) -> tuple[Weights, Calibration] | None:
    """Divide a network's logits by the number that lowers its held-out loss most.

    Args:
        weights: the network's.
        codes: the text's codes, `(N,)`.
        first: where the held-out part begins.
        nats: its loss.

    Returns:
        The weights with the number in their output layer, whose matrix bfloat16 still holds. None if it does not lower
        the loss, or if that of the first half does not lower the loss of the second.
    """
    if len(codes) - first < 2:
        return None
    of_first, of_second = _curves(weights, codes, first)
    half_before, half = of_second(1.0), of_second(1 / _best(of_first))
    if half >= half_before:
        return None
    temperature = _best((of_first + of_second) / 2)  # the halves have equally many characters, or one more
    divided = replace(
        weights,
        head=rounded(weights.head / np.float32(temperature)),
        head_bias=weights.head_bias / np.float32(temperature),
    )
    lowered = cross_entropy(divided, codes, first)
    calibration = Calibration(temperature, nats, lowered, float(half_before), float(half))
    return (divided, calibration) if lowered < nats else None


def _curves(weights: Weights, codes: Codes, first: int) -> list[Chebyshev]:
    """The loss of either half of the held-out part, as a function of 1 / temperature."""
    low, high = DOMAIN
    scales = low + (high - low) * (1 + chebpts1(DEGREE + 1)) / 2
    halves = scaled_halves(weights, codes, first, scales.tolist())
    return [Chebyshev.fit(scales, losses, DEGREE, domain=DOMAIN) for losses in halves]


def _best(curve: Chebyshev) -> float:
    """The temperature at which a loss is lowest."""
    return float(TEMPERATURES[curve(1 / TEMPERATURES).argmin()])
