"""Keras and TensorFlow: imported once, and started for training.

Every module of this folder takes `keras` and `tf` from here. Importing this does not start TensorFlow's runtime: a
strategy for several machines must exist before.
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
    """Start TensorFlow's runtime, unless it runs already, with the threads that a step is made for.

    On a processor a batch is cut into shards that run side by side (see `step`); on two cores, where this was measured,
    each has one thread, and its small products never wait for one another. With more cores they share the rest. What a
    program has set itself stays, and it cannot be set once the runtime has started.
    """
    threading = tf.config.threading
    if not GPU:
        try:
            if not threading.get_intra_op_parallelism_threads():
                threading.set_intra_op_parallelism_threads(max(1, cores() // 2))
            if not threading.get_inter_op_parallelism_threads():
                threading.set_inter_op_parallelism_threads(cores())
        except RuntimeError:
            logging.getLogger("textgen").warning("TensorFlow runs already; training may be slower than it could")
    if at_home():
        keep_freed_memory()
    with quiet():
        tf.zeros(1)  # the rest of the chatter comes with the runtime


__all__ = ["GPU", "keras", "start", "tf"]
