"""`textgen evaluate`: the loss and perplexity of a model on a text."""

from dataclasses import asdict
from typing import Any

import click

from textgen.cli.options import as_options, number_option, source_options
from textgen.cli.terminal import tell, write_json, write_line
from textgen.config import CONTEXT
from textgen.wording import counted


@click.command("evaluate", short_help="Compute the loss and perplexity of a model on a text.")
@click.argument("model", type=click.Path())
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "--protocol",
    type=click.Choice(["carried", "cold"]),
    default="carried",
    show_default=True,
    help="carried: carry the state through the text. cold: cut the text into windows of --context characters, and "
    "start each from a zero state, as for models with a fixed context.",
)
@number_option("--context", allowed=CONTEXT, summary="Context length in characters, with --protocol cold.", default=256)
@click.option(
    "--baseline",
    type=click.Path(),
    metavar="TEXT",
    help="Training text of the n-gram and xz, if TEXT is not the model's training text.",
)
@click.option("--all", "everything", is_flag=True, help="Evaluate the whole training text, not only its held-out part.")
@source_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with losses in nats per character.")
def command(
    model: str,
    texts: tuple[str, ...],
    protocol: str,
    context: int,
    baseline: str | None,
    everything: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Compute the loss of MODEL, a run folder or a .keras file, on TEXT..., and compare it with an n-gram
    model and the compressor xz.

    If TEXT is the text that the model was trained on, or files of it in any order, only the held-out part is
    evaluated. A character that is not in
    the vocabulary is given the probability 1/1,114,112, as one of all Unicode code points.

    The loss is the mean cross-entropy in nats per character: the mean of -ln p, where p is the probability that the
    model gave to the character that came next. Bits per character (bpc) are nats / ln 2, and the perplexity is
    exp(loss). Lower is better.
    """
    from textgen.cli.download import located
    from textgen.evaluation.evaluate import evaluate, verdict

    result = evaluate(
        model,
        *located(texts),
        baseline=located([baseline])[0] if baseline is not None else None,
        everything=everything,
        protocol=protocol,  # type: ignore[arg-type]
        context=context,
        **options,
    )
    for note in result.notes:
        tell(as_options(note))
    if as_json:
        values = asdict(result) | {"bpc": result.bpc, "perplexity": result.perplexity}
        del values["notes"]
        write_json(values)
    else:
        lines = [
            f"{result.part}: {counted(result.characters, 'character')}, "
            f"{result.unknown:,} of them not in the vocabulary",
            f"{result.nats:.4f} nats per character, perplexity {result.perplexity:.3f}, {protocol} state",
            verdict(result.nats, result.baselines),
        ]
        if not result.baselines:
            lines.append("no comparison: give the training text of the n-gram and xz with --baseline TEXT")
        for line in lines:
            write_line(line)
