"""What a network predicted at each character: the character's rank, the entropy, and the likeliest in its place."""

import math

import numpy as np
from numpy.typing import NDArray

from textgen.keras_archive import Array

LEAST = -1e4  # natural logarithm of a probability that is 0 in float32, and whose product with 0 is 0


class Details:
    """Observes a stream, and stores what was predicted at its characters.

    Attributes:
        nats: the characters' losses, float64 `(N,)`.
        rank: int32 `(N,)`, 1 for the likeliest.
        entropy: in bits, float32 `(N,)`.
        likeliest: codes, the likeliest first, int32 `(N, K)`.
        likeliest_bits: their surprisals, float32 `(N, K)`.
    """

    def __init__(self, characters: int, likeliest: int) -> None:
        """Prepare to store the predictions of N characters, each with the K likeliest."""
        self.nats = np.empty(characters)
        self.rank = np.empty(characters, np.int32)
        self.entropy = np.empty(characters, np.float32)
        self.likeliest = np.empty((characters, likeliest), np.int32)
        self.likeliest_bits = np.empty((characters, likeliest), np.float32)
        self._filled = 0

    def __call__(self, nats: NDArray[np.float64], logits: Array, codes: NDArray[np.intp]) -> None:
        """Store the next characters, from their losses `(n,)`, logits `(n, V)` and codes `(n,)`."""
        rows, place = np.arange(len(codes)), slice(self._filled, self._filled + len(codes))
        self._filled += len(codes)
        own = logits[rows, codes]
        self.nats[place] = nats
        self.rank[place] = ranks(logits, own, codes)
        possible = np.isfinite(own).all()  # what replaces rare characters may never come
        normaliser = nats + own if possible else np.logaddexp.reduce(logits.astype(np.float64), axis=1)
        shares = logits - normaliser.astype(np.float32)[:, None]  # the logarithms of the probabilities
        finite = np.maximum(shares, np.float32(LEAST))
        self.entropy[place] = np.einsum("nv,nv->n", np.exp(finite), finite) / np.float32(-math.log(2))
        for rank in range(self.likeliest.shape[1]):
            best = finite.argmax(axis=1)  # the lowest code of equals
            self.likeliest[place, rank] = best
            self.likeliest_bits[place, rank] = shares[rows, best] / np.float32(-math.log(2))
            finite[rows, best] = -np.inf


def ranks(logits: Array, own: Array, codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """How many symbols come before each code in the order of their logits, highest first, then of codes; and itself.

    Args:
        logits: shape `(n, V)`.
        own: those of the codes, `(n,)`.
        codes: shape `(n,)`.
    """
    found = np.count_nonzero(logits > own[:, None], axis=1) + 1
    equals = logits == own[:, None]
    if np.count_nonzero(equals) > len(codes):
        found += np.count_nonzero(equals & (np.arange(logits.shape[1]) < codes[:, None]), axis=1)
    return found
