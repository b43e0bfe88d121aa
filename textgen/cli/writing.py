"""Texts go out as they are written: to standard output or a file, plain or as JSON, and what ended them is told."""

import io
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from textgen.cli.options import as_options
from textgen.cli.terminal import bar, for_stream, standard_output, tell
from textgen.wording import counted

FLUSH_SECONDS = 0.02  # too short for a reader to notice
BETWEEN = "---"
UTF_8 = "utf-8"
CONSTRAINTS = ("only", "without", "ban", "no_repeat", "no_copy")


def with_bar(items: Iterator[Any], count: int) -> Iterator[Any]:
    """Show how many texts are done, of `Generator.texts` or of `Generator.write`."""
    with bar(total=count, unit="text", desc="texts") as shown:
        for item in items:
            yield item
            shown.update(_stopped_by(item) is not None)


def counting(items: Iterator[Any], ended: Counter[str]) -> Iterator[Any]:
    """Count what ended the texts, of `Generator.texts` or of `Generator.write`."""
    for item in items:
        yield item
        if stopped_by := _stopped_by(item):
            ended[stopped_by] += 1


def collecting(items: Iterator[Any], texts: list[str]) -> Iterator[Any]:
    """Keep the texts, of `Generator.texts` or of `Generator.write`."""
    pieces: list[str] = []
    for item in items:
        yield item
        pieces.append(item[1] if isinstance(item, tuple) else item.text)
        if _stopped_by(item):
            texts.append("".join(pieces))
            pieces.clear()


def _stopped_by(item: Any) -> str | None:
    """What ended a text, or a stream that comes with its next piece; None while that is on its way."""
    stopped_by: str | None = (item[0] if isinstance(item, tuple) else item).stopped_by
    return stopped_by


def tell_ends(ended: Counter[str], *, matching: bool) -> None:
    """Tell of texts that constraints ended early; `TextgenError` if they were to match and do not."""
    from textgen.errors import TextgenError

    early = {name: ended[name] for name in CONSTRAINTS if ended[name]}
    why = " and ".join(
        [f"`{name}` left nothing to write in {counted(number, 'text')}" for name, number in early.items()]
    )
    unmatched = sum(ended.values()) - ended["length"] - ended["match"]
    if matching and unmatched:
        told = f"{unmatched:,} of {counted(sum(ended.values()), 'text')} ended before a match"
        raise TextgenError(f"{told}{why and f', since {why}'}; use another random seed, or relax the constraints")
    if why:
        tell(as_options(why))


class _Paced:
    """A stream that is flushed once what was written since the last time has been held long enough."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._flushed = stream, 0.0

    def write(self, text: str) -> None:
        self._stream.write(text)
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self._stream.flush()
            self._flushed = time.monotonic()


def print_texts(pieces: Iterator[Any], stream: TextIO) -> None:
    """Print the first text as it is written, then the others."""
    paced, before = _Paced(stream), None
    for text, piece in pieces:
        if text is not before:
            stream.write(for_stream(text.seed.text if before is None else f"\n{BETWEEN}\n{text.seed.text}", stream))
            before = text
        paced.write(for_stream(piece, stream))
    stream.write("\n")
    stream.flush()


def print_json(texts: Iterator[Any], stream: TextIO, novelty: Callable[[str], Mapping[str, Any]] | None = None) -> None:
    """Print a JSON object a line for each text, with what is told of how new it is."""
    paced, ascii_only = _Paced(stream), stream.isatty() or stream.encoding != UTF_8
    for text in texts:
        line = {name: getattr(text, name) for name in ("seed", "text", "rng_seed", "stopped_by", "stop")}
        if text.logprobs is not None:
            line["logprobs"] = [asdict(item) for item in text.logprobs]
        if novelty is not None:
            line["novelty"] = novelty(text.text)
        paced.write(json.dumps(line, ensure_ascii=ascii_only) + "\n")
    stream.flush()


@contextmanager
def opened(output: str | None, encoding: str, option: str = "-o") -> Iterator[TextIO]:
    """Standard output, in UTF-8 whatever the locale; or a file that appears whole or not at all.

    Args:
        output: the file's name, or None.
        encoding: of the file.
        option: with which the file was named.
    """
    if output is None:
        with standard_output() as binary:
            text = io.TextIOWrapper(binary, UTF_8, "backslashreplace", newline="", write_through=True)
            try:
                yield text
            finally:
                text.detach()
        return
    from textgen.atomic_file import replacing
    from textgen.corpus.characters import named
    from textgen.errors import RunError, reason

    path = Path(output)
    try:
        if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced; a folder is refused here
            with path.open("w", encoding=encoding, newline="") as stream:
                yield stream
            return
        target = Path(os.path.realpath(path))  # a link stays, and what it leads to is written
        with (
            replacing(target, keep_links=True) as temporary,
            temporary.open("w", encoding=encoding, newline="") as stream,
        ):
            yield stream
    except BrokenPipeError:  # the reader of a pipe has seen enough
        raise
    except OSError as error:
        raise RunError(f"{output}: cannot be written ({reason(error)}); name another file with {option}") from error
    except UnicodeEncodeError as error:
        raise RunError(
            f"{output}: cannot be written, because {encoding} has no {named(error.object[error.start])}; "
            "leave out --encoding to write UTF-8"
        ) from error
