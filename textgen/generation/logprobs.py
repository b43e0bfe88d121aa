"""How likely a network thought each character of a text, and which others it thought likelier or nearly as likely."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textgen.keras_archive import Array


@dataclass(frozen=True)
class Logprob:
    """The prediction of one character: of the network, before temperature, filters and constraints.

    Attributes:
        symbol: the character.
        logprob: the natural logarithm of its probability.
        likeliest: those of the likeliest characters, the likeliest first.
    """

    symbol: str
    logprob: float
    likeliest: dict[str, float]


class Logprobs:
    """Notes the predictions of a stream's characters, which it observes."""

    def __init__(self, symbols: Sequence[str], count: int) -> None:
        """Take the network's symbols, and of how many of the likeliest to take note."""
        self._symbols, self._count = symbols, min(count, len(symbols))
        self._noted: list[Logprob] = []

    def __call__(self, nats: NDArray[np.float64], logits: Array, codes: NDArray[np.intp]) -> None:
        """Take the losses `(n,)`, the logits `(n, V)` and the codes `(n,)` of the next characters."""
        normalisers = nats + logits[np.arange(len(codes)), codes].astype(np.float64)
        order = np.argsort(-logits, axis=1, kind="stable")[:, : self._count]
        shares = np.take_along_axis(logits, order, axis=1) - normalisers[:, None]  # (n, K)
        for code, loss, likeliest, logprobs in zip(
            codes.tolist(), nats.tolist(), order.tolist(), shares.tolist(), strict=True
        ):
            others = {self._symbols[other]: share for other, share in zip(likeliest, logprobs, strict=True)}
            self._noted.append(
                Logprob(self._symbols[code], -loss, {key: share for key, share in others.items() if share > -np.inf})
            )

    def of(self, text: str) -> tuple[Logprob, ...]:
        """The predictions of a text, the beginning of what was observed."""
        return tuple(self._noted[: len(text)])
