"""The options of `textgen train` for several workers, the workers of this machine, and what a worker writes down."""

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from textgen.arguments import Range
from textgen.cli.options import as_options, number_option, refuse_both
from textgen.cli.terminal import printable, tell
from textgen.config import WORKER_TIMEOUT
from textgen.errors import RunError, reason
from textgen.training.cluster import MOST, VARIABLE, Cluster, from_environment, from_words
from textgen.training.progress import Event, Started, Stepped, TrainingResult
from textgen.wording import quoted

SLURM = "slurm"
HERE = "127.0.0.1"
PORTS = range(20_000, 30_000)  # below those that systems give to outgoing connections
TRIES = 1000
PARTING = 30.0  # seconds in which a worker of this machine ends by itself
HASTE = 5.0  # the same where the chief has failed, perhaps before they had joined
PAUSE = 30.0  # seconds between two lines about steps in a worker's log
LOCAL = "--local-workers"


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which workers train together, and which of them this one is."""
    for option in (
        number_option(
            LOCAL,
            allowed=Range(int, 2, MOST),
            summary="Start so many workers on this machine, each on its share of the cores.",
        ),
        number_option(
            "--worker-timeout",
            allowed=WORKER_TIMEOUT,
            summary="Seconds after which a worker of which nothing is heard is lost, and the run ends on all.",
            default=60,
        ),
        number_option(
            "--worker-index",
            allowed=Range(int, 0, MOST - 1),
            summary="Which of the workers this one is; 0 is the chief.",
        ),
        click.option(
            "--workers",
            metavar="HOST:PORT,...",
            help="Train on several machines: the addresses of all workers, the chief's first. Run the same command on "
            "each, with its --worker-index; only the chief writes the run folder. The word slurm takes them from a "
            f"Slurm job step. Default: those in the environment variable {VARIABLE}, if it is set.",
        ),
    ):
        command = option(command)
    return command


def asked_cluster(
    workers: str | None, worker_index: int | None, worker_timeout: float, local_workers: int | None, **excluded: Any
) -> Cluster | None:
    """The cluster that the options, or the environment, ask for; None for this machine alone.

    Args:
        workers: addresses with commas between them, or `slurm`.
        worker_index: which of them this process is.
        worker_timeout: in seconds.
        local_workers: how many workers to start on this machine.
        excluded: options that ask for what several workers cannot do, by name; None or empty if they are not given.

    Raises:
        UsageError: an option is wrong, or two do not fit together.
    """
    refuse_both((LOCAL, local_workers), ("--workers", workers))
    try:
        cluster = _cluster(workers, worker_index, worker_timeout, local_workers)
    except ValueError as error:
        raise click.UsageError(f"{as_options(str(error))}.") from error
    for option, value in excluded.items() if cluster else ():
        refuse_both(("several workers", cluster), (as_options(f"`{option}`"), value or None))
    return cluster


def _cluster(workers: str | None, index: int | None, timeout: float, local: int | None) -> Cluster | None:
    if index is not None and workers in (None, SLURM):
        raise ValueError("`worker_index` needs `workers` with addresses")
    if local:
        return Cluster(tuple(f"{HERE}:{port}" for port in free_ports(local)), 0, timeout)
    if workers == SLURM:
        from textgen.training.slurm import from_slurm

        return from_slurm(worker_timeout=timeout)
    return from_environment(worker_timeout=timeout) if workers is None else from_words(workers, index, timeout)


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens at."""
    free: list[int] = []
    for port in random.sample(PORTS, TRIES):
        with contextlib.suppress(OSError), socket.create_server((HERE, port)):
            free.append(port)
        if len(free) == count:
            return free
    raise ValueError(f"`local_workers` is {count}, but this machine has not so many free ports")


@contextmanager
def started_here(cluster: Cluster, output: str, words: Sequence[str]) -> Iterator[None]:
    """Have the other workers run on this machine, each with its share of the cores, as long as the block lasts.

    Args:
        cluster: all workers; this process is the chief.
        output: the run folder, for their logs.
        words: of this process's command, which is theirs, too.
    """
    count = len(cluster.workers)
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    shares = [cores[len(cores) * n // count : len(cores) * (n + 1) // count] for n in range(count)]
    children: list[subprocess.Popen[bytes]] = []
    nothing = subprocess.DEVNULL
    with ExitStack() as stack:
        stack.push(partial(_await, children))
        if all(shares):
            stack.callback(os.sched_setaffinity, 0, cores)
            os.sched_setaffinity(0, shares[0])
        for index in range(1, count):
            command = like_this(words, replace(cluster, worker_index=index))
            with log_file(output, index).open("ab") as log:  # of what goes wrong before the worker opens it
                children.append(subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=log))
            if all(shares):
                os.sched_setaffinity(children[-1].pid, shares[index])
        yield


def like_this(words: Sequence[str], cluster: Cluster) -> list[str]:
    """The command of the same words, for another worker."""
    at = words.index("train") + 1
    words, end = list(words), words.index("--") if "--" in words else len(words)
    kept, place = [], at
    while place < len(words):
        if place < end and words[place] == LOCAL:
            place += 1
        elif place >= end or not words[place].startswith(f"{LOCAL}="):
            kept.append(words[place])
        place += 1
    mine = [f"--workers={','.join(cluster.workers)}", f"--worker-index={cluster.worker_index}"]
    mine.append(f"--worker-timeout={cluster.worker_timeout:g}")
    mine.append("--quiet")
    return [sys.executable, "-m", "textgen", *words[:at], *mine, *kept]


def _await(children: Sequence[subprocess.Popen[bytes]], kind: type[BaseException] | None, *_: object) -> None:
    """Wait for workers that have been dismissed, or for less if the chief has failed with an exception."""
    deadline = time.monotonic() + (PARTING if kind is None else HASTE)
    for child in children:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def log_file(output: str, index: int) -> Path:
    """Where a worker that is not the chief writes what it does; its folder is made.

    Raises:
        RunError: it cannot be.
    """
    path = Path(output) / f"worker-{index}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({reason(error)}); give another folder as `output`") from error
    return path


class WorkerLog(contextlib.AbstractContextManager["WorkerLog"]):
    """Writes a worker's events to its log, a line each; the terminal learns only where that is."""

    def __init__(self, cluster: Cluster, output: str, *, quiet: bool) -> None:
        """Open the log."""
        path = log_file(output, cluster.worker_index)
        self._file, self._due = path.open("a", encoding="utf-8"), 0.0
        line = f"Worker {cluster.worker_index} of {len(cluster.workers)}; the chief is {cluster.workers[0]}."
        self._note(line)
        if not quiet:
            tell(f"{line} Log: {quoted(path)}")

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if error is not None:
            self._note(f"ended: {as_options(str(error)) or type(error).__name__}")
        self._file.close()

    def __call__(self, event: Event) -> None:
        """Note one event; of steps, one every half minute."""
        if isinstance(event, Started):
            self._note(f"joined: {event.name}, batch size {event.streams}, random seed {event.rng_seed}")
        elif isinstance(event, Stepped) and time.monotonic() >= self._due:
            self._due = time.monotonic() + PAUSE
            self._note(f"step {event.step:,}, epoch {event.epochs:.2f}: loss {event.loss:.3f}")
        elif isinstance(event, TrainingResult):
            self._note(f"ended: {event.stopped_by}, after {event.epochs:.2f} epochs; model on the chief: {event.model}")

    def _note(self, line: str) -> None:
        with contextlib.suppress(OSError):
            self._file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {printable(line)}\n")
            self._file.flush()
