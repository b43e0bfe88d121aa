"""A learner of a few lines: how often each symbol occurs, by stochastic gradient descent with momentum.

What it computes depends on everything that a checkpoint must hold (weights, averages, optimizer, states, the step's
number and its learning rate), so that a run which goes on from anything less ends otherwise.
"""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from textgen.cells import CELLS
from textgen.model_file import WEIGHTS, layout
from textgen.training.learner import Arrays, Callbacks
from textgen.training.plan import Plan
from textgen.training.progress import TrainingResult
from textgen.training.soft_targets import SoftTargets

MOMENTUM = 0.9
AVERAGED = 0.5


class NumPyLearner:
    """Trains the biases of the head; all other weights stay zero."""

    def __init__(self, plan: Plan, start: Sequence[np.ndarray] | None = None, soft: SoftTargets | None = None) -> None:
        self.soft = soft
        self.layout = layout(plan.model, len(plan.corpus.vocabulary))
        self.rng_seed, streams = plan.training.rng_seed, plan.streams
        zeros = [np.zeros(shape, np.float32) for shape in self.layout.values()]
        self.weights = [array.copy() for array in (start or zeros)]
        self.averages = [array.copy() for array in self.weights]
        self.optimizer = [np.int64(0), np.float32(0), *(array.copy() for array in zeros), *zeros]
        states = CELLS[plan.model.cell].states * plan.model.layers
        self.states = [np.zeros((streams, plan.model.units), np.float32) for _ in range(states)]

    def train(self, codes: np.ndarray, targets: np.ndarray, begins: np.ndarray, number: int, rate: float) -> float:
        biases, speed = self.weights[-1], self.optimizer[-1]
        for state in self.states:
            state[begins] = 0
            state += codes.mean(axis=1, keepdims=True)
        predicted = np.exp(biases - biases.max())
        predicted /= predicted.sum()
        loss = -np.log(predicted[targets]).mean()
        found = np.bincount(targets.ravel(), minlength=len(biases)) / targets.size
        if self.soft:
            found = (found + self.soft.window(number)[0].astype(np.float64).mean(axis=(0, 1))) / 2
        noise = np.random.default_rng((self.rng_seed, number)).normal(
            scale=0.01 * self.states[0].mean(), size=len(biases)
        )
        speed *= MOMENTUM
        speed += (predicted - found + 1e-3 * noise).astype(np.float32)
        biases -= np.float32(100 * rate) * speed
        self.averages[-1] *= AVERAGED
        self.averages[-1] += (1 - AVERAGED) * biases
        return float(loss)

    def kept(self) -> list[np.ndarray]:
        return [array.copy() for array in self.averages]

    def save(self, path: Path, arrays: Sequence[np.ndarray]) -> None:
        content = io.BytesIO()
        with h5py.File(content, "w") as file:
            for name, array in zip(self.layout, arrays, strict=True):
                file[name] = array
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")
            archive.writestr(WEIGHTS, content.getvalue())

    def state(self) -> Arrays:
        parts = {name: getattr(self, name) for name in ("weights", "averages", "optimizer", "states")}
        return {name: [np.array(array) for array in part] for name, part in parts.items()}

    def restore(self, arrays: Arrays) -> None:
        if [np.shape(array) for array in self.optimizer] != [array.shape for array in arrays["optimizer"]]:
            raise ValueError(
                "NumPy stores its optimizer in another order than the version that the run was started with"
            )
        for name, part in arrays.items():
            setattr(self, name, [np.array(array) for array in part])

    def abort(self) -> None:
        pass  # a step never waits


class Watch(Callbacks):
    """Tells objects that have some of the methods of a Keras callback; one whose `stop` is true ends the run."""

    def __init__(self, watchers: Sequence[Any], learner: NumPyLearner) -> None:
        self.watchers = watchers
        for watcher in watchers:
            watcher.learner = learner

    @property
    def stop_training(self) -> bool:
        return any(getattr(watcher, "stop", False) for watcher in self.watchers)

    def tell(self, name: str, *arguments: Any) -> None:
        for watcher in self.watchers:
            getattr(watcher, name, lambda *_: None)(*arguments)

    def on_train_begin(self) -> None:
        self.tell("on_train_begin")

    def on_epoch_begin(self, epoch: int) -> None:
        self.tell("on_epoch_begin", epoch)

    def on_train_batch_begin(self, batch: int) -> None:
        self.tell("on_train_batch_begin", batch)

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        self.tell("on_train_batch_end", batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        self.tell("on_epoch_end", epoch, logs)

    def on_train_end(self) -> None:
        self.tell("on_train_end")


def make_learner(
    plan: Plan, start: Sequence[np.ndarray] | None, callbacks: Sequence[Any], soft: SoftTargets | None = None
) -> tuple[NumPyLearner, Watch]:
    """Stands for `textgen.training.session.make_learner`."""
    learner = NumPyLearner(plan, start, soft)
    return learner, Watch(callbacks, learner)


def before_calibration(result: TrainingResult) -> float | None:
    """The held-out loss of a run's best weights as its evaluations told it."""
    return result.calibration.nats_before if result.calibration else result.validation_nats


# What stands for what, where training looks it up: this learner, no drawing of curves, and no waiting for the disk,
# since no test cuts the power.
INSTEAD = {
    "textgen.training.session.make_learner": make_learner,
    "textgen.training.finishing.can_draw": lambda: False,
    "textgen.training.limit.can_draw": lambda: False,
    "textgen.atomic_file.os.fsync": lambda _: None,
}
