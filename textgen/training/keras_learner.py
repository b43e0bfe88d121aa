"""The learner that uses Keras: the network, its compiled step and its optimizer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.cells import CELLS
from textgen.training import backend
from textgen.training.backend import keras, tf
from textgen.training.learner import Arrays
from textgen.training.network import assign, build
from textgen.training.plan import Plan
from textgen.training.replicas import alone, together
from textgen.training.soft_targets import SoftTargets
from textgen.training.step import compile_step, make_optimizer


class KerasLearner:
    """The `Learner` that uses Keras.

    Attributes:
        model: the training model, compiled with its optimizer; what Keras callbacks see.
    """

    def __init__(
        self, plan: Plan, start: Sequence[NDArray[np.float32]] | None = None, soft: SoftTargets | None = None
    ) -> None:
        """Build the network of a plan, initialised from its random seed, or with the weights `start`.

        If there are `soft` targets, it is trained on them too.
        """
        several = plan.cluster
        strategy = backend.start(several.workers, several.worker_index) if several else backend.start()
        self._soft = soft
        training, shape = plan.training, plan.model
        self._network = build(shape, len(plan.corpus.vocabulary), training.rng_seed)
        self.model = self._network.training_model
        self._step = compile_step(
            self._network,
            make_optimizer(self._network, training.weight_decay),
            dropout=shape.dropout,
            streams=training.batch_size,
            rng_seed=training.rng_seed,
            rows=plan.rows,
            together=together(strategy) if strategy else alone,
        )
        self._of_layer = CELLS[shape.cell].states
        self._states = [[tf.zeros((plan.streams, shape.units))] * self._of_layer] * shape.layers
        if start is not None:
            assign(self.model.trainable_variables, start)
            assign(self._network.averages, start)

    def train(
        self,
        codes: NDArray[np.int32],
        targets: NDArray[np.int32],
        begins: NDArray[np.bool_],
        number: int,
        rate: float,
    ) -> float:
        """Take one step."""
        if begins.any():
            self._states = [[tf.where(begins[:, None], 0.0, array) for array in layer] for layer in self._states]
        soft = self._soft.window(number) if self._soft else ()
        loss, self._states = self._step(
            codes, targets, self._states, tf.constant(number), tf.constant(rate, tf.float32), soft
        )
        return float(loss)

    def kept(self) -> list[NDArray[np.float32]]:
        """The averaged weights, matrices rounded to bfloat16."""
        return self._network.kept()

    def save(self, path: Path, arrays: Sequence[NDArray[np.float32]]) -> None:
        """Save a Keras archive."""
        self._network.save(path, arrays)

    def state(self) -> Arrays:
        """Weights, averages, optimizer and the layers' states."""
        return {
            "weights": self._network.weights(),
            "averages": self._network.averaged(),
            "optimizer": [variable.numpy() for variable in self.model.optimizer.variables],
            "states": [array.numpy() for layer in self._states for array in layer],
        }

    def restore(self, arrays: Arrays) -> None:
        """Continue from the arrays of a checkpoint."""
        variables = self.model.optimizer.variables
        if [tuple(variable.shape) for variable in variables] != [item.shape for item in arrays["optimizer"]]:
            raise ValueError(
                f"Keras {keras.__version__} stores its optimizer in another order than the version that the run was "
                "started with"
            )
        assign(self.model.trainable_variables, arrays["weights"])
        assign(self._network.averages, arrays["averages"])
        assign(variables, arrays["optimizer"])
        states = [tf.constant(array) for array in arrays["states"]]
        each = self._of_layer
        self._states = [states[place : place + each] for place in range(0, len(states), each)]

    def abort(self) -> None:
        """Make a step that waits for another worker fail."""
        backend.abort()


class KerasCallbacks(keras.callbacks.CallbackList):  # type: ignore[misc]
    """Keras callbacks; they stop the run by setting the model's `stop_training`."""

    def __init__(self, callbacks: Sequence[Any], learner: KerasLearner, plan: Plan) -> None:
        """Connect them to the learner's model."""
        model = learner.model
        model.stop_training = False
        super().__init__(list(callbacks), model=model, epochs=plan.epochs or 0, steps=plan.windows.per_epoch)
        self._learner = learner

    @property
    def stop_training(self) -> bool:
        """Whether a callback has stopped the run."""
        return bool(self._learner.model.stop_training)
