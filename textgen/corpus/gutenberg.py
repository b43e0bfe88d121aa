"""Finds what Project Gutenberg has added to texts since 1991: headers, licences, closing lines, once or many times.

A header is a stretch in which the library is named again and again and that ends with a line that opens the book:
`*** START OF … PROJECT GUTENBERG …`, or the end of the "small print". It stands at the beginning of a text, after a
footer, or begins with a heading (`The Project Gutenberg EBook of …`). A footer begins with a line that closes the book:
`*** END OF … PROJECT GUTENBERG …`, or a paragraph `End of Project Gutenberg's …`, in any of several languages; it goes
on for as long as the library is named. A sentence, or a marker in quotes, is neither.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from operator import attrgetter
from typing import NamedTuple

from textgen.corpus.removal import (
    Frame,
    Rules,
    after_blank_lines,
    before_blank_lines,
    line_start,
    paragraph_end,
)

LONGEST = 2**15  # characters of a header or a footer; a licence has 19,000
HEADER, FOOTER = 200, 500  # how often a header and a footer name the library at most
NEAR = 2_000  # characters within which the library must be named at the beginning of a header or footer …
GAP = 4_000  # … and after that: the licence's disclaimers go on for 2,500 without
PARAGRAPH = 3_000  # characters of a paragraph of the licence
PAGE = 300  # characters

_SIGN = re.compile("G(?=utenberg|UTENBERG)")  # begins with one letter, which is the quickest to look for
_NAMED = re.compile(  # SMALL PRINT and licences name it, too, where it has been named
    r"Gutenberg|GUTENBERG|Small Print|SMALL PRINT|LICENSE"
    r"|^[ \t*]{0,20}(?:This file should be named|[Ll]icen[cs]e\b)",
    re.MULTILINE,
)
_NAME = r"PROJECT\s{1,3}GUTENBERG"


def _marker(word: str) -> re.Pattern[str]:
    """A line `*** word OF THE PROJECT GUTENBERG EBOOK … ***`, or up to four lines."""
    return re.compile(
        rf"[ \t]{{0,80}}\*{{2,9}}[ \t]{{0,3}}{word}\s{{1,3}}OF\s{{1,3}}(?:(?:THE|THIS)\s{{1,3}})?"
        rf"(?:COPYRIGHTED\s{{1,3}})?{_NAME}\b"
        r"(?:(?:(?:(?!\*\*)[^\n]){0,300}\n(?![ \t]{0,80}\n)){0,3}?(?:(?!\*\*\*)[^\n]){0,300}?\*{2,9}[ \t]{0,80}$"
        r"|(?-i:[^a-z\n*]){0,300}$(?=\n[ \t]{0,80}\n|\n?\Z))",
        re.IGNORECASE | re.MULTILINE,
    )


_START = _marker("START")
_END = _marker("END")
_SMALL_PRINT_END = re.compile(
    r"[ \t]{0,80}\*{1,9}[ \t]?END[ \t*]{1,9}THE SMALL PRINT[^\n]{0,200}(?:\n[^\n]{0,80}END\*{1,9}[ \t]{0,80})?$"
    r'|[ \t]{0,80}\[[ \t]?"Small Print" V\.[^\n]{0,80}$',
    re.IGNORECASE | re.MULTILINE,
)
_LICENCE_END = re.compile(r"hear\s{1,3}about\s{1,3}new\s{1,3}ebooks", re.IGNORECASE)
_SMALL_PRINT = re.compile(r"[ \t]{0,80}\*{1,9}[ \t]?START[ \t*]{1,9}THE SMALL PRINT", re.IGNORECASE)
_HEADING = re.compile(
    r"[ \t*\[\ufeff]{0,40}(?:This is )?(?:(?:The|a) )?(?:COPYRIGHTED )?Project Gutenberg(?:['’]s)?"
    r"(?:,? (?:E-?(?:text|book)|edition|presentation)\b|(?-i: (?=[A-Z\"“])))",
    re.IGNORECASE,
)
_KINDS = {
    "start": _START,  # of a book
    "end": _END,
    "heading": _HEADING,  # of a header
    "small print": _SMALL_PRINT,
    "small print end": _SMALL_PRINT_END,
}
_APART = r"[ \t]{0,80}(?:\n|\*\*|(?:The )?Project Gutenberg)"  # what begins another paragraph
_CLOSING = re.compile(  # the paragraph's beginning: "End of the", "Fin du", "Ende dieses" …
    r"[ \t*\[(.…]{0,80}(?:(?:This is )?the )?"
    r"(?P<language>End|Ende|Fine?|Fim|Finis|Fino|Fi|Einde?|Slut\w{0,5}|Loppu|Koniec|Konec|Vége)\b"
    r"[^\n]{0,40}?\bPRO[JYG]E\w{1,5}[ \n]GUTENBERG"
    r"(?P<work>(?:['’]s)?(?:-tm)?[ \n](?:copyrighted )?(?:E-?(?:text|boo?e?k)\w{0,3}|edition)\b(?! (?-i:(?!of\b)[a-z]))"
    r"|['’]s?[ \n](?-i:(?![a-z])))?"
    rf"(?P<rest>[^\n]{{0,200}}(?:\n(?!{_APART})[^\n]{{1,200}}){{0,3}}\n?)(?={_APART}|\Z)",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"\s{0,80}(?!licen[cs]e)[a-zß-ÿ]")  # what follows a marker within a sentence
_CREDIT = re.compile(  # a paragraph that tells who made the file
    r"(?:This (?:e-?text|e-?book|file|Project Gutenberg e-?(?:text|book)) was (?:first )?(?:produced|prepared|created"
    r"|typed|scanned|transcribed|converted|proofread)"
    r"|(?:(?:E-?text|E-?book|HTML version) )?(?:produced|prepared|scanned|typed|transcribed|digiti[sz]ed"
    r"|proofread)(?: and (?:proofed|proofread|produced))? (?:by|from)\b"
    r"|(?:Produit|Produziert|Prodotto|Producido|Produzido) (?:par|von|da|por)\b"
    r"|Note: Project Gutenberg )"
    r"[^\n]{0,300}(?:\n(?![ \t]{0,80}\n)[^\n]{1,300}){0,9}(?:\n(?=[ \t]{0,80}\n|\Z)|\Z)",
    re.IGNORECASE,
)


class _Named(NamedTuple):
    """A place where the library is named: its line, and what that line is, with the end of that."""

    place: int
    line: int
    kind: str  # of `_KINDS`, or "" for none of these
    end: int


def frames(text: str, place: int, limit: int, last: str | None) -> Iterator[Frame]:
    """Find the headers and footers of Project Gutenberg; see `removal.Frames`."""
    candidates = [found.start() for found in _SIGN.finditer(text, place, limit)]
    if not candidates:
        return
    names = _names(text, place)
    if last is None and (opened := _header_end(text, names, 0)) and opened > candidates[0]:
        yield Frame("header", 0, opened)
        place, last = opened, "header"
    openings = [named.line for named in names if named.kind in ("start", "small print end")]
    for found in candidates:
        for line in _lines(text, found, place):
            if (closed := _closed(text, line, last)) and closed > found:
                start = before_blank_lines(text, line, place)
                for frame in _after_book(text, names, start, closed):
                    yield frame
                    place, last = frame.end, frame.kind
                break
            if not _near(openings, line):
                continue
            if _kind(text, line)[0] == "heading" and (opened := _header_end(text, names, line)):
                yield Frame("header", *_parted(text, line, opened))
                place, last = opened, "header"
                break


def _names(text: str, start: int) -> list[_Named]:
    """All places from one on where the library is named."""
    names = []
    for found in _NAMED.finditer(text, start):
        kind, line, end = "", found.start(), found.end()
        for line in _lines(text, end - 1, start):
            kind, end = _kind(text, line)
            if kind and end >= found.end():
                break
        names.append(_Named(found.end(), line, kind, max(end, found.end())))
    return names


def _kind(text: str, line: int) -> tuple[str, int]:
    """What a line is, and where that ends."""
    for kind, pattern in _KINDS.items():
        if found := pattern.match(text, line):
            return kind, found.end()
    return "", line


def _lines(text: str, place: int, floor: int) -> Iterator[int]:
    """The line above that of a place, since a marker may be broken between two words, and that of the place."""
    line = line_start(text, place)
    if line is None or line < floor:
        return
    above = line_start(text, line - 1) if line else None
    if above is not None and above >= floor:
        yield above
    yield line


def _header_end(text: str, names: Sequence[_Named], place: int) -> int | None:
    """Where the book begins whose header begins at a place; None if none does."""
    last, reach, headed = place, NEAR, False
    for named in _from(names, place, HEADER):
        if named.place - last > reach:
            return None
        if named.kind == "small print end":
            return _after_credits(text, _last_opening(names, named.end))
        if named.kind == "start":
            near = named.line == place or (named.line - place < NEAR // 2 and text[named.line] == "*")
            return _after_credits(text, named.end) if headed or near else None
        if named.kind == "end":
            return None
        headed = headed or named.kind in ("heading", "small print")
        last, reach = named.place, GAP
    return None


def _from(names: Sequence[_Named], place: int, most: int) -> Iterator[_Named]:
    """The places from one on where the library is named, as far as a header or footer can go."""
    first = bisect_left(names, place, key=attrgetter("place"))
    return takewhile(lambda named: named.place < place + LONGEST, islice(names, first, first + most))


def _near(places: Sequence[int], place: int) -> bool:
    """Whether one of some places, in order, is after a place and no farther away than a header is long."""
    following = bisect_left(places, place)
    return following < len(places) and places[following] < place + LONGEST


def _last_opening(names: Sequence[_Named], place: int) -> int:
    """The end of a `*** START OF` that follows the small print, or of the small print."""
    following = takewhile(lambda named: named.place < place + NEAR, _from(names, place, HEADER))
    marker = next((named for named in following if named.kind), None)
    return marker.end if marker and marker.kind == "start" else place


def _after_credits(text: str, place: int) -> int:
    """Where the book begins after the line that opens it."""
    place = after_blank_lines(text, place)
    for _ in range(3):
        if not (credit := _CREDIT.match(text, place)):
            break
        place = after_blank_lines(text, credit.end())
    return place


def _closed(text: str, line: int, last: str | None) -> int | None:
    """Where the marker or paragraph ends that closes a book at a line; None if the line is text."""
    above = text[max(0, line - 200) : line]
    alone = not above.strip() or bool(re.search(r"\n[ \t]*\n\Z", above))
    if marker := _END.match(text, line):
        return _marker_end(text, marker, last, alone=alone and not above.rstrip().endswith((":", ",")))
    if alone and last == "header" and _HEADING.match(text, line):
        end = paragraph_end(text, line, PAGE)  # "The Project Gutenberg Etext of …" closes a book where nothing follows
        return end if after_blank_lines(text, end) == len(text) else None
    closing = _CLOSING.match(text, line)
    return closing.end() if closing and _is_closing(text, closing, alone=alone) else None


def _marker_end(text: str, marker: re.Match[str], last: str | None, *, alone: bool) -> int | None:
    """Where `*** END OF …` ends, if it is not quoted; whatever is left after it and is short goes with it."""
    end = min(len(text), marker.end() + 1)
    if _GOES_ON.match(text, end):  # the sentence goes on
        return None
    if _goes_on(text, end):
        return end
    if last == "header" and len(text) - end < PAGE:
        return len(text)
    blank = after_blank_lines(text, end) > end
    return end if alone and blank and marker[0].startswith("*") else None


def _is_closing(text: str, closing: re.Match[str], *, alone: bool) -> bool:
    """Whether a paragraph that begins "End of Project Gutenberg" says no more than this."""
    if closing["work"] and _END.match(text, after_blank_lines(text, closing.end())):
        return True
    if not alone or not (closing["work"] or closing["language"].lower() != "end"):
        return False
    sentence = closing["rest"].rstrip().endswith((".", "!", "?", ";"))
    return bool(closing["work"] and not sentence) or _goes_on(text, closing.end())


def _goes_on(text: str, place: int) -> bool:
    """Whether the text ends at a place, but for empty lines, or the library is named next."""
    place = after_blank_lines(text, place)
    return place == len(text) or bool(_NAMED.search(text, place, min(len(text), place + 300)))


def _after_book(text: str, names: Sequence[_Named], start: int, closed: int) -> Iterator[Frame]:
    """The footer whose first paragraph ends at a place, and the header of the next book, if it follows."""
    end = _footer_end(text, names, closed)
    opened = _header_end(text, names, end)
    first, last = _parted(text, start, end if opened is None else opened)
    if opened is None:
        yield Frame("footer", first, last)
    else:
        yield Frame("footer", first, end)
        yield Frame("header", end, last)


def _footer_end(text: str, names: Sequence[_Named], closed: int) -> int:
    """Where a footer ends: with its last paragraph that names the library, or where the next header begins."""
    last, reach, heading = closed, NEAR, None
    for named in _from(names, closed, FOOTER):
        if named.place - last > reach:
            break
        if named.kind == "heading":
            heading = heading or named.line
        if named.kind == "start":
            return heading or named.line
        if named.kind == "small print end":
            return heading or after_blank_lines(text, named.end)
        if named.kind == "end" and named.line - last > PAGE:  # a short book stands in between
            break
        last, reach = named.place, GAP
        if ending := _LICENCE_END.search(text, last, last + 500):
            last = ending.end()
            break
    return after_blank_lines(text, last if last == closed else paragraph_end(text, last, PARAGRAPH))


def _parted(text: str, start: int, end: int) -> tuple[int, int]:
    """What to take out of a stretch, so that an empty line stands between what is before it and what is after it."""
    if end == len(text) or text.endswith("\n\n", 0, start):
        return start, end
    if text.startswith("\n", start):
        return start + 1, end
    return start, end - text.endswith("\n\n", 0, end)


RULES = Rules("Project Gutenberg", lambda text: bool(_SIGN.search(text)), frames)
