"""What dropout drops: pure functions of the random seed, the step's number, the layer and the stream.

The bits come from a tree of counters: the outputs of one generator seed the generators below it (Steele, Lea and Flood,
2014), from the seed down to each stream's characters. So a stream's mask depends neither on the batch that it is in nor
on the shards or machines among which the batch is divided.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

from textgen.training.backend import tf

GOLDEN = 0x9E3779B9  # 2^32 divided by the golden ratio, made odd: the distance of a generator's states
FACTORS = 0x7FEB352D, 0x846CA68B  # of the mixing function lowbias32 (Wellons, 2018)


@dataclass(frozen=True)
class Dropout:
    """What is dropped in one step.

    Attributes:
        rate: the share of outputs that are dropped.
        keys: the seeds of the layers' generators, uint32 `(layers,)`.
        first: the number of the first stream; that of a part of a batch is its place in the whole batch.
    """

    rate: float
    keys: Any
    first: int = 0

    def part(self, start: int) -> Self:
        """Of the streams from `start` on."""
        return replace(self, first=self.first + start)

    def mask(self, layer: int, shape: tuple[int, int, int]) -> Any:
        """What the outputs `(T, B, H)` of a layer are multiplied with, float32; of a rate of 0 ones `(1, 1, 1)`.

        Outputs that are not dropped are scaled up, so that the expected output stays the same (Srivastava et al.,
        2014).
        """
        if self.rate == 0:
            return tf.ones((1, 1, 1))
        length, streams, units = shape
        of_streams = _output(self.keys[layer], tf.range(self.first, self.first + streams))  # (B,)
        of_characters = _output(of_streams, tf.range(length)[:, None])  # (T, B)
        bits, least = _output(of_characters[..., None], tf.range(units)), threshold(self.rate)
        return tf.where(bits >= tf.constant(least, tf.uint32), tf.constant(1 / (1 - least / 2**32)), 0.0)


def step_dropout(rate: float, layers: int, rng_seed: int, number: Any) -> Dropout:
    """What is dropped in the step of a number, int32, in a run with this random seed."""
    of_seed = tf.constant(rng_seed % 2**32, tf.uint32)
    return Dropout(rate, _output(_output(of_seed, number), tf.range(layers)))


def threshold(rate: float) -> int:
    """What 32 bits must reach for an output to be kept."""
    return min(round(rate * 2**32), 2**32 - 1)


def _output(seed: Any, number: Any) -> Any:
    """Outputs of generators: the one of each number, from 0, uint32."""
    x = seed + (tf.cast(number, tf.uint32) + 1) * tf.constant(GOLDEN, tf.uint32)
    for shift, factor in zip((16, 15), FACTORS, strict=True):
        x = _folded(x, shift) * tf.constant(factor, tf.uint32)
    return _folded(x, 16)


def _folded(x: Any, shift: int) -> Any:
    return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(shift, tf.uint32)))
