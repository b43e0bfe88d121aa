"""Peers as processes of their own that measure when asked and sleep meanwhile.

Each has its own threads, and none competes with another: TensorFlow's threads and PyTorch's in one process would. They
are asked in turn, round after round, so that what disturbs the machine disturbs all alike.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from textgen.machine import cores

Key = TypeVar("Key")
Value = TypeVar("Value")


def installed(package: str) -> bool:
    """Whether a package is there; torch need not be."""
    return find_spec(package) is not None


def environment() -> dict[str, str]:
    """A peer's: a thread a core; where this folder is found; Keras's backend."""
    settings = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(cores()))
    scripts = str(Path(__file__).parents[1])
    return {**os.environ, **settings, "PYTHONPATH": scripts, "KERAS_BACKEND": "tensorflow"}


def program(module: str, *arguments: object) -> list[str]:
    """The command that runs a peer."""
    return [sys.executable, "-m", f"benchmarks.peers.{module}", *map(str, arguments)]


class Peer:
    """A peer that serves tasks; use it in a `with` block."""

    def __init__(self, module: str, *arguments: object) -> None:
        """Start its process."""
        self._module = module
        self._errors = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115  # closed with the peer
        self._process = subprocess.Popen(
            program(module, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment(),
        )

    def ask(self, task: str, *arguments: Any) -> Any:
        """Have a task done and return its result."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise ValueError("the process has no pipes")
        stdin.write(json.dumps([task, *arguments]) + "\n")
        stdin.flush()
        if answer := stdout.readline():
            return json.loads(answer)
        self._errors.seek(0)
        raise SystemExit(f"the peer {self._module} failed:\n{self._errors.read()}")

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._process.communicate()
        self._errors.close()


def serve(**tasks: Callable[..., Any]) -> None:
    """In a peer: do each task that a line of standard input asks for, and print its result."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    for line in sys.stdin:
        task, *arguments = json.loads(line)
        print(json.dumps(tasks[task](*arguments)), file=answers, flush=True)


def rate(run: Callable[[], float], seconds: float) -> float:
    """What `run` returns, a second: called once before the clock starts, then until the time is over."""
    run()
    done = 0.0
    begun = time.perf_counter()
    while (elapsed := time.perf_counter() - begun) < seconds:
        done += run()
    return done / elapsed


def alternate(measures: Mapping[Key, Callable[[], Value]], rounds: int) -> dict[Key, list[Value]]:
    """Measure each in turn, `rounds` times over."""
    values: dict[Key, list[Value]] = {key: [] for key in measures}
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for key, measure in measures.items():
            values[key].append(measure())
    return values
