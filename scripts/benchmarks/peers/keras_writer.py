"""A loop over a stateful Keras model, compiled, a character a call. Reads textgen's model file."""

from collections.abc import Callable

import keras
import tensorflow as tf

from benchmarks.writer import main

TEMPERATURE = 0.8


def open_model(path: str, streams: int) -> Callable[[], int]:
    """The same layers as in the file, stateful, with its weights."""
    saved = keras.saving.load_model(path)
    layers = [keras.Input(batch_shape=(streams, 1))]
    for layer in saved.layers[1:]:
        change = {"stateful": True, "return_state": False} if isinstance(layer, keras.layers.LSTM) else {}
        layers.append(type(layer).from_config(layer.get_config() | change))
    stateful = keras.Sequential(layers)
    stateful.set_weights(saved.get_weights())
    codes = tf.zeros((streams, 1), tf.int64)

    @tf.function
    def step(codes: tf.Tensor) -> tf.Tensor:
        probabilities = stateful(codes, training=False)[:, 0]
        return tf.random.categorical(tf.math.log(probabilities) / TEMPERATURE, 1)

    def write() -> int:
        nonlocal codes
        codes = step(codes)
        codes.numpy()
        return streams

    return write


if __name__ == "__main__":
    main(open_model)
