"""The log-probability of each character of a text, and those of the most probable characters in its place."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textgen.keras_archive import Array


@dataclass(frozen=True)
class Logprob:
    """The network's prediction of one character, before temperature, filters and constraints.

    Attributes:
        symbol: the character.
        logprob: the natural logarithm of its probability.
        likeliest: most probable characters → their log-probabilities, the most probable first.
    """

    symbol: str
    logprob: float
    likeliest: dict[str, float]


def likeliest(
    nats: NDArray[np.float64], logits: Array, codes: NDArray[np.intp], count: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The codes `(n, count)` of the most probable symbols, the most probable first, and their log-probabilities.

    Args:
        nats: the losses of some characters, `(n,)`.
        logits: those that predicted them, `(n, V)`.
        codes: of the characters, `(n,)`.
        count: at most `V`.
    """
    own = logits[np.arange(len(codes)), codes].astype(np.float64)
    possible = np.isfinite(own).all()  # what replaces rare characters may be read, and never comes
    normalisers = nats + own if possible else np.logaddexp.reduce(logits.astype(np.float64), axis=1)
    order = np.argsort(-logits, axis=1, kind="stable")[:, :count]
    return order, np.take_along_axis(logits, order, axis=1) - normalisers[:, None]


class Logprobs:
    """Observes a stream, and stores the predictions of its characters."""

    def __init__(self, symbols: Sequence[str], count: int) -> None:
        """Prepare to store the `count` most probable of the network's symbols with each character."""
        self._symbols, self._count = symbols, min(count, len(symbols))
        self._stored: list[Logprob] = []

    def __call__(self, nats: NDArray[np.float64], logits: Array, codes: NDArray[np.intp]) -> None:
        """Store the next characters, from their losses `(n,)`, logits `(n, V)` and codes `(n,)`."""
        order, shares = likeliest(nats, logits, codes, self._count)
        for code, loss, first, logprobs in zip(
            codes.tolist(), nats.tolist(), order.tolist(), shares.tolist(), strict=True
        ):
            others = {self._symbols[other]: share for other, share in zip(first, logprobs, strict=True)}
            self._stored.append(
                Logprob(self._symbols[code], -loss, {key: share for key, share in others.items() if share > -np.inf})
            )

    def of(self, text: str) -> tuple[Logprob, ...]:
        """The predictions of a text, which is the beginning of what was observed."""
        return tuple(self._stored[: len(text)])
