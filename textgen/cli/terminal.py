"""All output: messages go to stderr, data to stdout, and neither can send control sequences to a terminal."""

import errno
import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, BinaryIO, TextIO

from textgen.errors import RunError, reason

LONGEST = 500  # characters of a line on stderr
# Not printable for Python, but part of normal text: joiners, and signs that enclose the characters after them.
WRITTEN = frozenset(
    "\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
UNWRITABLE = (OSError, ValueError)  # what a stream raises if it is full or closed, or its terminal or reader is gone


def printable(text: str, keep: str = "") -> str:
    """The text with control characters and line separators escaped, since it may be untrusted."""
    if text.isprintable():
        return text
    return "".join(symbol if symbol in keep or _harmless(symbol) else repr(symbol)[1:-1] for symbol in text)


def shortened(text: str, most: int = LONGEST) -> str:
    """The text, or the beginning and the end of a longer one; the end of an error has its remedy."""
    if len(text) <= most:
        return text
    tail = most // 2
    return f"{text[: most - tail - 1]}…{text[-tail:]}"


def tell(line: str = "", most: int = LONGEST) -> None:
    """Write a line of at most so many characters to stderr. If it cannot be written, it is lost, without an error."""
    shown = shortened(printable(shortened(line, most)), most)  # escaping ten megabytes would take a second
    with suppress(*UNWRITABLE):
        sys.stderr.write(f"{shown}\n")
        sys.stderr.flush()


def bar(**options: Any) -> Any:
    """A tqdm bar on stderr, shown only on a terminal; errors are ignored when the terminal is gone."""
    from tqdm import tqdm

    return tqdm(file=_Forgiving(sys.stderr), disable=not sys.stderr.isatty(), leave=False, **options)


class _Forgiving:
    """A stream that ignores errors."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> None:
        with suppress(*UNWRITABLE):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(*UNWRITABLE):
            self._stream.flush()


@contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Standard output, for bytes; it is flushed at the end.

    Raises:
        BrokenPipeError: the reader has closed the pipe.
        RunError: it cannot be written for another reason.
    """
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        why = "it is closed" if error.errno == errno.EBADF else reason(error)
        raise RunError(f"standard output cannot be written ({why}); redirect it elsewhere") from error


def for_stream(text: str, stream: IO[Any]) -> str:
    r"""The text for a stream: unchanged, or on a terminal with all but \n and \t printable."""
    return printable(text, keep="\n\t") if stream.isatty() else text


def write_line(line: str, errors: str = "backslashreplace") -> None:
    r"""Print a line in UTF-8, whatever the locale.

    Args:
        line: without its newline; on a terminal other newlines are escaped.
        errors: how to write the bytes of a file name that are not UTF-8: \udcXX, as in JSON, or `surrogateescape`.
    """
    with standard_output() as stream:
        shown = printable(line, keep="\t") if stream.isatty() else line
        stream.write(f"{shown}\n".encode(errors=errors))


def write_blocks(blocks: Iterable[str]) -> None:
    """Print lines in UTF-8, in blocks of whole lines without control characters."""
    with standard_output() as stream:
        for block in blocks:
            stream.write(block.encode(errors="backslashreplace"))


def write_tinted(pieces: Iterable[tuple[str, str]]) -> None:
    r"""Print a text with control sequences of ours, and none of its own: all but \n and \t is made printable.

    Args:
        pieces: parts of the text, each after the parameters of its SGR sequence (ECMA-48), which may be empty.
    """
    with standard_output() as stream:
        for style, text in pieces:
            shown = printable(text, keep="\n\t")
            tinted = f"\x1b[{style}m{shown}\x1b[0m" if style else shown
            stream.write(tinted.encode(errors="backslashreplace"))


def on_terminal() -> bool:
    """Whether what is printed goes to a terminal."""
    return sys.stdout.isatty()


def colours() -> int:
    """How many colours the terminal has, as its environment says: 2²⁴, 256, or 0 if there are to be none."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") in ("", "dumb"):
        return 0
    return 2**24 if os.environ.get("COLORTERM") in ("truecolor", "24bit") else 256


def columns() -> int:
    """The width of the terminal."""
    return shutil.get_terminal_size().columns


def write_json(value: Any, **options: Any) -> None:
    """Print a value as JSON, in UTF-8, or on a terminal in ASCII."""
    with standard_output() as stream:
        shown = json.dumps(value, ensure_ascii=stream.isatty(), **options)
        stream.write(
            shown.encode(errors="backslashreplace")
        )  # separately, since a copy of a large value would cost memory
        stream.write(b"\n")


def open_standard_streams() -> None:
    """Open those of descriptors 0 to 2 that are closed; else the first opened files would get them, and the messages.

    Reading standard input or writing standard output then fails; what goes to stderr is lost.
    """
    for number, name, access in ((0, "stdin", os.O_WRONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, access)  # gets the lowest free number, this one
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            stream = open(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


def leave_standard_streams() -> None:
    """Discard what could not be written: Python would try again at exit, and print an error."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except UNWRITABLE:
            with suppress(*UNWRITABLE):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _harmless(symbol: str) -> bool:
    return symbol.isprintable() or symbol in WRITTEN or unicodedata.category(symbol) == "Zs"
