"""`textgen train`: learn from texts."""

import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from textgen.cli import INTERRUPTED, TERMINATED
from textgen.cli.options import field_option, number_option, refuse_both
from textgen.config import EPOCHS, MINUTES, ModelConfig, TrainingConfig

STOPPED = {
    "plan": "all planned epochs are done",
    "budget": "the time is used up",
    "patience": "the held-out loss has stopped falling",
    "SIGINT": "interrupted",
    "SIGTERM": "terminated",
}


@click.command("train")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option("-o", "--output", type=click.Path(), help="The run folder.  [default: models/NAME, after the first text]")
@number_option("--minutes", allowed=MINUTES, summary="Train for so long, all in all.")
@number_option("--epochs", allowed=EPOCHS, summary="Read the text so often. With neither: planned from its size.")
@field_option("--patience", config=TrainingConfig, summary="Stop after so many scorings without a better one.")
@click.option("--force", is_flag=True, help="Replace an old run in the folder.")
@field_option(
    "--validation", config=TrainingConfig, summary="Share of the text, at its end, to judge by and not to learn."
)
@field_option("--layers", config=ModelConfig, summary="LSTMs, one above the other.")
@field_option("--units", config=ModelConfig, summary="Units of each LSTM.")
@field_option("--dropout", config=ModelConfig, summary="Share of outputs dropped in training.")
@field_option("--embedding", config=ModelConfig, summary="Numbers that stand for one character.")
@field_option("--window", config=TrainingConfig, summary="Characters between two updates.")
@field_option("--batch-size", config=TrainingConfig, summary="Streams of text read side by side.")
@field_option("--learning-rate", config=TrainingConfig, summary="The highest learning rate of the schedule.")
@click.option("--lowercase", is_flag=True, help="Make the text lowercase first.")
@field_option("--rng-seed", config=TrainingConfig, summary="Make the run repeatable.")
def command(
    texts: tuple[str, ...],
    output: str | None,
    minutes: float | None,
    epochs: int | None,
    force: bool,
    lowercase: bool,
    **options: Any,
) -> None:
    """Learn from the UTF-8 files TEXT..., and keep the best model in a run folder.

    What is not given is chosen from the text's size, and told.
    """
    refuse_both(("--epochs", epochs), ("--minutes", minutes))
    from textgen.cli.progress import Display
    from textgen.corpus.corpus import Corpus
    from textgen.training.train import train

    def chosen(config: type[Any]) -> Any:
        return config(**{item.name: options[item.name] for item in fields(config)})

    output = output or str(Path("models") / Path(texts[0]).stem)
    with Display() as display:
        result = train(
            Corpus.from_files(*texts, lowercase=lowercase),
            output=output,
            epochs=epochs,
            minutes=minutes,
            model=chosen(ModelConfig),
            training=chosen(TrainingConfig),
            force=force,
            on_progress=display,
        )
    loss = "" if result.validation_nats is None else f", held-out loss {display.loss(result.validation_nats)}"
    _say(f"Stopped: {STOPPED[result.stopped_by]}. The model is {result.model}{loss}.")
    _say(f"Write with it:  textgen generate {shlex.quote(output)}")
    if result.stopped_by in ("SIGINT", "SIGTERM"):
        raise SystemExit(INTERRUPTED if result.stopped_by == "SIGINT" else TERMINATED)


def _say(line: str) -> None:
    click.echo(line, err=True)
