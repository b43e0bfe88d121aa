"""Measures what a second worker brings: one process pinned to a core against several, pinned to a core each, and how
long the sum of the gradients takes, and how many bytes it has. The workers train on a text in turn with the one."""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from textgen.cli.workers import HERE, free_ports
from textgen.config import DEFAULT_LAYERS, DEFAULT_UNITS, Shape
from textgen.model_file import layout

TEXT = Path(__file__).parents[1] / "corpora" / "the_quenched_lamp.txt"
SUMS = 60  # that are timed, but for the first five
TRAIN = [sys.executable, "-m", "textgen", "train"]


def main() -> None:
    """Measure, and print a line for each batch size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="how many train together (default 2)")
    parser.add_argument("--batch-size", type=int, nargs="+", default=[64, 128], help="(default 64 128)")
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement (default 20)")
    parser.add_argument("--times", type=int, default=3, help="how often, alternating (default 3)")
    parser.add_argument("--text", type=Path, default=TEXT, help="to train on")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < options.workers:
        raise SystemExit(f"{options.workers} workers need a core each, and there are {len(cores)}")
    for streams in options.batch_size:
        alone, together = [], []
        for _ in range(options.times):
            alone.append(targets_a_second(options, streams, cores[:1]))
            together.append(targets_a_second(options, streams, cores[: options.workers]))
            print(f"  {alone[-1]:,.0f} alone, {together[-1]:,.0f} together", flush=True)
        ratio = median(together) / median(alone)
        print(
            f"B = {streams}: 1 process {median(alone):,.0f} targets/s, {options.workers} processes "
            f"{median(together):,.0f} targets/s: {ratio:.2f} x",
            flush=True,
        )
    numbers = parameters(options)
    seconds = sum_seconds(options, numbers, cores)
    print(f"sum of the gradients: {4 * numbers:,} bytes a worker, {1000 * seconds:.1f} ms when nothing else is done")


def targets_a_second(options: argparse.Namespace, streams: int, cores: list[int]) -> float:
    """Train for so many seconds, a worker on each core; return the characters a second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = folder / "text.txt"
        content = options.text.read_text(encoding="utf-8")
        text.write_text(content * (4_000_000 // len(content) + 1), encoding="utf-8")  # no evaluation is due meanwhile
        words = (
            f"--epochs 100 --validation 0 --batch-size {streams} --rng-seed 1 --checkpoint-every 100000 --json".split()
        )
        addresses = [f"{HERE}:{port}" for port in free_ports(len(cores))]
        processes = []
        for index, core in enumerate(cores):
            several = [f"--workers={','.join(addresses)}", f"--worker-index={index}"] if len(cores) > 1 else []
            command = ["taskset", "-c", str(core), *TRAIN, str(text), "-o", str(folder / f"{index}"), *words, *several]
            processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        try:
            return speed(processes[0], options.seconds)
        finally:
            for process in processes:
                process.kill()
                process.wait()


def speed(chief: "subprocess.Popen[str]", seconds: float) -> float:
    """The characters a second that a run tells of, from a few steps after the first on."""
    begin: tuple[float, int] | None = None
    for line in chief.stdout or []:
        event, now = json.loads(line), time.perf_counter()
        if event["event"] != "stepped" or event["step"] < 8:  # the first is compiled
            continue
        begin = begin or (now, event["characters"])
        if now - begin[0] > seconds:
            return float((event["characters"] - begin[1]) / (now - begin[0]))
    raise SystemExit("a training ended before it was measured")


def parameters(options: argparse.Namespace) -> int:
    """How many numbers are summed in a step: the gradients of the default network on the text, and the loss."""
    symbols = len(set(options.text.read_text(encoding="utf-8")))
    shape = Shape(DEFAULT_LAYERS, DEFAULT_UNITS, 0.0, 64)
    return 1 + sum(math.prod(part) for part in layout(shape, symbols).values())


def sum_seconds(options: argparse.Namespace, numbers: int, cores: list[int]) -> float:
    """The median time of the sum of so many numbers by so many workers, each pinned to a core."""
    addresses = ",".join(f"{HERE}:{port}" for port in free_ports(options.workers))
    processes = []
    for index in range(options.workers):
        command = [
            "taskset",
            "-c",
            str(cores[index]),
            sys.executable,
            __file__,
            "--sum",
            addresses,
            str(index),
            str(numbers),
        ]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
    return float(next(process.communicate()[0] for process in processes))


def take_part_in_sums(addresses: str, index: int, numbers: int) -> None:
    """Sum with the other workers as a step does, and print the median time."""
    from textgen.training.backend import start, tf
    from textgen.training.replicas import together

    summed = together(start(tuple(addresses.split(",")), index))
    gradient = tf.constant(np.random.default_rng(index).standard_normal(numbers - 1), tf.float32)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def step(gradient: Any) -> Any:
        return summed(lambda *_: (tf.constant(1.0), [gradient], [[tf.zeros((1, 1))]]), 1)[1][0][0]

    times = []
    for _ in range(SUMS):
        begun = time.perf_counter()
        float(step(gradient))
        times.append(time.perf_counter() - begun)
    print(median(times[5:]), flush=True)
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--sum"]:
        take_part_in_sums(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    main()
