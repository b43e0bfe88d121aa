"""Puts a step together from its parts on several devices: other workers, or several GPUs of this machine."""

from collections.abc import Callable
from typing import Any

from textgen.training.backend import tf

# What a part of a batch gives: its mean loss, its gradients, and the states at its end, per layer.
Computed = tuple[Any, list[Any], list[list[Any]]]
Compute = Callable[[slice, float], Computed]  # of some streams, whose loss is multiplied with their share of the batch


def alone(compute: Compute, streams: int) -> Computed:
    """Compute all streams of this process here; see `together`."""
    return compute(slice(0, streams), 1.0)


def together(strategy: Any) -> Callable[[Compute, int], Computed]:
    """A function that computes a step's parts on all devices of a strategy, and sums their gradients.

    Every device has the same weights, in variables of this process. The mean loss and the gradients cross the network
    in one buffer, since each transfer costs as much as tens of thousands of numbers do.

    Returns:
        A function of another function, which computes a part of this process's streams, and of their number; it returns
        the loss and the gradients of all streams of all workers, and the states of this process's.
    """
    local = len(strategy.extended.worker_devices)
    workers = strategy.num_replicas_in_sync // local

    def compute_together(compute: Compute, streams: int) -> Computed:
        shapes: list[Any] = []

        def compute_part() -> tuple[Any, Any]:
            context = tf.distribute.get_replica_context()
            place = int(tf.get_static_value(context.replica_id_in_sync_group)) % local
            start, end = streams * place // local, streams * (place + 1) // local
            loss, gradients, ends = compute(slice(start, end), (end - start) / (streams * workers))
            numbers = [loss, *gradients]
            shapes[:] = [number.shape for number in numbers]
            packed = tf.concat([tf.reshape(number, [-1]) for number in numbers], axis=0)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, packed), ends

        results = strategy.run(compute_part)
        summed, ends = zip(*_of_devices(strategy, results), strict=True)
        parts = tf.split(summed[0], [shape.num_elements() for shape in shapes])
        loss, *gradients = [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        return loss, gradients, joined(ends)

    return compute_together


def _of_devices(strategy: Any, results: Any) -> list[Any]:
    """What each device of this process has returned, where a strategy has nested them the other way round."""
    flat = [strategy.experimental_local_results(part) for part in tf.nest.flatten(results)]
    return [tf.nest.pack_sequence_as(results, device) for device in zip(*flat, strict=True)]


def joined(ends: Any) -> list[list[Any]]:
    """The states of several parts of the streams, one below the other."""
    return [[tf.concat(parts, axis=0) for parts in zip(*layer, strict=True)] for layer in zip(*ends, strict=True)]
