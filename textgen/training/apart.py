"""A training as `textgen train` does it, in a process of its own: followed event by event, and killable."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from threading import Timer
from typing import IO, Any, NamedTuple

from textgen.errors import TrainingError
from textgen.training.progress import Evaluated, Started, Stepped
from textgen.wording import counted

COMMAND: Sequence[str] = (sys.executable, "-m", "textgen.training.tether")
SPARE = 120  # seconds that a training may take beyond twice its budget before it is taken to hang
CLUSTER = "TF_CONFIG"  # would make the training one of several workers
LONGEST = 400  # characters of what went wrong
EVENTS = {"started": Started, "stepped": Stepped, "evaluated": Evaluated}  # what follows a training, by its JSON name

Told = Started | Stepped | Evaluated


class Trained(NamedTuple):
    """What came of a training."""

    nats: float  # validation loss of the best weights, nats per character
    epochs: float
    seconds: float  # wall-clock time


def longest_seconds(minutes: float) -> float:
    """How long a training with such a budget may take."""
    return 2 * 60 * minutes + SPARE


def train_apart(words: Sequence[str], minutes: float, on_event: Callable[[Told], None]) -> Trained:
    """Train with these options and texts of `textgen train`; whatever `on_event` raises ends the training at once.

    Raises:
        TrainingError: the training has failed, hangs, or was ended.
    """
    finished: dict[str, Any] = {}
    ours, theirs = os.pipe()
    with tempfile.TemporaryFile() as errors, open(ours, "rb") as lines:  # noqa: PTH123  # a descriptor, not a path
        try:
            child = subprocess.Popen(
                [*COMMAND, "train", "--json", *words],
                stdin=subprocess.PIPE,
                stdout=theirs,
                stderr=errors,
                env={name: value for name, value in os.environ.items() if name != CLUSTER},
            )
        finally:
            os.close(theirs)
        too_long = Timer(longest_seconds(minutes), child.kill)
        too_long.daemon = True
        too_long.start()
        try:
            for line in lines:
                event = json.loads(line)
                kind = event.pop("event")
                if kind == "finished":
                    finished = event
                elif kind in EVENTS:
                    on_event(EVENTS[kind](**event))
            code = child.wait()
            hung = not too_long.is_alive()
        finally:
            too_long.cancel()
            child.kill()  # where it still runs
            child.communicate()
        if code or not finished:
            raise TrainingError(f"did not end in {counted(minutes, 'minute')}" if hung else _why(errors, code))
    if finished["validation_nats"] is None:
        raise TrainingError("the text is too short for a validation loss")
    return Trained(finished["validation_nats"], finished["epochs"], finished["seconds"])


def _why(errors: IO[bytes], code: int) -> str:
    errors.seek(0)
    lines = [line.strip() for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
    if code < 0 or not lines:
        memory = ", perhaps for want of memory" if code == -9 else ""
        return f"its process was ended by signal {-code}{memory}" if code < 0 else f"its process ended with {code}"
    return lines[-1].removeprefix("textgen: error: ").removeprefix("Error: ")[:LONGEST]
