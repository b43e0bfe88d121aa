"""The article's training."""

import functools
from typing import Any

from benchmarks.network import SYMBOLS, random_windows
from benchmarks.peer import serve
from benchmarks.peers.article import build, inputs, targets
from benchmarks.peers.clock import Clock

CHARACTERS = 50_000


@functools.cache
def model() -> Any:
    """The network."""
    return build(SYMBOLS)


def train(batch: int, seconds: float) -> float:
    """Targets a second."""
    codes = random_windows(batch).codes[:CHARACTERS]
    clock = Clock(seconds)
    arrays = inputs(codes, SYMBOLS), targets(codes, SYMBOLS)
    model().fit(*arrays, batch_size=batch, epochs=1000, verbose=0, callbacks=[clock])
    return clock.rate * batch


if __name__ == "__main__":
    serve(train=train)
