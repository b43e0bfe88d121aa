"""Runs `textgen` as `python -m textgen` does, and ends when standard input ends: with the process that started it."""

import os
import runpy
import signal
import sys
from contextlib import suppress
from threading import Thread


def _end_with_the_other() -> None:
    with suppress(OSError, ValueError):
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    Thread(target=_end_with_the_other, daemon=True).start()
    sys.argv[0] = "textgen"
    runpy.run_module("textgen", run_name="__main__", alter_sys=True)
