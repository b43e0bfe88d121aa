"""One training step, compiled: windows and states → new weights, states and loss.

On a GPU the plain Keras layers run, so that their cuDNN path stays eligible. On a processor the recurrence is written
out: the input product of all steps is one matrix product before the loop over time (for the first layer a table with a
row for each symbol), the weight gradients are one product after it, and the batch is cut into shards that run side by
side, each on one thread. Both compute the same numbers; a test holds their losses and gradients equal.

Where the processor multiplies bfloat16, the written-out recurrence rounds the factors of its large products, and their
results, to it. Weights, states, sums of gradients and the head's product stay float32 (Micikevicius et al., 2018).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from textgen.machine import bfloat16
from textgen.training.backend import GPU, keras, tf
from textgen.training.network import Network
from textgen.training.recipe import AVERAGED, BETA_2, GRADIENT_NORM, WEIGHT_DECAY
from textgen.training.speed import shards

States = list[list[Any]]  # of each layer h and c, both (B, H)

FACTORS = tf.bfloat16 if bfloat16() else tf.float32  # of the products that make up most of a step


def product(a: Any, b: Any, *, transpose_a: bool = False) -> Any:
    """The matrix product `a @ b`, computed in `FACTORS`; float32."""
    return tf.cast(tf.matmul(tf.cast(a, FACTORS), tf.cast(b, FACTORS), transpose_a=transpose_a), tf.float32)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def recurrence(projected: Any, h0: Any, c0: Any, kernel: Any) -> Any:
    """The LSTM's loop over time, with its gradient written out (Hochreiter and Schmidhuber, 1997; Gers et al., 2000).

    Args:
        projected: input products plus bias, float32 `(T, B, 4H)`; gates in Keras's order i, f, c, o.
        h0: the outputs before the first step, `(B, H)`.
        c0: the cells before the first step, `(B, H)`.
        kernel: the recurrent kernel, `(H, 4H)`.

    Returns:
        The outputs `(T, B, H)`, and h and c after the last step, `(B, H)`.
    """
    length, units = projected.shape[0], kernel.shape[0]
    kernel = tf.cast(kernel, FACTORS)

    def record(width: int) -> Any:
        return tf.TensorArray(tf.float32, length, element_shape=(projected.shape[1], width))

    def forward(t: Any, h: Any, c: Any, hs: Any, cs: Any, gates: Any) -> Any:
        i, f, g, o = tf.split(projected[t] + product(h, kernel), 4, axis=1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        c = f * c + i * g
        h = o * tf.tanh(c)
        return t + 1, h, c, hs.write(t, h), cs.write(t, c), gates.write(t, tf.concat([i, f, g, o], axis=1))

    first = (0, h0, c0, record(units), record(units), record(4 * units))
    _, h_end, c_end, *records = tf.while_loop(lambda t, *_: t < length, forward, first)
    hs, cs, gates = (part.stack() for part in records)  # (T, B, H), (T, B, H), (T, B, 4H)

    def gradient(d_hs: Any, d_h: Any, d_c: Any) -> Any:
        i, f, g, o = tf.split(gates, 4, axis=2)
        before = tf.concat([c0[None], cs[:-1]], axis=0)
        tanh_c = tf.tanh(cs)
        # What a change of the cell, or of the output, does to each gate's input: known before the loop.
        to_c = o * (1 - tanh_c * tanh_c)
        to_i, to_f = g * i * (1 - i), before * f * (1 - f)
        to_g, to_o = i * (1 - g * g), tanh_c * o * (1 - o)
        transposed = tf.transpose(kernel)

        def backward(t: Any, d_h: Any, d_c: Any, d_projected: Any) -> Any:
            d_h += d_hs[t]
            d_c += d_h * to_c[t]
            d_gates = tf.concat([d_c * to_i[t], d_c * to_f[t], d_c * to_g[t], d_h * to_o[t]], axis=1)
            return t - 1, product(d_gates, transposed), d_c * f[t], d_projected.write(t, d_gates)

        last = (length - 1, d_h, d_c, record(4 * units))
        _, d_h0, d_c0, d_record = tf.while_loop(lambda t, *_: t >= 0, backward, last)
        d_projected = d_record.stack()  # (T, B, 4H)
        outputs_before = tf.reshape(tf.concat([h0[None], hs[:-1]], axis=0), (-1, units))
        d_kernel = product(outputs_before, tf.reshape(d_projected, (-1, 4 * units)), transpose_a=True)
        return d_projected, d_h0, d_c0, d_kernel

    return (hs, h_end, c_end), gradient


def written_out(network: Network, codes: Any, states: States, masks: Sequence[Any]) -> tuple[Any, States]:
    """The forward pass for a processor.

    Args:
        network: whose weights are used.
        codes: int32 `(B, T)`.
        states: at the window's start.
        masks: of each layer what its outputs are multiplied with, `(T, B, H)`.

    Returns:
        The logits `(T, B, V)` and the states at the window's end.
    """
    first = network.lstms[0].cell
    codes = tf.transpose(codes)  # (T, B)
    if network.embedding.input_dim <= codes.shape[0] * codes.shape[1]:
        table = tf.matmul(network.embedding.embeddings, first.kernel) + first.bias  # (V, 4H)
        projected = tf.gather(table, codes)
    else:
        projected = _times(tf.gather(network.embedding.embeddings.value, codes), first.kernel, product) + first.bias
    outputs, ends = None, []
    for number, (lstm, (h, c), mask) in enumerate(zip(network.lstms, states, masks, strict=True)):
        if number:
            projected = _times(outputs, lstm.cell.kernel, product) + lstm.cell.bias
        outputs, *end = recurrence(projected, h, c, lstm.cell.recurrent_kernel.value)
        outputs *= mask
        ends.append(end)
    return _times(outputs, network.head.kernel, tf.matmul) + network.head.bias, ends


def _times(sequence: Any, kernel: Any, multiply: Callable[[Any, Any], Any]) -> Any:
    """A `(T, B, K)` sequence times a `(K, N)` matrix, as one product."""
    length, streams, width = sequence.shape
    result = multiply(tf.reshape(sequence, (length * streams, width)), kernel)
    return tf.reshape(result, (length, streams, kernel.shape[1]))


def plain(network: Network, codes: Any, states: States, masks: Sequence[Any]) -> tuple[Any, States]:
    """The forward pass through the Keras layers; arguments and results are those of `written_out`."""
    outputs, ends = network.embedding(codes), []
    for lstm, state, mask in zip(network.lstms, states, masks, strict=True):
        outputs, *end = lstm(outputs, initial_state=state, training=True)
        outputs *= tf.transpose(mask, (1, 0, 2))
        ends.append(end)
    return tf.transpose(network.head(outputs), (1, 0, 2)), ends


def loss_and_gradients(
    network: Network, codes: Any, targets: Any, states: States, masks: Sequence[Any], *, written: bool
) -> tuple[Any, list[Any], States]:
    """The mean loss of a window in nats, its gradients in the order of the weights, and the states at its end.

    Args:
        network: whose weights are used.
        codes: int32 `(B, T)`.
        targets: int32 `(B, T)`.
        states: at the window's start.
        masks: of each layer what its outputs are multiplied with, `(T, B, H)`.
        written: take `written_out` rather than `plain`.
    """
    variables = [variable.value for variable in network.training_model.trainable_variables]
    with tf.GradientTape() as tape:
        logits, ends = (written_out if written else plain)(network, codes, states, masks)
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.transpose(targets), logits=logits)
        )
    gradients = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, variables)]
    return loss, gradients, ends


def dropout_masks(rate: float, shape: tuple[int, int, int], layers: int, rng_seed: int, number: Any) -> list[Any]:
    """The dropout masks of a step, each `(T, B, H)`, from the seed and the step's number alone.

    What is kept is scaled up, so that the expected output stays the same (Srivastava et al., 2014).
    """
    if rate == 0:
        return [tf.ones((1, 1, 1))] * layers
    seeds = [tf.stack([rng_seed % 2**31, number * layers + layer]) for layer in range(layers)]
    return [tf.cast(tf.random.stateless_uniform(shape, seed) >= rate, tf.float32) / (1 - rate) for seed in seeds]


def _average(network: Network, number: Any) -> None:
    """Let the averages of the weights follow them (Polyak and Juditsky, 1992), the more slowly the later the step."""
    done = tf.cast(number, tf.float32)
    kept = tf.minimum(AVERAGED, (1 + done) / (10 + done))
    for average, variable in zip(network.averages, network.training_model.trainable_variables, strict=True):
        average.assign(kept * average + (1 - kept) * variable.value)


def compile_step(
    network: Network, optimizer: Any, *, dropout: float, streams: int, length: int, rng_seed: int
) -> Callable[[Any, Any, States, Any, Any], tuple[Any, States]]:
    """Make the compiled step.

    Returns:
        A function of codes and targets (int32 `(B, T)`), the states, the step's number (int32) and the learning rate
        (float32), which updates the network's weights and returns the mean loss in nats and the states at the
        window's end.
    """
    layers, units = len(network.lstms), network.lstms[0].units
    parts = 1 if GPU else shards(streams)
    bounds = [streams * part // parts for part in range(parts + 1)]
    variables = network.training_model.trainable_variables

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def step(codes: Any, targets: Any, states: States, number: Any, learning_rate: Any) -> tuple[Any, States]:
        masks = dropout_masks(dropout, (length, streams, units), layers, rng_seed, number)
        results = []
        for start, end in pairwise(bounds):
            part = slice(start, end)
            loss, gradients, ends = loss_and_gradients(
                network,
                codes[part],
                targets[part],
                [[array[part] for array in state] for state in states],
                [mask[:, part] for mask in masks] if dropout else masks,
                written=not GPU,
            )
            share = (end - start) / streams
            results.append((loss * share, [gradient * share for gradient in gradients], ends))
        losses, all_gradients, all_ends = zip(*results, strict=True)
        optimizer.learning_rate.assign(learning_rate)
        optimizer.apply([tf.add_n(parts) for parts in zip(*all_gradients, strict=True)], variables)
        _average(network, number)
        joined = [
            [tf.concat(parts, axis=0) for parts in zip(*layer, strict=True)] for layer in zip(*all_ends, strict=True)
        ]
        return tf.add_n(losses), joined

    return step


def make_optimizer(network: Network) -> Any:
    """AdamW (Loshchilov and Hutter, 2019) with clipping, and a shorter memory of squared gradients than usual."""
    optimizer = keras.optimizers.AdamW(
        learning_rate=0.0, weight_decay=WEIGHT_DECAY, beta_2=BETA_2, global_clipnorm=GRADIENT_NORM
    )
    optimizer.build(network.training_model.trainable_variables)
    network.training_model.compile(optimizer=optimizer)
    return optimizer
