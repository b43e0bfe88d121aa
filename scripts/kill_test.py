"""Kills a training run with SIGKILL at random moments, resuming it each time, and compares the end, bit for bit, with
a run that was never killed: best weights, history without its time column, no temporary file, a model that loads."""

import argparse
import csv
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import textgen
from textgen.model_file import read_model
from textgen.training.checkpoint import has_checkpoint

TRAIN = [sys.executable, "-m", "textgen", "train"]
OPTIONS = "--epochs 40 --units 32 --dropout 0.2 --batch-size 8 --rng-seed 1 --checkpoint-every 0.2".split()
TEXT = Path(__file__).parents[1] / "corpora" / "the_quenched_lamp.txt"


def main() -> None:
    """Kill and resume until the number of kills is reached, then compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="how many times to kill (default 50)")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (default 0)")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = train(folder / "whole")
        runs = kill_runs(folder, options.kills, lambda run, most: kill_until_done(run, rng, most, seconds))
    print(f"{options.kills} kills in {runs} runs, all ended bit-identical")


def kill_runs(folder: Path, kills: int, kill_until_done: Callable[[Path, int], int]) -> int:
    """Do runs until so many kills are reached, and compare each with the one in the folder `whole`, never killed.

    Args:
        folder: of the runs.
        kills: how many there shall be in all.
        kill_until_done: does a run in a folder, killed so many times at most; returns how many times it was.

    Returns:
        The number of runs.
    """
    expected, runs = outcome(folder / "whole"), 0
    left = kills
    while left:
        run = folder / f"killed-{runs}"
        runs += 1
        left -= kill_until_done(run, left)
        if outcome(run) != expected:
            raise SystemExit(f"run {runs} ended otherwise than the run never killed")
        if litter := [path.name for path in run.glob(".*.tmp*")]:
            raise SystemExit(f"run {runs} left temporary files: {litter}")
        print(f"run {runs}: the same end; {kills - left} kills so far", flush=True)
    return runs


def kill_until_done(run: Path, rng: random.Random, most: int, seconds: float) -> int:
    """Train with interruptions, after parts of the seconds that a whole run takes; return how many there were."""
    kills = 0
    while True:
        words = ["--resume", "-o", str(run)] if has_checkpoint(run) else arguments(run, force=True)
        process = subprocess.Popen([*TRAIN, *words], stderr=subprocess.DEVNULL)
        try:
            if process.wait(timeout=rng.uniform(0.2, 0.8) * seconds if kills < most else None):
                raise SystemExit(f"the run failed: textgen train {' '.join(words)}")
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
            if (run / "model.keras").exists():
                textgen.load(run)
            continue
        return kills


def arguments(run: Path, *, force: bool = False) -> list[str]:
    """A new run's options."""
    return [str(TEXT), "-o", str(run), *OPTIONS, *(["--force"] if force else [])]


def train(run: Path) -> float:
    """Train without interruption; return the seconds that it took."""
    begun = time.perf_counter()
    subprocess.run([*TRAIN, *arguments(run)], stderr=subprocess.DEVNULL, check=True)
    seconds = time.perf_counter() - begun
    print(f"a run takes {seconds:.0f} s", flush=True)
    return seconds


def outcome(run: Path) -> tuple[list[bytes], list[dict[str, str]]]:
    """What must be the same."""
    weights = read_model(run).weights
    arrays = [weights.embedding, weights.head, weights.head_bias, *(part for layer in weights.layers for part in layer)]
    with (run / "history.csv").open() as file:
        rows = [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]
    return [array.tobytes() for array in arrays], rows


if __name__ == "__main__":
    main()
