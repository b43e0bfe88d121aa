from importlib import import_module

import click
import pytest

from textgen.cli import COMMANDS
from textgen.cli.corpora import command as corpora
from textgen.cli.options import Number, as_options

COMMANDS_BY_NAME = {name: import_module(f"textgen.cli.{name}").command for name in COMMANDS} | dict(corpora.commands)
NUMBERS = {
    f"{name} {option.opts[-1]}": option
    for name, command in COMMANDS_BY_NAME.items()
    for option in command.params
    if isinstance(option.type, Number)
}


@pytest.mark.parametrize("option", NUMBERS.values(), ids=NUMBERS)
def test_words_that_are_no_number_in_the_range_are_refused_however_long(option: click.Option) -> None:
    for word in ("-1", "x", "", "nan", "inf", "1e999", "9" * 309, "9" * 5000, "\x1b[2J" * 1000):
        with pytest.raises(click.BadParameter, match=r"^expected a .*number .*, not '.*'\.$") as error:
            option.type.convert(word, option, None)
        assert len(error.value.message) < 200


def test_all_commands_with_numbers_are_there() -> None:
    assert {"train --epochs", "generate --length", "evaluate --context", "show --min-count"} <= set(NUMBERS)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("name another folder with `output`", "name another folder with -o"),
        ("replace it with `force=True`", "replace it with --force"),
        ('leave it out with `unknown="skip"`', "leave it out with --unknown skip"),
        ('with `start_from="models/my play"`', "with --from 'models/my play'"),
        ("try `units=64`, or fewer `layers`", "try --units 64, or fewer --layers"),
        ("score it with `everything=True`", "score it with --all"),
        ("save it every `checkpoint_seconds`", "save it every --checkpoint-every"),
        ("`of no option` `nor_this` `nor=3`", "`of no option` `nor_this` `nor=3`"),
    ],
)
def test_the_arguments_of_a_message_become_options(message: str, told: str) -> None:
    assert as_options(message) == told
