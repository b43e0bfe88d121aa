"""Collects evidence of a text's encoding: valid and invalid UTF-8, and lines that are not ASCII."""

import codecs
import re

import numpy as np

SAMPLE = 2**17  # bytes of lines that an encoding is guessed from
HEAD = 2**16  # bytes at the start that are looked at
LINE = 2**12  # bytes of an unfinished line that are kept while all is UTF-8
PIECE = 2**16  # bytes that are counted at once
SURELY = 32  # characters of UTF-8 after which a text is in it, whatever follows
ENOUGH = 2**12  # invalid bytes after which a text that is not UTF-8 is known to be none
AROUND = 24  # characters before the first invalid byte, and bytes from there on, that are shown

_WORDS = re.compile(rb"[\x80-\xff]+")
_LINES = re.compile(
    rb"(?<![^\r\n])[\0-\x09\x0b\x0c\x0e-\x7f]*+[\x80-\xff][^\r\n]*[\r\n]*"
)  # those that have bytes above 127


class Evidence:
    """Evidence from the bytes of a text.

    Bytes above 127 of other encodings do fall so by chance that they are characters of UTF-8, but seldom all of a word.
    So a text is UTF-8 with invalid bytes in it where characters of UTF-8 outnumber the bytes that belong to none, and
    some words have no such byte; or where a third of the words have none; or where much was UTF-8 before the first.

    Attributes:
        head: the first bytes.
        valid: how many characters of UTF-8 there are above 127; not all are counted where it is surely UTF-8.
        foreign: the number of invalid bytes; counting stops in a text that is clearly not UTF-8.
        first: the offset of the first of these; None while all is UTF-8, but for a character that the end may cut.
        sample: the first lines with bytes above 127, of a text that is not surely UTF-8.
        escapes: the first lines from that on which has what may be an escape sequence, as long as all is ASCII.
    """

    def __init__(self) -> None:
        """Nothing has been seen yet."""
        self.head = b""
        self.valid = self.foreign = 0
        self.first: int | None = None
        self.sample = b""
        self._read = 0
        self._before, self._after = "", b""  # what stands before the first invalid byte, and from there on
        self._rest = b""  # what is not yet counted: the start of a character, later of a piece
        self._line = b""  # the line that is not yet finished
        self.escapes = b""
        self._surely = False  # whether so much is UTF-8 that nothing else can be

    def is_utf8(self) -> bool:
        """Whether it is UTF-8, perhaps with invalid bytes."""
        if self.first is None or self._surely:
            return True
        words = _WORDS.findall(self.sample)
        whole = sum(_is_utf8(word) for word in words)
        outnumbered = self.valid > self.foreign and (whole > 0 or self.valid > 2 * self.foreign)
        return outnumbered or (whole > 1 and 3 * whole >= len(words))

    @property
    def around(self) -> str:
        """The characters around the first invalid byte; such bytes are lone surrogates."""
        is_end = len(self._after) < AROUND
        return self._before + codecs.utf_8_decode(self._after, "surrogateescape", is_end)[0]

    def feed(self, block: bytes) -> None:
        """Look at the next bytes."""
        if len(self.head) < HEAD:
            self.head += block[: HEAD - len(self.head)]
        if self.first is None:
            self._check(block)
        else:
            self._after = (self._after + block[:AROUND])[:AROUND]
            self._count(block)
            self._take_lines(block)

    def finish(self) -> None:
        """There are no more bytes."""
        if self.first is None and self._rest and not self.valid:  # cut UTF-8, or a last letter in another encoding
            self._fail(b"", 0)
        if self.first is not None:
            self._tally(self._rest, final=True)
            self._take_lines(b"\n")
        if len(self.sample) > SAMPLE:
            self.sample = self.sample[: self.sample.rfind(b"\n", 0, SAMPLE) + 1 or SAMPLE]

    def _check(self, block: bytes) -> None:
        data = self._rest + block
        try:
            if data.isascii():
                self._take_escapes(block)
                self._rest = b""
            else:
                used = codecs.utf_8_decode(data, "strict", False)[1]
                if self.valid < SURELY:
                    self.valid += _characters(data[:used])
                self._rest = data[used:]
        except UnicodeDecodeError as error:
            self._fail(block, error.start)
            return
        self._read += len(block)
        if self.valid < SURELY:
            self._take_lines(block)
        else:
            ends = block.rfind(b"\n") + 1
            self._line = (block[ends:] if ends else self._line + block)[-LINE:]

    def _fail(self, block: bytes, start: int) -> None:
        """Take the first invalid byte, at a place in what is not yet counted."""
        data = self._rest + block
        self.first = self._read - len(self._rest) + start
        self.valid += _characters(data[:start])
        self._surely = self.valid >= SURELY
        lines = self._line + block
        place = len(lines) - len(data) + start
        self._before = lines[lines.rfind(b"\n", 0, place) + 1 : place].decode(errors="ignore")[-AROUND:]
        self._after = data[start : start + AROUND]
        self._rest = b""
        self._count(data[start:])
        self._take_lines(block)

    def _count(self, block: bytes) -> None:
        """Count, in pieces of one size, so that what is found does not depend on that of the blocks."""
        if self.is_settled:
            return
        data, place = self._rest + block, 0
        while len(data) - place >= PIECE and not self.is_settled:
            place += self._tally(data[place : place + PIECE])
        self._rest = b"" if self.is_settled else data[place:]

    @property
    def is_settled(self) -> bool:
        """Whether there are so many invalid bytes that counting stops."""
        return self.foreign >= ENOUGH and self.foreign > self.valid and not self._surely

    def _tally(self, piece: bytes, *, final: bool = False) -> int:
        """Count in a piece; return how much of it that was, without a character that its end cuts."""
        text, used = codecs.utf_8_decode(piece, "ignore", final)
        whole = text.encode()
        self.valid += _characters(whole)
        self.foreign += used - len(whole)
        return used

    def _take_lines(self, block: bytes) -> None:
        """Add to the sample the lines that tell something."""
        if len(self.sample) > SAMPLE:
            return
        ends = block.rfind(b"\n") + 1
        if not ends and len(self._line) + len(block) > SAMPLE:  # lines without an end are taken as they come
            ends = len(block)
        if not (block.isascii() and self._line.isascii()):
            self.sample += b"".join(_LINES.findall(self._line + block[:ends])) if ends else b""
        self._line = block[ends:] if ends else self._line + block

    def _take_escapes(self, block: bytes) -> None:
        """Keep ASCII once it has what begins an escape sequence of ISO 2022 or HZ."""
        if self.escapes:
            self.escapes += block[: max(0, SAMPLE - len(self.escapes))]
            return
        places = [block.find(b"\x1b"), block.find(b"~{") if b"~" in block else -1]  # one byte is found much faster
        if place := min((place for place in places if place >= 0), default=-1) + 1:
            begins = block.rfind(b"\n", 0, place) + 1
            self.escapes = ((b"" if begins else self._line) + block[begins:])[:SAMPLE]


def _characters(data: bytes) -> int:
    """How many characters above 127 there are in UTF-8: each begins with a byte above 191."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) >= 0xC0))


def _is_utf8(word: bytes) -> bool:
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return True
