"""What dropout drops: pure functions of the random seed, the step's number, the layer and the stream.

The bits come from a tree of counters: the outputs of one generator seed the generators below it (Steele, Lea and Flood,
2014), from the seed down to each stream's characters. So a stream's mask depends neither on the batch that it is in nor
on the shards or machines among which the batch is divided.
"""

from typing import Any

from textgen.training.backend import tf

GOLDEN = 0x9E3779B9  # 2^32 divided by the golden ratio, made odd: the distance of a generator's states
FACTORS = 0x7FEB352D, 0x846CA68B  # of the mixing function lowbias32 (Wellons, 2018)


def dropout_masks(
    rate: float, shape: tuple[int, int, int], layers: int, rng_seed: int, number: Any, first: Any = 0
) -> list[Any]:
    """The dropout masks of a step, one per layer, that its outputs are multiplied with.

    Outputs that are not dropped are scaled up, so that the expected output stays the same (Srivastava et al., 2014).

    Args:
        rate: the share of outputs that are dropped.
        shape: `(T, B, H)`.
        layers: the number of masks.
        rng_seed: with the step, the layer and the stream, all that a mask depends on.
        number: of the step, int32.
        first: the number of the first stream: the masks of streams `first` to `first + B` of a larger batch are theirs
            in the mask of the whole batch.

    Returns:
        Masks `(T, B, H)`, float32; of a rate of 0 ones `(1, 1, 1)`.
    """
    if rate == 0:
        return [tf.ones((1, 1, 1))] * layers
    length, streams, units = shape
    masks = []
    for key in tf.unstack(layer_keys(rng_seed, number, layers)):
        of_streams = _output(key, tf.range(streams) + first)  # (B,)
        of_characters = _output(of_streams, tf.range(length)[:, None])  # (T, B)
        bits = _output(of_characters[..., None], tf.range(units))
        masks.append(tf.where(bits >= tf.constant(threshold(rate), tf.uint32), tf.constant(1 / (1 - rate)), 0.0))
    return masks


def layer_keys(rng_seed: int, number: Any, layers: int) -> Any:
    """The seeds of the layers' generators in a step, uint32 `(layers,)`."""
    return _output(_output(tf.constant(rng_seed % 2**32, tf.uint32), number), tf.range(layers))


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
