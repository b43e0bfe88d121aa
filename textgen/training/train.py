"""`textgen.train`: checks and plans before TensorFlow is imported, trains, and compares with the baselines."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import PATH, expect
from textgen.cells import CELLS
from textgen.config import CHECKPOINT_SECONDS, EPOCHS, MINUTES, ModelConfig, TrainingConfig
from textgen.corpus.corpus import Corpus
from textgen.errors import CorpusError, TrainingError
from textgen.kernel.library import library
from textgen.model_file import read_model
from textgen.training.checkpoint import Checkpoint
from textgen.training.fine_tuning import grow
from textgen.training.finishing import calibrate_best, finish
from textgen.training.learner import Callbacks, Learner
from textgen.training.limit import limit_of, short_budget
from textgen.training.memory import check_memory, memory_told
from textgen.training.plan import COMPLETED, Epochs, Minutes, Plan, make_plan
from textgen.training.progress import Event, TrainingResult
from textgen.training.resume import Unfinished, unfinished
from textgen.training.run import run
from textgen.training.run_folder import RunFolder, open_run_folder
from textgen.training.soft_targets import SoftTargets, soft_targets
from textgen.training.teachers import check_known, engage, model_files
from textgen.wording import counted

WITHOUT_KERNEL = "no compiled kernel for this machine, so training is slower; see Install in the README"


def train(
    corpus: Corpus | None = None,
    *,
    output: str | Path,
    epochs: int | None = None,
    minutes: float | None = None,
    model: ModelConfig | None = None,
    training: TrainingConfig | None = None,
    start_from: str | Path | None = None,
    teachers: Sequence[str | Path] = (),
    resume: bool = False,
    force: bool = False,
    checkpoint_seconds: float = 30.0,
    callbacks: Sequence[Any] = (),
    on_progress: Callable[[Event], None] | None = None,
) -> TrainingResult:
    """Train a network on a corpus and save the weights with the lowest validation loss in a run folder.

    Args:
        corpus: the text; its end is held out. Optional with `resume`, which reads the run's own files again.
        output: the run folder; it is created if needed.
        epochs: the number of epochs.
        minutes: wall-clock budget for the whole call, instead of `epochs`. With neither, the number of epochs is chosen
            from the text's size.
        model: the architecture; values that are None are chosen.
        training: the hyperparameters; values that are None are chosen.
        start_from: a run folder or `.keras` file to fine-tune: training starts from its weights. New characters of the
            text are added to its vocabulary. Its architecture is used; `model` may change only the dropout.
        teachers: run folders or `.keras` files of models of any size, whose predictions are learnt beside the text: the
            loss is half the cross-entropy with the text and half that with the mean of their probabilities. They must
            know half of the text's characters; where they do not, the text alone is learnt.
        resume: continue the unfinished run in `output`, bit for bit as if it had not been interrupted. No other
            argument is needed; those that are given must agree with the run. A model file in the folder that is not
            the run's best is renamed.
        force: replace an existing run in `output`, as soon as the new one saves its first model.
        checkpoint_seconds: the maximum time between two checkpoints.
        callbacks: `keras.callbacks.Callback` objects. They have access to the training model and its optimizer; their
            own state is not saved in checkpoints.
        on_progress: called with each event: `Consulted` while teachers read the text, then `Started`, `Stepped`,
            `Evaluated`, and at the end the `TrainingResult`. `textgen.progress()` shows a progress bar, on a terminal
            or in a notebook.

    Raises:
        CorpusError: the text is too short, the text of the run to resume cannot be read, or a teacher knows less than
            half of it.
        ModelFileError: `start_from` or a teacher cannot be read.
        RunError: the run folder holds a run already, has nothing to resume, is in use, or cannot be written; or an
            argument disagrees with the run to resume; or a teacher has changed since, or is the run's own model.
        TrainingError: the memory does not suffice, or a loss is not finite; the best weights so far are kept.
        ValueError: an argument is out of its range, or two exclude each other.
        TypeError: an argument is of a wrong type.
    """
    started = time.monotonic()
    _check_types(
        corpus=corpus,
        output=output,
        model=model,
        training=training,
        start_from=start_from,
        teachers=teachers,
        resume=resume,
        force=force,
        callbacks=callbacks,
        on_progress=on_progress,
    )
    on_progress = on_progress or _ignore
    epochs = None if epochs is None else EPOCHS.check("epochs", epochs)
    minutes = None if minutes is None else MINUTES.check("minutes", minutes)
    checkpoint_seconds = CHECKPOINT_SECONDS.check("checkpoint_seconds", checkpoint_seconds)
    _refuse_both(epochs, minutes, start_from, resume, force)
    if resume:
        asked = {
            "epochs": epochs,
            "minutes": minutes,
            **_asked(model),
            **_asked(training),
            "teachers": teachers or None,
        }
        return go_on(
            output,
            read=lambda run: run.read() if corpus is None else corpus,
            given={name: value for name, value in asked.items() if value is not None},
            checkpoint_seconds=checkpoint_seconds,
            callbacks=callbacks,
            on_progress=on_progress,
        )
    if corpus is None:
        raise TypeError("`corpus` must be textgen.Corpus, not NoneType; it may be left out with `resume=True` only")
    source, files = read_model(start_from) if start_from is not None else None, model_files(teachers)
    _refuse_short(corpus, (training or TrainingConfig()).window)
    with open_run_folder(output, force=force) as folder, memory_told(folder):
        start = None
        if source is not None:
            corpus, start = grow(source, corpus)
        until = Epochs(epochs) if epochs else Minutes(minutes) if minutes else None
        plan, notes = make_plan(corpus, until=until, model=model, training=training, source=source)
        plan = replace(plan, teachers=engage(files, folder.model))
        notes += check_known(plan.teachers, corpus, len(plan.windows.codes))
        result = _complete(
            plan,
            folder,
            started=started,
            start=start,
            notes=notes,
            checkpoint_seconds=checkpoint_seconds,
            callbacks=callbacks,
            on_progress=on_progress,
        )
    on_progress(result)  # after the lock is released, so that a resume at once succeeds
    return result


def go_on(
    output: str | Path,
    *,
    read: Callable[[Unfinished], Corpus],
    given: Mapping[str, Any],
    checkpoint_seconds: float,
    callbacks: Sequence[Any] = (),
    on_progress: Callable[[Event], None] | None = None,
) -> TrainingResult:
    """Resume the unfinished run in a folder; for the other arguments, results and errors see `train`.

    Args:
        output: the run folder.
        read: returns the text of the run.
        given: values that must agree with the run; see `Unfinished.check`.
        checkpoint_seconds: the maximum time between two checkpoints.
        callbacks: Keras callbacks.
        on_progress: called with each event.
    """
    started, on_progress = time.monotonic(), on_progress or _ignore
    with unfinished(output) as begun, memory_told(begun.folder):
        begun.check(given)
        plan = begun.plan(read(begun))
        result = _complete(
            plan,
            begun.folder,
            started=started - begun.checkpoint.meta["elapsed"],
            checkpoint=begun.checkpoint,
            notes=begun.restore(plan),
            checkpoint_seconds=checkpoint_seconds,
            callbacks=callbacks,
            on_progress=on_progress,
        )
    on_progress(result)
    return result


def _complete(
    plan: Plan,
    folder: RunFolder,
    *,
    started: float,
    start: Sequence[NDArray[np.float32]] | None = None,
    checkpoint: Checkpoint | None = None,
    notes: Sequence[str],
    checkpoint_seconds: float,
    callbacks: Sequence[Any],
    on_progress: Callable[[Event], None],
) -> TrainingResult:
    """Train as planned, from the weights `start` or a checkpoint if given, and compare with the baselines."""
    check_memory(plan, () if checkpoint else ("units", "batch_size") if start is None else ("batch_size",))
    soft, cached = soft_targets(plan, on_progress)
    limit = limit_of(plan, started=started, step=checkpoint.meta["position"]["step"] if checkpoint else 0)
    notes = [*notes, *cached, *([] if checkpoint else short_budget(plan, limit))]
    learner, told = make_learner(plan, start, callbacks, soft)
    epochs, stopped_by = run(
        plan,
        learner,
        folder,
        limit=limit,
        started=started,
        checkpoint=checkpoint,
        checkpoint_seconds=checkpoint_seconds,
        notes=[*_slow(plan), *notes],
        callbacks=told,
        on_progress=on_progress,
    )
    completed = stopped_by in COMPLETED
    calibration = calibrate_best(folder, plan, learner) if completed else None
    best = folder.kept.validation_nats if folder.kept else None
    compared = finish(folder, plan, best) if completed else []
    return TrainingResult(folder.model, best, epochs, time.monotonic() - started, stopped_by, compared, calibration)


def _slow(plan: Plan) -> list[str]:
    """A note if the network could be trained faster."""
    cell = CELLS[plan.model.cell]
    if cell.kernel:
        return [] if library() else [WITHOUT_KERNEL]
    return [f"the kernel has no {cell.keras}: Keras's own layers train it, more slowly than an LSTM of this size"]


def _check_types(**given: object) -> None:
    """Raise `TypeError` for the first argument of a wrong type, apart from numbers."""
    if given["corpus"] is not None:
        expect("corpus", given["corpus"], Corpus, "make one with textgen.Corpus.from_files or textgen.Corpus.from_text")
    for name, kind in (
        ("output", PATH),
        ("model", ModelConfig | None),
        ("training", TrainingConfig | None),
        ("start_from", PATH | None),
        ("teachers", PATH | Sequence),
        ("resume", bool),
        ("force", bool),
        ("callbacks", Sequence),
        ("on_progress", Callable | None),
    ):
        expect(name, given[name], kind)


def _refuse_both(epochs: object, minutes: object, start_from: object, resume: bool, force: bool) -> None:
    """Raise `ValueError` for two arguments that exclude each other."""
    for first, second, both in (
        ("epochs", "minutes", epochs is not None and minutes is not None),
        ("resume", "force", resume and force),
        ("resume", "start_from", resume and start_from is not None),
    ):
        if both:
            raise ValueError(f"`{first}` and `{second}` exclude each other; give only one")


def _asked(config: ModelConfig | TrainingConfig | None) -> dict[str, Any]:
    """The values of a configuration."""
    return {} if config is None else asdict(config)


def _refuse_short(corpus: Corpus, window: int) -> None:
    """Raise `CorpusError` for a text shorter than two windows."""
    if len(corpus) < (shortest := 2 * window + 1):
        raise CorpusError(
            f"{corpus.label}: the text has {counted(len(corpus), 'character')}; expected at least {shortest:,} "
            f"with a sequence length of {window}: add text, or make `window` smaller"
        )


def _ignore(event: Event) -> None:
    """Do nothing."""


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
