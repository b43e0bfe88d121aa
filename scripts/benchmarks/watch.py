"""Commands watched from outside, by one clock that starts with their process."""

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, Any, NamedTuple

from benchmarks import history
from benchmarks.machine import megabytes
from benchmarks.peer import environment

GLANCE = 0.05  # seconds between two looks at a history


class Written(NamedTuple):
    """What a command that writes did."""

    first: float  # seconds from the process's start to its first character
    rate: float  # characters a second after it
    peak_mb: float


class Trained(NamedTuple):
    """What a command that trains did."""

    curve: list[tuple[float, float]]  # seconds since the process's start, held-out nats
    seconds: float
    peak_mb: float


def start(words: list[str], **streams: Any) -> "subprocess.Popen[bytes]":
    """Start a command in the peers' environment."""
    return subprocess.Popen(words, env=environment(), **streams)


def writing(words: list[str]) -> Written:
    """Watch a command that writes ASCII, so that a byte is a character."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as errors, start(words, stdout=subprocess.PIPE, stderr=errors) as process:
        output = process.stdout.fileno()  # type: ignore[union-attr]
        count = len(os.read(output, 1))
        first = time.perf_counter()
        while block := os.read(output, 65536):
            count += len(block)
        ended = time.perf_counter()
        peak = _end(process, errors, words)
    return Written(first - begun, (count - 1) / (ended - first), peak)


def training(words: list[str], path: Path) -> Trained:
    """Watch a command that records its scorings in a history."""
    begun = time.perf_counter()
    curve: list[tuple[float, float]] = []
    with tempfile.TemporaryFile() as errors, start(words, stdout=errors, stderr=errors) as process:
        running = True
        while running:
            running = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
            seconds = time.perf_counter() - begun
            curve += [(seconds - paused, nats) for nats, paused in history.read(path)[len(curve) :]]
            time.sleep(GLANCE if running else 0)
        peak = _end(process, errors, words)
    return Trained(curve, seconds, peak)


def _end(process: "subprocess.Popen[bytes]", errors: IO[bytes], words: list[str]) -> float:
    """Wait for a process; return its peak memory in MB."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        errors.seek(0)
        raise SystemExit(f"failed: {' '.join(words)}\n{errors.read().decode()}")
    return megabytes(usage.ru_maxrss)
