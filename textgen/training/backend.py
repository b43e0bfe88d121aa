"""Keras and TensorFlow: imported once, and started for training.

Every module of this folder imports `keras` and `tf` from here. Importing does not start TensorFlow's runtime, since a
distribution strategy must be created before it starts.
"""

import functools
import logging
from typing import Any

from textgen.errors import TrainingError
from textgen.machine import cores
from textgen.training.process import at_home, importing, keep_freed_memory, quiet

with importing():
    import keras
    import tensorflow as tf
    from tensorflow.python.distribute.collective_all_reduce_strategy import CollectiveAllReduceExtended
    from tensorflow.python.eager import context

    if keras.backend.backend() != "tensorflow":
        raise TrainingError(
            f"Keras runs on {keras.backend.backend()} in this process, and textgen needs TensorFlow; "
            "set KERAS_BACKEND=tensorflow before keras is imported"
        )
    GPU = bool(tf.config.list_physical_devices("GPU"))


@functools.cache
def start(workers: tuple[str, ...] = (), index: int = 0) -> Any:
    """Start TensorFlow's runtime, unless it is running already, with the number of threads that suits a step.

    On a CPU a batch is split into shards that run in parallel (see `step`). On two cores, where this was measured, each
    shard has one thread, so that its small products never wait for each other; with more cores the shards share the
    rest. Settings made by the program itself are kept; they cannot be changed once the runtime has started.

    Args:
        workers: the addresses of several workers, which all start at the same time.
        index: which of them this process is.

    Returns:
        The distribution strategy of several workers or of several GPUs; None for one device.

    Raises:
        TrainingError: the runtime runs already, and so cannot join the workers.
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
        strategy = _joined(workers, index) if workers else _of_gpus()
        tf.zeros(1)  # the other startup messages come with the runtime
    return strategy


def _of_gpus() -> Any:
    """The strategy of several GPUs of this machine; None for one device."""
    count = len(tf.config.list_logical_devices("GPU")) if GPU else 0
    return tf.distribute.MirroredStrategy([f"GPU:{number}" for number in range(count)]) if count > 1 else None


def _joined(workers: tuple[str, ...], index: int) -> Any:
    """The strategy of several workers, each of which watches the others by itself: TensorFlow does not.

    Where its coordination service misses a peer, it ends the process with a stack trace; its other check waits for up
    to half a minute when the process ends.
    """
    context.context().configure_coordination_service(service_type="")
    CollectiveAllReduceExtended._enable_check_health = False
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(workers)}), task_type="worker", task_id=index, rpc_layer="grpc"
    )
    experimental = tf.distribute.experimental
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(
            cluster_resolver=resolver,
            communication_options=experimental.CommunicationOptions(
                implementation=experimental.CommunicationImplementation.AUTO
            ),
        )
    except RuntimeError as error:
        raise TrainingError(
            "TensorFlow was started before in this process, which can therefore not be one of several workers; train "
            "in a new process"
        ) from error


def abort() -> None:
    """Make all operations that wait for other workers fail, now and from now on."""
    context.context().abort_collective_ops(tf.errors.UNAVAILABLE, "a worker is lost")


__all__ = ["GPU", "abort", "keras", "start", "tf"]
