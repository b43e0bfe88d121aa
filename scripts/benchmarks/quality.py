"""Time to quality: held-out nats against the seconds since a training's process was started."""

import sys
import tempfile
import time
from pathlib import Path

from benchmarks import watch
from benchmarks.peer import installed, program
from benchmarks.results import Run

BUDGETS = {"macbeth": (0.2, 0.5, 2.0), "tinyshakespeare": (0.5, 1.5, 5.0)}  # minutes of each training
ARTICLE_MINUTES = {"macbeth": 7.0, "tinyshakespeare": 2.0}  # an epoch of Macbeth, on two cores; the start of the other
QUICK_BUDGETS = {"macbeth": (0.25,)}
QUICK_ARTICLE_MINUTES = 0.5


def measure(texts: dict[str, Path], *, seeds: int, quick: bool) -> list[Run]:
    """Train every peer for every budget, one after the other, seed after seed."""
    budgets = QUICK_BUDGETS if quick else BUDGETS
    peers = ["textgen", *(["PyTorch"] if installed("torch") else [])]
    runs = []
    for text, path in texts.items():
        if text not in budgets:
            continue
        for rng_seed in range(1, (1 if quick else seeds) + 1):
            for minutes in budgets[text]:
                runs += [train(peer, text, path, minutes, rng_seed) for peer in peers]
        runs.append(train("article", text, path, QUICK_ARTICLE_MINUTES if quick else ARTICLE_MINUTES[text], 1))
    return runs


def train(peer: str, text: str, path: Path, minutes: float, rng_seed: int) -> Run:
    """Train once."""
    print(f"  {text}, {minutes:g} minutes, rng seed {rng_seed}: {peer}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        history = Path(folder) / "run" / "history.csv"
        words = command(peer, path, minutes, rng_seed, history)
        return Run(peer, text, minutes, rng_seed, *watch.training(words, history))


def command(peer: str, path: Path, minutes: float, rng_seed: int, history: Path) -> list[str]:
    """The command of a training that writes a history."""
    if peer == "textgen":
        output = ["-o", str(history.parent)]
        options = ["--minutes", str(minutes), "--rng-seed", str(rng_seed)]
        return [sys.executable, "-m", "textgen", "train", str(path), *output, *options]
    history.parent.mkdir()
    module = {"PyTorch": "torch_quality", "article": "article_quality"}[peer]
    return program(module, path, history, minutes, rng_seed, time.monotonic())
