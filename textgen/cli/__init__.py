"""The command line: `textgen` and `python -m textgen`. Each command parses, calls the library and prints."""

import os
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import Any

import click

from textgen import __version__
from textgen.errors import TextgenError

COMMANDS = ("train", "generate", "evaluate", "info", "corpora")
INTERRUPTED, TERMINATED = 130, 143


class Commands(click.Group):
    """Finds a command in the file of its name, so that no command pays for another's imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"textgen.cli.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> None:
        """Run the command; a reader that has seen enough (`| head`) is no error."""
        try:
            super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _give_up_stdout()


def _show_version(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if not asked:
        return
    from textgen.kernel.library import best_level

    click.echo(f"textgen, version {__version__}")
    click.echo(f"kernel: {best_level() or 'none, so training and writing are slower; see the README, Install'}")
    ctx.exit()


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version, and which compiled kernel runs here.",
)
@click.option("--debug", is_flag=True, help="Show tracebacks, and what TensorFlow says.")
def group(debug: bool) -> None:
    """Train a character-level LSTM on any text, and write new text in its manner.

    \b
    textgen train play.txt                        learn from a text
    textgen generate models/play --seed "O, "     write in its manner
    """
    if debug:
        import logging

        logging.basicConfig(level=logging.INFO)
        logging.getLogger("textgen").setLevel(logging.DEBUG)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 an error told in one line, 2 wrong usage, 130 interrupted, 143 terminated."""
    arguments = sys.argv[1:] if arguments is None else arguments
    signal.signal(signal.SIGTERM, _terminated)
    try:
        group.main(arguments, prog_name="textgen", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _show_traceback(arguments)
        sys.exit(INTERRUPTED)
    except (TextgenError, OSError) as error:
        _show_traceback(arguments)
        if isinstance(error, OSError):
            _give_up_stdout()
        from textgen.cli.options import as_options

        click.echo(f"textgen: error: {as_options(str(error))}", err=True)
        sys.exit(1)


def _give_up_stdout() -> None:
    """Let what is left unwritten vanish: Python would try once more at its exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_traceback(arguments: list[str]) -> None:
    if "--debug" in arguments:
        import traceback

        traceback.print_exc()


def _terminated(number: int, frame: FrameType | None) -> Any:
    sys.exit(TERMINATED)
