"""`textgen.train`: what is checked and decided before the heavy import, and the result."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textgen.config import EPOCHS, MINUTES, ModelConfig, TrainingConfig
from textgen.corpus.corpus import Corpus
from textgen.errors import CorpusError
from textgen.training.progress import Event
from textgen.training.recipe import complete, expected_epochs, planned_epochs
from textgen.training.run_folder import open_run_folder


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended.

    Attributes:
        model: the model file with the best weights.
        validation_nats: their held-out loss, nats a character; None without a hold-out, or before the first scoring.
        epochs: how often the text was read in all.
        seconds: wall-clock time of the whole call.
        stopped_by: `plan`, `budget`, `patience`, `callback`, `SIGINT` or `SIGTERM`.
    """

    model: Path
    validation_nats: float | None
    epochs: float
    seconds: float
    stopped_by: str


def train(
    corpus: Corpus,
    *,
    output: str | Path,
    epochs: int | None = None,
    minutes: float | None = None,
    model: ModelConfig | None = None,
    training: TrainingConfig | None = None,
    force: bool = False,
    callbacks: Sequence[Any] = (),
    on_progress: Callable[[Event], None] = lambda event: None,
) -> TrainingResult:
    """Train a network on a corpus and keep its best weights in a run folder.

    Args:
        corpus: the text; its end is held out.
        output: the run folder, made where it is missing.
        epochs: how often to read the text.
        minutes: wall-clock time for the whole call, instead of `epochs`. With neither, the number of epochs is
            planned from the text's size.
        model: the network's shape; what is None in it is chosen.
        training: how to train; what is None in it is chosen.
        force: replace an old run in `output`, as soon as the new one saves its first model.
        callbacks: `keras.callbacks.Callback` objects. They see the training model and its optimizer.
        on_progress: called with each `Started`, `Stepped` and `Scored`.

    Raises:
        CorpusError: the text is too short.
        RunError: the run folder holds a run already, is in use, or cannot be written.
        TrainingError: a loss is not finite; the best weights so far are kept.
        ValueError: an argument is out of its range, or both `epochs` and `minutes` are given.
    """
    started = time.monotonic()
    if epochs is not None and minutes is not None:
        raise ValueError("epochs and minutes exclude each other; give one")
    if epochs is not None:
        EPOCHS.check("epochs", epochs)
    if minutes is not None:
        MINUTES.check("minutes", minutes)
    model, training = model or ModelConfig(), training or TrainingConfig()
    shortest = 2 * training.window + 1
    if len(corpus) < shortest:
        raise CorpusError(
            f"{corpus.name}: the text has {len(corpus):,} characters; expected at least {shortest:,} "
            f"with a window of {training.window}: add text, or make the --window smaller"
        )
    characters = len(corpus) - corpus.hold_out(training.validation)
    if minutes is None:
        epochs = epochs or planned_epochs(characters)
    expected = epochs or expected_epochs(minutes or 0, characters)
    model, training, notes = complete(
        model, training, characters=characters, symbols=len(corpus.vocabulary), epochs=expected
    )

    with open_run_folder(output, force=force) as folder:
        from textgen.training.run import run  # the heavy import, once nothing else can be wrong

        loop, stopped_by = run(
            corpus,
            folder,
            model,
            training,
            epochs=epochs,
            minutes=minutes,
            notes=notes,
            callbacks=callbacks,
            on_progress=on_progress,
            started=started,
        )
        best = loop.position.best
        seconds = time.monotonic() - started
        return TrainingResult(folder.model, None if best == float("inf") else best, loop.epochs, seconds, stopped_by)
