"""The article's recipe: one target for each window of 50 characters, from a zero state; codes as numbers in [0, 1)."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.network import UNITS, WINDOW
from textgen.corpus.vocabulary import Codes

DROPOUT = 0.2


def build(symbols: int) -> Any:
    """Its network, compiled as it is trained."""
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((WINDOW, 1)),
            layers.LSTM(UNITS, return_sequences=True),
            layers.Dropout(DROPOUT),
            layers.LSTM(UNITS),
            layers.Dropout(DROPOUT),
            layers.Dense(symbols, activation="softmax"),
        ]
    )
    network.compile("adam", "categorical_crossentropy")
    return network


def inputs(codes: Codes, symbols: int) -> NDArray[np.float32]:
    """The windows that a character follows, `(N - 50, 50, 1)`."""
    windows = np.lib.stride_tricks.sliding_window_view(codes[:-1], WINDOW)
    return windows[..., None].astype(np.float32) / np.float32(symbols)


def targets(codes: Codes, symbols: int) -> NDArray[np.float32]:
    """The characters after them, one-hot, `(N - 50, V)`."""
    return np.eye(symbols, dtype=np.float32)[codes[WINDOW:]]
