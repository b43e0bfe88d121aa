"""Trains an LSTM, a GRU and a plain RNN of as many parameters on a text, for equal numbers of epochs and for equal
times, and prints a table of their validation losses. Each training has one core, and as many run at once as there are
cores given; what is in the folder from an earlier call is not trained again."""

import argparse
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from textgen.cells import CELLS
from textgen.config import DEFAULT_CELL, DEFAULT_UNITS, UNITS, ModelConfig, Shape
from textgen.corpus.corpus import Corpus
from textgen.model_file import layout, read_model
from textgen.training.checkpoint import has_checkpoint
from textgen.training.recipe import shape


class Training(NamedTuple):
    """One training: how long, of which cell, from which random seed."""

    amount: tuple[str, str]  # an option and its value
    cell: str
    rng_seed: int


def main() -> None:
    """Train what is not trained yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", type=Path)
    parser.add_argument("folder", type=Path, help="for the run folders")
    parser.add_argument("--epochs", help="train for so many epochs")
    parser.add_argument("--minutes", help="train for so many minutes")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="random seeds (default: 1 2 3)")
    parser.add_argument("--units", type=int, default=DEFAULT_UNITS, help="of the LSTM (default: %(default)s)")
    parser.add_argument("--cores", type=int, nargs="+", default=sorted(os.sched_getaffinity(0)))
    given = parser.parse_args()
    amounts = [(f"--{name}", value) for name in ("epochs", "minutes") if (value := getattr(given, name)) is not None]
    if not amounts:
        parser.error("give --epochs, --minutes or both")
    corpus = Corpus.from_files(given.text)
    shapes = dict(equal_shapes(len(corpus.vocabulary), given.units))
    trainings = [Training(*each) for each in _products(amounts, shapes, given.seeds)]
    free: SimpleQueue[int] = SimpleQueue()
    for core in given.cores:
        free.put(core)

    def loss(training: Training) -> float:
        core = free.get()
        try:
            return trained(training, shapes[training.cell].units, given.text, given.folder, core)
        finally:
            free.put(core)

    with ThreadPoolExecutor(len(given.cores)) as pool:
        losses = dict(zip(trainings, pool.map(loss, trainings), strict=True))
    seeds = ", ".join(map(str, given.seeds))
    print(f"{given.text.name}, {len(corpus):,} characters; one core for each training.")
    print(f"Validation loss in nats, after calibration: mean of random seeds {seeds} ± half of the range.\n")
    print("| cell | units | parameters |", *(f"{name[2:]} {value} |" for name, value in amounts))
    print("|---" * (3 + len(amounts)) + "|")
    for cell, of_cell in shapes.items():
        means = [_spread([losses[Training(amount, cell, seed)] for seed in given.seeds]) for amount in amounts]
        size = f"{of_cell.layers} × {of_cell.units} | {parameters(of_cell, len(corpus.vocabulary)):,}"
        print(f"| {CELLS[cell].keras} | {size} |", *(f"{mean} |" for mean in means))


def _products(amounts: list[tuple[str, str]], cells: dict[str, Shape], seeds: list[int]) -> Iterator[tuple]:
    """All trainings, so ordered that what is compared is trained at nearly the same time."""
    for amount in amounts:
        for seed in seeds:
            for cell in cells:
                yield amount, cell, seed


def _spread(values: list[float]) -> str:
    return f"{statistics.mean(values):.3f} ± {(max(values) - min(values)) / 2:.3f}"


def parameters(config: Shape, symbols: int) -> int:
    """The number of weights of a network."""
    return sum(math.prod(array) for array in layout(config, symbols).values())


def equal_shapes(symbols: int, units: int) -> Iterator[tuple[str, Shape]]:
    """For each cell the shape whose number of weights is nearest that of LSTMs with so many units."""
    usual = shape(ModelConfig(units=units, cell=DEFAULT_CELL), symbols=symbols, epochs=1)
    wanted = parameters(usual, symbols)
    for cell in CELLS:
        others = (
            Shape(usual.layers, size, usual.dropout, usual.embedding, cell) for size in range(1, int(UNITS.high) + 1)
        )
        yield cell, min(others, key=lambda other: abs(parameters(other, symbols) - wanted))


def trained(training: Training, units: int, text: Path, folder: Path, core: int) -> float:
    """The validation loss of a training, which is done first, on one core, unless the folder has it."""
    (option, value), cell, seed = training
    run = folder / f"{text.stem}-{option[2:]}-{value}-{cell}-{units}-{seed}"
    if not (run / "model.keras").exists() or has_checkpoint(run):
        options = (option, value, "--cell", cell, "--units", str(units), "--rng-seed", str(seed))
        command = (sys.executable, "-m", "textgen", "train", str(text), "-o", str(run), "--force", "--quiet", *options)
        print(f"core {core}: {run.name}", file=sys.stderr, flush=True)
        if subprocess.run(["taskset", "--cpu-list", str(core), *command], check=False).returncode:
            raise SystemExit(f"{run.name} was not trained; start again to go on with the others")
    nats = read_model(run).description.training.validation_nats
    if nats is None:
        raise SystemExit(f"{run}: nothing was held out")
    return nats


if __name__ == "__main__":
    main()
