"""One training of a plan: its learner, its run, and what follows when it is done."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textgen.corpus.corpus import Corpus
from textgen.errors import TrainingError
from textgen.training.checkpoint import Checkpoint
from textgen.training.cluster import Cluster
from textgen.training.finishing import calibrate_best, finish
from textgen.training.following import follow
from textgen.training.leading import led
from textgen.training.learner import Callbacks, Learner
from textgen.training.limit import limit_of, short_budget
from textgen.training.memory import check_memory
from textgen.training.plan import COMPLETED, Plan
from textgen.training.progress import Event, TrainingResult
from textgen.training.resume import Unfinished
from textgen.training.run import run
from textgen.training.run_folder import RunFolder
from textgen.training.soft_targets import SoftTargets, soft_targets
from textgen.training.speed import slow_cell


class How(NamedTuple):
    """Arguments of `train` that have no influence on what is learnt."""

    checkpoint_seconds: float
    callbacks: Sequence[Any]
    on_progress: Callable[[Event], None]
    cluster: Cluster | None = None
    options: Mapping[str, Any] = {}  # what the run was started with, which several workers compare


def complete(
    plan: Plan,
    folder: RunFolder,
    how: How,
    *,
    started: float,
    start: Sequence[NDArray[np.float32]] | None = None,
    checkpoint: Checkpoint | None = None,
    notes: Sequence[str],
) -> TrainingResult:
    """Train as planned, from the weights `start` or a checkpoint if given, and compare with the baselines."""
    plan = replace(plan, cluster=how.cluster)
    check_memory(plan, () if checkpoint else ("units", "batch_size") if start is None else ("batch_size",))
    began = time.monotonic()
    soft, cached = soft_targets(plan, how.on_progress)
    read = time.monotonic() - began
    limit = limit_of(plan, started=started, step=checkpoint.meta["position"]["step"] if checkpoint else 0)
    notes = [*notes, *cached, *([] if checkpoint else short_budget(plan, limit, read=read))]
    with led(plan, how.options) as crew:
        learner, told = make_learner(plan, start, how.callbacks, soft)
        epochs, stopped_by = run(
            plan,
            learner,
            folder,
            crew=crew,
            limit=limit,
            started=started,
            checkpoint=checkpoint,
            checkpoint_seconds=how.checkpoint_seconds,
            notes=[*slow_cell(plan.model.cell), *notes],
            callbacks=told,
            on_progress=how.on_progress,
        )
    completed = stopped_by in COMPLETED
    calibration = calibrate_best(folder, plan, learner) if completed else None
    best = folder.kept.validation_nats if folder.kept else None
    compared = finish(folder, plan, best) if completed else []
    return TrainingResult(folder.model, best, epochs, time.monotonic() - started, stopped_by, compared, calibration)


def take_part(cluster: Cluster, output: str | Path, read: Callable[[Unfinished], Corpus], how: How) -> TrainingResult:
    """Take part in a run as a worker that is not the chief."""
    return follow(
        cluster,
        output,
        options=how.options,
        read=read,
        make=lambda plan: make_learner(plan, None, ())[0],
        on_progress=how.on_progress,
    )


def make_learner(
    plan: Plan,
    start: Sequence[NDArray[np.float32]] | None,
    callbacks: Sequence[Any],
    soft: SoftTargets | None = None,
) -> tuple[Learner, Callbacks]:
    """Build the learner of a plan, with the weights `start` and the `soft` targets if given, and its callbacks.

    TensorFlow is imported here, after everything else has been checked.
    """
    try:
        from textgen.training.keras_learner import KerasCallbacks, KerasLearner
    except ImportError as error:
        raise TrainingError(
            f"TensorFlow cannot be loaded ({error}); give the process more memory, or install textgen again"
        ) from error

    learner = KerasLearner(plan, start, soft)
    return learner, KerasCallbacks(callbacks, learner, plan)
