"""Keras and TensorFlow: imported once, without their start-up chatter, and set to what textgen needs.

Every module of this folder takes `keras` and `tf` from here.
"""

import ctypes
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from textgen.errors import TrainingError
from textgen.machine import cores


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what C++ code writes to file descriptor 2 from the user, unless the block fails."""
    if logging.getLogger("textgen").isEnabledFor(logging.DEBUG):
        yield
        return
    with suppress(AttributeError, OSError, ValueError):  # it may be closed or full, or None
        sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # closed: there is nothing to keep the chatter from
        yield
        return
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


def _keep_freed_memory() -> None:
    """Have the C library keep memory that is freed, up to a gigabyte in each of its arenas, for what asks next.

    A step's arrays are as large as those of the step before. To give their pages back and to be given others, filled
    with zeros, took a fifth of a step. The setting is the process's.
    """
    trim_threshold, mmap_threshold = -1, -3  # glibc's names are M_TRIM_THRESHOLD and M_MMAP_THRESHOLD
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return
    mallopt(trim_threshold, 2**30)
    mallopt(mmap_threshold, 2**25)  # the most that glibc takes


os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever keras.json says
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with _quiet():
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        raise TrainingError(
            f"Keras runs on {keras.backend.backend()} in this process, and textgen needs TensorFlow; "
            "import textgen.training before keras, or set KERAS_BACKEND=tensorflow"
        )
    GPU = bool(tf.config.list_physical_devices("GPU"))
    if not GPU:
        # On the processor a batch is cut into shards that run side by side (see `step`); on two cores, where this was
        # measured, each has one thread, and its small products never wait for one another. With more cores they share
        # the rest. The setting is the process's; a program that has started TensorFlow before keeps its own.
        try:
            tf.config.threading.set_intra_op_parallelism_threads(max(1, cores() // 2))
            tf.config.threading.set_inter_op_parallelism_threads(cores())
        except RuntimeError:
            logging.getLogger("textgen").warning("TensorFlow runs already; training may be slower than it could")
    _keep_freed_memory()
    tf.zeros(1)  # starts the runtime, and with it the rest of the chatter

__all__ = ["GPU", "keras", "tf"]
