"""textgen's library, writing."""

from collections.abc import Callable

import textgen
from benchmarks.writer import main
from textgen.config import LENGTH


def open_model(path: str, streams: int) -> Callable[[], int]:
    """Texts without an end, side by side."""
    pieces = iter(textgen.load(path).write(count=streams, length=int(LENGTH.high), rng_seed=1))
    return lambda: sum(map(len, next(pieces)))


if __name__ == "__main__":
    main(open_model)
