"""Kills a random worker of a training on several workers with SIGKILL at random moments, each time checks that all
others end with one line and exit code 1, resumes the run on all, and compares the end, bit for bit, with that of a run
that was never killed."""

import argparse
import random
import subprocess
import tempfile
import time
from pathlib import Path

from kill_test import TEXT, TRAIN, kill_runs

from textgen.cli.workers import HERE, free_ports
from textgen.training.checkpoint import has_checkpoint

OPTIONS = "--epochs 4 --units 32 --dropout 0.2 --batch-size 12 --rng-seed 1 --checkpoint-every 0.2".split()
TIMEOUT = 60.0  # of the workers, in seconds
GRACE = 15.0  # seconds beyond it


def main() -> None:
    """Kill and resume until the number of kills is reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="how many train together (default 2)")
    parser.add_argument("--kills", type=int, default=20, help="how many times to kill (default 20)")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments and workers (default 0)")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.monotonic()
        codes, _ = wait(start(folder / "whole", options.workers), None)
        seconds = time.monotonic() - begun
        if any(codes):
            raise SystemExit(f"the run never killed failed: {codes}")
        print(f"a run takes {seconds:.0f} s", flush=True)
        runs = kill_runs(
            folder, options.kills, lambda run, most: kill_until_done(run, options.workers, rng, most, seconds)
        )
    print(f"{options.kills} kills in {runs} runs, all others ended cleanly, all runs ended bit-identical")


def start(run: Path, count: int) -> list[subprocess.Popen[str]]:
    """Start all workers; the chief has this run folder, and the others have folders of their own beside it."""
    addresses = ",".join(f"{HERE}:{port}" for port in free_ports(count))
    resume = has_checkpoint(run)
    processes = []
    for index in range(count):
        output = run if index == 0 else run.with_name(f"{run.name}-{index}")
        words = [str(TEXT), "-o", str(output), *OPTIONS, "--quiet", f"--workers={addresses}", f"--worker-index={index}"]
        words += [f"--worker-timeout={TIMEOUT:g}", "--resume" if resume else "--force"]
        processes.append(subprocess.Popen([*TRAIN, *words], stderr=subprocess.PIPE, text=True))
    return processes


def wait(processes: list[subprocess.Popen[str]], seconds: float | None) -> tuple[list[int], list[str]]:
    """The exit codes of processes, and what they have told."""
    told = [process.communicate(timeout=seconds)[1] for process in processes]
    return [process.returncode for process in processes], told


def kill_until_done(run: Path, count: int, rng: random.Random, most: int, seconds: float) -> int:
    """Train with interruptions, after parts of the seconds that a whole run takes; return how many there were."""
    kills = 0
    while True:
        processes = start(run, count)
        victim = rng.choice(processes)
        if kills < most and still_runs(victim, rng.uniform(0.2, 0.9) * seconds):
            victim.kill()
            kills += 1
            codes, told = wait(processes, TIMEOUT + GRACE)
            for process, code, text in zip(processes, codes, told, strict=True):
                # One that was done already is no worse.
                if process is not victim and (code, text.count("\n")) not in ((1, 1), (0, 0)):
                    raise SystemExit(f"worker {processes.index(process)} ended with {code} and told: {text}")
            continue
        codes, told = wait(processes, None)
        if any(codes):
            raise SystemExit(f"a run that was not killed failed: {codes} {told}")
        return kills


def still_runs(process: "subprocess.Popen[str]", seconds: float) -> bool:
    """Whether a process has not ended after so many seconds."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


if __name__ == "__main__":
    main()
