"""Stock Keras: stateful LSTM layers, trained by `fit` with what Keras chooses by itself."""

import functools
from typing import Any

import keras
import numpy as np

from benchmarks.network import DROPOUT, EMBEDDING, LAYERS, SYMBOLS, UNITS, WINDOW, random_windows
from benchmarks.peer import serve
from benchmarks.peers.clock import Clock
from textgen.training.recipe import BETA_2, GRADIENT_NORM, WEIGHT_DECAY


@functools.cache
def model(batch: int) -> Any:
    """The network, with textgen's optimizer and clipping."""
    layers: list[Any] = [keras.Input(batch_shape=(batch, WINDOW)), keras.layers.Embedding(SYMBOLS, EMBEDDING)]
    for _ in range(LAYERS):
        layers += [keras.layers.LSTM(UNITS, return_sequences=True, stateful=True), keras.layers.Dropout(DROPOUT)]
    network = keras.Sequential([*layers, keras.layers.Dense(SYMBOLS)])
    optimizer = keras.optimizers.AdamW(1e-3, WEIGHT_DECAY, beta_2=BETA_2, global_clipnorm=GRADIENT_NORM)
    network.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return network


@functools.cache
def arrays(batch: int) -> tuple[np.ndarray, ...]:
    """An epoch's inputs and targets, window behind window, so that the state fits; both `(windows · B, T)`."""
    windows = random_windows(batch)
    pairs = [windows.window(step) for step in range(windows.per_epoch)]
    return tuple(np.concatenate(part) for part in zip(*pairs, strict=True))


def train(batch: int, seconds: float) -> float:
    """Targets a second."""
    clock = Clock(seconds)
    model(batch).fit(*arrays(batch), batch_size=batch, epochs=1000, shuffle=False, verbose=0, callbacks=[clock])
    return clock.rate * batch * WINDOW


if __name__ == "__main__":
    serve(train=train)
