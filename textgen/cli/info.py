"""`textgen info`: what a model is."""

import json
import math
from typing import TYPE_CHECKING

import click

from textgen.cli.terminal import printable, write_json, write_line
from textgen.wording import counted

if TYPE_CHECKING:
    from textgen.model_file import Model


@click.command("info", short_help="Tell what a model is, and what it was trained on.")
@click.argument("model", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print textgen.json as it is in the model file.")
def command(model: str, as_json: bool) -> None:
    """Tell what MODEL, a run folder or a .keras file, was trained on and what it is made of."""
    from textgen.model_file import read_model

    read = read_model(model)
    if as_json:
        write_json(json.loads(read.description.to_json()), indent=1)
        return
    for name, value in _rows(read):
        write_line(f"{name:<14}{printable(value)}")


def _rows(model: "Model") -> list[tuple[str, str]]:
    description = model.description
    text, training, shape = description.text, description.training, description.model
    symbols = description.vocabulary.symbols
    nats = training.validation_nats
    loss = "not known" if nats is None else f"{nats:.4f} nats, {nats / math.log(2):.3f} bits a character"
    return [
        ("file", str(model.path)),
        (
            "text",
            f"{text.name}, {counted(text.characters, 'character')}, unicode {text.unicode}"
            f"{', repaired' if text.repair else ''}{', made lowercase' if text.lowercase else ''}"
            f"{f', rare symbols replaced by {text.replacement}' if text.replacement else ''}",
        ),
        ("", f"SHA-256 {text.sha256}"),
        ("vocabulary", f"{counted(len(symbols), 'symbol')}: {_excerpt(symbols)}"),
        (
            "network",
            f"{shape.layers} × LSTM({shape.units}), embedding {shape.embedding}, dropout {shape.dropout}",
        ),
        ("parameters", f"{model.weights.parameters:,}"),
        ("held-out loss", loss),
        ("training", f"{counted(training.epochs, 'epoch')} in {training.seconds:g} s, done {training.date}"),
        (
            "",
            f"window {training.window}, batch {training.batch_size}, learning rate {training.learning_rate:g}",
        ),
        ("", f"validation {training.validation:g}, rng seed {training.rng_seed}"),
        ("versions", ", ".join(f"{name} {number}" for name, number in training.versions.items())),
    ]


def _excerpt(symbols: tuple[str, ...], most: int = 100) -> str:
    return "".join(symbols[:most]) + (" …" if len(symbols) > most else "")
