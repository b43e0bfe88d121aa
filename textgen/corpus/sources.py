"""Files → decoded, normalised text."""

import re
from collections.abc import Sequence
from pathlib import Path

from textgen.errors import CorpusError, reason

SEPARATOR = "\n"  # between two texts


def normalise(text: str, *, lowercase: bool) -> str:
    r"""Bring a text, or a seed phrase, into the form that a model is trained on.

    Newlines (`\r\n` and `\r`) become `\n`; with `lowercase` all letters become small.
    """
    text = re.sub("\r\n?", "\n", text)
    return text.lower() if lowercase else text


def read_texts(paths: Sequence[str | Path]) -> str:
    """Read UTF-8 files and join them, in the order given, with a newline between two; errors are `read_text`'s."""
    return SEPARATOR.join([read_text(path) for path in paths])


def read_text(path: str | Path) -> str:
    """Read one UTF-8 file, without its byte order mark.

    Raises:
        CorpusError: the file is missing, unreadable, empty or not UTF-8 (with the offset of the first bad byte).
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path}: not UTF-8: byte 0x{error.object[error.start]:02x} at offset {error.start:,}; "
            "save the text as UTF-8 and try again"
        ) from error
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: no such file; check the path of the text") from error
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({reason(error)}); expected a text file") from error
    text = text.removeprefix("\ufeff")
    if not text:
        raise CorpusError(f"{path}: the file is empty; expected a text to learn from")
    if "\0" in text:
        raise CorpusError(f"{path}: has a NUL at character {text.index(chr(0)):,}; expected a text, not binary data")
    return text
