"""Bytes → characters: which encoding a text is in, and decoding that drops nothing."""

import codecs
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import NamedTuple

from textgen.errors import CorpusError

SAMPLE = 2**17  # bytes that an encoding is guessed from
SURELY = 32  # bytes beyond one a character after which what was UTF-8 so far is nothing else
SMALL = 2**16  # bytes after a byte order mark that are looked at

MARKS = {  # the longer ones first: UTF-32's begins like UTF-16's
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\0\0": "utf-32-le",
    b"\0\0\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
# What texts are found in, of several that fit equally the likelier first. Rarer ones differ from these in a few
# characters, and would win by chance.
EAST_ASIAN = ["cp932", "euc_jis_2004", "gb18030", "big5hkscs", "cp949"]
OTHERS = ["cp1252", "cp1251", "koi8_r", "cp1250", "iso8859_2", "cp1253", "cp1254", "cp1255", "cp1256", "cp874"]
PLAUSIBLE = [*EAST_ASIAN, *OTHERS, "cp866", "mac_roman", "cp437"]
WIDE = ["utf_16_le", "utf_16_be"]


@dataclass(frozen=True)
class Encoding:
    """How a text's bytes are read.

    Attributes:
        name: Python's name of the codec.
        mark: the length of the byte order mark, which is left out.
        how: where the name comes from: `mark`, `valid` (it is UTF-8), `guessed` or `given`.
    """

    name: str
    mark: int
    how: str


class Examined(NamedTuple):
    """What a first look at a source's bytes has shown."""

    sha256: str  # of the bytes
    encoding: Encoding


def examine(name: str, blocks: Iterable[bytes], given: str | None) -> Examined:
    """Read a text once to tell its encoding: the one given, that of its byte order mark, UTF-8, or a guess.

    Args:
        name: of the source, for messages.
        blocks: its bytes.
        given: what the user says it is, which overrides all else.

    Raises:
        CorpusError: the mark cannot be right, or the bytes are not UTF-8 and like no other encoding.
    """
    digest = hashlib.sha256()
    head, check = b"", _Utf8Check()
    for block in blocks:
        digest.update(block)
        if len(head) < SMALL:
            head += block[: SMALL - len(head)]
        check.feed(block)
    check.feed(b"", final=True)
    return Examined(digest.hexdigest(), _encoding(name, head, check, given))


class _Utf8Check:
    """Whether bytes are UTF-8; if not, where they fail first, and a sample from that line on."""

    def __init__(self) -> None:
        self.failed: int | None = None  # the offset of the first byte that is not UTF-8
        self.surplus = 0  # bytes before it beyond one a character: another encoding's seldom fit so by chance
        self.sample = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._read = 0

    def feed(self, block: bytes, *, final: bool = False) -> None:
        if self.failed is None:
            try:
                self.surplus += len(block) - len(self._decoder.decode(block, final))
                self._read += len(block)
                return
            except UnicodeDecodeError as error:
                data = error.object
                self.failed = self._read - (len(data) - len(block)) + error.start
                self.surplus += error.start - len(data[: error.start].decode())
                block = data[data.rfind(b"\n", 0, error.start) + 1 :]
        if len(self.sample) < SAMPLE:
            self.sample += block[: SAMPLE - len(self.sample)]


def _encoding(name: str, head: bytes, check: _Utf8Check, given: str | None) -> Encoding:
    mark = next((mark for mark in MARKS if head.startswith(mark)), b"")
    if given is not None:
        reads_marks = codecs.lookup(given).name in ("utf-16", "utf-32")
        return Encoding(given, 0 if reads_marks else len(mark), "given")
    if mark:
        if mark != codecs.BOM_UTF8 and _is_utf8(head[len(mark) :]):
            raise CorpusError(f"{name}: has the byte order mark of {MARKS[mark]}, and is not; give its `encoding`")
        return Encoding(MARKS[mark], len(mark), "mark")
    if b"\0" in head:
        guess = _guess(head[: len(head) // 2 * 2], WIDE)
        if guess is None:
            raise CorpusError(
                f"{name}: has a NUL at offset {head.index(0):,}; expected a text, not binary data; "
                "if it is UTF-16, say so with `encoding`"
            )
        return Encoding(guess, 0, "guessed")
    if check.failed is None:
        return Encoding("utf-8", 0, "valid")
    guess = _guess(check.sample, PLAUSIBLE) if check.surplus < SURELY else None
    if guess is None:
        like = "although all before it is" if check.surplus >= SURELY else "and like no other encoding"
        raise CorpusError(
            f"{name}: not UTF-8 at offset {check.failed:,}, {like}; give its `encoding`, or save the text as UTF-8"
        )
    return Encoding(guess, 0, "guessed")


def _is_utf8(head: bytes) -> bool:
    """Whether bytes are UTF-8 with no zeros, which UTF-16 and UTF-32 have in every newline."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return len(head) > 1 and b"\0" not in head


def _guess(sample: bytes, candidates: list[str]) -> str | None:
    """The likeliest encoding of a sample, by charset-normalizer; None where none fits."""
    from charset_normalizer import from_bytes

    if len(sample) == SAMPLE and b"\n" in sample and candidates is not WIDE:
        sample = sample[: sample.rfind(b"\n") + 1]  # a character cut in two would speak against its encoding
    fits = []
    for match in from_bytes(sample, cp_isolation=candidates):
        if candidates is WIDE and not set(" \n") & set(sample.decode(match.encoding)):
            continue  # bytes that are no text often make rare characters, and seldom a space
        name = next(name for name in candidates if name in (match.encoding, *match.could_be_from_charset))
        fits.append((round(match.chaos, 2), -round(match.coherence, 2), candidates.index(name), name))
    return min(fits)[3] if fits else None


def decode(name: str, blocks: Iterable[bytes], encoding: Encoding) -> Iterator[str]:
    r"""Decode a text, chunk by chunk; newlines (`\r\n` and `\r`) become `\n`.

    Raises:
        CorpusError: a byte is not of the encoding, or a character is NUL.
    """
    decoder = codecs.getincrementaldecoder(encoding.name)("strict")
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    read = characters = 0
    for block, final in chain(zip(blocks, repeat(False)), [(b"", True)]):
        data = block[max(0, encoding.mark - read) :]
        try:
            text = decoder.decode(data, final)
        except UnicodeDecodeError as error:
            offset = read + len(block) - len(error.object) + error.start
            raise CorpusError(_undecodable(name, encoding, error.object[error.start], offset)) from error
        except UnicodeError as error:
            raise CorpusError(f"{name}: not {encoding.name} ({error}); give its `encoding`") from error
        read += len(block)
        if "\0" in text:
            place = characters + text.index("\0")
            raise CorpusError(f"{name}: has a NUL at character {place:,}; expected a text, not binary data")
        characters += len(text)
        if text := newlines.decode(text, final):
            yield text


def _undecodable(name: str, encoding: Encoding, byte: int, offset: int) -> str:
    what = {
        "mark": f"has the byte order mark of {encoding.name}, but is not {encoding.name}",
        "guessed": f"looks like {encoding.name}, but is not",
        "given": f"not {encoding.name}",
        "valid": "not UTF-8",
    }[encoding.how]
    return f"{name}: {what}: byte 0x{byte:02x} at offset {offset:,}; give its `encoding`, or save the text as UTF-8"
