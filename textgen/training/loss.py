"""The loss of a window, with the text alone, or with the teachers' probabilities too."""

from collections.abc import Sequence
from typing import Any

from textgen.training.backend import tf

TEACHERS = 0.5  # share of the teachers in the loss, where they are heard


def mean_loss(logits: Any, targets: Any, soft: Sequence[Any]) -> Any:
    """The mean cross-entropy in nats.

    Args:
        logits: `(T, B, V)`.
        targets: the codes of the text, int32 `(B, T)`.
        soft: nothing, for the text alone; or the arrays that `SoftTargets.window` returns.
    """
    targets = tf.transpose(targets)
    if not soft:
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits))
    mixed = _mixed(targets, *soft, symbols=logits.shape[-1])
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=tf.stop_gradient(mixed), logits=logits))


def _mixed(targets: Any, probabilities: Any, codes: Any = None, *, symbols: int) -> Any:
    """Half of the teachers' probabilities, and the rest of each distribution on the text's character, `(T, B, V)`.

    Where no teacher is heard, all is on the text's character; so is what 16 bits have rounded off.
    """
    theirs = TEACHERS * tf.cast(tf.transpose(probabilities, (1, 0, 2)), tf.float32)
    rest = 1 - tf.reduce_sum(theirs, axis=-1, keepdims=True)
    if codes is None:
        return theirs + rest * tf.one_hot(targets, symbols)
    length, streams, _ = theirs.shape
    starts = symbols * tf.reshape(tf.range(length * streams), (length, streams, 1))
    places = starts + tf.concat([tf.transpose(codes, (1, 0, 2)), targets[..., None]], axis=-1)
    values = tf.concat([theirs, rest], axis=-1)
    flat = tf.scatter_nd(tf.reshape(places, (-1, 1)), tf.reshape(values, (-1,)), (length * streams * symbols,))
    return tf.reshape(flat, (length, streams, symbols))
