"""`textgen.train`: checks and plans before TensorFlow is imported, trains, and compares with the baselines."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from textgen.config import CHECKPOINT_SECONDS, EPOCHS, MINUTES, SEEDS, ModelConfig, TrainingConfig
from textgen.corpus.corpus import Corpus
from textgen.errors import RunError
from textgen.model_file import Model, read_model
from textgen.training.cluster import Cluster
from textgen.training.ensemble import Ensemble, read_ensemble, start_ensemble, train_all
from textgen.training.fine_tuning import grow
from textgen.training.given import asked, check_types, refuse_both, refuse_short
from textgen.training.memory import memory_told
from textgen.training.plan import Epochs, Minutes, make_plan
from textgen.training.progress import Event, TrainingResult
from textgen.training.resume import Unfinished, unfinished
from textgen.training.run_folder import RunFolder, open_run_folder
from textgen.training.session import How, complete, take_part
from textgen.training.teachers import check_known, engage, model_files


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
    seeds: int | None = None,
    resume: bool = False,
    force: bool = False,
    cluster: Cluster | None = None,
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
        seeds: train so many teachers first, alike but for their random seeds, which are those after the run's own, in
            the folders `teacher-1`, … of the run folder; `minutes` are divided evenly among them and the student.
            `resume` continues wherever the run was interrupted.
        resume: continue the unfinished run in `output`, bit for bit as if it had not been interrupted. No other
            argument is needed; those that are given must agree with the run. A model file in the folder that is not
            the run's best is renamed.
        force: replace an existing run in `output`, as soon as the new one saves its first model; with `seeds`, those in
            its teachers' folders too.
        cluster: the workers that train together, each of which calls this with the same arguments but for its index.
            The first one is the chief: it alone writes `output`. Only in a process that has not used TensorFlow before.
        checkpoint_seconds: the maximum time between two checkpoints.
        callbacks: `keras.callbacks.Callback` objects; with `seeds`, of the student's training; with `cluster`, of the
            chief. They have access to the training model and its optimizer; their own state is not saved in
            checkpoints.
        on_progress: called with each event: `Consulted` while teachers read the text, then `Started`, `Stepped`,
            `Evaluated`, and at the end the `TrainingResult`. `textgen.progress()` shows a progress bar, on a terminal
            or in a notebook.

    Raises:
        CorpusError: the text is too short, the text of the run to resume cannot be read, or a teacher knows less than
            half of it.
        ModelFileError: `start_from` or a teacher cannot be read.
        RunError: the run folder holds a run already, has nothing to resume, is in use, or cannot be written; or an
            argument disagrees with the run to resume; or a teacher has changed since, or is the run's own model.
        TrainingError: the memory does not suffice, a loss is not finite, or a worker is lost, cannot be reached or was
            started otherwise than the chief; the best weights so far are kept.
        ValueError: an argument is out of its range, or two exclude each other.
        TypeError: an argument is of a wrong type.
    """
    started = time.monotonic()
    check_types(
        corpus=corpus,
        output=output,
        model=model,
        training=training,
        start_from=start_from,
        teachers=teachers,
        resume=resume,
        force=force,
        cluster=cluster,
        callbacks=callbacks,
        on_progress=on_progress,
    )
    on_progress = on_progress or _ignore
    epochs = None if epochs is None else EPOCHS.check("epochs", epochs)
    minutes = None if minutes is None else MINUTES.check("minutes", minutes)
    checkpoint_seconds = CHECKPOINT_SECONDS.check("checkpoint_seconds", checkpoint_seconds)
    seeds = None if seeds is None else SEEDS.check("seeds", seeds)
    refuse_both(
        epochs=epochs,
        minutes=minutes,
        start_from=start_from,
        teachers=teachers,
        seeds=seeds,
        resume=resume,
        force=force,
        cluster=cluster,
    )
    how = How(checkpoint_seconds, callbacks, on_progress, cluster)
    if resume:
        given = {"epochs": epochs, "minutes": minutes, "teachers": teachers or None, "seeds": seeds}
        given |= {**asked(model), **asked(training)}
        return _go_on(
            output,
            read=lambda run: run.read() if corpus is None else corpus,
            given={name: value for name, value in given.items() if value is not None},
            how=how,
        )
    if corpus is None:
        raise TypeError("`corpus` must be textgen.Corpus, not NoneType; it may be left out with `resume=True` only")
    source, files = read_model(start_from) if start_from is not None else None, model_files(teachers)
    refuse_short(corpus, (training or TrainingConfig()).window)
    settings: dict[str, Any] = {"epochs": epochs, "minutes": minutes, "model": model, "training": training}
    options = {"epochs": epochs, "minutes": minutes, **asked(model), **asked(training)}
    how = how._replace(options=options | {"its text's SHA-256": corpus.sha256})
    if cluster is not None and training is not None and training.batch_size is not None:
        cluster.rows(training.batch_size)  # or all but the chief would wait for it in vain
    if cluster is not None and not cluster.is_chief:
        return take_part(cluster, output, lambda _: corpus, how)
    with open_run_folder(output, force=force) as folder, memory_told(folder):
        if seeds is None:
            result = _begin(corpus, folder, how, source=source, teachers=files, started=started, **settings)
        else:
            with start_ensemble(folder, corpus, force=force, seeds=seeds, **settings) as ensemble:
                result = train_all(ensemble, partial(_train_next, corpus, how), on_progress)
    on_progress(result)  # after the lock is released, so that a resume at once succeeds
    return result


def go_on(
    output: str | Path,
    *,
    read: Callable[[Unfinished], Corpus],
    given: Mapping[str, Any],
    checkpoint_seconds: float,
    cluster: Cluster | None = None,
    on_progress: Callable[[Event], None] | None = None,
) -> TrainingResult:
    """Resume the unfinished run in a folder; for the other arguments, results and errors see `train`.

    Args:
        output: the run folder.
        read: returns the text of the run.
        given: values that must agree with the run; see `Unfinished.check`.
        checkpoint_seconds: the maximum time between two checkpoints.
        cluster: the workers that train together.
        on_progress: called with each event.
    """
    return _go_on(output, read, given, How(checkpoint_seconds, (), on_progress or _ignore, cluster))


def _go_on(
    output: str | Path, read: Callable[[Unfinished], Corpus], given: Mapping[str, Any], how: How
) -> TrainingResult:
    how = how._replace(options={**given, "resume": True})
    if how.cluster is not None and not how.cluster.is_chief:
        return take_part(how.cluster, output, read, how)
    with open_run_folder(output, resume=True) as folder, memory_told(folder):
        ensemble = read_ensemble(folder)
        begun = ensemble.begun if ensemble else unfinished(folder)
        if how.cluster and (ensemble or begun.checkpoint.meta["teachers"]):
            raise RunError(f"{output}: the run has teachers, from which several workers cannot learn; resume it on one")
        begun.check(given)
        corpus = read(begun)
        begun.check_text(corpus)
        if ensemble:
            result = train_all(ensemble, partial(_train_next, corpus, how), how.on_progress)
        else:
            result = _resume(corpus, begun, how)
    how.on_progress(result)
    return result


def _train_next(corpus: Corpus, how: How, ensemble: Ensemble, on_progress: Callable[[Event], None]) -> TrainingResult:
    """Do the next training of a run that has teachers of its own: begin it, or resume it."""
    how, settings, place = how._replace(on_progress=on_progress), ensemble.settings(), ensemble.place
    if ensemble.part < ensemble.parts:
        how = How(how.checkpoint_seconds, (), on_progress)
        if ensemble.is_begun:
            return _go_on(place, lambda _: corpus, {}, how)
        return train(
            corpus,
            output=place,
            force=True,
            checkpoint_seconds=how.checkpoint_seconds,
            on_progress=on_progress,
            **settings,
        )
    if ensemble.is_begun:
        return _resume(corpus, unfinished(ensemble.folder), how)
    files, started = model_files(ensemble.teachers), time.monotonic()
    return _begin(corpus, ensemble.folder, how, source=None, teachers=files, started=started, **settings)


def _begin(
    corpus: Corpus,
    folder: RunFolder,
    how: How,
    *,
    source: Model | None,
    teachers: Sequence[Path],
    started: float,
    epochs: int | None,
    minutes: float | None,
    model: ModelConfig | None,
    training: TrainingConfig | None,
) -> TrainingResult:
    """Plan a run and train, from the weights of a model if one is given."""
    start = None
    if source is not None:
        corpus, start = grow(source, corpus)
    until = Epochs(epochs) if epochs else Minutes(minutes) if minutes else None
    plan, notes = make_plan(corpus, until=until, model=model, training=training, source=source)
    plan = replace(plan, teachers=engage(teachers, folder.model))
    notes += check_known(plan.teachers, corpus, len(plan.windows.codes))
    return complete(plan, folder, how, started=started, start=start, notes=notes)


def _resume(corpus: Corpus, begun: Unfinished, how: How) -> TrainingResult:
    """Train on from a checkpoint."""
    checkpoint, plan = begun.checkpoint, begun.plan(corpus)
    started = time.monotonic() - checkpoint.meta["elapsed"]
    notes = [*begun.restore(plan), *begun.other_workers(how.cluster)]
    return complete(plan, begun.folder, how, started=started, checkpoint=checkpoint, notes=notes)


def _ignore(event: Event) -> None:
    """Do nothing."""
