"""Options that take their default, range and error message from the configuration's fields."""

import functools
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import click

from textgen.arguments import Checked, Range, shown
from textgen.config import RNG_SEED, UNICODE, Reading, check_encoding
from textgen.wording import quoted

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

# How the library's messages name an argument: `output`, `force=True`, `unknown="skip"`, `units=64`.
_ARGUMENT = re.compile(r"""`(\w+)(?:=(?:True|"([^"`]*)"|([^"`]*)))?`""")


class Text(click.ParamType[str]):
    """Text in UTF-8, whatever the locale; it may be empty."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Decode as UTF-8 the bytes that Python could not decode in the locale's encoding, or fail."""
        try:
            return os.fsencode(value).decode("utf-8") if any("\udc80" <= c <= "\udcff" for c in value) else str(value)
        except UnicodeDecodeError:
            self.fail("it is not UTF-8 text.", param, ctx)


class Number(click.ParamType[float]):
    """A number in a range, which `--help` and the error name."""

    def __init__(self, allowed: Range) -> None:
        """Take the range."""
        self.allowed = allowed
        self.name = "integer" if allowed.kind is int else "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Turn a word into a number, or fail with the range."""
        try:
            return self.allowed.check("it", self.allowed.kind(value))
        except ValueError:
            self.fail(f"expected {self.allowed}, not {shown(value)}.", param, ctx)


class Encoding(click.ParamType[str]):
    """The name of a text encoding that Python knows."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the name, or fail."""
        try:
            check_encoding(value)
        except ValueError as error:
            self.fail(f"{as_options(str(error))}.", param, ctx)
        return str(value)


class Separator(Text):
    r"""Text with the escapes `\n`, `\t`, `\r` and `\\`, as in Python."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Replace the escapes."""
        escapes = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
        return re.sub(r"\\([ntr\\])", lambda found: escapes[found[1]], super().convert(value, param, ctx))


def source_options(command: Callable[..., Any], *, joined: bool = True) -> Callable[..., Any]:
    """The options that say how files are read; their names are fields of `Reading`.

    Args:
        command: the function.
        joined: whether texts are joined, with a separator.
    """
    separator = click.option(
        "--separator",
        type=Separator(),
        default=Reading.separator,
        metavar="TEXT",
        help=r"Inserted between two texts; \n is a newline.  [default: \n]",
    )
    for option in (
        click.option(
            "--repair",
            is_flag=True,
            help="Repair invalid bytes and mojibake; remove control characters and stray byte order marks.",
        ),
        click.option(
            "--strip",
            is_flag=True,
            help="Remove what Project Gutenberg and Aozora Bunko added: headers, licences, ruby, notes.",
        ),
        click.option("--markup", is_flag=True, help="Accept HTML and RTF files; their markup is read as text."),
        *([separator] if joined else []),
        click.option(
            "--glob",
            default=Reading.glob,
            show_default=True,
            metavar="PATTERN",
            help="Files to read in a folder or an archive. Case and an extension .gz, .xz or .bz2 are ignored.",
        ),
        click.option(
            "--encoding",
            type=Encoding(),
            metavar="NAME",
            help="Character encoding of all texts. By default it is detected for each text.",
        ),
    ):
        command = option(command)
    return command


def normalisation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how characters are normalised; their names are fields of `Reading`."""
    for option in (
        field_option(
            "--min-count", config=Reading, summary="Replace characters that occur less often than this by one symbol."
        ),
        click.option("--lowercase", is_flag=True, help="Convert the text to lowercase."),
        click.option(
            "--unicode",
            type=click.Choice(UNICODE),
            default=Reading.unicode,
            show_default=True,
            help="Unicode normalisation form. nfc composes accents; nfkc also unifies variants such as full-width "
            "letters.",
        ),
    ):
        command = option(command)
    return command


def number_option(*names: str, allowed: Range, summary: str, default: float | None = None) -> Decorator:
    """An option that takes a number in a range."""
    limits = allowed.bounds if default is None else f"{allowed.bounds}; default: {default}"
    text = f"{summary}  [{limits}]"
    return click.option(*names, type=Number(allowed), default=default, help=text, metavar=_metavar(allowed))


def field_option(*names: str, config: type[Checked], summary: str) -> Decorator:
    """An option for the configuration's field of the same name."""
    name = names[-1].lstrip("-").replace("-", "_")
    field = next(item for item in fields(config) if item.name == name)  # type: ignore[arg-type]
    default: Any = field.default
    return number_option(*names, allowed=field.metadata["range"], summary=summary, default=default)


def rng_seed_option(summary: str) -> Decorator:
    """`--rng-seed`, the same option in every command that has it."""
    return number_option("--rng-seed", allowed=RNG_SEED, summary=summary)


def is_given(name: str) -> bool:
    """Whether an option was given on the command line, whatever its value."""
    return click.get_current_context().get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE


def refuse_both(first: tuple[str, Any], second: tuple[str, Any]) -> None:
    """Fail with a usage error if two options that exclude each other are given."""
    if first[1] not in (None, False) and second[1] not in (None, False):
        raise click.UsageError(f"{first[0]} and {second[0]} exclude each other; give only one of them.")


def as_options(message: str) -> str:
    """A message of the library with each argument, which it names in backticks, replaced by its option."""

    def option(found: re.Match[str]) -> str:
        name, text, plain = found.groups()
        if name not in _options():
            return found[0]
        value = text if text is not None else plain
        return _options()[name] if value is None else f"{_options()[name]} {quoted(value)}"

    return _ARGUMENT.sub(option, message)


@functools.cache
def _options() -> dict[str, str]:
    """The options of all commands, by the names of the library's arguments."""
    from textgen.cli import group

    return {str(item.name): item.opts[0] for item in _parameters(group) if isinstance(item, click.Option)}


def _parameters(command: click.Command) -> Iterator[click.Parameter]:
    yield from command.params
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if found := command.get_command(context, name):
                yield from _parameters(found)


def _metavar(allowed: Range) -> str:
    return "INTEGER" if allowed.kind is int else "NUMBER"
