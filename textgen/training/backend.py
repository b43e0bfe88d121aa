"""Keras and TensorFlow: imported once, and started for training.

Every module of this folder imports `keras` and `tf` from here. Importing does not start TensorFlow's runtime, since a
distribution strategy must be created before it starts.
"""

import functools
import logging

from textgen.errors import TrainingError
from textgen.machine import cores
from textgen.training.process import at_home, importing, keep_freed_memory, quiet

with importing():
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        raise TrainingError(
            f"Keras runs on {keras.backend.backend()} in this process, and textgen needs TensorFlow; "
            "set KERAS_BACKEND=tensorflow before keras is imported"
        )
    GPU = bool(tf.config.list_physical_devices("GPU"))


@functools.cache
def start() -> None:
    """Start TensorFlow's runtime, unless it is running already, with the number of threads that suits a step.

    On a CPU a batch is split into shards that run in parallel (see `step`). On two cores, where this was measured, each
    shard has one thread, so that its small products never wait for each other; with more cores the shards share the
    rest. Settings made by the program itself are kept; they cannot be changed once the runtime has started.
    """
    threading = tf.config.threading
    if not GPU:
        try:
            if not threading.get_intra_op_parallelism_threads():
                threading.set_intra_op_parallelism_threads(max(1, cores() // 2))
            if not threading.get_inter_op_parallelism_threads():
                threading.set_inter_op_parallelism_threads(cores())
        except RuntimeError:
            logging.getLogger("textgen").warning(
                "TensorFlow was started before; training may be slower than it could be"
            )
    if at_home():
        keep_freed_memory()
    with quiet():
        tf.zeros(1)  # the other startup messages come with the runtime


__all__ = ["GPU", "keras", "start", "tf"]
