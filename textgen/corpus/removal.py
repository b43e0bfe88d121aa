"""Removes headers and footers from a text that comes in chunks, and records them."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple, TypedDict

from textgen.wording import counted

REACH = 2**17  # characters after a place that may decide what is done at it
BEHIND = 2**12  # characters before it
SIGN = 20  # characters of what tells that there may be something to take out
KEPT = 4  # pieces whose words are kept
WORDS = 32  # characters of a piece's beginning and of its end that are told

_RULED = re.compile(r"([^\w\s])\1{5,}")
_BLANK_LINES = re.compile(r"(?:[ \t\u3000]{0,80}\n){0,100}")
_PARAGRAPH_END = re.compile(r"\n(?=[ \t\u3000]{0,80}\n)|\Z")


class Piece(TypedDict):
    """A removed header or footer.

    Attributes:
        library: its origin.
        kind: `header` or `footer`.
        characters: its size.
        begins: its first words.
        ends: its last words.
    """

    library: str
    kind: str
    characters: int
    begins: str
    ends: str


@dataclass
class Removed:
    """What was removed from a text, or would be.

    Attributes:
        library: the origin, or several joined by "and"; empty if nothing was recognised.
        characters: the total.
        header: characters of all headers.
        headers: their number.
        footer: characters of all footers.
        footers: their number.
        readings: the number of 《…》.
        notes: the number of ［＃…］.
        bars: the number of ｜.
        pieces: the first `KEPT` headers and footers of each library.
    """

    library: str = ""
    characters: int = 0
    header: int = 0
    headers: int = 0
    footer: int = 0
    footers: int = 0
    readings: int = 0
    notes: int = 0
    bars: int = 0
    pieces: list[Piece] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [_sized("header", self.headers, self.header), _sized("footer", self.footers, self.footer)]
        parts += [counted(count, name) for name in ("reading", "note", "bar") if (count := getattr(self, f"{name}s"))]
        return f"{self.library}: {', '.join(filter(None, parts)) or 'nothing'}"

    def words(self) -> str:
        """The first and last words of the headers and footers; nothing where there are none."""
        parts = [f"{piece['kind']} {_quoted(piece)}" for piece in self.pieces]
        more = self.headers + self.footers - len(parts)
        return "; ".join([*parts, *([f"and {more:,} more"] if more else [])])

    def belongs_to(self, library: str) -> None:
        """Remember whose it is."""
        if library not in self.library:
            self.library = " and ".join(sorted(filter(None, [self.library, library])))

    def add(self, library: str, kind: str, text: str) -> None:
        """Count a header or footer."""
        self.belongs_to(library)
        self.characters += len(text)
        if kind == "header":
            self.header, self.headers = self.header + len(text), self.headers + 1
        else:
            self.footer, self.footers = self.footer + len(text), self.footers + 1
        if sum(piece["library"] == library for piece in self.pieces) < KEPT:
            begins, ends = _shortened(text)
            size = len(text)
            self.pieces.append({"library": library, "kind": kind, "characters": size, "begins": begins, "ends": ends})
            self.pieces.sort(key=itemgetter("library"))  # libraries take turns as the text's chunks are long


class Frame(NamedTuple):
    """A header or footer: its kind, and its place in a text."""

    kind: str
    start: int
    end: int


class Rules(NamedTuple):
    """How the headers and footers of a library are found.

    Attributes:
        library: whose they are.
        signs: whether a text may have any; each frame has a sign at most `SIGN` characters long. As quick as can be.
        frames: finds them, in order. Takes a text, the place from which on to look, the place up to which what is
            found can be decided, and the kind of the frame found last: "" if there was none, None at the very
            beginning. What it finds at a place must depend on `BEHIND` characters before it and fewer than `REACH`
            after it alone, and begins at most `BEHIND` before it.
    """

    library: str
    signs: Callable[[str], bool]
    frames: Callable[[str, int, int, str | None], Iterator[Frame]]


def without_frames(chunks: Iterable[str], rules: Rules, removed: Removed) -> Iterator[str]:
    """Remove headers and footers; the result is the same for chunks of any size."""
    held, place = "", 0  # what stands before `place` is there as context alone
    last: str | None = None
    for block, near, final in near_signs(chunks, rules.signs, REACH):
        if not near:
            yield held[place:]
            yield block
            held, place, last = "", 0, last or ""
            continue
        held += block
        limit = len(held) if final else len(held) - REACH
        for frame in rules.frames(held, place, limit, last):
            frame = _with_spaces(held, place, frame)
            yield held[place : frame.start]
            removed.add(rules.library, frame.kind, held[frame.start : frame.end])
            place, last = frame.end, frame.kind
        settled = limit if final else limit - BEHIND
        if settled > place:
            yield held[place:settled]
            place, last = settled, last or ""
        context = max(0, place - BEHIND)
        held, place = held[context:], place - context
    yield held[place:]


def near_signs(chunks: Iterable[str], signs: Callable[[str], bool], reach: int) -> Iterator[tuple[str, bool, bool]]:
    """A text in blocks of at least `reach` characters; of each, whether a sign can be so near, and if it is the last.

    Where there are none, blocks are handed on as they are: most texts have nothing that is to be taken out.
    """
    block, before, here = "", False, False
    for following in _blocks(chunks, reach):
        there = signs(following) or signs(block[-SIGN:] + following[:SIGN])
        if block:
            yield block, before or here or there, False
        block, before, here = following, here, there
    yield block, before or here, True


def _blocks(chunks: Iterable[str], least: int) -> Iterator[str]:
    """Chunks put together until they are long enough; the last one may be short."""
    parts, length = [], 0
    for chunk in chunks:
        parts.append(chunk)
        length += len(chunk)
        if length >= least:
            yield parts[0] if len(parts) == 1 else "".join(parts)
            parts, length = [], 0
    if length:
        yield "".join(parts)


def _with_spaces(text: str, place: int, frame: Frame) -> Frame:
    """A footer with the spaces at the end of the line above it; the newline behind it stays for that line's."""
    newline = frame.start - 1
    if frame.kind != "footer" or newline < place or text[newline] != "\n" or text[frame.end - 1] != "\n":
        return frame
    above = text[max(place, newline - 200) : newline]
    spaces = len(above) - len(above.rstrip(" \t\u3000"))
    return Frame(frame.kind, newline - spaces, frame.end - 1) if spaces else frame


def line_start(text: str, place: int, longest: int = 200) -> int | None:
    """Where the line of a place begins; None if that is too far before it."""
    if found := text.rfind("\n", max(0, place - longest), place) + 1:
        return found
    return 0 if place <= longest else None


def after_blank_lines(text: str, place: int) -> int:
    """Where the first line from a place on begins that is not empty, or the text's end."""
    found = _BLANK_LINES.match(text, place)
    return found.end() if found else place


def before_blank_lines(text: str, place: int, floor: int) -> int:
    """Where the empty lines begin that end at a place."""
    floor = max(floor, place - BEHIND // 2)
    kept = len(text[floor:place].rstrip())
    newline = text.find("\n", floor + kept, place)
    return floor if not kept else newline + 1 if newline >= 0 else place


def paragraph_end(text: str, place: int, longest: int) -> int:
    """Where the line after a place's paragraph begins, or, where the paragraph is longer than that, its line."""
    stop = min(len(text), place + longest)
    found = _PARAGRAPH_END.search(text, place, stop)
    if found and (found.start() < stop or stop == len(text)):
        return found.end()
    return text.find("\n", place, stop) + 1 or place


def _sized(kind: str, count: int, characters: int) -> str:
    what = f"a {kind}" if count == 1 else counted(count, kind)
    return f"{what} of {counted(characters, 'character')}" if count else ""


def _quoted(piece: Piece) -> str:
    words = [f'"{words}"' for words in (piece["begins"], piece["ends"])]
    return " to ".join(words if words[0] != words[1] else words[:1])


def _shortened(text: str) -> tuple[str, str]:
    """The first and the last words, without lines of dashes."""
    begins = " ".join(_RULED.sub(" ", text[: 8 * WORDS]).split())
    ends = " ".join(_RULED.sub(" ", text[-8 * WORDS :]).split())
    if len(begins) > WORDS:
        begins = begins[:WORDS].rstrip() + "…"
    if len(ends) > WORDS:
        ends = "…" + ends[-WORDS:].lstrip()
    return begins, ends
