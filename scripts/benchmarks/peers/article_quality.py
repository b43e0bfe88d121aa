"""Trains by the article's recipe for some minutes, and records its held-out loss.

Arguments: the text, the history, minutes, the rng seed, and when the process was started on `time.monotonic`'s clock.
"""

import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks import history
from benchmarks.network import WINDOW
from benchmarks.peers.article import build, inputs, targets
from textgen.corpus.corpus import Corpus

BATCH, EPOCHS = 30, 100
SCORED = 4000  # held-out characters, evenly spread: each costs a window of its own


class Scorer(keras.callbacks.Callback):
    """Scores every minute or so, the clock stopped meanwhile, and ends the training when the time is over."""

    def __init__(self, codes: Any, first: int, symbols: int, path: Path, started: float, seconds: float) -> None:
        """Choose the characters to score."""
        super().__init__()
        self._codes, self._path = codes, path
        self._places = np.linspace(first, len(codes) - 1, min(SCORED, len(codes) - first)).astype(np.int64)
        windows = codes[self._places[:, None] + np.arange(-WINDOW, 0)]
        self._inputs = windows[..., None].astype(np.float32) / symbols
        self._started, self._seconds = started, seconds
        self._scorings = max(2, round(seconds / 60))
        self._paused, self._scored = 0.0, 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Score when it is time to; Keras calls this."""
        now = time.monotonic()
        elapsed = now - self._started - self._paused
        if elapsed < self._seconds * (self._scored + 1) / self._scorings:
            return
        self._scored += 1
        predicted = self.model.predict(self._inputs, batch_size=256, verbose=0)
        nats = -np.log(predicted[np.arange(len(predicted)), self._codes[self._places]]).mean()
        self._paused += time.monotonic() - now
        history.record(self._path, float(nats), self._paused)
        self.model.stop_training = self._scored == self._scorings


def main() -> None:
    """Train as told."""
    text, path, minutes, rng_seed, started = sys.argv[1:]
    history.begin(Path(path))
    keras.utils.set_random_seed(int(rng_seed))
    corpus = Corpus.from_files(text, lowercase=True)
    symbols, first = len(corpus.vocabulary), len(corpus) - corpus.hold_out()
    learnt = corpus.codes[:first]
    scorer = Scorer(corpus.codes, first, symbols, Path(path), float(started), 60 * float(minutes))
    arrays = inputs(learnt, symbols), targets(learnt, symbols)
    build(symbols).fit(*arrays, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=[scorer])


if __name__ == "__main__":
    main()
