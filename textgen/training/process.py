"""Settings of the whole process: as few as possible in a host program, all that help if it only trains.

Without `configure`, `textgen.train` changes only what TensorFlow requires: the Keras backend, chosen while Keras is
imported, and the number of TensorFlow's threads, which must be set before it starts, and which is left alone if the
program has set it.
"""

import ctypes
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event

ENVIRONMENT = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}  # the backend overrides keras.json

_at_home = Event()
_visible: list[int] = []  # where descriptor 2 leads while it is hidden


def configure() -> None:
    """Configure this process for training, as the command does; call it before the first `textgen.train`.

    Training becomes up to 20 % faster, since the C library keeps the memory that a step frees for the next step. And
    TensorFlow's startup messages are hidden, unless it fails. To do so, everything that any thread writes to file
    descriptor 2 during startup is hidden. If the program has imported TensorFlow before, its messages have been shown
    already; if it has used TensorFlow before, the number of threads stays as it was.
    """
    _at_home.set()


def at_home() -> bool:
    """Whether `configure` was called."""
    return _at_home.is_set()


@contextmanager
def importing() -> Iterator[None]:
    """Set the environment variables to import Keras and TensorFlow, and restore them; hide messages if configured."""
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ["KERAS_BACKEND"] = ENVIRONMENT["KERAS_BACKEND"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", ENVIRONMENT["TF_CPP_MIN_LOG_LEVEL"])
    try:
        with quiet():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def quiet() -> Iterator[None]:
    """If configured, hide what C++ code writes to file descriptor 2, unless the block fails.

    Not otherwise: lines of other threads would be lost, and processes that they start would inherit the descriptor.
    """
    saved = _second_descriptor() if at_home() and not logging.getLogger("textgen").isEnabledFor(logging.DEBUG) else None
    if saved is None:
        yield
        return
    with suppress(AttributeError, OSError, ValueError):  # it may be closed or full, or None
        sys.stderr.flush()
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        _visible.append(saved)
        try:
            yield
        except BaseException:
            chatter.seek(0)
            with suppress(OSError):
                os.write(saved, chatter.read())
            raise
        finally:
            _visible.remove(saved)
            os.dup2(saved, 2)
            os.close(saved)


def _second_descriptor() -> int | None:
    """A duplicate of descriptor 2; None if it is closed, so that there is nothing to hide."""
    try:
        return os.dup(2)
    except OSError:
        return None


def keep_freed_memory() -> None:
    """Make the C library keep freed memory, up to a gigabyte per arena, for later allocations.

    The arrays of a step are as large as those of the previous one. Returning their pages to the system and getting
    new ones, filled with zeros, took a fifth of a step.
    """
    trim_threshold, mmap_threshold = -1, -3  # glibc's names are M_TRIM_THRESHOLD and M_MMAP_THRESHOLD
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return
    mallopt(trim_threshold, 2**30)
    mallopt(mmap_threshold, 2**25)  # the most that glibc takes


def leave(line: str) -> None:
    """End the process at once with an error: its main thread hangs in C++ code, where no exception reaches it."""
    with suppress(OSError):  # it may be closed or full
        os.write(_visible[-1] if _visible else 2, f"textgen: error: {line}\n".encode(errors="backslashreplace"))
    os._exit(1)
