"""What a peer's process does when it is asked. The peer is `textgen`, `PyTorch`, or the latter in a special way.

Both train by the same functions, since each is a `Learner` of textgen's loop.
"""

import functools
import itertools
import math
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

import textgen
from benchmarks import SHAPE, SYMBOLS
from benchmarks.results import find_text, megabytes
from textgen import Corpus, TrainingConfig
from textgen.training.learner import Learner, NoCallbacks
from textgen.training.limit import limit_of
from textgen.training.plan import Epochs, Plan, make_plan
from textgen.training.process import configure
from textgen.training.run import run
from textgen.training.run_folder import open_run_folder

CHARACTERS = 1_000_000  # of the random text that training speed is measured on
LENGTH = 500  # of the texts that textgen writes side by side
CONSTRAINTS = {  # peers that write by textgen with an option
    "textgen --without": {"without": "qxzQXZ"},
    "textgen --ban": {"ban": ["the king", "my lord", "I will", "thou art"]},
    "textgen --no-repeat": {"no_repeat": 20},
    "textgen --no-copy": {"no_copy": 20},
    "textgen --match": {"match": r"([A-Za-z ',;:.!?-]{20,45}\n)*"},
}


def work(peer: str, line: Connection) -> None:
    """Do what is asked until there is no more: a task and its arguments."""
    tasks: dict[str, Callable[..., float]] = {
        "quality": functools.partial(quality, peer, line),
        "train": lambda batch, seconds: rate(stepper(peer, batch), seconds),
        "write": lambda streams, seconds: rate(writer(peer, streams), seconds),
    }
    with suppress(EOFError):
        while True:
            task, *arguments = line.recv()
            line.send(tasks[task](*arguments))


def learner(peer: str, plan: Plan) -> Learner:
    """What trains as planned."""
    if peer == "textgen":
        configure()
        from textgen.training.keras_learner import KerasLearner

        return KerasLearner(plan)
    from benchmarks.pytorch import TorchLearner

    return TorchLearner(plan, bfloat16=peer == "PyTorch, bfloat16")


class Turns(NoCallbacks):
    """Has a training wait for its turn: answers after each epoch, and goes on when asked again."""

    def __init__(self, line: Connection) -> None:
        """No step has been timed."""
        self._line, self._ends = line, []  # of steps, on the clock that counts what this process takes of all cores

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        """Note the time, which other processes hardly change."""
        self._ends.append(time.process_time())

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Tell the held-out loss and the processor time of a step, and wait."""
        self._line.send((logs["val_loss"], float(np.median(np.diff(self._ends)))))
        self._ends.clear()
        self._line.recv()


def quality(peer: str, line: Connection, text: str, epochs: int, rng_seed: int) -> float:
    """Train by textgen's loop and plan; answer after each epoch, and at the end with the peak memory in MB."""
    training = TrainingConfig(rng_seed=rng_seed, patience=epochs)  # patience ends no run
    plan, _ = make_plan(Corpus.from_files(text), until=Epochs(epochs), training=training)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, open_run_folder(Path(folder) / "run") as opened:
        run(
            plan,
            learner(peer, plan),
            opened,
            limit=limit_of(plan, started=started, step=0),
            started=started,
            checkpoint_seconds=math.inf,
            callbacks=Turns(line),
            on_progress=lambda event: None,
        )
    return megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


@functools.cache
def stepper(peer: str, batch: int) -> Callable[[], int]:
    """A function that trains one step on random text, and returns how many targets it had."""
    text = "".join(map(chr, np.random.default_rng(1).integers(SYMBOLS, size=CHARACTERS) + ord("!")))
    training = TrainingConfig(batch_size=batch, rng_seed=1)
    plan, _ = make_plan(Corpus.from_text(text), until=Epochs(1), model=SHAPE, training=training)
    windows, trained, numbers = plan.windows, learner(peer, plan), itertools.count()

    def step() -> int:
        number = next(numbers)
        trained.train(*windows.window(number), windows.begins(number), number, 1e-3)
        return windows.streams * windows.length

    return step


@functools.cache
def writer(peer: str, streams: int) -> Callable[[], int]:
    """A function that writes on, in so many texts side by side; returns how many characters it has written."""
    if peer.startswith("PyTorch"):
        from benchmarks import pytorch

        return pytorch.writer(peer, streams)
    generator, options = textgen.load(), CONSTRAINTS.get(peer, {})
    if "no_copy" in options:
        options = options | {"against": find_text("tinyshakespeare")}
    if streams > 1:
        return lambda: sum(len(text.text) for text in generator.texts(count=streams, length=LENGTH, rng_seed=1))
    pieces = generator.stream(length=10**9, rng_seed=1, **options)
    return lambda: sum(len(next(pieces)) for _ in range(20))


def rate(repeated: Callable[[], int], seconds: float) -> float:
    """What `repeated` returns, a second: called once before the clock starts, then until the time is over."""
    repeated()
    done = 0
    begun = time.perf_counter()
    while (elapsed := time.perf_counter() - begun) < seconds:
        done += repeated()
    return done / elapsed
