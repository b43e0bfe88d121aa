"""`textgen evaluate`: how well a model predicts a text."""

from dataclasses import asdict
from typing import Any

import click

from textgen.cli.options import as_options, number_option, source_options
from textgen.cli.terminal import tell, write_json, write_line
from textgen.config import CONTEXT
from textgen.wording import counted


@click.command("evaluate", short_help="Tell how well a model predicts a text.")
@click.argument("model", type=click.Path())
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "--protocol",
    type=click.Choice(["carried", "cold"]),
    default="carried",
    show_default=True,
    help="carried keeps the state along the text; cold starts every window from zero, as fixed-context models do.",
)
@number_option("--context", allowed=CONTEXT, summary="Characters of a window, with --protocol cold.", default=256)
@click.option("--baseline", type=click.Path(), metavar="TEXT", help="What n-gram and xz learn from, for a new text.")
@click.option("--all", "everything", is_flag=True, help="Score the training text whole, not its hold-out alone.")
@source_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, losses in nats a character.")
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
    """Tell how well MODEL, a run folder or a .keras file, predicts TEXT..., beside an n-gram and xz.

    Of the text that the model was trained on, only the part held out from training is scored. A character that the
    model does not know costs as much as a choice among all of Unicode.

    The loss is what a character costs in the mean: -ln p in nats, if the model gave it the probability p before it
    came. In bits a character (bpc) that is nats / ln 2; at 2 bits a model is as unsure as between 4 equally likely
    characters. Lower is better.
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
            f"{result.unknown:,} of them unknown to the model",
            f"{result.nats:.4f} nats a character, perplexity {result.perplexity:.3f}, {protocol} state",
            verdict(result.nats, result.baselines),
        ]
        if not result.baselines:
            lines.append("nothing to compare with: give n-gram and xz a text to learn from with --baseline TEXT")
        for line in lines:
            write_line(line)
