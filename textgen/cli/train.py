"""`textgen train`: train a model on texts, resume an unfinished run, fine-tune a model."""

import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from textgen.cli import SIGNALLED
from textgen.cli.options import (
    field_option,
    is_given,
    normalisation_options,
    number_option,
    refuse_both,
    source_options,
)
from textgen.cli.workers import WorkerLog, asked_cluster, cluster_options, started_here
from textgen.config import (
    CELLS,
    CHECKPOINT_SECONDS,
    DEFAULT_CELL,
    DEFAULT_LAYERS,
    DEFAULT_PATIENCE,
    DEFAULT_UNITS,
    EPOCHS,
    LARGEST_HOLD_OUT,
    MINUTES,
    SEEDS,
    ModelConfig,
    Reading,
    TrainingConfig,
)

if TYPE_CHECKING:
    from textgen.training.resume import Unfinished

Chosen = TypeVar("Chosen", Reading, ModelConfig, TrainingConfig)


@click.command("train", short_help="Train a model on texts.")
@click.argument("texts", nargs=-1, metavar="TEXT...")
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    help="Run folder for the model and its history.  [default: models/NAME of the first text]",
)
@number_option(
    "--minutes", allowed=MINUTES, summary="Wall-clock budget: minutes of training in total, resumed parts included."
)
@number_option(
    "--epochs",
    allowed=EPOCHS,
    summary="Number of epochs. Without --epochs and --minutes it is chosen from the text's size.",
)
@field_option(
    "--patience",
    config=TrainingConfig,
    summary="Early stopping: stop after this many evaluations in a row without a lower validation loss. Default: "
    f"{DEFAULT_PATIENCE}; off with --minutes.",
)
@click.option(
    "--resume", is_flag=True, help="Resume the unfinished run in the run folder, with the same settings. Needs only -o."
)
@click.option(
    "--from",
    "start_from",
    type=click.Path(),
    metavar="MODEL",
    help="Fine-tune: start from this model's weights. New characters are added to its vocabulary.",
)
@click.option(
    "--teacher",
    "teachers",
    type=click.Path(),
    multiple=True,
    metavar="MODEL",
    help="Learn from this model's predictions too, beside the text. Give it once for each teacher; the mean of their "
    "predictions is learnt.",
)
@number_option(
    "--seeds",
    allowed=SEEDS,
    summary="Train so many teachers with other random seeds first, in folders of the run folder, then the model. "
    "--minutes is divided evenly among them.",
)
@click.option("--force", is_flag=True, help="Replace an existing run in the run folder.")
@number_option(
    "--checkpoint-every",
    "checkpoint_seconds",
    allowed=CHECKPOINT_SECONDS,
    summary="Maximum number of seconds between two checkpoints.",
    default=30,
)
@field_option(
    "--validation",
    config=TrainingConfig,
    summary="Fraction of the text, at its end, held out for the validation loss and the calibration; "
    f"{LARGEST_HOLD_OUT:,} characters at most.",
)
@click.option(
    "--cell",
    type=click.Choice(CELLS),
    help=f"Recurrent cell of the layers. Default: {DEFAULT_CELL}, which trains the fastest for its size.",
)
@field_option("--layers", config=ModelConfig, summary=f"Number of recurrent layers. Default: {DEFAULT_LAYERS}.")
@field_option("--units", config=ModelConfig, summary=f"Hidden units of each layer. Default: {DEFAULT_UNITS}.")
@field_option("--dropout", config=ModelConfig, summary="Dropout rate after each layer.")
@field_option("--embedding", config=ModelConfig, summary="Embedding dimension of a character.")
@field_option(
    "--window",
    config=TrainingConfig,
    summary="Sequence length of a training step, in characters (truncated BPTT). The state is carried over.",
)
@field_option("--batch-size", config=TrainingConfig, summary="Number of sequences trained on in parallel.")
@field_option(
    "--learning-rate", config=TrainingConfig, summary="Peak learning rate, reached after a warm-up and then decayed."
)
@field_option(
    "--weight-decay", config=TrainingConfig, summary="Weight decay of AdamW, times the learning rate at each step."
)
@source_options
@normalisation_options
@cluster_options
@field_option("--rng-seed", config=TrainingConfig, summary="Random seed, to make the run reproducible.")
@click.option("--json", "as_json", is_flag=True, help="Print progress as JSON on standard output, one event per line.")
@click.option("--quiet", is_flag=True, help="Print only errors.")
def command(
    texts: tuple[str, ...],
    output: str | None,
    minutes: float | None,
    epochs: int | None,
    resume: bool,
    start_from: str | None,
    teachers: tuple[str, ...],
    seeds: int | None,
    force: bool,
    checkpoint_seconds: float,
    workers: str | None,
    worker_index: int | None,
    worker_timeout: float,
    local_workers: int | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Train a character-level LSTM on TEXT... and save the model with the lowest validation loss in a run folder.

    TEXT is a file, a folder, an archive (.zip, .tar, .gz, .xz, .bz2), a name from textgen corpora list, or - for
    standard input. Several texts are joined in the given order; the files of a folder or an archive are sorted by
    name, ch2 before ch10. Settings without a default below are chosen from the text's size, and printed.

    Ctrl-C stops the run; --resume continues it.
    """
    refuse_both(("--epochs", epochs), ("--minutes", minutes))
    refuse_both(("--resume", resume), ("--force", force))
    refuse_both(("--resume", resume), ("--from", start_from))
    refuse_both(("--seeds", seeds), ("--teacher", teachers or None))
    refuse_both(("--seeds", seeds), ("--from", start_from))
    if local_workers and "-" in texts:
        raise click.UsageError("workers cannot share standard input; give a file.")
    if not texts and not resume:
        raise click.UsageError("Missing argument 'TEXT...'.")
    if not texts and output is None:
        raise click.UsageError("--resume needs the run folder (-o) or the texts of the run.")
    from textgen.cli.download import located
    from textgen.cli.progress import Report, report
    from textgen.corpus.corpus import Corpus, name_of
    from textgen.training.process import configure
    from textgen.training.train import go_on, train

    configure()
    cluster = asked_cluster(workers, worker_index, worker_timeout, local_workers, seeds=seeds, teachers=teachers)
    quiet = quiet or as_json  # no lines for a person beside the JSON
    texts = located(texts, quiet=quiet)
    output = str(Path("models") / name_of(texts[0])) if output is None else output
    with ExitStack() as stack:
        if local_workers and cluster:
            words = click.get_current_context().find_root().obj
            stack.enter_context(started_here(cluster, output, words))
        if cluster is not None and not cluster.is_chief:
            on_progress: Report = stack.enter_context(WorkerLog(cluster, output, quiet=quiet))
        else:
            on_progress = stack.enter_context(report(as_json=as_json, quiet=quiet))
        if resume:
            asked = options | {"epochs": epochs, "minutes": minutes, "teachers": teachers, "seeds": seeds}
            result = go_on(
                output,
                read=lambda run: run.read(texts or _sources(run, quiet=quiet)),
                given={name: value for name, value in asked.items() if is_given(name)},
                checkpoint_seconds=checkpoint_seconds,
                cluster=cluster,
                on_progress=on_progress,
            )
        else:
            reading = _chosen(Reading, options)
            reading = _like_the_model_s(start_from, reading) if start_from is not None else reading
            result = train(
                Corpus.from_files(*texts, reading=reading),
                output=output,
                epochs=epochs,
                minutes=minutes,
                model=_chosen(ModelConfig, options),
                training=_chosen(TrainingConfig, options),
                start_from=start_from,
                teachers=teachers,
                seeds=seeds,
                force=force,
                cluster=cluster,
                checkpoint_seconds=checkpoint_seconds,
                on_progress=on_progress,
            )
    if ended_by := signal.Signals.__members__.get(result.stopped_by):
        raise SystemExit(SIGNALLED + ended_by)


def _chosen(config: type[Chosen], options: Mapping[str, Any]) -> Chosen:
    """The configuration whose fields have the values of the options of the same names."""
    return config(**{item.name: options[item.name] for item in fields(config)})


def _like_the_model_s(start_from: str, reading: Reading) -> Reading:
    """How to read a text for fine-tuning: normalised as the model's own text was, unless an option says otherwise."""
    from textgen.model_file import read_model

    text = read_model(start_from).description.text
    unicode = reading.unicode if is_given("unicode") else text.unicode
    return replace(reading, unicode=unicode, lowercase=reading.lowercase or text.lowercase)


def _sources(run: "Unfinished", *, quiet: bool) -> tuple[str, ...]:
    """The sources of the text of a run to resume, downloaded again where needed."""
    from textgen.cli.download import located

    texts = located(run.sources, quiet=quiet)
    if not texts:
        raise click.UsageError("the run's text was not a file but a string of a program; give a file with that text.")
    if "-" in texts and sys.stdin.isatty():
        raise click.UsageError("the run's text came from standard input; pipe it in again.")
    return texts
