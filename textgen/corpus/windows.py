"""Codes → windows for training, in stream order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textgen.corpus.codes import gather
from textgen.corpus.vocabulary import Codes

FORGET = 100  # windows after which a stream is read on as if it began there


@dataclass(frozen=True)
class Windows:
    """A text cut into `B` long streams, read side by side in windows of `T` characters.

    The streams lie one behind the other on the text bent to a ring. Each epoch the ring starts elsewhere, so that
    windows and streams have other borders, and what is left over at the streams' ends differs. A window follows from
    its number alone: training that stops at a step goes on there.

    Attributes:
        codes: the text to train on, shape `(N,)`.
        streams: `B`.
        length: `T`.
        rng_seed: decides where each epoch starts.
    """

    codes: Codes
    streams: int
    length: int
    rng_seed: int

    @staticmethod
    def most_streams(characters: int, length: int) -> int:
        """Into how many streams of at least one window a text can be cut."""
        return characters // length

    @property
    def per_epoch(self) -> int:
        """The number of windows that one reading of the text gives."""
        return len(self.codes) // self.streams // self.length

    def begins(self, step: int) -> NDArray[np.bool_]:
        """Which streams are read from a zero state at a step, shape `(B,)`.

        All at an epoch's start; and later each by itself, every `FORGET` windows. On a long text a network would
        otherwise hardly ever see a beginning, let its cells grow without bound, and write nonsense from a seed.
        """
        place = step % self.per_epoch
        ages = place + np.arange(self.streams) * FORGET // self.streams  # spread, so that few begin at once
        return (ages % FORGET == 0) | (place == 0)

    def window(self, step: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The inputs and the targets of a step, counted from 0 over all epochs; both int32 `(B, T)`.

        A target is the character after its input.
        """
        epoch, place = divmod(step, self.per_epoch)
        total = len(self.codes)
        start = int(np.random.default_rng((self.rng_seed, epoch)).integers(total)) if epoch else 0
        first = start + place * self.length + np.arange(self.streams) * (total // self.streams)
        places = (first[:, None] + np.arange(self.length + 1)) % total  # (B, T + 1)
        window = gather(self.codes, places, step).astype(np.int32)
        return window[:, :-1], window[:, 1:]
