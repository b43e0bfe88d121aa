"""One training step, compiled: windows and states → new weights, states and loss.

On a GPU, and where the kernel has no loops for a cell, the plain Keras layers run: on a GPU their cuDNN path stays
eligible. On a CPU the recurrence of LSTMs is written out: the input product of all steps is one matrix product before
the loop over time (for the first layer a table with a row for each character), the weight gradients are one product
after it, and the batch is split into shards that run in parallel, each on one thread. Both compute the same numbers; a
test checks that losses and gradients agree.

On a CPU that multiplies bfloat16, the large products of the written-out step round their factors to it, and those of
TensorFlow their results too. Weights, states, sums of gradients and the head's product stay float32 (Micikevicius et
al., 2018).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from textgen.kernel import library
from textgen.training.backend import GPU, tf
from textgen.training.compiled import compiled_layer, factors_of
from textgen.training.dropout import Dropout, step_dropout
from textgen.training.loss import mean_loss
from textgen.training.network import KerasNetwork
from textgen.training.optimizer import AdamW
from textgen.training.recipe import AVERAGED, BETA_2, GRADIENT_NORM
from textgen.training.recurrence import product, recurrence
from textgen.training.replicas import Compute, Computed, alone, joined
from textgen.training.speed import shards

States = list[list[Any]]  # of each layer h and, of an LSTM, c, each (B, H)


def written_out(network: KerasNetwork, codes: Any, states: States, dropped: Dropout) -> tuple[Any, States]:
    """The forward pass of LSTMs for a CPU.

    Args:
        network: provides the weights.
        codes: int32 `(B, T)`.
        states: of the layers at the start of the window.
        dropped: what dropout drops of the layers' outputs.

    Returns:
        The logits `(T, B, V)` and the states at the window's end.
    """
    kernel, embedding = network.layers[0].cell.kernel, network.embedding.embeddings.value
    codes, places = tf.transpose(codes), None  # (T, B)
    if network.embedding.input_dim <= codes.shape[0] * codes.shape[1]:
        inputs, places = tf.matmul(embedding, kernel), codes  # (V, 4H)
    else:
        inputs = _product(tf.reshape(tf.gather(embedding, codes), (-1, embedding.shape[1])), kernel)
    outputs, ends = None, []
    for number, (layer, (h, c)) in enumerate(zip(network.layers, states, strict=True)):
        if number:
            inputs, places = _product(tf.reshape(outputs, (-1, layer.units)), layer.cell.kernel), None
        if compiled := library.library():
            outputs, *end = compiled_layer(compiled, inputs, places, layer.cell, h, c, dropped, number)
        else:
            shape = (*codes.shape, 4 * layer.units)
            projected = tf.reshape(inputs, shape) if places is None else tf.gather(inputs, places)
            outputs, *end = recurrence(projected + layer.cell.bias, h, c, layer.cell.recurrent_kernel.value)
            outputs *= dropped.mask(number, outputs.shape)
        ends.append(end)
    flat = tf.cast(tf.reshape(outputs, (-1, network.head.kernel.shape[0])), tf.float32)
    logits = tf.matmul(flat, network.head.kernel) + network.head.bias
    return tf.reshape(logits, (*codes.shape, network.head.kernel.shape[1])), ends


def _product(inputs: Any, kernel: Any) -> Any:
    """The large product of a layer's inputs, `(T * B, 4H)`, in the factors of the loop that it is for."""
    if compiled := library.library():
        factors = factors_of(compiled)
        return tf.matmul(tf.cast(inputs, factors), tf.cast(kernel.value, factors))
    return product(inputs, kernel)


def plain(network: KerasNetwork, codes: Any, states: States, dropped: Dropout) -> tuple[Any, States]:
    """The forward pass through the Keras layers; arguments and results are those of `written_out`."""
    outputs, ends = network.embedding(codes), []
    length = codes.shape[1]
    for number, (layer, state) in enumerate(zip(network.layers, states, strict=True)):
        outputs, *end = layer(outputs, initial_state=state, training=True)
        outputs *= tf.transpose(dropped.mask(number, (length, codes.shape[0], layer.units)), (1, 0, 2))
        ends.append(end)
    return tf.transpose(network.head(outputs), (1, 0, 2)), ends


def loss_and_gradients(
    network: KerasNetwork,
    codes: Any,
    targets: Any,
    states: States,
    dropped: Dropout,
    soft: Sequence[Any] = (),
    *,
    share: float = 1.0,
    written: bool,
) -> tuple[Any, list[Any], States]:
    """The mean loss of a window in nats, its gradients in the order of the weights, and the states at its end.

    Args:
        network: provides the weights.
        codes: int32 `(B, T)`.
        targets: int32 `(B, T)`.
        states: of the layers at the start of the window.
        dropped: what dropout drops of the layers' outputs.
        soft: what the teachers predict, if there are any; see `mean_loss`.
        share: what the loss is multiplied with: the part of a batch that these streams are.
        written: use `written_out` instead of `plain`.
    """
    variables = [variable.value for variable in network.training_model.trainable_variables]
    with tf.GradientTape() as tape:
        logits, ends = (written_out if written else plain)(network, codes, states, dropped)
        loss = mean_loss(logits, targets, soft) * share
    gradients = [
        tf.ensure_shape(gradient, variable.shape)  # that of rows, where the embedding was gathered, is lost
        for gradient, variable in zip(tape.gradient(loss, variables), variables, strict=True)
    ]
    return loss, gradients, ends


def _average(network: KerasNetwork, number: Any) -> None:
    """Update the running averages of the weights (Polyak and Juditsky, 1992), more slowly in later steps."""
    done = tf.cast(number, tf.float32)
    kept = tf.minimum(AVERAGED, (1 + done) / (10 + done))
    for average, variable in zip(network.averages, network.training_model.trainable_variables, strict=True):
        average.assign_sub((1 - kept) * (average - variable.value))


def compile_step(
    network: KerasNetwork,
    optimizer: Any,
    *,
    dropout: float,
    streams: int,
    rng_seed: int,
    rows: slice = slice(None),
    together: Callable[[Compute, int], Computed] = alone,
) -> Callable[[Any, Any, States, Any, Any, Sequence[Any]], tuple[Any, States]]:
    """Compile the training step.

    Args:
        network: the network.
        optimizer: its optimizer.
        dropout: the dropout rate.
        streams: of a whole batch, `B`.
        rng_seed: of the dropout masks.
        rows: the streams of this process, if there are several workers.
        together: puts the parts of several workers or devices together.

    Returns:
        A function of codes and targets (int32 `(B, T)`), the states, the step's number (int32), the learning rate
        (float32) and what the teachers predict (see `mean_loss`), which updates the network's weights and returns the
        mean loss in nats and the states at the window's end.
    """
    layers = len(network.layers)
    first, here = rows.start or 0, len(range(streams)[rows])
    variables = network.training_model.trainable_variables

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def step(
        codes: Any, targets: Any, states: States, number: Any, learning_rate: Any, soft: Sequence[Any] = ()
    ) -> tuple[Any, States]:
        dropped = step_dropout(dropout, layers, rng_seed, number).part(first)

        def compute(part: slice, share: float) -> Computed:
            return _in_shards(network, _of_streams(part, codes, targets, states, dropped, soft), share)

        loss, gradients, ends = together(compute, here)
        optimizer.learning_rate.assign(learning_rate)
        optimizer.apply(gradients, variables)
        _average(network, number)
        return loss, ends

    return step


def _of_streams(
    part: slice, codes: Any, targets: Any, states: States, dropped: Dropout, soft: Sequence[Any]
) -> tuple[Any, Any, States, Dropout, list[Any]]:
    """Of the arguments of `loss_and_gradients` what belongs to some of the streams."""
    of_layers = [[array[part] for array in state] for state in states]
    return codes[part], targets[part], of_layers, dropped.part(part.start), [array[part] for array in soft]


def _in_shards(network: KerasNetwork, window: tuple[Any, Any, States, Dropout, list[Any]], share: float) -> Computed:
    """Loss, gradients and states of some streams, divided among the cores.

    Args:
        network: provides the weights.
        window: what `_of_streams` returns.
        share: see `loss_and_gradients`.
    """
    streams = window[0].shape[0]
    parts = 1 if GPU else shards(streams)
    written = network.cell.kernel and not GPU
    results = []
    for start, end in pairwise(streams * part // parts for part in range(parts + 1)):
        of_shard = _of_streams(slice(start, end), *window)
        results.append(loss_and_gradients(network, *of_shard, share=share * (end - start) / streams, written=written))
    losses, all_gradients, all_ends = zip(*results, strict=True)
    return tf.add_n(losses), [tf.add_n(parts) for parts in zip(*all_gradients, strict=True)], joined(all_ends)


def make_optimizer(network: KerasNetwork, weight_decay: float = 0.1) -> Any:
    """AdamW (Loshchilov and Hutter, 2019) with gradient clipping, and a lower beta_2 than usual."""
    optimizer = AdamW(learning_rate=0.0, weight_decay=weight_decay, beta_2=BETA_2, global_clipnorm=GRADIENT_NORM)
    optimizer.build(network.training_model.trainable_variables)
    network.training_model.compile(optimizer=optimizer)
    return optimizer
