"""One LSTM's window and its gradient in TensorFlow's graph, compiled from `kernel/training.c`."""

import ctypes
from collections.abc import Sequence
from typing import Any

from textgen.keras_archive import Array
from textgen.kernel.arrays import aligned, empty
from textgen.training.backend import tf
from textgen.training.dropout import Dropout, threshold

LANES, PANEL = 16, 64  # of the widest vectors that the kernel's loops are built for
SIZES = "steps", "streams", "units", "first", "key", "threshold"
ARRAYS = (
    *("projected", "places", "bias", "first_outputs", "first_cells", "kernel", "room"),
    *("before", "cells", "gates", "after", "last_outputs"),
    *("d_after", "d_outputs", "d_cells", "d_projected", "d_sums"),
)


class Window(ctypes.Structure):
    """`struct window` of the kernel."""

    _fields_ = (*((name, ctypes.c_int64) for name in SIZES), *((name, ctypes.c_void_p) for name in ARRAYS))


def factors_of(compiled: ctypes.CDLL) -> Any:
    """The type that the kernel multiplies in."""
    return tf.bfloat16 if ctypes.c_int.in_dll(compiled, "textgen_number_bytes").value == 2 else tf.float32


def room(streams: int, units: int) -> list[int]:
    """How many numbers the loop and its gradient work in."""
    panels, width = -(-units // PANEL), 4 * units
    return [-(-units // LANES) * PANEL * units + streams * (units + 1), (PANEL * panels + units) * width]


def compiled_layer(
    compiled: ctypes.CDLL, inputs: Any, places: Any, cell: Any, h0: Any, c0: Any, dropped: Dropout, number: int
) -> tuple[Any, Any, Any]:
    """The outputs of a layer, and its states at the end.

    Args:
        compiled: the kernel.
        inputs: rows of input products without their bias, `(N, 4H)`, in the kernel's factors or to be rounded to them;
            gates in Keras's order i, f, c, o.
        places: int32 `(T, B)`, which row each character has; None if they are in order.
        cell: the layer's weights.
        h0: the outputs before the first step, `(B, H)`.
        c0: the cells before the first step, `(B, H)`.
        dropped: what dropout drops.
        number: of the layer.

    Returns:
        The outputs after dropout `(T, B, H)`, in the kernel's factors; h and c after the last step, `(B, H)`, float32.
    """
    factors, (streams, units) = factors_of(compiled), h0.shape
    length = inputs.shape[0] // streams if places is None else places.shape[0]
    steps, states, width = (length, streams, units), (streams, units), 4 * units
    sizes = {"steps": length, "streams": streams, "units": units, "first": dropped.first}
    sizes["threshold"] = threshold(dropped.rate)
    key = dropped.keys[number] if dropped.rate else tf.constant(0, tf.uint32)
    in_order = tf.zeros((0, 0), tf.int32) if places is None else places
    half = factors.as_numpy_dtype
    most = room(streams, units)

    def described(key: Any, arrays: dict[str, Array]) -> Window:
        addresses = {name: array.ctypes.data if array.size else None for name, array in arrays.items()}
        return Window(**sizes, key=int(key), **addresses)

    def forward(projected: Array, places: Any, bias: Array, h0: Array, c0: Array, kernel: Array, key: Any) -> Any:
        read = {"projected": projected, "places": places, "bias": bias, "kernel": kernel}
        read |= {"first_outputs": h0, "first_cells": c0, "room": empty([most[0]])}
        written = {"after": empty(steps, half), "last_outputs": empty(states)}
        kept = {"before": empty(steps, half), "cells": empty(steps), "gates": empty((*steps[:2], width))}
        compiled.textgen_forward(ctypes.byref(described(key, read | written | kept)))
        return *written.values(), *kept.values()

    def backward(
        d_after: Array, d_h: Array, d_c: Array, places: Any, c0: Array, kernel: Array, key: Any, *kept: Array
    ) -> Any:
        read = {"d_after": d_after, "places": places, "first_cells": c0, "kernel": kernel, "room": empty([most[1]])}
        read |= dict(zip(("cells", "gates"), kept, strict=True))
        sums = empty((inputs.shape[0] if places.size else 1, width))
        sums[...] = 0
        written = {"d_projected": empty((*steps[:2], width), half), "d_sums": sums}
        written |= {"d_outputs": aligned(d_h), "d_cells": aligned(d_c)}
        compiled.textgen_backward(ctypes.byref(described(key, read | written)))
        return tuple(written.values())

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def layer(inputs: Any, bias: Any, h0: Any, c0: Any, kernel: Any) -> Any:
        given = [tf.cast(inputs, factors), in_order, bias, h0, c0, kernel, key]
        shapes = [(factors, steps), (tf.float32, states), (factors, steps), (tf.float32, steps)]
        after, h, before, cells, gates = _run(forward, given, [*shapes, (tf.float32, (*steps[:2], width))])

        def gradient(d_after: Any, d_h: Any, d_c: Any) -> Any:
            shapes = [(factors, (length * streams, width)), (tf.float32, (None, width))]
            d_projected, d_sums, d_h0, d_c0 = _run(
                backward,
                [d_after, d_h, d_c, in_order, c0, kernel, key, cells, gates],
                [*shapes, (tf.float32, states), (tf.float32, states)],
            )
            outputs_before = tf.reshape(before, (length * streams, units))
            d_kernel = tf.cast(tf.matmul(outputs_before, d_projected, transpose_a=True), tf.float32)
            d_inputs = d_projected if places is None else d_sums
            return tf.cast(d_inputs, inputs.dtype), tf.reduce_sum(d_sums, axis=0), d_h0, d_c0, d_kernel

        return (after, h, cells[-1]), gradient

    return tuple(layer(inputs, cell.bias.value, h0, c0, cell.recurrent_kernel.value))


def _run(call: Any, arguments: list[Any], results: Sequence[tuple[Any, tuple[int | None, ...]]]) -> Any:
    """Call a function of arrays inside the compiled step: without side effects, so that shards run side by side."""
    arrays = tf.numpy_function(call, arguments, [kind for kind, _ in results], stateful=False)
    shapes = [[-1 if size is None else size for size in shape] for _, shape in results]
    return [tf.reshape(array, shape) for array, shape in zip(arrays, shapes, strict=True)]
