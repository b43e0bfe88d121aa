"""A run, once all is decided: builds the network, the step and the loop, and lets it train."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.corpus.windows import Windows
from textgen.errors import RunError
from textgen.evaluation.score import scoring_seconds
from textgen.model_file import TrainingInfo, Weights
from textgen.training.backend import keras, tf
from textgen.training.checkpoint import Checkpoint
from textgen.training.interruption import interruptible
from textgen.training.loop import Loop, Position
from textgen.training.network import Network, assign, build
from textgen.training.plan import Budget, Plan, decided, describe
from textgen.training.progress import Event, Started
from textgen.training.recipe import DEFAULT_PATIENCE
from textgen.training.run_folder import RunFolder
from textgen.training.step import compile_step, make_optimizer

UNPLANNED = 1000  # steps supposed until the speed is known: enough for the warm-up


def run(
    plan: Plan,
    folder: RunFolder,
    *,
    start: Sequence[NDArray[np.float32]] | None,
    checkpoint: Checkpoint | None,
    kept: TrainingInfo | None,
    checkpoint_seconds: float,
    finishing_seconds: float,
    notes: Sequence[str],
    callbacks: Sequence[Any],
    on_progress: Callable[[Event], None],
    started: float,
) -> tuple[Loop, str]:
    """Train as planned, from `start`'s weights, from a checkpoint, or from the beginning.

    `kept` is what the model file says that a checkpoint's run has left, None where it has lost it.

    Returns:
        The loop, at its end, and why it ended.
    """
    corpus, model, training = plan.corpus, plan.model, plan.training
    streams, peak, rng_seed = decided(training)
    hold_out = corpus.hold_out(training.validation)
    windows = Windows(corpus.codes[: len(corpus) - hold_out], streams, training.window, rng_seed)
    network = build(model, len(corpus.vocabulary), rng_seed)
    optimizer = make_optimizer(network)
    position = Position(
        [[tf.zeros((streams, model.units))] * 2] * model.layers,
        plan.epochs * windows.per_epoch if plan.epochs else UNPLANNED,
    )
    budget = None
    if plan.minutes:
        estimate = scoring_seconds(Weights.from_list(network.kept()), hold_out) if hold_out else 0.0
        budget = Budget.of(plan.minutes, started, estimate, finishing_seconds)
    if start is not None:
        assign(network.training_model.trainable_variables, start)
        assign(network.averages, start)
    if checkpoint is not None:
        position = _restore(network, checkpoint, folder)
        folder.restore(checkpoint.meta["history"], kept)
        if budget:
            budget.next_look += position.step
    network.training_model.stop_training = False
    on_progress(
        Started(
            name=corpus.name,
            characters=len(corpus),
            hold_out=hold_out,
            symbols=len(corpus.vocabulary),
            parameters=network.saved_model.count_params(),
            streams=streams,
            window=training.window,
            epochs=plan.epochs,
            dropout=model.dropout,
            embedding=model.embedding,
            learning_rate=peak,
            rng_seed=rng_seed,
            resumed_at=position.step / windows.per_epoch,
            notes=tuple(notes),
        )
    )
    with interruptible() as interruption:
        loop = Loop(
            network=network,
            step=compile_step(
                network,
                optimizer,
                dropout=model.dropout,
                streams=streams,
                length=training.window,
                rng_seed=rng_seed,
            ),
            windows=windows,
            text=corpus.codes,
            hold_out=hold_out,
            description=describe(plan),
            folder=folder,
            position=position,
            budget=budget,
            patience=training.patience or (None if plan.minutes else DEFAULT_PATIENCE),
            peak=peak,
            started=started,
            options=plan.to_meta(),
            checkpoint_seconds=checkpoint_seconds,
            callbacks=keras.callbacks.CallbackList(
                list(callbacks), model=network.training_model, epochs=plan.epochs or 0, steps=windows.per_epoch
            ),
            on_progress=on_progress,
            interruption=interruption,
        )
        return loop, loop.run()


def _restore(network: Network, checkpoint: Checkpoint, folder: RunFolder) -> Position:
    """Put weights and optimizer back; return the position."""
    model, arrays = network.training_model, checkpoint.arrays
    if [tuple(variable.shape) for variable in model.optimizer.variables] != [
        item.shape for item in arrays["optimizer"]
    ]:
        raise RunError(
            f"{folder.path}: Keras {keras.__version__} keeps its optimizer in another order than the one that the run "
            "was started with; resume with that one, or start anew with `force=True`"
        )
    assign(model.trainable_variables, arrays["weights"])
    assign(network.averages, arrays["averages"])
    assign(model.optimizer.variables, arrays["optimizer"])
    states = [tf.constant(array) for array in arrays["states"]]
    stored: Mapping[str, Any] = dict(checkpoint.meta["position"])
    best = float("inf") if stored["best"] is None else stored["best"]
    pairs = [states[place : place + 2] for place in range(0, len(states), 2)]
    return Position(**{**stored, "best": best, "states": pairs})
