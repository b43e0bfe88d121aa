r"""What libraries add to a text, recognised and removed: Project Gutenberg's and Aozora Bunko's.

Project Gutenberg frames a text by lines `*** START OF THE PROJECT GUTENBERG EBOOK … ***` and `*** END OF …`. Aozora
Bunko puts title, author and an explanation of its marks between dashed lines first, and a colophon that begins with
底本： last; in between stand readings (ruby) 《…》, with ｜ where the word read begins, and notes ［＃…］.
(https://www.aozora.gr.jp/annotation/)

Headers and footers are looked for in the first and last 65,536 characters. Every pattern is of bounded length, so that
a text in chunks is treated exactly as a whole one.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat

EDGE = 2**16  # characters at each end where headers and footers are looked for

_GUTENBERG_START = re.compile(
    r"\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG E(?:BOOK|TEXT)[^*]{0,500}\*\*\*\s*"
    r"(?:(?:Produced by|E-text prepared by|This e-?book was produced by)[^\n]*(?:\n[^\n]+)*\s*)?",
    re.IGNORECASE,
)
_GUTENBERG_END = re.compile(
    r"^(?:End of (?:the |this )?Project Gutenberg|\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG)",
    re.IGNORECASE | re.MULTILINE,
)
_AOZORA_START = re.compile(r"^-{10,}\n【テキスト中に現れる記号について】.*?\n-{10,}\n\s*", re.DOTALL | re.MULTILINE)
_AOZORA_END = re.compile(r"^底本：", re.MULTILINE)
_AOZORA_MARKS = re.compile(r"［＃|[々〆ヶ一-鿿㐀-䶿豈-﫿]《[ぁ-ヿ・ー]{1,30}》")  # what tells a text without a header
_NOTE = r"［＃(?:[^［］]|［[^［］]{0,80}］){0,300}+］"
_MARKS = re.compile(rf"(?P<notes>{_NOTE})|(?P<readings>《[^《》\n]{{0,200}}》)|(?P<bars>｜)")
LONGEST_MARK = 25_000  # characters: a note of 300 parts, each a character or a note of 80


@dataclass
class Removed:
    """What was taken out of a text, or would be.

    Attributes:
        library: whose it is; empty where nothing was recognised.
        header: characters.
        footer: characters.
        readings: how many 《…》.
        notes: how many ［＃…］.
        bars: how many ｜.
    """

    library: str = ""
    header: int = 0
    footer: int = 0
    readings: int = 0
    notes: int = 0
    bars: int = 0

    def __str__(self) -> str:
        parts = [f"a {name} of {size:,} characters" for name in ("header", "footer") if (size := getattr(self, name))]
        parts += [f"{count:,} {name}" for name in ("readings", "notes", "bars") if (count := getattr(self, name))]
        return f"{self.library}: {', '.join(parts) or 'nothing'}"


def strip(chunks: Iterable[str], removed: Removed) -> Iterator[str]:
    r"""Take out what a library has added.

    Args:
        chunks: the text, with `\n` for newlines.
        removed: is filled in as the text is read.
    """
    chunks = iter(chunks)
    head = _first(chunks)
    start, length = _header(head, removed)
    removed.header = length
    rest = _chained(head[start:], chunks)
    if removed.library == "Aozora Bunko":
        yield from _without_footer(_without_marks(rest, removed), _AOZORA_END, removed)
    elif removed.library:
        yield from _without_footer(rest, _GUTENBERG_END, removed)
    else:
        yield from rest


def notice(chunks: Iterable[str], removed: Removed) -> Iterator[str]:
    """Pass a text on unchanged; `removed.library` tells who has added to it."""
    chunks = iter(chunks)
    head = _first(chunks)
    _header(head, removed)
    yield from _chained(head, chunks)


def _first(chunks: Iterator[str]) -> str:
    """The first `EDGE` characters or a few more."""
    parts, length = [], 0
    for chunk in chunks:
        parts.append(chunk)
        length += len(chunk)
        if length >= EDGE:
            break
    return "".join(parts)


def _chained(head: str, chunks: Iterable[str]) -> Iterator[str]:
    if head:
        yield head
    yield from chunks


def _header(head: str, removed: Removed) -> tuple[int, int]:
    """Where the text proper begins, and the length of what stands before it; tells `removed` whose text it is."""
    edge = head[:EDGE]
    for library, pattern in (("Project Gutenberg", _GUTENBERG_START), ("Aozora Bunko", _AOZORA_START)):
        if found := pattern.search(edge):
            removed.library = library
            return found.end(), found.end()
    if _AOZORA_MARKS.search(edge):
        removed.library = "Aozora Bunko"
    return 0, 0


def _without_marks(chunks: Iterable[str], removed: Removed) -> Iterator[str]:
    """Take out readings, notes and bars. One that begins `LONGEST_MARK` before the end is known to be whole or none."""
    held = ""
    for chunk, final in chain(zip(chunks, repeat(False)), [("", True)]):
        held += chunk
        limit = len(held) if final else len(held) - LONGEST_MARK
        parts, place = [], 0
        for found in _MARKS.finditer(held):
            if found.start() >= limit:
                break
            parts.append(held[place : found.start()])
            place = found.end()
            kind = str(found.lastgroup)
            setattr(removed, kind, getattr(removed, kind) + 1)
        parts.append(held[place : max(place, limit)])
        held = held[max(place, limit) :]
        if text := "".join(parts):
            yield text


def _without_footer(chunks: Iterable[str], footer: re.Pattern[str], removed: Removed) -> Iterator[str]:
    """Take out what stands from the footer's first line on, and the empty lines before it."""
    held = ""
    for chunk in chunks:
        held += chunk
        if len(held) > EDGE:
            yield held[:-EDGE]
            held = held[-EDGE:]
    if found := footer.search(held):
        text = held[: found.start()].rstrip() + "\n"
        removed.footer = len(held) - len(text)
        held = text
    if held:
        yield held
