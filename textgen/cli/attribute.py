"""`textgen attribute`: which model, or whose, predicts a text best."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from textgen.cli.options import as_options, source_options
from textgen.cli.table import aligned
from textgen.cli.terminal import tell, write_json, write_line
from textgen.wording import counted

if TYPE_CHECKING:
    from textgen.evaluation.judgement import Judgement

LISTS = ("--among",)  # options that take all words up to the next option
BETWEEN = "\0"  # words of one such option; no word has it


class _Lists(click.Command):
    """A command some of whose options take several words, as in `--among MODEL MODEL`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Make one word of the words of such an option."""
        return super().parse_args(ctx, list(_gathered(args)))


def _gathered(words: Sequence[str]) -> Iterator[str]:
    """The words, with those behind an option of `LISTS` in one."""
    held: list[str] | None = None
    for place, word in enumerate(words):
        if held is not None and word.startswith("-") and word != "-":
            yield BETWEEN.join(held) if held else ""
            held = None
        if held is not None:
            held.append(word)
            continue
        yield word
        if word == "--":
            yield from words[place + 1 :]
            return
        held = [] if word in LISTS and place + 1 < len(words) else None
    if held is not None:
        yield BETWEEN.join(held)


@click.command("attribute", cls=_Lists, short_help="Tell which model, or whose, predicts a text best.")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "--among",
    multiple=True,
    metavar="MODEL...",
    help="The models to compare, two or more: run folders or .keras files. All words up to the next option are models.",
)
@source_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with surprisals in bits per character.")
def command(texts: tuple[str, ...], among: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Tell which of several models predicts TEXT... best; each file of TEXT... is judged by itself.

    The bits per character under each model are printed, the best first, and how many more each takes than the best,
    with a 95 % interval from a moving block bootstrap over the text. If the interval of another model reaches zero, the
    verdict is: cannot tell. Below 1,000 characters there is none.

    The interval covers how the text varies. It does not cover that a model may be better for another reason than its
    author, such as more training, the same subject, or the punctuation of an edition.
    """
    models = [model for words in among for model in words.split(BETWEEN)]
    if len(models) < 2:
        raise click.UsageError("--among needs two models or more, behind the texts: textgen attribute TEXT --among A B")
    from textgen.cli.download import located
    from textgen.evaluation.attribution import attribute

    result = attribute(*located(texts), among=models, **options)
    for note in result.notes:
        tell(as_options(note))
    if as_json:
        write_json(result.to_dict())
        return
    for place, judgement in enumerate(result.judgements):
        for line in [*([""] if place else []), *_lines(judgement)]:
            write_line(line)


def _lines(judgement: "Judgement") -> list[str]:
    """A judgement as a table, for a person."""
    unknown = any(item.unknown for item in judgement.candidates)
    rows = [["bits/char", "more than the best", "95 % interval", *(["unknown"] if unknown else []), "model"]]
    for place, item in enumerate(judgement.candidates):
        more = [f"+{item.difference:.4f}", f"{item.low:+.4f} to {item.high:+.4f}"] if place else ["best", ""]
        rows.append([f"{item.bits:.4f}", *more, *([f"{item.unknown:,}"] if unknown else []), item.name])
    table = aligned(rows, right=frozenset(range(len(rows[0]) - 1)))
    size = f"{judgement.text}: {counted(judgement.characters, 'character')}, blocks of {judgement.block:,}"
    return [size, *table, f"verdict: {judgement.verdict}"]
