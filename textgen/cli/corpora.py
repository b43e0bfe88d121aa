"""`textgen corpora`: the texts that are known by name, what is in a text, and the cache."""

import json
import os
import sys
from dataclasses import asdict

import click

from textgen.cli.download import DownloadDisplay
from textgen.cli.table import aligned


class InOrder(click.Group):
    """Lists its commands in the order in which they are defined."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they are used."""
        return list(self.commands)


@click.group("corpora", cls=InOrder)
def command() -> None:
    """Texts to train on: a catalog to fetch from, a look into a text, the cache."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def list_texts(as_json: bool) -> None:
    """List the texts that can be given by name, to train for instance."""
    from textgen.corpus.catalog import read_catalog
    from textgen.corpus.download import cached

    texts = list(read_catalog().values())
    if as_json:
        for text in texts:
            _print(json.dumps(asdict(text) | {"cached": cached(text) is not None}, ensure_ascii=False))
        return
    rows = [["name", "title", "author", "characters", "language", "cached", "licence"]]
    for text in texts:
        here = "yes" if cached(text) else "no"
        characters = f"{text.characters:,}"
        rows.append([text.name, text.title, text.author, characters, text.language, here, text.licence])
    for line in aligned(rows, right=frozenset({3})):
        _print(line)


@command.command("get")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def get(names: tuple[str, ...]) -> None:
    """Fetch texts of the catalog into the cache, and print the paths of their files."""
    from textgen.corpus.catalog import find, read_catalog
    from textgen.corpus.download import fetch

    catalog = read_catalog()
    texts = [find(catalog, name) for name in names]
    with DownloadDisplay() as display:
        for text in texts:
            sys.stdout.buffer.write(os.fsencode(fetch(text, display)) + b"\n")
            sys.stdout.buffer.flush()


def _print(line: str) -> None:
    sys.stdout.buffer.write(f"{line}\n".encode())  # UTF-8 whatever the locale
