"""What a network predicted at each character: the character's rank, the entropy, and the likeliest in its place."""

import math

import numpy as np
from numpy.typing import NDArray

from textgen.keras_archive import Array

HELD = 2**16  # numbers that are looked at together: the calls then take little of the time
BIT = np.float32(math.log(2))
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
        self._filled = self._held = 0
        self._logits: Array | None = None  # those of the last `_held` characters, which are not yet looked at
        self._codes = np.empty(characters, np.intp)

    def __call__(self, nats: NDArray[np.float64], logits: Array, codes: NDArray[np.intp]) -> None:
        """Store the next characters, from their losses `(n,)`, logits `(n, V)` and codes `(n,)`."""
        if self._logits is None:
            rows = min(len(self.nats), max(1, HELD // logits.shape[1]))
            self._logits = np.empty((rows, logits.shape[1]), np.float32)
        while len(codes):
            rows = min(len(codes), len(self._logits) - self._held)
            self.nats[self._filled : self._filled + rows] = nats[:rows]
            self._codes[self._filled : self._filled + rows] = codes[:rows]
            self._logits[self._held : self._held + rows] = logits[:rows]
            self._filled, self._held = self._filled + rows, self._held + rows
            if self._held == len(self._logits) or self._filled == len(self.nats):
                self._look(self._logits[: self._held])
                self._held = 0
            nats, logits, codes = nats[rows:], logits[rows:], codes[rows:]

    def _look(self, logits: Array) -> None:
        """Find out what there is to say of the last characters."""
        rows, place = np.arange(len(logits)), slice(self._filled - len(logits), self._filled)
        nats, codes = self.nats[place], self._codes[place]
        own = logits[rows, codes]
        self.rank[place] = ranks(logits, own, codes)
        possible = np.isfinite(own).all()  # what replaces rare characters may never come
        normaliser = nats + own if possible else np.logaddexp.reduce(logits.astype(np.float64), axis=1)
        shares = logits - normaliser.astype(np.float32)[:, None]  # the logarithms of the probabilities
        finite = np.maximum(shares, np.float32(LEAST))
        self.entropy[place] = np.einsum("nv,nv->n", np.exp(finite), finite) / -BIT
        for rank in range(self.likeliest.shape[1]):
            best = finite.argmax(axis=1)  # the lowest code of equals
            self.likeliest[place, rank] = best
            self.likeliest_bits[place, rank] = shares[rows, best] / -BIT
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
