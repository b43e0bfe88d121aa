"""Measures what a second worker brings: one process pinned to a core against several, pinned to a core each, and how
long the sum of the gradients takes, and how many bytes it has. From the figures of one process and of the sum it
predicts more machines, over slower networks. The workers train on a text in turn with the one."""

import argparse
import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from textgen.cli.workers import HERE, free_ports
from textgen.config import DEFAULT_LAYERS, DEFAULT_UNITS, Shape, TrainingConfig
from textgen.model_file import layout

PROJECT = Path(__file__).parents[1]
TEXT, PAGE = PROJECT / "corpora" / "the_quenched_lamp.txt", PROJECT / "docs" / "scaling.md"
BLOCK = re.compile(r"(<!-- scaling -->\n).*?(<!-- end -->)", re.DOTALL)
BATCH_SIZES = 64, 128  # from which a step's fixed part and that of a sequence follow
SUMS = 60  # that are timed, but for the first five
TRAIN = [sys.executable, "-m", "textgen", "train"]
WORKERS = 2, 4, 8, 16, 32, 64  # that are predicted
NETWORKS = 1e9, 10e9, 100e9  # bits a second
LATENCY = 50e-6  # seconds of a message between two machines, as in a switched network


@dataclass(frozen=True)
class Figures:
    """What a step is made of, in seconds."""

    sequence: float  # for each sequence of a batch
    fixed: float  # whatever the batch: the optimizer, the averages
    message: float  # what software takes for each message of a sum
    byte: float  # and for each byte
    size: int  # bytes of the gradients

    def step(self, streams: int, workers: int, bits: float = math.inf, latency: float = 0.0) -> float:
        """The seconds of a step in which each worker has so many streams.

        In a ring each worker sends 2 (N - 1) messages, each of an N-th of the bytes (Patarasu and Yuan, 2009).
        """
        messages = 2 * (workers - 1)
        sending = messages * (self.message + latency + self.size / workers * (self.byte + 8 / bits))
        return self.sequence * streams + self.fixed + sending

    def gain(self, streams: int, workers: int, bits: float = math.inf, latency: float = 0.0) -> float:
        """How many times the targets a second of one worker with so many streams several have that divide them."""
        return self.step(streams, 1) / self.step(-(-streams // workers), workers, bits, latency)


def main() -> None:
    """Measure, and print the figures and what they predict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement (default 20)")
    parser.add_argument("--times", type=int, default=3, help="how often, alternating (default 3)")
    parser.add_argument("--text", type=Path, default=TEXT, help="to train on")
    parser.add_argument("--write-docs", action="store_true", help="write the tables into docs/scaling.md too")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        raise SystemExit("two workers need a core each, and there is one")
    speeds = {streams: compare(options, streams, cores) for streams in BATCH_SIZES}
    numbers = parameters(options)
    sums = sum_seconds(numbers, cores), sum_seconds(2, cores)
    told = report(speeds, numbers, sums)
    print(told)
    if options.write_docs:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), told), encoding="utf-8")


def compare(options: argparse.Namespace, streams: int, cores: list[int]) -> tuple[float, float]:
    """The targets a second of one process, and of one on each core."""
    alone, together = [], []
    for _ in range(options.times):
        alone.append(targets_a_second(options, streams, cores[:1]))
        together.append(targets_a_second(options, streams, cores))
        print(f"B = {streams}: {alone[-1]:,.0f} alone, {together[-1]:,.0f} together", file=sys.stderr, flush=True)
    return median(alone), median(together)


def figures(speeds: Mapping[int, tuple[float, float]], numbers: int, sums: tuple[float, float]) -> Figures:
    """What a step is made of, by the speeds of one process and the times of a long and a short sum of two."""
    (few, one), (many, other) = ((streams, streams * window() / alone) for streams, (alone, _) in speeds.items())
    sequence = min((other - one) / (many - few), one / few)
    message = sums[1] / 2
    byte = max(0.0, sums[0] - sums[1]) / (4 * numbers)
    return Figures(sequence, one - few * sequence, message, byte, 4 * numbers)


def report(speeds: Mapping[int, tuple[float, float]], numbers: int, sums: tuple[float, float]) -> str:
    """The measured figures, and what they predict, in Markdown."""
    found = figures(speeds, numbers, sums)
    rows = [
        f"| {streams} | {alone:,.0f} | {together:,.0f} | {together / alone:.2f} × | {found.gain(streams, 2):.2f} × |"
        for streams, (alone, together) in speeds.items()
    ]
    predicted = [
        f"| {workers} | "
        + " | ".join(
            f"{found.gain(streams, workers, bits, LATENCY):.1f} ×"
            for streams in (BATCH_SIZES[-1], BATCH_SIZES[0] * workers)
            for bits in NETWORKS
        )
        + " |"
        for workers in WORKERS
    ]
    return "\n".join(
        [
            "| sequences in a batch | 1 process, targets/s | 2 processes, targets/s | measured | by the model |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"A step takes {1e3 * found.sequence:.2f} ms for each sequence and {1e3 * found.fixed:.1f} ms besides. The "
            f"sum of the gradients, of {found.size:,} bytes, takes {1e3 * sums[0]:.1f} ms between two processes of one "
            f"machine, and a sum of two numbers {1e3 * sums[1]:.1f} ms.",
            "",
            "| workers | B = 128, 1 Gbit/s | 10 Gbit/s | 100 Gbit/s | 64 sequences each, 1 Gbit/s | 10 Gbit/s | "
            "100 Gbit/s |",
            "|---|---|---|---|---|---|---|",
            *predicted,
            "",
        ]
    )


def written(page: str, told: str) -> str:
    """The page with other figures in the place marked for them."""
    return BLOCK.sub(lambda found: f"{found[1]}{told}{found[2]}", page)


def window() -> int:
    """The targets of a sequence in a step."""
    return TrainingConfig().window


def targets_a_second(options: argparse.Namespace, streams: int, cores: list[int]) -> float:
    """Train for so many seconds, a worker on each core; return the targets a second."""
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


def sum_seconds(numbers: int, cores: list[int]) -> float:
    """The median time of the sum of so many numbers, at least 2, by workers pinned to a core each."""
    addresses = ",".join(f"{HERE}:{port}" for port in free_ports(len(cores)))
    processes = []
    for index, core in enumerate(cores):
        words = [sys.executable, __file__, "--sum", addresses, str(index), str(numbers)]
        command = ["taskset", "-c", str(core), *words]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
    try:
        return float(processes[0].communicate()[0])
    finally:
        for process in processes:
            process.kill()
            process.wait()


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
    if index:
        signal.pause()  # until it is killed: the others may still be in the last sum
    print(median(times[5:]), flush=True)
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--sum"]:
        take_part_in_sums(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    main()
