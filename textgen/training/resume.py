"""Whether the model in a run folder is the one that the run to resume has left there."""

from dataclasses import replace
from typing import Any

from textgen.errors import ModelFileError
from textgen.model_file import Description, TrainingInfo, read_model
from textgen.training.checkpoint import Checkpoint
from textgen.training.plan import Plan
from textgen.training.run_folder import Row, RunFolder


def left_model(folder: RunFolder, plan: Plan, checkpoint: Checkpoint) -> tuple[TrainingInfo | None, str | None]:
    """What the folder's model says of its training, if it is the best of the run that is resumed.

    It may be better than the checkpoint's: a run can be killed between the two. What is not this run's best is moved
    aside, never lost: it may be the best of another.

    Returns:
        None where the run has lost its model; and what a user must be told then.

    Raises:
        RunError: the file cannot be moved.
    """
    if not folder.model.exists():
        return None, f"{folder.model}: is missing; the run goes on without its best model"
    try:
        found = read_model(folder.model).description
    except ModelFileError as error:
        problem = str(error)
    else:
        if _decided(found) != _decided(plan.describe()):
            problem = f"{folder.model}: is a model of another run"
        elif not _is_as_good(found.training, checkpoint):
            problem = f"{folder.model}: is not this run's best model"
        else:
            return found.training, None
    return None, f"{problem}; it is {folder.set_aside()} now, and the run goes on without its best model"


def _decided(description: Description) -> Description:
    """What is the same in all models of a run, wherever its text lies and whatever resumes it."""
    training = replace(description.training, epochs=0.0, seconds=0.0, validation_nats=None, versions={}, date="")
    return replace(description, text=replace(description.text, name=""), training=training)


def _is_as_good(found: TrainingInfo, checkpoint: Checkpoint) -> bool:
    """Whether a model of the run is at least as good as its best one was when the checkpoint was written."""
    meta: Any = checkpoint.meta
    best = meta["position"]["best"]
    if best is not None:
        return found.validation_nats is not None and found.validation_nats <= best
    scored = [row.epochs for row in (Row(*row) for row in meta["history"]) if row.train_nats is not None]
    return found.epochs >= max(scored, default=0.0)  # nothing is held out: the latest is the best
