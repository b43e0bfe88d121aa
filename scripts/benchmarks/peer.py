"""Peers as processes of their own that measure when asked and sleep meanwhile.

Each has its own threads, and none competes with another: TensorFlow's threads and PyTorch's in one process would. They
are asked in turn, round after round, so that what disturbs the machine disturbs all alike.
"""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import tasks
from benchmarks.results import megabytes

SPAWN = multiprocessing.get_context("spawn")


class Peer:
    """A peer that does tasks; use it in a `with` block."""

    def __init__(self, name: str) -> None:
        """Start its process."""
        self.name = name
        self._line, its = SPAWN.Pipe()
        self._process = SPAWN.Process(target=tasks.work, args=(name, its))
        self._process.start()
        its.close()

    def ask(self, task: str, *arguments: Any) -> Any:
        """Have a task done, see `tasks`, and return the answer."""
        self._line.send((task, *arguments))
        try:
            return self._line.recv()
        except EOFError:
            raise SystemExit(f"the peer {self.name} failed at {task}") from None  # and has said why

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._line.close()
        self._process.join()


def alternate(measures: Mapping[Any, Callable[[], Any]], rounds: int) -> dict[Any, list[Any]]:
    """Measure each in turn, `rounds` times over."""
    values: dict[Any, list[Any]] = {key: [] for key in measures}
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for key, measure in measures.items():
            values[key].append(measure())
    return values


def writing(words: list[str]) -> tuple[float, float]:
    """Watch a command that writes: how many seconds it takes to its first character, and its peak memory in MB."""
    settings = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    begun = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=settings) as process:
        output = process.stdout.fileno()  # type: ignore[union-attr]
        os.read(output, 1)
        first = time.perf_counter() - begun
        while os.read(output, 65536):
            pass
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(words)}")
    return first, megabytes(usage.ru_maxrss)
