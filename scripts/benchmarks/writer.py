"""What the peers that write have in common: a program that writes at once, or as often as it is asked."""

import argparse
import functools
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.peer import rate, serve

Open = Callable[[str, int], Callable[[], int]]  # model and streams → what writes on and returns how many characters


def main(open_model: Open, make: Callable[[Path], None] | None = None) -> None:
    """Make a model, write from it, or serve.

    Args:
        open_model: reads a model and starts so many streams.
        make: writes a model, as large as a trained one and as quick; None where textgen's is read.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--make", action="store_true", help="write the model")
    parser.add_argument("--length", type=int, default=0, help="write so many characters; 0 serves")
    options = parser.parse_args()
    if options.make and make:
        make(Path(options.model))
    elif options.length:
        _write(open_model(options.model, 1), options.length)
    else:
        opened = functools.cache(open_model)
        serve(write=lambda streams, seconds: rate(opened(options.model, streams), seconds))


def _write(write: Callable[[], int], length: int) -> None:
    """Print a sign for each character as it is written."""
    while length > 0:
        written = write()
        length -= written
        sys.stdout.write("." * written)
        sys.stdout.flush()
