r"""Finds stray characters (invalid bytes, mojibake, control characters), reports them, and repairs them if asked.

A text is processed in whole lines; a line longer than `LONGEST` is split every `LONGEST` characters. So the result is
the same for chunks of any size, in constant memory.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textgen.corpus.characters import code_point
from textgen.corpus.vocabulary import code_points
from textgen.wording import counted

RULES = 1  # to be raised with each change of the rules, so that cached results of older rules are not used
LONGEST = 2**16  # characters of a line that are looked at together
SLICE = 2**17  # code points that are looked at at once: they fit a cache
BEYOND = 0x422  # the first code point above all that are looked for one by one
LF, TAB = ord("\n"), ord("\t")
SHOWN = 5  # faults of a kind that are shown

Points = NDArray[np.uint32]

# What bytes from 0x80 to 0xBF, which continue a character in UTF-8, become in cp1252 and in cp1251.
_CONTINUING = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xC0))
_CONTINUING_1251 = bytes(set(range(0x80, 0xC0)) - {0x98}).decode("cp1251")
# Those that also follow a capital in texts where nothing is wrong: they count inside words alone.
_USUAL = "’”“‘…–—›»«‹™\xa0¹²³°"
_UNUSUAL = "".join(sorted(set(_CONTINUING) - set(_USUAL)))
# UTF-8 read as cp1252: the two bytes of a Latin, Greek, Cyrillic or Arabic letter or of a sign (Ã©, Â£, Ð¸), the three
# of punctuation (â€™), those of two or more other characters in a row; or read as cp1251: those of three or more
# Cyrillic letters in a row (РџСЂРё).
_MOJIBAKE = (
    rf"[ÂÃÄÅÎÏÐÑØÙ][{re.escape(_UNUSUAL)}]|(?<![A-ZÀ-Þ])[ÂÃÄÅÎÏÐÑØÙ][{_USUAL}](?=[A-Za-zß-ÿ])"
    rf"|(?:×[{re.escape(_CONTINUING)}]){{2,}}"
    rf"|â[€‚„†][{re.escape(_CONTINUING)}]|(?:[à-ï][{re.escape(_CONTINUING)}]{{2}}){{2,}}"
    rf"|(?:[РС][{re.escape(_CONTINUING_1251)}]){{3,}}"
)
_FAULT = re.compile(
    f"(?P<foreign>[\udc80-\udcff])|(?P<mojibake>{_MOJIBAKE})|(?P<c1>[\x80-\x9f])|(?P<mark>\ufeff)"
    "|(?P<control>[\x01-\x08\x0b-\x1f\x7f\ufffe\uffff])|(?P<lost>\ufffd)"
)
_REPAIRED = dict.fromkeys([*range(9), *range(11, 32), 0x7F, 0xFEFF, 0xFFFE, 0xFFFF], "") | {
    byte: bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xA0)
}
_FOREIGN = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}

_FOLLOWS = np.zeros(0x10000, bool)  # whether a character can be the second of mojibake
_FOLLOWS[code_points(_CONTINUING + _CONTINUING_1251)] = True


class Kind(NamedTuple):
    """A kind of fault: its name, and what `repair` does to it, as present and past; empty if nothing."""

    noun: str
    does: str = ""
    done: str = ""


KINDS = {
    "foreign": Kind("invalid byte", "reads as cp1252", "read as cp1252"),
    "mojibake": Kind("mojibake sequence", "repairs", "repaired"),
    "c1": Kind("C1 control", "reads as cp1252", "read as cp1252"),
    "mark": Kind("stray byte order mark", "removes", "removed"),
    "control": Kind("control character", "removes", "removed"),
    "lost": Kind("replacement character"),
}


@dataclass
class Fault:
    """The faults of one kind.

    Attributes:
        count: their number.
        line: of the first, counted from 1.
        character: of the first in its line, counted from 1.
        shown: the first different ones.
        left: the number that `repair` could not repair.
    """

    count: int = 0
    line: int = 0
    character: int = 0
    shown: list[str] = field(default_factory=list)
    left: int = 0


@dataclass
class Faults:
    """The faults of a text.

    Attributes:
        cut: the number of bytes of an incomplete last character, which was dropped.
        of: the faults of each kind that was found, see `KINDS`.
    """

    cut: int = 0
    of: dict[str, Fault] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: Any) -> "Faults":
        """Create from the output of `dataclasses.asdict`."""
        return cls(values["cut"], {kind: Fault(**fault) for kind, fault in values["of"].items()})

    def told(self, *, repair: bool) -> Iterator[tuple[str, str]]:
        """For each kind, the note on this text, and the note on many texts that have it."""
        if self.cut:
            yield (
                f"without its last character, which is cut off after {counted(self.cut, 'byte')}",
                "without their last character, which is cut off",
            )
        for kind, fault in sorted(self.of.items(), key=lambda item: list(KINDS).index(item[0])):
            noun, does, done = KINDS[kind]
            what = f"with {counted(fault.count, noun)} ({' '.join(fault.shown)})"
            first = f"the first in line {fault.line:,} at character {fault.character:,}"
            left = f", {fault.left:,} of them not" if fault.left else ""
            if repair and done:
                yield f"{what} {done}{left}, {first}", f"with {noun}s {done}"
            else:
                remedy = f", which `repair` {does}" if does else ""
                yield f"{what}, {first}{remedy}", f"with {noun}s{remedy}"


@cache
def mender() -> str:
    """The version of the rules and of ftfy, whose results may differ from those of others."""
    return f"{RULES}, ftfy {version('ftfy')}"


def as_cp1252(text: str) -> str:
    """The text with its invalid bytes, which are lone surrogates, decoded as cp1252."""
    return text.translate(_FOREIGN)


def look(chunks: Iterable[str], faults: Faults, *, repair: bool = False) -> Iterator[str]:
    r"""Pass a text on, repaired if asked, and record its faults.

    Args:
        chunks: the text, with `\n` for newlines and lone surrogates for invalid bytes.
        faults: is filled in as the text is read.
        repair: whether to read invalid bytes and C1 controls as cp1252, repair mojibake, and remove stray byte order
            marks and control characters.
    """
    line, character = 1, 1
    for piece in _in_lines(chunks):
        is_clean, newlines = _glance(piece)
        if is_clean:
            yield piece
        else:
            newlines = piece.count("\n")
            place = (line, character)
            for part in _parts(piece):
                yield _looked(part, faults, *place, repair=repair)
                place = _after(part, part.count("\n"), *place)
        line, character = _after(piece, newlines, line, character)


def _in_lines(chunks: Iterable[str]) -> Iterator[str]:
    """A text in pieces that end with a line, long lines split every `LONGEST` characters."""
    held = ""
    for chunk in chunks:
        ends = chunk.rfind("\n") + 1
        if ends:
            yield held + chunk[:ends]
            held = chunk[ends:]
        else:
            held += chunk
        if len(held) >= LONGEST:
            whole = len(held) // LONGEST * LONGEST
            yield held[:whole]
            held = held[whole:]
    if held:
        yield held


def _parts(piece: str) -> Iterator[str]:
    """A whole piece, or its lines, long ones split every `LONGEST` characters."""
    lines = piece.split("\n")
    if max(map(len, lines)) < LONGEST:
        yield piece
        return
    for number, line in enumerate(lines):
        whole = line if number == len(lines) - 1 else f"{line}\n"
        yield from (whole[start : start + LONGEST] for start in range(0, len(whole), LONGEST))


def _after(piece: str, newlines: int, line: int, character: int) -> tuple[int, int]:
    """The line and the character in it after a piece that begins at such."""
    return (line + newlines, len(piece) - piece.rfind("\n")) if newlines else (line, character + len(piece))


def _glance(piece: str) -> tuple[bool, int]:
    """Whether there is surely no fault in a piece, and, if so, how many newlines, at the speed of a few copies."""
    if piece.isascii():
        points = np.frombuffer(piece.encode("ascii"), np.uint8)
        newlines = int(np.count_nonzero(points == LF))
        tabs = piece.count("\t") if "\t" in piece else 0  # to find nothing is faster than to count it
        return "\x7f" not in piece and np.count_nonzero(points < 32) == newlines + tabs, newlines
    if any(symbol in piece for symbol in "\ufeff\ufffd\ufffe\uffff"):
        return False, 0
    try:
        wide = code_points(piece)
    except UnicodeEncodeError:  # invalid bytes
        return False, 0
    newlines = 0
    for start in range(0, len(wide), SLICE):
        if not _is_clean(wide[start : start + SLICE + 2]):  # two more, where mojibake may end
            return False, 0
        newlines += int(np.count_nonzero(wide[start : start + SLICE] == LF))
    return True, newlines


def _is_clean(points: Points) -> bool:
    """Whether code points are surely without control characters and mojibake."""
    low = points[points < BEYOND] if 4 * np.count_nonzero(points < BEYOND) < len(points) else points
    controls = np.count_nonzero(low < 32) - np.count_nonzero(low == LF)
    if controls and controls != np.count_nonzero(low == TAB):
        return False
    if np.count_nonzero(low - 0x7F < 0x21):
        return False
    return not np.count_nonzero(low >= 0xC2) or not _may_have_mojibake(points)


def _may_have_mojibake(points: Points) -> bool:
    """Whether a letter that begins mojibake stands before a character that can continue it."""
    first, second = points[:-1], points[1:]
    begins = (first - 0xC2 < 0x2E) | (first - ord("Р") < 2)
    begins &= (second - 0x80 < 0x40) | (second > 0x13F)  # nearly what the table below says, and faster
    starts = np.flatnonzero(begins)
    starts = starts[_FOLLOWS[np.minimum(points[starts + 1], 0xFFFF)]]
    of_three = (points[starts] - 0xE0 < 0x10) & (points[starts] != ord("â"))
    third = points[np.minimum(starts + 2, len(points) - 1)]
    return bool((~of_three | _FOLLOWS[np.minimum(third, 0xFFFF)]).any())


def _looked(part: str, faults: Faults, line: int, character: int, *, repair: bool) -> str:
    """A part that begins at such a line and character, repaired if asked."""
    for found in _FAULT.finditer(part):
        kind = str(found.lastgroup)
        fault = faults.of.setdefault(kind, Fault())
        if not fault.count:
            before = part[: found.start()]
            fault.line, fault.character = _after(before, before.count("\n"), line, character)
        fault.count += 1
        if len(fault.shown) < SHOWN and (shown := _shown(found)) not in fault.shown:
            fault.shown.append(shown)
    if not repair:
        return part
    return "".join(_mended(line, faults) for line in re.split("(?<=\n)", part))


def _shown(found: re.Match[str]) -> str:
    if found.lastgroup == "foreign":
        return as_cp1252(found[0])
    return found[0] if found.lastgroup == "mojibake" else code_point(found[0])


def _mended(line: str, faults: Faults) -> str:
    kinds = {found.lastgroup for found in _FAULT.finditer(line)}
    if not kinds:
        return line
    if "foreign" in kinds:
        line = as_cp1252(line)
    if "mojibake" in kinds:
        import ftfy

        line = ftfy.fix_encoding(line)
        faults.of["mojibake"].left += sum(found.lastgroup == "mojibake" for found in _FAULT.finditer(line))
    return line.translate(_REPAIRED)
