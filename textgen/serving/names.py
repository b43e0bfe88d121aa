"""Names that come from outside and become names of files."""

import re
import unicodedata
from collections.abc import Callable
from itertools import count

from textgen.serving.refusal import RefusalError

LONGEST = 60  # characters of a run's name
LONGEST_FILE = 200  # bytes of a file's
ALLOWED = re.compile(rf"\w[\w .()+-]{{0,{LONGEST - 1}}}")


def check_name(name: str) -> str:
    """The name of a run, which is that of its folder and of its model; `RefusalError` if it cannot be."""
    name = unicodedata.normalize("NFC", name)
    fits = ALLOWED.fullmatch(name) and len(name.encode()) <= LONGEST_FILE
    if not fits or name != name.strip(" .") or name.endswith(".keras"):
        raise RefusalError(
            400,
            f"`name` must be 1 to {LONGEST} letters, digits, spaces and . - + ( ), not {name[:100]!r}",
            param="name",
            code="invalid_value",
        )
    return name


def unused(wish: str, is_taken: Callable[[str], bool]) -> str:
    """A name for a run, as near to a wish as possible."""
    name = re.sub(r"[^\w.()+-]+", " ", unicodedata.normalize("NFC", wish)).strip(" .()+-")[: LONGEST - 5].strip(" .")
    name = name.encode()[: LONGEST_FILE - 5].decode("utf-8", "ignore").removesuffix(".keras").strip(" .") or "text"
    return next(found for number in count(1) if not is_taken(found := name if number == 1 else f"{name}-{number}"))


def file_name(given: str) -> str:
    """A name for an uploaded file that leads nowhere: the last part of a path, without what files cannot have."""
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", given)[-1])
    plain = "".join(symbol for symbol in last if unicodedata.category(symbol)[0] != "C").strip(" .")
    stem, dot, suffix = plain.rpartition(".")
    if len(suffix) > 10 or not stem:
        stem, dot, suffix = plain, "", ""
    room = LONGEST_FILE - len(f"{dot}{suffix}".encode())
    return (stem.encode("utf-8", "ignore")[:room].decode("utf-8", "ignore") + dot + suffix) or "text.txt"
