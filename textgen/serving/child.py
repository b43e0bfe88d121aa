"""Commands of textgen's in processes of their own: a server never imports what trains."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from textgen.model_file import FILE_NAME
from textgen.serving.runs import Order
from textgen.training.checkpoint import has_checkpoint

COMMAND = (sys.executable, "-m", "textgen")
POLITENESS = 5  # a training leaves the processors to those who write


def environment() -> dict[str, str]:
    """The environment of the server, without its secret."""
    return {name: value for name, value in os.environ.items() if name != "TEXTGEN_TOKEN"}


def training(path: Path, order: Order) -> list[str]:
    """The words of the command that trains, or goes on."""
    words = ["train", *(text.argument(path) for text in order.texts), "-o", str(path), "--json"]
    if has_checkpoint(path):
        return [*words, "--resume"]
    words += ["--minutes", f"{order.minutes or 1:g}"]
    words += ["--force"] if (path / FILE_NAME).exists() else []  # it was killed before its first checkpoint
    words += ["--strip"] if order.strip else []
    return [*words, *(["--units", str(order.units)] if order.units else [])]


def spawned(
    words: Sequence[str], output: Any, errors: Any = subprocess.DEVNULL, keep: tuple[int, ...] = ()
) -> "subprocess.Popen[bytes]":
    """A command of textgen's in a process of its own, which no signal to the server's terminal reaches."""
    child = subprocess.Popen(
        [*COMMAND, *words],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        pass_fds=keep,
        start_new_session=True,
        env=environment(),
    )
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, child.pid, POLITENESS)
    return child


def terminate(process: int | None) -> None:
    """Tell a process to end, if it is there."""
    if process is not None:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
