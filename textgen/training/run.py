"""A run, once all is decided: builds the network, the step and the loop, and lets it train."""

import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from textgen.config import ModelConfig, TrainingConfig
from textgen.corpus.corpus import Corpus
from textgen.corpus.windows import Windows
from textgen.model_file import Description, TextInfo, TrainingInfo
from textgen.training.backend import keras, tf
from textgen.training.interruption import interruptible
from textgen.training.loop import Loop, Position
from textgen.training.network import build
from textgen.training.plan import Budget
from textgen.training.progress import Event, Started
from textgen.training.recipe import DEFAULT_PATIENCE
from textgen.training.run_folder import RunFolder
from textgen.training.step import compile_step, make_optimizer

UNPLANNED = 1000  # steps supposed until the speed is known: enough for the warm-up
PACKAGES = ("textgen-lstm", "keras", "tensorflow", "numpy")


def run(
    corpus: Corpus,
    folder: RunFolder,
    model: ModelConfig,
    training: TrainingConfig,
    *,
    epochs: int | None,
    minutes: float | None,
    notes: Sequence[str],
    callbacks: Sequence[Any],
    on_progress: Callable[[Event], None],
    started: float,
) -> tuple[Loop, str]:
    """Train with complete configurations, for `epochs` or for `minutes`.

    Returns:
        The loop, at its end, and why it ended.
    """
    streams, peak, rng_seed = _complete(training)
    hold_out = corpus.hold_out(training.validation)
    windows = Windows(corpus.codes[: len(corpus) - hold_out], streams, training.window, rng_seed)
    network = build(model, len(corpus.vocabulary), rng_seed)
    step = compile_step(
        network,
        make_optimizer(network),
        dropout=model.dropout or 0.0,
        streams=streams,
        length=training.window,
        rng_seed=rng_seed,
    )
    zeros = tf.zeros((streams, model.units))
    keras_callbacks = keras.callbacks.CallbackList(
        list(callbacks), model=network.training_model, epochs=epochs or 0, steps=windows.per_epoch
    )
    network.training_model.stop_training = False
    description = describe(corpus, model, training)
    on_progress(
        Started(
            name=corpus.name,
            characters=len(corpus),
            hold_out=hold_out,
            symbols=len(corpus.vocabulary),
            parameters=network.saved_model.count_params(),
            streams=streams,
            window=training.window,
            epochs=epochs,
            notes=tuple(notes),
        )
    )
    with interruptible() as interruption:
        loop = Loop(
            network=network,
            step=step,
            windows=windows,
            text=corpus.codes,
            hold_out=hold_out,
            description=description,
            folder=folder,
            position=Position([[zeros, zeros]] * model.layers, epochs * windows.per_epoch if epochs else UNPLANNED),
            budget=Budget.of(minutes, started, hold_out) if minutes else None,
            patience=training.patience or (None if minutes else DEFAULT_PATIENCE),
            peak=peak,
            started=started,
            callbacks=keras_callbacks,
            on_progress=on_progress,
            interruption=interruption,
        )
        return loop, loop.run()


def _complete(training: TrainingConfig) -> tuple[int, float, int]:
    """Streams, peak learning rate and seed of a configuration in which none is open."""
    if training.batch_size is None or training.learning_rate is None or training.rng_seed is None:
        raise ValueError("the training configuration is not complete; see recipe.complete")
    return training.batch_size, training.learning_rate, training.rng_seed


def describe(corpus: Corpus, model: ModelConfig, training: TrainingConfig) -> Description:
    """What the model file says before anything is learnt."""
    streams, peak, rng_seed = _complete(training)
    return Description(
        corpus.vocabulary,
        model,
        TextInfo(corpus.name, corpus.sha256, len(corpus), "none", corpus.lowercase, None),
        TrainingInfo(
            epochs=0.0,
            seconds=0.0,
            window=training.window,
            batch_size=streams,
            learning_rate=peak,
            validation=training.validation,
            rng_seed=rng_seed,
            validation_nats=None,
            versions={"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
            date="",
        ),
    )
