"""Measures what docs/performance.md tells: how good a model gets in a time, how quickly and how fast it writes."""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from textgen.model_file import read_model

TEXTGEN = [sys.executable, "-m", "textgen"]
REPEATS = 5
LONG, WINDOW = 1_000_000, 10_000  # characters written in one go; of its first and last ones the speeds are compared


def main() -> None:
    """Run what is asked for and print a row for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", help="a text to train on; give an absolute path")
    parser.add_argument("--minutes", type=float, default=2, help="the budget of the training (default 2)")
    parser.add_argument("--seeds", type=int, default=1, help="trainings, with rng seeds 1, 2, … (default 1)")
    parser.add_argument("--quick", action="store_true", help="leave out the million characters")
    options = parser.parse_args()
    print(f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| figure | median | all |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        model = training(options, Path(folder))
        writing(model)
        if not options.quick:
            steadiness(model)


def row(name: str, values: list[float], form: str) -> None:
    """Print one figure: its median, and every value."""
    listed = ", ".join(form.format(value) for value in sorted(values))
    print(f"| {name} | {form.format(statistics.median(values))} | {listed} |", flush=True)


def training(options: argparse.Namespace, folder: Path) -> Path:
    """Train once for each seed; return the last model."""
    losses, seconds, peaks = [], [], []
    for seed in range(1, options.seeds + 1):
        output = folder / f"seed-{seed}"
        words = ["train", options.text, "-o", str(output), "--minutes", str(options.minutes), "--rng-seed", str(seed)]
        begun = time.perf_counter()
        process = subprocess.Popen([*TEXTGEN, *words], stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"training failed: textgen {' '.join(words)}")
        seconds.append(time.perf_counter() - begun)
        peaks.append(megabytes(usage.ru_maxrss))
        losses.append(read_model(output).description.training.validation_nats or float("nan"))
    name = Path(options.text).stem
    row(f"{name}, {options.minutes:g} minutes: held-out nats", losses, "{:.4f}")
    row(f"{name}: wall-clock seconds", seconds, "{:.1f}")
    row(f"{name}: peak memory of training, MB", peaks, "{:.0f}")
    return output


def writing(model: Path) -> None:
    """Start-up, speed and memory of one stream, alone and beside a process that keeps one core busy."""
    row("textgen --help, seconds", repeat(lambda: seconds_of([*TEXTGEN, "--help"])), "{:.3f}")
    row("first character, seconds from process start", repeat(lambda: written(model, 1000)[0]), "{:.3f}")
    runs = [written(model, 100_000) for _ in range(REPEATS)]
    row("one stream, characters/s", [run[1] for run in runs], "{:,.0f}")
    row("peak memory of writing, MB", [run[2] for run in runs], "{:.0f}")
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        row("one stream beside a busy core, characters/s", repeat(lambda: written(model, 100_000)[1]), "{:,.0f}")
        busy.kill()


def steadiness(model: Path) -> None:
    """The speed of the first and of the last characters of a long text."""
    process = subprocess.Popen(command(model, LONG), stdout=subprocess.PIPE)
    marks = {}
    count = 0
    while block := os.read(process.stdout.fileno(), 256):  # type: ignore[union-attr]
        count += len(block)
        now = time.perf_counter()
        for mark in (1, WINDOW, LONG - WINDOW, LONG):
            if count >= mark:
                marks.setdefault(mark, (now, count))
    process.wait()

    def speed(start: int, end: int) -> float:
        (begun, first), (ended, last) = marks[start], marks[end]
        return (last - first) / (ended - begun)

    row(f"first {WINDOW:,} of {LONG:,} characters, characters/s", [speed(1, WINDOW)], "{:,.0f}")
    row(f"last {WINDOW:,} of {LONG:,} characters, characters/s", [speed(LONG - WINDOW, LONG)], "{:,.0f}")


def command(model: Path, length: int) -> list[str]:
    """Writes ASCII texts, so that a byte is a character."""
    return [*TEXTGEN, "generate", str(model), "--length", str(length), "--rng-seed", "1"]


def written(model: Path, length: int) -> tuple[float, float, float]:
    """Seconds to the first character, characters a second after it, and peak memory in MB."""
    begun = time.perf_counter()
    process = subprocess.Popen(command(model, length), stdout=subprocess.PIPE)
    output = process.stdout.fileno()  # type: ignore[union-attr]
    count = len(os.read(output, 1))
    first = time.perf_counter()
    while block := os.read(output, 65536):
        count += len(block)
    ended = time.perf_counter()
    _, _, usage = os.wait4(process.pid, 0)
    return first - begun, count / (ended - first), megabytes(usage.ru_maxrss)


def megabytes(maxrss: int) -> float:
    """What the operating system counts in kilobytes, or in bytes on macOS."""
    return maxrss / (1e6 if sys.platform == "darwin" else 1024)


def seconds_of(words: list[str]) -> float:
    """How long a command takes."""
    begun = time.perf_counter()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def repeat(measure: Callable[[], float]) -> list[float]:
    """Measure a few times."""
    return [measure() for _ in range(REPEATS)]


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
