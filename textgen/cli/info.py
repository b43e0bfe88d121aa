"""`textgen info`: what a model file says of itself."""

import json
import math
from typing import TYPE_CHECKING

import click

from textgen.cli.terminal import printable, write_json, write_line
from textgen.wording import counted

if TYPE_CHECKING:
    from textgen.model_file import Model


@click.command("info", short_help="Show a model's network, vocabulary and training.")
@click.argument("model", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print textgen.json, the description in the model file.")
def command(model: str, as_json: bool) -> None:
    """Show the network, vocabulary, training text and training settings of MODEL, a run folder or a .keras file."""
    from textgen.model_file import read_model

    read = read_model(model)
    if as_json:
        write_json(json.loads(read.description.to_json()), indent=1)
        return
    for name, value in _rows(read):
        write_line(f"{name:<16}{printable(value)}")


def _rows(model: "Model") -> list[tuple[str, str]]:
    from textgen.cells import CELLS

    description = model.description
    text, training, shape = description.text, description.training, description.model
    symbols = description.vocabulary.symbols
    nats, temperature = training.validation_nats, training.temperature
    loss = "unknown" if nats is None else f"{nats:.4f} nats, {nats / math.log(2):.3f} bits per character"
    return [
        ("file", str(model.path)),
        (
            "text",
            f"{text.name}, {counted(text.characters, 'character')}, normalisation {text.unicode}"
            f"{', repaired' if text.repair else ''}{', lowercased' if text.lowercase else ''}"
            f"{f', rare characters replaced by {text.replacement}' if text.replacement else ''}",
        ),
        ("", f"SHA-256 {text.sha256}"),
        ("vocabulary", f"{counted(len(symbols), 'character')}: {_excerpt(symbols)}"),
        (
            "network",
            f"{shape.layers} × {CELLS[shape.cell].keras}({shape.units}), embedding dimension {shape.embedding}, "
            f"dropout {shape.dropout}",
        ),
        ("parameters", f"{model.weights.parameters:,}"),
        ("validation loss", loss),
        ("training", f"{counted(training.epochs, 'epoch')} in {training.seconds:g} s, finished {training.date}"),
        (
            "",
            f"sequence length {training.window}, batch size {training.batch_size}, peak learning rate "
            f"{training.learning_rate:g}",
        ),
        ("", f"validation fraction {training.validation:g}, random seed {training.rng_seed}"),
        ("calibration", "none" if temperature is None else f"logits divided by {temperature:g} after training"),
        ("versions", ", ".join(f"{name} {number}" for name, number in training.versions.items())),
    ]


def _excerpt(symbols: tuple[str, ...], most: int = 100) -> str:
    return "".join(symbols[:most]) + (" …" if len(symbols) > most else "")
