"""Writing: how soon the first character comes, how many a second, and the memory it takes."""

import string
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import command_line, watch
from benchmarks.network import EMBEDDING, SYMBOLS
from benchmarks.peer import Peer, alternate, environment, installed, program
from benchmarks.results import Figure

WRITERS = {
    "textgen": "textgen_writer",
    "PyTorch": "torch_writer",
    "PyTorch, tuned": "torch_tuned_writer",
    "Keras, stateful": "keras_writer",
    "article": "article_writer",
}
STREAMS, QUICK_STREAMS = (1, 8, 64, 256), (1, 64)
ROUNDS = 5
FIRST = 10  # characters a peer writes after its start


def measure(*, quick: bool) -> list[Figure]:
    """Measure start-up, then speeds, then what textgen's command does besides."""
    with tempfile.TemporaryDirectory() as folder:
        models = make_models(Path(folder))
        return [
            *starts(models, 3 if quick else ROUNDS),
            *speeds(models, QUICK_STREAMS if quick else STREAMS, 0.3 if quick else 3.0),
            *command_line.measure(models["textgen"], quick=quick),
        ]


def make_models(folder: Path) -> dict[str, Path]:
    """A model for each writer, hardly trained: what they write does not matter, nor does it change their speed."""
    text = folder / "random.txt"
    symbols = np.array(list(string.printable[: SYMBOLS - 1] + "\n"))
    text.write_text("".join(np.random.default_rng(1).choice(symbols, 20_000)), encoding="ascii")
    words = ["train", str(text), "-o", str(folder / "run"), "--epochs", "1", "--embedding", str(EMBEDDING)]
    _run([sys.executable, "-m", "textgen", *words])
    own = folder / "run" / "model.keras"
    models = {"textgen": own, "Keras, stateful": own, "article": folder / "article.keras"}
    if installed("torch"):
        models["PyTorch"] = models["PyTorch, tuned"] = folder / "twin.pt"
    for name, path in models.items():
        if not path.exists():
            _run([*program(WRITERS[name], path), "--make"])
    return {name: models[name] for name in WRITERS if name in models}


def starts(models: dict[str, Path], rounds: int) -> list[Figure]:
    """Seconds from process start to the first character, and peak memory."""
    commands = {
        name: command_line.generate(path, 1000)
        if name == "textgen"
        else [*program(WRITERS[name], path), "--length", str(FIRST)]
        for name, path in models.items()
    }
    measures = {name: partial(watch.writing, words) for name, words in commands.items()}
    figures = []
    for name, runs in alternate(measures, rounds).items():
        figures.append(Figure(name, "seconds to the first character", 1, [run.first for run in runs]))
        figures.append(Figure(name, "peak memory, MB", 1, [run.peak_mb for run in runs]))
    return figures


def speeds(models: dict[str, Path], streams: Sequence[int], seconds: float) -> list[Figure]:
    """Characters a second of all streams together, of processes that have started already."""
    with ExitStack() as stack:
        peers = {name: stack.enter_context(Peer(WRITERS[name], path)) for name, path in models.items()}
        asked = [(name, count) for count in streams for name in peers]
        for name, count in asked:
            peers[name].ask("write", count, 0)  # loads and compiles
        measures = {(name, count): partial(peers[name].ask, "write", count, seconds) for name, count in asked}
        found = alternate(measures, ROUNDS)
        return [Figure(name, "characters/s", count, values) for (name, count), values in found.items()]


def _run(words: list[str]) -> None:
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"failed: {' '.join(words)}\n{done.stderr}")
