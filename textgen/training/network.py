"""Builds the Keras layers from a `Shape`, and the two models that share them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textgen.cells import CELLS, Cell
from textgen.config import Shape
from textgen.model_file import Weights, numbered
from textgen.training.backend import keras, tf


class KerasNetwork(NamedTuple):
    """The layers of a network, and two functional models that share them.

    Attributes:
        embedding: codes `(B, T)` → `(B, T, E)`.
        cell: of the recurrent layers.
        layers: those layers, each `(B, T, E or H)` → `(B, T, H)`.
        head: `(B, T, H)` → logits `(B, T, V)`.
        training_model: codes and states → logits and states; what the optimizer and callbacks use.
        saved_model: codes → probabilities; what is saved in the model file. Never compiled: a compiled model
            saves its optimizer too, at 2.5 times the size.
        averages: a running average of each weight, which the step updates.
    """

    cell: Cell
    embedding: Any
    layers: Sequence[Any]
    head: Any
    training_model: Any
    saved_model: Any
    averages: Sequence[Any]

    def weights(self) -> list[NDArray[np.float32]]:
        """Copies of the weights, in the order of the layers."""
        return [np.array(variable.numpy()) for variable in self.training_model.trainable_variables]

    def averaged(self) -> list[NDArray[np.float32]]:
        """Copies of the averaged weights, in the same order."""
        return [variable.numpy() for variable in self.averages]

    def kept(self) -> list[NDArray[np.float32]]:
        """The weights to evaluate and save: averaged, matrices rounded to bfloat16, which generating reads faster."""
        return Weights.from_list(self.averaged()).rounded().arrays

    def save(self, path: Path, arrays: Sequence[NDArray[np.float32]]) -> None:
        """Save a Keras archive with other arrays in place of the weights."""
        variables, weights = self.training_model.trainable_variables, self.weights()
        assign(variables, arrays)
        try:
            self.saved_model.save(path)
        finally:
            assign(variables, weights)


def assign(variables: Sequence[Any], arrays: Sequence[NDArray[Any]]) -> None:
    """Assign each variable its array."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def build(config: Shape, symbols: int, rng_seed: int) -> KerasNetwork:
    """Build Embedding → (LSTM, GRU or SimpleRNN → Dropout) × layers → Dense, initialised from `rng_seed`.

    The layers have the names that the weights have in the model file, whatever else the process has built. The initial
    values are those of Keras: Glorot for kernels, orthogonal for recurrent kernels, a forget bias of 1
    (Jozefowicz, Zaremba and Sutskever, 2015).
    """
    cell = CELLS[config.cell]
    seeds = iter(np.random.SeedSequence(rng_seed).generate_state(2 * config.layers + 2).tolist())

    def glorot() -> Any:
        return keras.initializers.GlorotUniform(seed=next(seeds))

    float32 = {"dtype": "float32"}
    embedding = keras.layers.Embedding(
        symbols,
        config.embedding,
        embeddings_initializer=keras.initializers.RandomUniform(-0.05, 0.05, seed=next(seeds)),
        name="embedding",
        **float32,
    )
    layers = [
        getattr(keras.layers, cell.keras)(
            config.units,
            return_sequences=True,
            return_state=True,
            kernel_initializer=glorot(),
            recurrent_initializer=keras.initializers.Orthogonal(seed=next(seeds)),
            name=numbered(cell.name, number),
            **cell.options,
            **float32,
        )
        for number in range(config.layers)
    ]
    dropouts = [
        keras.layers.Dropout(config.dropout, name=numbered("dropout", number), **float32)
        for number in range(config.layers)
    ]
    head = keras.layers.Dense(symbols, kernel_initializer=glorot(), name="dense", **float32)
    softmax = keras.layers.Softmax(name="softmax", **float32)

    codes = keras.Input((None,), dtype="int32", name="codes")
    states = [
        [keras.Input((config.units,), name=f"{numbered(cell.name, number)}_{part}") for part in "hc"[: cell.states]]
        for number in range(config.layers)
    ]
    carried, plain, ends = embedding(codes), embedding(codes), []
    for layer, dropout, state in zip(layers, dropouts, states, strict=True):
        output, *end = layer(carried, initial_state=state)
        carried, plain = dropout(output), dropout(layer(plain)[0])
        ends.append(end)
    training_model = keras.Model([codes, states], [head(carried), ends], name="training")
    saved_model = keras.Model(codes, softmax(head(plain)), name="textgen")
    averages = [tf.Variable(variable.value, trainable=False) for variable in training_model.trainable_variables]
    return KerasNetwork(cell, embedding, layers, head, training_model, saved_model, averages)
