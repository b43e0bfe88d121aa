"""What training changes in the process that it runs in: little of a host program, all that helps where it is at home.

Without `configure`, `textgen.train` leaves as it is whatever belongs to the whole process, but for what TensorFlow asks
for: Keras's backend, which is chosen while Keras is imported, and the number of TensorFlow's threads, which it takes
before it has started, and which are left alone where the program has set them itself.
"""

import ctypes
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event

ENVIRONMENT = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}  # the first whatever keras.json says

_at_home = Event()


def configure() -> None:
    """Say that this process is there for training, as the command does: call it before the first `textgen.train`.

    Training is up to a fifth faster then, since the C library keeps the memory that a step frees for the next one. And
    what TensorFlow writes to stderr while it starts is hidden, unless it fails: all that is written to file descriptor
    2 meanwhile, by whatever thread. A program that has imported TensorFlow before has seen that; one that has made
    use of it before has the threads that it started with.
    """
    _at_home.set()


def at_home() -> bool:
    """Whether the process is there for training."""
    return _at_home.is_set()


@contextmanager
def importing() -> Iterator[None]:
    """Let Keras and TensorFlow be imported with the environment that they need, which is put back; quietly, at home."""
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
    """At home, keep what C++ code writes to file descriptor 2 from the user, unless the block fails.

    Nowhere else: another thread's lines would be lost, and a process that it starts would inherit the descriptor.
    """
    saved = _second_descriptor() if at_home() and not logging.getLogger("textgen").isEnabledFor(logging.DEBUG) else None
    if saved is None:
        yield
        return
    with suppress(AttributeError, OSError, ValueError):  # it may be closed or full, or None
        sys.stderr.flush()
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            yield
        except BaseException:
            chatter.seek(0)
            with suppress(OSError):
                os.write(saved, chatter.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def _second_descriptor() -> int | None:
    """Another descriptor of what 2 is; None where that is closed, and there is nobody to keep chatter from."""
    try:
        return os.dup(2)
    except OSError:
        return None


def keep_freed_memory() -> None:
    """Have the C library keep memory that is freed, up to a gigabyte in each of its arenas, for what asks next.

    A step's arrays are as large as those of the step before. To give their pages back and to be given others, filled
    with zeros, took a fifth of a step.
    """
    trim_threshold, mmap_threshold = -1, -3  # glibc's names are M_TRIM_THRESHOLD and M_MMAP_THRESHOLD
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return
    mallopt(trim_threshold, 2**30)
    mallopt(mmap_threshold, 2**25)  # the most that glibc takes
