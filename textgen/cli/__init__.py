"""The command line: `textgen` and `python -m textgen`. Each command parses its options, calls the library, prints."""

import signal
import sys
from importlib import import_module
from types import FrameType
from typing import Any

import click

from textgen import __version__
from textgen.cli.terminal import leave_standard_streams, open_standard_streams, tell, write_line
from textgen.errors import TextgenError

COMMANDS = (
    *("train", "tune", "generate", "serve", "export", "evaluate", "novelty", "score", "inspect", "attribute"),
    *("info", "corpora"),
)
SIGNALLED = 128  # and the signal's number, as shells have it: what a signal ends exits with


class Commands(click.Group):
    """Imports a command from the module of its name when it is run, so that no command pays for another's imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"textgen.cli.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> None:
        """Run the command; a reader that closes the pipe early (`| head`) is no error."""
        try:
            super().invoke(ctx)
        except BrokenPipeError:
            return
        except KeyboardInterrupt as error:  # for which click would write to stderr, whether it can be written or not
            raise click.Abort from error


def _show_version(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if not asked:
        return
    from textgen.kernel.library import best_level

    write_line(f"textgen, version {__version__}")
    write_line(f"kernel: {best_level() or 'none, so training and generating are slower; see Install in the README'}")
    ctx.exit()


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version, and the compiled kernel in use.",
)
@click.option("--debug", is_flag=True, help="Show tracebacks and TensorFlow's messages.")
def group(debug: bool) -> None:
    """Train a character-level LSTM on any text, and generate new text in its style.

    \b
    textgen train play.txt                        train on a text
    textgen generate models/play --seed "O, "     generate text from it
    """
    if debug:
        import logging

        logging.basicConfig(level=logging.INFO)
        logging.getLogger("textgen").setLevel(logging.DEBUG)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit: 0 success, 1 error (in one line), 2 wrong usage, 128 + the number of a signal."""
    arguments = sys.argv[1:] if arguments is None else arguments
    open_standard_streams()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup has it ignored
            signal.signal(number, _ended)
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        group.main(arguments, prog_name="textgen", standalone_mode=False, obj=tuple(arguments))
    except click.ClickException as error:
        _tell_usage(error, arguments)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _show_traceback(arguments)
        tell()  # beside the terminal's ^C
        sys.exit(SIGNALLED + signal.SIGINT)
    except (TextgenError, OSError) as error:
        _show_traceback(arguments)
        from textgen.cli.options import as_options

        tell(f"textgen: error: {as_options(str(error))}")
        sys.exit(1)
    except (ImportError, MemoryError) as error:  # of a library in C, which the memory may not hold
        _show_traceback(arguments)
        why: BaseException = error
        while why.__cause__:
            why = why.__cause__
        tell(f"textgen: error: not enough memory, or textgen is damaged ({why}); free some memory, or install it again")
        sys.exit(1)
    finally:
        leave_standard_streams()


def _tell_usage(error: click.ClickException, arguments: list[str]) -> None:
    context = getattr(error, "ctx", None)
    if context is not None:
        for line in (*context.get_usage().splitlines(), f"Try '{context.command_path} --help' for help.", ""):
            tell(line)
    meant = _meant(error, arguments) if isinstance(error, click.NoSuchOption) else ""
    tell(f"Error: {meant or error.format_message()}")


def _meant(error: click.NoSuchOption, arguments: list[str]) -> str:
    """What to say of an unknown option that means the same as one of ours; empty where none does."""
    from textgen.cli.synonyms import by_meaning

    if error.ctx is None:
        return ""
    known = [name for parameter in error.ctx.command.params for name in parameter.opts]
    # Of -rnn_size, click complains of -r alone.
    word = next((word for word in arguments if word.startswith(error.option_name)), error.option_name)
    found = by_meaning(word, known) or by_meaning(error.option_name, known)
    return f"{error.message} Did you mean {' or '.join(map(repr, found))}?" if found else ""


def _show_traceback(arguments: list[str]) -> None:
    if "--debug" in arguments:
        import traceback

        for line in traceback.format_exc().splitlines():
            tell(line)


def _ended(number: int, frame: FrameType | None) -> Any:
    sys.exit(SIGNALLED + number)
