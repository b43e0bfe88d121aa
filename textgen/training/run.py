"""Runs a plan with a learner, from the start or from a checkpoint to the end."""

import time
from collections.abc import Callable, Sequence

from textgen.errors import RunError
from textgen.model_file import Weights
from textgen.training.checkpoint import Checkpoint
from textgen.training.crew import Crew
from textgen.training.interruption import interruptible
from textgen.training.leading import Leading
from textgen.training.learner import Callbacks, Learner
from textgen.training.limit import Limit, first_planned
from textgen.training.loop import Loop, Position
from textgen.training.plan import Plan
from textgen.training.progress import Event, Started
from textgen.training.run_folder import RunFolder


def run(
    plan: Plan,
    learner: Learner,
    folder: RunFolder,
    *,
    limit: Limit,
    started: float,
    checkpoint: Checkpoint | None = None,
    checkpoint_seconds: float = 30.0,
    notes: Sequence[str] = (),
    crew: Crew | None = None,
    callbacks: Callbacks,
    on_progress: Callable[[Event], None],
) -> tuple[float, str]:
    """Train as planned, and save the best weights in the run folder.

    Args:
        plan: of the run.
        learner: with the initial weights.
        folder: locked; when resuming, with the history and the saved model.
        limit: when to stop.
        started: when the run began, on `time.monotonic`'s clock, moved back by the time of its earlier parts.
        checkpoint: where to resume from.
        checkpoint_seconds: the maximum time between two checkpoints.
        notes: what differs from what was asked for.
        crew: the other workers, if there are any, who are dismissed at the end.
        callbacks: notified of each step.
        on_progress: called with each event.

    Returns:
        The number of epochs in total, and why the run has ended; see `Loop.run`.

    Raises:
        TrainingError: a loss is not finite.
        RunError: the run folder cannot be written, or the checkpoint is of another optimizer.
    """
    learner = Leading(learner, crew, plan) if crew else learner
    position = Position(first_planned(plan))
    if checkpoint is not None:
        try:
            learner.restore(checkpoint.arrays)
        except ValueError as error:
            raise RunError(
                f"{folder.path}: {error}; resume with that one, or start a new run with `force=True`"
            ) from error
        position = Position.from_meta(checkpoint.meta["position"])
    on_progress(started_event(plan, learner, position.step, notes))
    with interruptible(crew.interruption if crew else None) as interruption:
        loop = Loop(
            plan=plan,
            learner=learner,
            folder=folder,
            position=position,
            limit=limit,
            started=started,
            checkpoint_seconds=checkpoint_seconds,
            callbacks=callbacks,
            on_progress=on_progress,
            interruption=interruption,
        )
        stopped_by = loop.run()
    if crew:
        crew.dismiss(
            {
                "model": str(folder.model),
                "validation_nats": folder.kept.validation_nats if folder.kept else None,
                "epochs": loop.epochs,
                "seconds": time.monotonic() - started,
                "stopped_by": stopped_by,
            }
        )
    return loop.epochs, stopped_by


def started_event(plan: Plan, learner: Learner, step: int, notes: Sequence[str]) -> Started:
    """The event of a run that is about to take its next step, after so many."""
    corpus, training = plan.corpus, plan.training
    return Started(
        name=corpus.name,
        characters=len(corpus),
        hold_out=plan.hold_out,
        symbols=len(corpus.vocabulary),
        parameters=Weights.from_list(learner.kept()).parameters,
        streams=training.batch_size,
        window=training.window,
        epochs=plan.epochs,
        dropout=plan.model.dropout,
        embedding=plan.model.embedding,
        learning_rate=training.learning_rate,
        weight_decay=training.weight_decay,
        rng_seed=training.rng_seed,
        resumed_at=step / plan.windows.per_epoch,
        reading=corpus.notes,
        notes=tuple(notes),
    )
