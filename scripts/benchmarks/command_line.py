"""What the textgen command gives by itself: start-up, one stream alone and beside a busy core, a very long text."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import watch
from benchmarks.peer import alternate
from benchmarks.results import Figure

TEXTGEN = [sys.executable, "-m", "textgen"]
ROUNDS = 5
LONG, WINDOW = 1_000_000, 10_000  # characters written in one go; of its first and last ones the speeds are compared


def generate(model: Path, length: int) -> list[str]:
    """Writes so many characters."""
    return [*TEXTGEN, "generate", str(model), "--length", str(length), "--rng-seed", "1"]


def measure(model: Path, *, quick: bool) -> list[Figure]:
    """Measure all of it; `quick` leaves out the long text."""
    words = generate(model, 10_000 if quick else 100_000)
    measures: dict[str, Callable[[], float]] = {
        "textgen --help, seconds": help_seconds,
        "one stream, characters/s": lambda: watch.writing(words).rate,
        "one stream beside a busy core, characters/s": partial(beside_a_busy_core, words),
    }
    found = alternate(measures, ROUNDS)
    if not quick:
        first, last = steadiness(model)
        found[f"first {WINDOW:,} of {LONG:,} characters, characters/s"] = [first]
        found[f"last {WINDOW:,} of {LONG:,} characters, characters/s"] = [last]
    return [Figure("textgen command", what, 1, values) for what, values in found.items()]


def help_seconds() -> float:
    """How long `textgen --help` takes."""
    begun = time.perf_counter()
    subprocess.run([*TEXTGEN, "--help"], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def beside_a_busy_core(words: list[str]) -> float:
    """Characters a second while another process keeps one core busy."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            return watch.writing(words).rate
        finally:
            busy.kill()


def steadiness(model: Path) -> tuple[float, float]:
    """The speed of the first and of the last characters of a long text."""
    marks: dict[int, tuple[float, int]] = {}
    count = 0
    with watch.start(generate(model, LONG), stdout=subprocess.PIPE) as process:
        output = process.stdout.fileno()  # type: ignore[union-attr]
        while block := os.read(output, 256):
            count += len(block)
            now = time.perf_counter()
            for mark in (1, WINDOW, LONG - WINDOW, LONG):
                if count >= mark:
                    marks.setdefault(mark, (now, count))

    def speed(start: int, end: int) -> float:
        (begun, first), (ended, last) = marks[start], marks[end]
        return (last - first) / (ended - begun)

    return speed(1, WINDOW), speed(LONG - WINDOW, LONG)
