import click
import pytest
from click.testing import CliRunner

from textgen.cli.words import Words, WordsCommand


@click.command(cls=WordsCommand)
@click.argument("texts", nargs=-1)
@click.option("--among", type=Words(), multiple=True)
@click.option("--json", is_flag=True)
def command(texts: tuple[str, ...], among: tuple[tuple[str, ...], ...], json: bool) -> None:
    click.echo(f"{[*texts]} {[*among]} {json}")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("a --among b - c --json", "['a'] [('b', '-', 'c')] True"),
        ("a --among b --json c --among d", "['a', 'c'] [('b',), ('d',)] True"),
        ("--among=b a c", "['a', 'c'] [('b',)] False"),
        ("--among b c -- a --among d", "['a', '--among', 'd'] [('b', 'c')] False"),
        ("a", "['a'] [] False"),
    ],
)
def test_an_option_takes_all_words_up_to_the_next_one(line: str, found: str) -> None:
    assert CliRunner().invoke(command, line.split()).output == f"{found}\n"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--among --json", "Invalid value for '--among': expected one word or more behind it."),
        ("a --among --", "Invalid value for '--among': expected one word or more behind it."),
        ("a --among", "Option '--among' requires an argument."),
    ],
)
def test_a_word_is_needed(line: str, told: str) -> None:
    result = CliRunner().invoke(command, line.split())
    assert (result.exit_code, told in result.output) == (2, True)
