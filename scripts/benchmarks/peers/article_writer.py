"""The article's loop: the likeliest character by `model.predict` on the last 50, each time anew."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from benchmarks.network import SYMBOLS, WINDOW
from benchmarks.peers.article import build
from benchmarks.writer import main


def make(path: Path) -> None:
    """Save an untrained network."""
    build(SYMBOLS).save(path)


def open_model(path: str, streams: int) -> Callable[[], int]:
    """So many texts side by side."""
    network = keras.saving.load_model(path)
    codes = np.random.default_rng(1).integers(SYMBOLS, size=(streams, WINDOW))

    def write() -> int:
        nonlocal codes
        windows = codes[..., None].astype(np.float32) / SYMBOLS
        chosen = network.predict(windows, verbose=0).argmax(axis=1)
        codes = np.concatenate([codes[:, 1:], chosen[:, None]], axis=1)
        return streams

    return write


if __name__ == "__main__":
    main(open_model, make)
