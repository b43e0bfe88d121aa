"""`textgen train`: learn from texts, go on with an unfinished run, train a model on."""

import signal
import sys
from collections.abc import Mapping
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
from textgen.config import (
    CHECKPOINT_SECONDS,
    EPOCHS,
    MINUTES,
    USUAL_LAYERS,
    USUAL_UNITS,
    ModelConfig,
    Reading,
    TrainingConfig,
)

if TYPE_CHECKING:
    from textgen.training.resume import Unfinished

Chosen = TypeVar("Chosen", Reading, ModelConfig, TrainingConfig)


@click.command("train", short_help="Learn from texts, and keep the best model in a run folder.")
@click.argument("texts", nargs=-1, metavar="TEXT...")
@click.option("-o", "--output", type=click.Path(), help="The run folder.  [default: models/NAME, after the first text]")
@number_option("--minutes", allowed=MINUTES, summary="Train for so long, all in all.")
@number_option("--epochs", allowed=EPOCHS, summary="Read the text so often. With neither: planned from its size.")
@field_option("--patience", config=TrainingConfig, summary="Stop after so many scorings without a better one.")
@click.option("--resume", is_flag=True, help="Go on with the unfinished run in the folder; needs nothing but -o.")
@click.option(
    "--from",
    "start_from",
    type=click.Path(),
    metavar="MODEL",
    help="Start from a model's weights; its vocabulary grows.",
)
@click.option("--force", is_flag=True, help="Replace an old run in the folder.")
@number_option(
    "--checkpoint-every",
    "checkpoint_seconds",
    allowed=CHECKPOINT_SECONDS,
    summary="Seconds between two checkpoints, at the most.",
    default=30,
)
@field_option(
    "--validation", config=TrainingConfig, summary="Share of the text, at its end, to judge by, not to learn."
)
@field_option(
    "--layers", config=ModelConfig, summary=f"LSTMs, one above the other; {USUAL_LAYERS}, or those of --from's model."
)
@field_option(
    "--units", config=ModelConfig, summary=f"Hidden units of each LSTM; {USUAL_UNITS}, or those of --from's model."
)
@field_option("--dropout", config=ModelConfig, summary="Share of outputs dropped in training.")
@field_option("--embedding", config=ModelConfig, summary="Numbers that stand for one character.")
@field_option("--window", config=TrainingConfig, summary="Characters between two updates.")
@field_option("--batch-size", config=TrainingConfig, summary="Streams of text read side by side.")
@field_option("--learning-rate", config=TrainingConfig, summary="The highest learning rate of the schedule.")
@source_options
@normalisation_options
@field_option("--rng-seed", config=TrainingConfig, summary="Make the run repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print what happens as JSON, one object a line, for programs.")
@click.option("--quiet", is_flag=True, help="Show nothing but errors.")
def command(
    texts: tuple[str, ...],
    output: str | None,
    minutes: float | None,
    epochs: int | None,
    resume: bool,
    start_from: str | None,
    force: bool,
    checkpoint_seconds: float,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Learn from TEXT..., and keep the best model in a run folder.

    TEXT is a file, a folder, an archive (.zip, .tar, .gz, .xz, .bz2), a name that textgen corpora list shows, or - for
    standard input; several are joined in the order given, inside a folder or an archive in that of their names, ch2
    before ch10. What is not given is chosen from the text's size, and told.
    """
    refuse_both(("--epochs", epochs), ("--minutes", minutes))
    refuse_both(("--resume", resume), ("--force", force))
    refuse_both(("--resume", resume), ("--from", start_from))
    if not texts and not resume:
        raise click.UsageError("Missing argument 'TEXT...'.")
    if not texts and output is None:
        raise click.UsageError("--resume needs the run folder (-o) or the texts of the run.")
    from textgen.cli.download import located
    from textgen.cli.progress import report
    from textgen.corpus.corpus import Corpus, name_of
    from textgen.training.process import configure
    from textgen.training.train import go_on, train

    quiet = quiet or as_json  # for people, that is
    texts = located(texts, quiet=quiet)
    output = str(Path("models") / name_of(texts[0])) if output is None else output
    configure()
    with report(as_json=as_json, quiet=quiet) as on_progress:
        if resume:
            asked = options | {"epochs": epochs, "minutes": minutes}
            result = go_on(
                output,
                read=lambda run: run.read(texts or _sources(run, quiet=quiet)),
                given={name: value for name, value in asked.items() if is_given(name)},
                checkpoint_seconds=checkpoint_seconds,
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
                force=force,
                checkpoint_seconds=checkpoint_seconds,
                on_progress=on_progress,
            )
    if ended_by := signal.Signals.__members__.get(result.stopped_by):
        raise SystemExit(SIGNALLED + ended_by)


def _chosen(config: type[Chosen], options: Mapping[str, Any]) -> Chosen:
    """A configuration of the options that are named after its fields."""
    return config(**{item.name: options[item.name] for item in fields(config)})


def _like_the_model_s(start_from: str, reading: Reading) -> Reading:
    """How to read a text for a model that has learnt from another: normalised alike, unless otherwise asked for."""
    from textgen.model_file import read_model

    text = read_model(start_from).description.text
    unicode = reading.unicode if is_given("unicode") else text.unicode
    return replace(reading, unicode=unicode, lowercase=reading.lowercase or text.lowercase)


def _sources(run: "Unfinished", *, quiet: bool) -> tuple[str, ...]:
    """What the text of a run to resume was read from, fetched anew where it is needed."""
    from textgen.cli.download import located

    texts = located(run.sources, quiet=quiet)
    if not texts:
        raise click.UsageError("the run's text was no file, but a string of the library's; name a file with that text.")
    if "-" in texts and sys.stdin.isatty():
        raise click.UsageError("the run's text came from standard input; pipe it in again.")
    return texts
