"""Determines the encoding of a text, and decodes it without losing anything."""

import codecs
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import NamedTuple

from textgen.corpus.detection import by_escapes, guess, wide
from textgen.corpus.evidence import Evidence
from textgen.corpus.faults import Faults, as_cp1252
from textgen.errors import CorpusError
from textgen.wording import counted

MARKS = {  # the longer ones first: UTF-32's begins like UTF-16's
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\0\0": "utf-32-le",
    b"\0\0\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
    b"\x84\x31\x95\x33": "gb18030",
}
WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
MARK = "\ufeff"  # what a byte order mark is in its encoding, and in no other
SHOWN = 48  # characters of a line that shows how a text was read


@dataclass(frozen=True)
class Encoding:
    """The encoding of a text.

    Attributes:
        name: Python's name of the codec.
        how: how it was determined: `mark` (a byte order mark), `valid` (it is UTF-8), `escapes` (escape sequences of
            ISO 2022 or HZ), `guessed`, `given`, or `mixed` (UTF-8 in which invalid bytes are read as cp1252).
        line: if guessed, the first line that is not ASCII, decoded.
        rival: another encoding that is nearly as likely.
        rival_line: the same line, decoded by the rival.
    """

    name: str
    how: str
    line: str = ""
    rival: str = ""
    rival_line: str = ""

    def __str__(self) -> str:
        return f"{self.name} (guessed)" if self.how == "guessed" else self.name

    def told(self) -> str:
        """A note on the encoding, with a line of the text if it is a guess."""
        line = f": “{self.line}”" if self.line else ""
        rival = f"; {self.rival} would read “{self.rival_line}”" if self.rival else ""
        return f"read as {self}{line}{rival}"


class Examined(NamedTuple):
    """The result of a first pass over a source's bytes."""

    sha256: str  # of the bytes
    encoding: Encoding


def examine(name: str, blocks: Iterable[bytes], given: str | None, *, repair: bool = False) -> Examined:
    """Read a text once to determine its encoding: the given one, what its bytes determine, or a guess.

    Args:
        name: of the source, for messages.
        blocks: its bytes.
        given: by the user, which overrides everything else.
        repair: whether bytes that are not UTF-8, in a text that is, are read as cp1252.

    Raises:
        CorpusError: the byte order mark is wrong, the text is UTF-8 with invalid bytes, or no encoding fits.
    """
    digest = hashlib.sha256()
    seen = Evidence()
    for block in blocks:
        digest.update(block)
        seen.feed(block)
    seen.finish()
    return Examined(digest.hexdigest(), _encoding(name, seen, given, repair))


def _encoding(name: str, seen: Evidence, given: str | None, repair: bool) -> Encoding:
    if given is not None:
        is_mixed = repair and seen.first is not None and codecs.lookup(given).name in ("utf-8", "utf-8-sig")
        return Encoding(given, "mixed" if is_mixed else "given")
    mark = next((mark for mark in MARKS if seen.head.startswith(mark)), b"")
    if mark and mark != codecs.BOM_UTF8:
        if MARKS[mark] in WIDE and _is_utf8(seen.head[len(mark) :]):
            raise CorpusError(f"{name}: has the byte order mark of {MARKS[mark]}, but is not; give its `encoding`")
        return Encoding(MARKS[mark], "mark")
    if not mark and (seen.first is not None or b"\0" in seen.head) and (found := wide(seen.head)):
        return _shown(seen.head, found)
    if b"\0" in seen.head:
        raise CorpusError(
            f"{name}: has a NUL at offset {seen.head.index(0):,}; expected a text, not binary data; "
            "if it is UTF-16, say so with `encoding`"
        )
    if seen.first is None:
        found = by_escapes(seen.escapes)
        return Encoding(found, "escapes") if found else Encoding("utf-8", "mark" if mark else "valid")
    if seen.is_utf8():
        return _mixed(name, seen, repair)
    return Encoding("utf-8", "mark") if mark else _guessed(name, seen)


def _mixed(name: str, seen: Evidence, repair: bool) -> Encoding:
    if not repair:
        invalid = f"{'at least ' if seen.is_settled else ''}{counted(seen.foreign, 'invalid byte')}"
        raise CorpusError(
            f"{name}: UTF-8 with {invalid}, the first at offset {seen.first:,}, "
            f"where cp1252 reads “{_excerpt(as_cp1252(seen.around))}”; `repair=True` reads such bytes as cp1252"
        )
    return Encoding("utf-8", "mixed")


def _guessed(name: str, seen: Evidence) -> Encoding:
    found = guess(seen.sample)
    if found is None:
        raise CorpusError(
            f"{name}: not UTF-8 at offset {seen.first:,}, and no other encoding fits; "
            "give its `encoding`, or save the text as UTF-8"
        )
    return _shown(seen.sample, found.name, found.rival)


def _shown(sample: bytes, name: str, rival: str | None = None) -> Encoding:
    """A guess, with the first line that shows it: not ASCII, and different in a rival."""
    lines = _lines(sample, name)
    if rival is None:
        line = next((line for line in lines if not line.isascii()), "")
        return Encoding(name, "guessed", _excerpt(line))
    pairs = zip(lines, _lines(sample, rival), strict=False)
    line, other = next((pair for pair in pairs if pair[0] != pair[1]), ("", ""))
    place = next((place for place, pair in enumerate(zip(line, other, strict=False)) if pair[0] != pair[1]), 0)
    return Encoding(name, "guessed", _excerpt(line, place), rival, _excerpt(other, place))


def _lines(sample: bytes, name: str) -> list[str]:
    return codecs.getincrementaldecoder(name)("ignore").decode(sample).splitlines()


def _excerpt(line: str, place: int | None = None) -> str:
    """As much of a line as can be shown, around a place or its first character that is not ASCII."""
    if place is None:
        place = next((place for place, symbol in enumerate(line) if not symbol.isascii()), 0)
    start = max(0, min(place - SHOWN // 3, len(line) - SHOWN))
    text = " ".join(line[start : start + SHOWN].split())
    return f"{'…' if start else ''}{text}{'…' if start + SHOWN < len(line) else ''}"


def _is_utf8(head: bytes) -> bool:
    """Whether bytes are UTF-8 with no zeros, which UTF-16 and UTF-32 have in every newline."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return len(head) > 1 and b"\0" not in head


def decode(name: str, blocks: Iterable[bytes], encoding: Encoding, faults: Faults) -> Iterator[str]:
    r"""Decode a text, chunk by chunk; newlines (`\r\n` and `\r`) become `\n`, and a byte order mark is left out.

    Args:
        name: of the source, for messages.
        blocks: its bytes.
        encoding: see `examine`. If it is `mixed`, invalid bytes become lone surrogates.
        faults: records a last character that is cut off.

    Raises:
        CorpusError: a byte is invalid in the encoding, or a character is NUL.
    """
    decoder = codecs.getincrementaldecoder(encoding.name)("surrogateescape" if encoding.how == "mixed" else "strict")
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    read = characters = 0
    begun = False
    for block, final in chain(zip(blocks, repeat(False)), [(b"", True)]):
        try:
            text = _finish(decoder, faults) if final else decoder.decode(block)
        except UnicodeDecodeError as error:
            offset = read + len(block) - len(error.object) + error.start
            raise CorpusError(_undecodable(name, encoding, error.object[error.start], offset)) from error
        except UnicodeError as error:
            raise CorpusError(f"{name}: not {encoding.name} ({error}); give its `encoding`") from error
        read += len(block)
        if text and not begun:
            begun, text = True, text.removeprefix(MARK)
        if "\0" in text:
            place = characters + text.index("\0")
            raise CorpusError(f"{name}: has a NUL at character {place:,}; expected a text, not binary data")
        characters += len(text)
        if text := newlines.decode(text, final):
            yield text


def _finish(decoder: codecs.IncrementalDecoder, faults: Faults) -> str:
    """The last characters, without one that the text's end cuts."""
    rest = decoder.getstate()[0]
    try:
        return decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        faults.cut = len(rest)
        return ""


def _undecodable(name: str, encoding: Encoding, byte: int, offset: int) -> str:
    what = {
        "mark": f"has the byte order mark of {encoding.name}, but is not {encoding.name}",
        "escapes": f"has escape sequences of {encoding.name}, but is not {encoding.name}",
        "guessed": f"looks like {encoding.name}, but is not",
    }.get(encoding.how, f"not {encoding.name}")
    return f"{name}: {what}: byte 0x{byte:02x} at offset {offset:,}; give its `encoding`, or save the text as UTF-8"
