"""Options that take several words, as a shell gives them for `--against corpus/*.txt`."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

BETWEEN = "\0"  # words of one such option; no word has it


class Words(click.ParamType[tuple[str, ...]]):
    """All words up to the next option."""

    name = "words"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Part what `WordsCommand` has put together, or fail if there is nothing."""
        if not value:
            self.fail("expected one word or more behind it.", param, ctx)
        return tuple(value.split(BETWEEN))


class WordsCommand(click.Command):
    """A command that has options of the type `Words`; `--option=WORD` takes one word only."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Make one word of the words of such an option."""
        options = [name for item in self.params if isinstance(item.type, Words) for name in item.opts]
        return super().parse_args(ctx, list(_gathered(args, options)))


def _gathered(words: Sequence[str], options: Sequence[str]) -> Iterator[str]:
    """The words, with those behind one of the options put together."""
    held: list[str] | None = None
    for place, word in enumerate(words):
        if held is not None and word.startswith("-") and word != "-":
            yield BETWEEN.join(held)
            held = None
        if held is not None:
            held.append(word)
            continue
        yield word
        if word == "--":
            yield from words[place + 1 :]
            return
        held = [] if word in options and place + 1 < len(words) else None
    if held is not None:
        yield BETWEEN.join(held)
