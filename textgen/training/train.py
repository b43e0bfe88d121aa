"""`textgen.train`: what is checked and decided before the heavy import, and the result."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import PATH, expect
from textgen.config import BATCH_SIZE, CHECKPOINT_SECONDS, EPOCHS, MINUTES, ModelConfig, TrainingConfig
from textgen.corpus.corpus import Corpus, called
from textgen.corpus.vocabulary import Vocabulary
from textgen.corpus.windows import Windows
from textgen.errors import CorpusError, RunError
from textgen.evaluation.baselines import Baseline, baselines
from textgen.kernel.library import library
from textgen.model_file import read_model
from textgen.training.checkpoint import Checkpoint, read_checkpoint
from textgen.training.curve import can_draw, draw_curve
from textgen.training.fine_tuning import prepare
from textgen.training.learner import Callbacks, Learner
from textgen.training.plan import COMPLETED, Epochs, Minutes, Plan, make_plan
from textgen.training.progress import Event, TrainingResult
from textgen.training.resume import left_model
from textgen.training.run import run
from textgen.training.run_folder import RunFolder, check_resumable, open_run_folder
from textgen.wording import counted

WITHOUT_KERNEL = "there is no compiled kernel for this machine, so training takes longer; see the README, Install"


def train(
    corpus: Corpus,
    *,
    output: str | Path,
    epochs: int | None = None,
    minutes: float | None = None,
    model: ModelConfig | None = None,
    training: TrainingConfig | None = None,
    start_from: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    checkpoint_seconds: float = 30.0,
    callbacks: Sequence[Any] = (),
    on_progress: Callable[[Event], None] | None = None,
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
        start_from: a run folder or `.keras` file whose weights to start from; its vocabulary grows by the text's
            new characters, and its shape is taken over; what `model` says of it must agree, the dropout aside.
        resume: go on with the unfinished run in `output`, bit for bit as if it had not been interrupted. Corpus and
            whatever else is given must agree with it. A model file there that is not the run's best is moved aside.
        force: replace an old run in `output`, as soon as the new one saves its first model.
        checkpoint_seconds: the longest time between two checkpoints.
        callbacks: `keras.callbacks.Callback` objects. They see the training model and its optimizer; what they
            remember is not in a checkpoint.
        on_progress: called with each `Started`, `Stepped` and `Scored`, and at the end with the `TrainingResult`;
            `textgen.progress()` is one that shows a bar, in a notebook too.

    Raises:
        CorpusError: the text is too short.
        ModelFileError: `start_from` cannot be read.
        RunError: the run folder holds a run already, has nothing to resume, is in use, or cannot be written; or what is
            given disagrees with the run to resume.
        TrainingError: a loss is not finite; the best weights so far are kept.
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
    if not str(output):
        raise RunError("the path of the run folder is empty; name one with `output`")
    output = Path(output)
    source = read_model(start_from) if start_from is not None else None
    checkpoint = None
    notes = [] if library() else [WITHOUT_KERNEL]
    if resume:
        check_resumable(output)
    elif len(corpus) < (shortest := 2 * (training or TrainingConfig()).window + 1):
        raise CorpusError(
            f"{corpus.label}: the text has {counted(len(corpus), 'character')}; expected at least {shortest:,} "
            f"with a window of {shortest // 2}: add text, or make the `window` smaller"
        )
    with open_run_folder(output, force=force, resume=resume) as folder:
        start = None
        if resume:
            checkpoint, warning = read_checkpoint(folder.path)
            if warning:
                notes.append(warning)
                folder.drop_damaged()
            given = {"epochs": epochs, "minutes": minutes, "model": model, "training": training}
            plan = _stored_plan(folder.path, checkpoint, corpus, given)
            kept, lost = left_model(folder, plan, checkpoint)
            folder.restore(checkpoint.meta["history"], kept)
            notes += [lost] if lost else []
            started -= checkpoint.meta["elapsed"]
        else:
            if source is not None:
                corpus, start = prepare(source, corpus)
            until = Epochs(epochs) if epochs else Minutes(minutes) if minutes else None
            plan, more = make_plan(corpus, until=until, model=model, training=training, source=source)
            notes += more
        learner, told = make_learner(plan, start, callbacks)
        epochs_read, stopped_by = run(
            plan,
            learner,
            folder,
            started=started,
            checkpoint=checkpoint,
            checkpoint_seconds=checkpoint_seconds,
            notes=notes,
            callbacks=told,
            on_progress=on_progress,
        )
        best = folder.kept.validation_nats if folder.kept else None
        compared = _finish(folder, plan, best) if stopped_by in COMPLETED else []
        result = TrainingResult(folder.model, best, epochs_read, time.monotonic() - started, stopped_by, compared)
    on_progress(result)  # when the folder is free again, for whoever resumes at once
    return result


def _check_types(**given: object) -> None:
    """Raise `TypeError` for the first argument of a wrong type, those that are numbers aside."""
    expect("corpus", given["corpus"], Corpus, "make one with textgen.Corpus.from_files or textgen.Corpus.from_text")
    for name, kind in (
        ("output", PATH),
        ("model", ModelConfig | None),
        ("training", TrainingConfig | None),
        ("start_from", PATH | None),
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
            raise ValueError(f"`{first}` and `{second}` exclude each other; give one")


def _ignore(event: Event) -> None:
    """Tell nobody."""


def make_learner(
    plan: Plan, start: Sequence[NDArray[np.float32]] | None, callbacks: Sequence[Any]
) -> tuple[Learner, Callbacks]:
    """What is trained as planned, from `start`'s weights where there are some, and whom it tells.

    The heavy import is here, so that it comes once nothing else can be wrong.
    """
    from textgen.training.keras_learner import KerasCallbacks, KerasLearner

    learner = KerasLearner(plan, start)
    return learner, KerasCallbacks(callbacks, learner, plan)


def _stored_plan(folder: Path, checkpoint: Checkpoint, corpus: Corpus, given: Mapping[str, Any]) -> Plan:
    """The plan of the run to resume, compared with what is given again."""
    meta = checkpoint.meta
    text = meta["text"]
    if corpus.sha256 != text["sha256"]:
        raise RunError(
            f"{folder}: the run was started on another text ({called(text['sources'] or [text['name']])}, SHA-256 "
            f"{text['sha256'][:12]}…, not {corpus.sha256[:12]}…); "
            "resume with that text, or start anew with `force=True`"
        )
    check_agreement(folder, {"min_count": corpus.reading.min_count}, meta["reading"])
    for name, value in given.items():
        if isinstance(value, ModelConfig | TrainingConfig):
            asked = {key: item for key, item in asdict(value).items() if item is not None}
            check_agreement(folder, asked, meta[name])
        elif value is not None:
            check_agreement(folder, {name: value}, meta)
    try:
        corpus = replace(corpus.recoded(Vocabulary(meta["vocabulary"])), replacement=text["replacement"])
        plan = Plan.from_meta(meta, corpus)
        most = Windows.most_streams(len(corpus) - plan.hold_out, plan.training.window)
        BATCH_SIZE._replace(high=most).check("batch_size", plan.training.batch_size)
    except ValueError as error:
        raise RunError(f"{folder}: the run is not one of this text ({error}); start anew with `force=True`") from error
    return plan


def check_agreement(folder: Path, given: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    """Raise `RunError` naming the first value that is not the stored one."""
    for name, value in given.items():
        if value != stored[name]:
            raise RunError(
                f"{folder}: `{name}` is {value} here, and the run was started with {stored[name]}; "
                "give `resume=True` alone, or start anew with `force=True`"
            )


def _finish(folder: RunFolder, plan: Plan, best: float | None) -> list[Baseline]:
    """Compare with simpler predictors, draw the curve, and clear up."""
    corpus = plan.corpus
    compared = []
    if best is not None:
        learnt = len(corpus) - plan.hold_out
        compared = baselines(corpus.codes[:learnt], corpus.codes[learnt:], corpus.vocabulary)
    if can_draw():
        folder.save_curve(lambda path: draw_curve(corpus.name, plan.model.dropout, folder.rows, compared, path))
    folder.finish()
    return compared
