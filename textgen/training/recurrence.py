"""The LSTM's loop over time, with its gradient written out (Hochreiter and Schmidhuber, 1997; Gers et al., 2000).

Both loops exist twice: here, in TensorFlow, and in the kernel (see `compiled`), if textgen was installed with a C
compiler. A test checks that they agree to 1e-5 in float32; in bfloat16 both round the factors of their products, and
TensorFlow the results too.
"""

from typing import Any

from textgen.machine import bfloat16
from textgen.training.backend import tf

FACTORS = tf.bfloat16 if bfloat16() else tf.float32  # of the products that make up most of a step


def product(a: Any, b: Any, *, transpose_a: bool = False) -> Any:
    """The matrix product `a @ b`, computed in `FACTORS`; float32."""
    return tf.cast(tf.matmul(tf.cast(a, FACTORS), tf.cast(b, FACTORS), transpose_a=transpose_a), tf.float32)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def recurrence(projected: Any, h0: Any, c0: Any, kernel: Any) -> Any:
    """The loop over time.

    Args:
        projected: input products plus bias, float32 `(T, B, 4H)`; gates in Keras's order i, f, c, o.
        h0: the outputs before the first step, `(B, H)`.
        c0: the cells before the first step, `(B, H)`.
        kernel: the recurrent kernel, `(H, 4H)`.

    Returns:
        The outputs `(T, B, H)`, and h and c after the last step, `(B, H)`.
    """
    hs, cs, gates = _forward(projected, h0, c0, kernel)

    def gradient(d_hs: Any, d_h: Any, d_c: Any) -> Any:
        d_projected, d_h0, d_c0 = _backward(d_hs, d_h, d_c, c0, kernel, cs, gates)
        outputs_before = tf.reshape(tf.concat([h0[None], hs[:-1]], axis=0), (-1, kernel.shape[0]))
        d_kernel = product(outputs_before, tf.reshape(d_projected, (-1, kernel.shape[1])), transpose_a=True)
        return d_projected, d_h0, d_c0, d_kernel

    return (hs, hs[-1], cs[-1]), gradient


def _forward(projected: Any, h0: Any, c0: Any, kernel: Any) -> tuple[Any, Any, Any]:
    """The outputs and cells `(T, B, H)` and the gates after their functions `(T, B, 4H)` of all steps."""
    length, streams, width = projected.shape
    kernel = tf.cast(kernel, FACTORS)

    def step(t: Any, h: Any, c: Any, hs: Any, cs: Any, gates: Any) -> Any:
        i, f, g, o = tf.split(projected[t] + product(h, kernel), 4, axis=1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        c = f * c + i * g
        h = o * tf.tanh(c)
        return t + 1, h, c, hs.write(t, h), cs.write(t, c), gates.write(t, tf.concat([i, f, g, o], axis=1))

    records = [_record(length, streams, part) for part in (width // 4, width // 4, width)]
    _, _, _, *records = tf.while_loop(lambda t, *_: t < length, step, (0, h0, c0, *records))
    hs, cs, gates = (record.stack() for record in records)
    return hs, cs, gates


def _backward(d_hs: Any, d_h: Any, d_c: Any, c0: Any, kernel: Any, cs: Any, gates: Any) -> tuple[Any, Any, Any]:
    """The gradients of what was projected `(T, B, 4H)`, and of h and c before the first step, `(B, H)`."""
    length, streams, width = gates.shape
    i, f, g, o = tf.split(gates, 4, axis=2)
    before = tf.concat([c0[None], cs[:-1]], axis=0)
    tanh_c = tf.tanh(cs)
    # What a change of the cell, or of the output, does to each gate's input: known before the loop.
    to_c = o * (1 - tanh_c * tanh_c)
    to_i, to_f = g * i * (1 - i), before * f * (1 - f)
    to_g, to_o = i * (1 - g * g), tanh_c * o * (1 - o)
    transposed = tf.transpose(tf.cast(kernel, FACTORS))

    def step(t: Any, d_h: Any, d_c: Any, d_projected: Any) -> Any:
        d_h += d_hs[t]
        d_c += d_h * to_c[t]
        d_gates = tf.concat([d_c * to_i[t], d_c * to_f[t], d_c * to_g[t], d_h * to_o[t]], axis=1)
        return t - 1, product(d_gates, transposed), d_c * f[t], d_projected.write(t, d_gates)

    last = (length - 1, d_h, d_c, _record(length, streams, width))
    _, d_h0, d_c0, d_record = tf.while_loop(lambda t, *_: t >= 0, step, last)
    return d_record.stack(), d_h0, d_c0


def _record(length: int, streams: int, width: int) -> Any:
    return tf.TensorArray(tf.float32, length, element_shape=(streams, width))
