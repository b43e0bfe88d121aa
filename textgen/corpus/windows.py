"""Cuts codes into training windows of `B` parallel streams."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from textgen.corpus.codes import gather
from textgen.corpus.vocabulary import Codes

FORGET = 100  # windows after which a stream is read on as if it began there


@dataclass(frozen=True)
class Windows:
    """A text cut into `B` long streams, read in parallel in windows of `T` characters.

    The text is treated as a ring and cut into consecutive streams. Each epoch starts at another place of the ring, so
    that the borders of windows and streams, and the remainder at their ends, differ. A window depends only on its
    number, so training can be resumed at any step.

    Attributes:
        codes: the text to train on, shape `(N,)`.
        streams: `B`, the batch size.
        length: `T`, the sequence length.
        rng_seed: determines where each epoch starts.
        rows: the streams whose windows are asked for: all, or the part of one of several workers.
    """

    codes: Codes
    streams: int
    length: int
    rng_seed: int
    rows: slice = field(default_factory=lambda: slice(None))

    @staticmethod
    def most_streams(characters: int, length: int) -> int:
        """The largest number of streams of at least one window that a text can be cut into."""
        return characters // length

    @property
    def per_epoch(self) -> int:
        """The number of windows of an epoch."""
        return len(self.codes) // self.streams // self.length

    def begins(self, step: int) -> NDArray[np.bool_]:
        """Which streams have their state reset to zero before a step, shape `(B,)`, or fewer if `rows` are.

        All at the start of an epoch, and later each stream by itself every `FORGET` windows. On a long text the network
        would otherwise hardly ever see a zero state, let its cell states grow without bound, and generate nonsense
        from a seed phrase.
        """
        place = step % self.per_epoch
        ages = place + self._numbers() * FORGET // self.streams  # spread, so that few begin at once
        return (ages % FORGET == 0) | (place == 0)

    def window(self, step: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The inputs and the targets of a step, counted from 0 over all epochs; both int32 `(B, T)`.

        A target is the character after its input.
        """
        window = gather(self.codes, self.places(step), step).astype(np.int32)
        return window[:, :-1], window[:, 1:]

    def places(self, step: int) -> NDArray[np.int64]:
        """Where in the text the characters of a step's window are, `(B, T + 1)`: inputs, and one more at the end."""
        epoch, place = divmod(step, self.per_epoch)
        total = len(self.codes)
        start = int(np.random.default_rng((self.rng_seed, epoch)).integers(total)) if epoch else 0
        first = start + place * self.length + self._numbers() * (total // self.streams)
        return (first[:, None] + np.arange(self.length + 1)) % total

    def _numbers(self) -> NDArray[np.int64]:
        """Of the streams that are asked for."""
        return np.arange(self.streams)[self.rows]
