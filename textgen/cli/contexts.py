"""`textgen score --context`: the memory curve, as a table, as rows or as a picture."""

from typing import TYPE_CHECKING, Any

import click

from textgen.arguments import shown
from textgen.cli.options import as_options
from textgen.cli.pictures import picture_kind, save_picture
from textgen.cli.table import aligned
from textgen.cli.terminal import on_terminal, tell, write_json, write_line
from textgen.config import MEMORY
from textgen.wording import counted

if TYPE_CHECKING:
    from textgen.evaluation.memory import MemoryCurve

DOUBLINGS = ("…", "...")


class Contexts(click.ParamType[tuple[int, ...]]):
    """Numbers of characters, separated by commas; `…` stands for the doublings between its neighbours."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Turn a word into numbers, or fail."""
        found: list[int] = []
        words = [word.strip() for word in str(value).split(",")]
        try:
            for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
                if word in DOUBLINGS:
                    found += _doublings(_number(before), _number(after))
                else:
                    found.append(_number(word))
        except ValueError:
            self.fail(f"expected numbers from {MEMORY.bounds}, such as 1,2,4,…,512, not {shown(value)}.", param, ctx)
        return tuple(found)


def _number(word: str) -> int:
    number: int = MEMORY.check("it", int(word))
    return number


def _doublings(low: int, high: int) -> list[int]:
    """What lies between two numbers, each twice the one before."""
    found = [2 * low]
    while found[-1] < high:
        found.append(2 * found[-1])
    return found[:-1]


def check_plot(path: str, contexts: object) -> str:
    """The format of a picture, from its name; a usage error if it cannot be drawn, or there is no curve to draw."""
    if contexts is None:
        raise click.UsageError("--plot needs --context.")
    return picture_kind(path)


def show_memory(curve: "MemoryCurve", plot: str | None, *, as_json: bool) -> None:
    """Print a memory curve, and save its picture."""
    for note in curve.notes:
        tell(as_options(note))
    values = curve.to_dict()
    ngram = values["ngram_bits"] or [None] * len(curve.contexts)
    rows = list(zip(values["contexts"], values["bits"], values["margins"], ngram, strict=True))
    if as_json:
        for context, bits, margin, ngram_bits in rows:
            write_json({"context": context, "bits": bits, "margin": margin, "ngram_bits": ngram_bits})
    else:
        cells = [[str(context), *map(_cell, numbers)] for context, *numbers in rows]
        lines = [["context", "bits", "margin", "ngram_bits"], *cells]
        columns = frozenset(range(4))
        for line in aligned(lines, right=columns) if on_terminal() else ["\t".join(line) for line in lines]:
            write_line(line)
    size = counted(curve.characters, "character")
    tell(f"{curve.part}: {size}, {curve.all_bits:.3f} bits per character with all of the text before as context")
    if curve.ngram_bits is None:
        tell("no n-gram: give its training text with --baseline TEXT")
    if plot is not None:
        _draw(curve, plot)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _draw(curve: "MemoryCurve", plot: str) -> None:
    from textgen.evaluation.memory_plot import draw_memory

    save_picture(plot, lambda path, kind: draw_memory(curve, path, kind))
