"""`textgen corpora`: texts in the public domain to download, statistics of a text, and the cache."""

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from textgen.cli.download import DownloadDisplay, located
from textgen.cli.options import as_options, normalisation_options, source_options
from textgen.cli.table import aligned
from textgen.cli.terminal import printable, tell, write_json, write_line
from textgen.wording import counted

if TYPE_CHECKING:
    from textgen.corpus.survey import Survey, Surveyed, Symbol

SHOWN = 20  # characters in each table
HOW = {
    "mark": "byte order mark",
    "valid": "valid",
    "escapes": "escape sequences",
    "guessed": "guessed",
    "given": "from --encoding",
    "mixed": "with invalid bytes",
}


class InOrder(click.Group):
    """Lists its commands in the order in which they are defined."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they are used."""
        return list(self.commands)


@click.group("corpora", cls=InOrder, short_help="Download texts to train on, inspect a text, clear the cache.")
def command() -> None:
    """Download texts to train on, inspect a text before training, and clear the cache."""


@command.command("list", short_help="List the texts that can be downloaded by name.")
@click.option("--json", "as_json", is_flag=True, help="Print each text as a JSON object on a line of its own.")
def list_texts(as_json: bool) -> None:
    """List the public-domain texts that textgen train and the other commands download by name."""
    from textgen.corpus.catalog import read_catalog
    from textgen.corpus.download import cached

    texts = list(read_catalog().values())
    if as_json:
        for text in texts:
            write_json(asdict(text) | {"cached": cached(text) is not None})
        return
    rows = [["name", "title", "author", "characters", "language", "cached", "licence"]]
    for text in texts:
        here = "yes" if cached(text) else "no"
        characters = f"{text.characters:,}"
        cells = [text.name, text.title, text.author, characters, text.language, here, text.licence]
        rows.append([printable(cell) for cell in cells])
    for line in aligned(rows, right=frozenset({3})):
        write_line(line)


@command.command("get", short_help="Download texts by name.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def get(names: tuple[str, ...]) -> None:
    """Download texts by NAME into the cache, and print the paths of their files."""
    from textgen.corpus.catalog import find, read_catalog
    from textgen.corpus.download import fetch

    catalog = read_catalog()
    texts = [find(catalog, name) for name in names]
    with DownloadDisplay() as display:
        for text in texts:
            write_line(str(fetch(text, display)), errors="surrogateescape")


@command.command("show", short_help="Inspect a text before you train on it.")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@source_options
@normalisation_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with all characters.")
def show(texts: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Inspect TEXT... before you train on it: its encoding, size, and most and least frequent characters.

    TEXT and the options are the same as for textgen train. Characters that occur fewer than --min-count times
    (by default, 5 times) are listed as rare.
    """
    from textgen.config import Reading
    from textgen.corpus.survey import survey

    found = survey(located(texts), Reading(**options))
    if as_json:
        write_json(found.as_dict())
        return
    for line in [*_sources(found), "", *_sizes(found), "", *_commonest(found), *_rare(found)]:
        write_line(line)


@command.command("clean", short_help="Clear the cache.")
@click.option("--texts", is_flag=True, help="Remove the downloaded texts too.")
def clean(texts: bool) -> None:
    """Clear the cache of encoded texts, which is rebuilt when they are next used.

    Downloaded texts are kept unless --texts is given, so that unfinished runs can be resumed without a network.
    """
    from textgen.corpus import cache
    from textgen.corpus.download import downloads, remove_downloads

    codes = cache.clean()
    tell(f"encoded texts: {_freed(codes)}")
    if texts:
        tell(f"downloaded texts: {_freed(remove_downloads())}")
    elif kept := downloads():
        tell(f"downloaded texts: {len(kept):,} kept; --texts removes them as well")


def _freed(size: int) -> str:
    return f"{counted(size, 'byte')} freed" if size else "there were none"


def _sources(found: "Survey") -> list[str]:
    """A line for each of the first sources, with what --strip removes below it, and a few lines for all others."""
    from textgen.corpus.notes import TEXTS, nothing_found, passed_over

    first, rest = found.sources[:TEXTS], found.sources[TEXTS:]
    rows = [[printable(item.name), counted(item.characters, "character"), _how(item)] for item in first]
    lines = []
    for line, source in zip(aligned(rows, right=frozenset({1})), first, strict=True):
        lines.append(line)
        lines += [f"    {printable(remark)}" for remark in _remarks(source)]
        lines += [printable(f"    {line}") for line in _removed(source)]
    nothing = nothing_found([source.name for source in found.sources if source.stripped and not source.removed])
    return [*lines, *(map(printable, [*_summed(rest), *nothing, *passed_over(found.skipped)]))]


def _removed(source: "Surveyed") -> list[str]:
    """What --strip removes from a source, or would, with its first and last words."""
    if not (removed := source.removed):
        return []
    lines = [f"--strip {'removed' if source.stripped else 'would remove'} {removed}"]
    if words := removed.words():
        lines.append(f"    {words}")
    if share := _much(source):
        lines.append(f"    warning: that is {share}")
    return lines


def _much(source: "Surveyed") -> str:
    """The share of a source that --strip removes, if it is large."""
    from textgen.corpus.notes import too_much

    if not (removed := source.removed):
        return ""
    return too_much(source.characters - (0 if source.stripped else removed.characters), removed)


def _summed(sources: "Sequence[Surveyed]") -> list[str]:
    """Lines that sum up many sources."""
    from textgen.corpus.notes import grouped, such_as

    if not sources:
        return []
    characters = counted(sum(item.characters for item in sources), "character")
    strip = f"with text that --strip {'removed' if sources[0].stripped else 'would remove'}"
    pairs = [(_how(item), item.name) for item in sources]
    pairs += [
        (as_options(common), item.name) for item in sources for _, common in item.faults.told(repair=item.repaired)
    ]
    pairs += [(strip, item.name) for item in sources if item.removed]
    pairs += [("warning: --strip takes a large part of the text", item.name) for item in sources if _much(item)]
    return [
        f"and {counted(len(sources), 'more text')}: {characters}",
        *(f"    {len(names):,} {said}{such_as(names)}" for said, names in grouped(pairs).items()),
    ]


def _remarks(source: "Surveyed") -> list[str]:
    """A sample of a source whose encoding was guessed, and its stray characters."""
    rival = f"; {source.rival} would read “{source.rival_line}”" if source.rival else ""
    guess = [f"reads “{source.line}”{rival}"] if source.line else []
    return guess + [as_options(alone) for alone, _ in source.faults.told(repair=source.repaired)]


def _how(source: "Surveyed") -> str:
    return f"{source.encoding} ({HOW[source.how]})"


def _sizes(found: "Survey") -> list[str]:
    rows = [
        ("characters", found.characters),
        ("lines", found.lines),
        ("distinct characters", len(found.symbols)),
        ("for training", found.characters - found.hold_out),
        ("held out", found.hold_out),
    ]
    note = found.unseen_note()
    return [*aligned([[name, f"{value:,}"] for name, value in rows], right=frozenset({1})), *([note] if note else [])]


def _commonest(found: "Survey") -> list[str]:
    shown = found.symbols[:SHOWN]
    title = f"The {SHOWN} most frequent characters" if len(found.symbols) > SHOWN else "The characters"
    return [title, *_table(shown, [f"{item.count / found.characters:.2%}" for item in shown])]


def _rare(found: "Survey") -> list[str]:
    rare = found.rare()
    if not rare:
        return ["", f"No character occurs fewer than {counted(found.rare_below, 'time')}."]
    title = (
        f"{counted(len(rare), 'rare character')}, fewer than {counted(found.rare_below, 'time')} each, "
        f"{sum(item.count for item in rare):,} in total (--min-count {found.rare_below} replaces them by one symbol)"
    )
    more = [f"  and {len(rare) - SHOWN:,} more"] if len(rare) > SHOWN else []
    return ["", title, *_table(rare[:SHOWN]), *more]


def _table(symbols: "Sequence[Symbol]", *columns: Sequence[str]) -> list[str]:
    """A row for each character, with further columns after its count."""
    further = zip(*columns, strict=True) if columns else [()] * len(symbols)
    rows = [
        ["", _visible(item.symbol), f"{item.count:,}", *cells, item.code_point, item.name]
        for item, cells in zip(symbols, further, strict=True)
    ]
    return aligned(rows, right=frozenset({2, 2 + len(columns)}))


def _visible(symbol: str) -> str:
    """A symbol as a cell: a mark on a circle, and nothing where there is nothing to see."""
    if unicodedata.category(symbol).startswith("M"):
        return f"◌{symbol}"
    return symbol if symbol.isprintable() else ""
