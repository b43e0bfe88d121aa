"""Finds what Aozora Bunko adds to a text: an explanation of its marks, a colophon, and the marks themselves.

Title, author and the explanation between lines of dashes stand first, and last a colophon of lines such as 底本：「…」,
入力：…, 校正：…. In between stand readings (ruby) 《…》, with ｜ before the words read if they are not just the kanji
before the reading, and notes ［＃…］. A reading is of kana, so that titles in 《》 are text.
(https://www.aozora.gr.jp/annotation/)
"""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain

from textgen.corpus.removal import (
    Frame,
    Removed,
    Rules,
    after_blank_lines,
    before_blank_lines,
    line_start,
    near_signs,
    paragraph_end,
)

LIBRARY = "Aozora Bunko"
LONGEST = 2**14  # characters of a colophon
TITLE = 300  # characters of title and author before the explanation
EXPLANATION = 4_000  # characters of it
LONGEST_MARK = 25_000  # characters: a note of 300 parts, each a character or a note of 80

_EXPLAINED = ("テキスト中に現れる記号", "入力者注", "ルビの付く文字列")
_SIGNS = [re.compile(pattern) for pattern in ("《", "＃", "底(?=本)", "校(?=正)", "青(?=空文庫)")]  # quick to look for
_CANDIDATE = re.compile("|".join([*_EXPLAINED, "底本", "入力", "校正", "青空文庫"]))

_RULE = re.compile(r"^[ \u3000]?[-‐‑‒–—―─━－ー＿_=＝]{10,200}[ \u3000]{0,9}(?:\n|\Z)", re.MULTILINE)
_KEY = re.compile(
    r"^[ \u3000]{0,9}(?P<key>底本|初出|親本|入力|校正|ファイル作成|青空文庫作成ファイル"
    r"|このファイルは、インターネットの図書館)"
    r"[^：:\n]{0,8}(?:[：:]|[ \u3000]{0,3}[「『]|(?<=図書館)、)",
    re.MULTILINE,
)
_SENTENCE = re.compile(r"[^\n]{0,2000}。[ \u3000]{0,9}(?:\n[ \t\u3000]{0,200}\n|\n?\Z)")
_MORE = re.compile(r"[ \u3000]{0,9}(?:[●※・]|(?:19|20)\d\d年|青空文庫|\d{1,2}版)|" + _KEY.pattern[1:])

_KANJI = r"[々〆〇ヶヵ仝〻㐀-䶿一-鿿豈-﫿\U00020000-\U000323af]"
_KANA = r"[ぁ-ゟ゠-ヿㇰ-ㇿｦ-ﾟ]"
_READING = rf"《[／＼″〳〴〵 \u3000]{{0,2}}{_KANA}(?:{_KANA}|[／＼″〳〴〵、，’！？!?… \u3000]){{0,59}}》"
_NOTE = r"［＃(?:[^［］]|［[^［］]{0,80}］){0,300}+］"
_MARKS = re.compile(
    rf"(?P<note>{_NOTE})(?P<after>{_READING})?"
    rf"|《(?<={_KANJI}《){_READING[1:]}"
    rf"|｜(?P<base>(?:［＃[^［］]{{0,200}}］|[^｜《》［］\n]){{1,40}}+)(?:{_READING})"
    rf"|｜(?P<kana>{_KANA}{{1,40}}+)《{_KANJI}{{1,20}}》"
    rf"|(?P<bar>｜)"
)
_NOTES = re.compile(_NOTE)
_LAST = re.compile(_KANJI + "|※")


def frames(text: str, place: int, limit: int, last: str | None) -> Iterator[Frame]:
    """Find the explanations and colophons of Aozora Bunko; see `removal.Frames`."""
    for found in [match.start() for match in _CANDIDATE.finditer(text, place, limit)]:
        if found < place:
            continue
        if text.startswith(_EXPLAINED, found):
            if explained := _explanation(text, found, place):
                start = 0 if last is None and explained[0] < TITLE else explained[0]
                yield Frame("header", start, explained[1])
                place, last = explained[1], "header"
            continue
        line = line_start(text, found)
        if line is None or line < place or not (end := _colophon_end(text, line)):
            continue
        yield Frame("footer", before_blank_lines(text, line, place), end)
        place, last = end, "footer"
        if following := _next_explanation(text, end):
            yield Frame("header", end, following)
            place = following


def without_marks(chunks: Iterable[str], removed: Removed) -> Iterator[str]:
    """Remove readings, notes and bars. One that begins `LONGEST_MARK` before the end is known to be whole or none.

    A bar without a reading goes if the text's first header says what bars are: others have taken out the readings.
    """
    held, place = "", 0  # one character before `place` is there as context alone
    chunks = iter(chunks)
    first = next(chunks, "")
    explained = any(piece["library"] == LIBRARY and piece["kind"] == "header" for piece in removed.pieces)
    signs = "《＃｜" if explained else "《＃"
    has_signs = partial(_has_any, characters=signs)
    for block, near, final in near_signs(chain([first], chunks), has_signs, LONGEST_MARK):
        if not near:
            yield held[place:]
            yield block
            held, place = block[-1:], len(block[-1:])
            continue
        held += block
        limit = len(held) if final else len(held) - LONGEST_MARK
        parts = []
        for found in _MARKS.finditer(held, place):
            if found.start() >= limit:
                break
            if explained or not found["bar"]:
                parts += [held[place : found.start()], _without(found, removed)]
                place = found.end()
        if limit > place:
            parts.append(held[place:limit])
            place = limit
        held, place = held[max(0, place - 1) :], min(place, 1)
        yield "".join(parts)
    yield held[place:]


def _has_any(text: str, characters: str) -> bool:
    return any(character in text for character in characters)


def _without(found: re.Match[str], removed: Removed) -> str:
    """What stays of a mark: the words under a reading."""
    whole, before = found[0], found.string[found.start() - 1 : found.start()]
    if base := found["base"] or found["kana"]:
        kept, notes = _NOTES.subn("", base)
        removed.bars, removed.readings, removed.notes = removed.bars + 1, removed.readings + 1, removed.notes + notes
    elif found["note"]:
        kept = "" if _LAST.match(before) else found["after"] or ""
        removed.notes += 1
        removed.readings += bool(found["after"] and not kept)
    elif found["bar"]:
        kept = ""
        removed.bars += 1
    else:
        kept = ""
        removed.readings += 1
    removed.characters += len(whole) - len(kept)
    removed.belongs_to(LIBRARY)
    return kept


def _explanation(text: str, place: int, floor: int) -> tuple[int, int] | None:
    """The lines of dashes around an explanation that a place is in, and all between them."""
    above = list(_RULE.finditer(text, max(floor, place - EXPLANATION // 2), place))
    below = _RULE.search(text, place, min(len(text), place + EXPLANATION))
    if not above or not below or not re.search("[《＃]", text[above[-1].start() : below.start()]):
        return None
    return above[-1].start(), after_blank_lines(text, below.end())


def _next_explanation(text: str, place: int) -> int | None:
    """The end of an explanation that follows with a title before it."""
    following = _CANDIDATE.search(text, place, min(len(text), place + TITLE + 100))
    explained = _explanation(text, following.start(), place) if following else None
    return explained[1] if explained else None


def _colophon_end(text: str, line: int) -> int | None:
    """Where the colophon ends that begins at a line; None if that is text."""
    first = _KEY.match(text, line)
    if not first or _is_sentence(text, line) or _goes_on(text, line):
        return None
    end = place = line
    while place == line or (place - line < LONGEST and _MORE.match(text, place)):
        end = paragraph_end(text, place, LONGEST)
        place = after_blank_lines(text, end)
        if end == place:
            break
    keys = {found["key"] for found in _KEY.finditer(text, line, end)}
    titled = first["key"] == "底本" and re.search(r"[「『]", first[0] + text[first.end() : first.end() + 1])
    signed = re.search("底本|校正|青空文庫", text[line:end])
    sure = signed and (len(keys) > 1 or "青空文庫" in signed[0] or (titled and place == len(text)))
    return place if sure else None


def _is_sentence(text: str, line: int) -> bool:
    """Whether a line is a paragraph by itself that ends as a sentence does."""
    found = _SENTENCE.match(text, line)
    return bool(found and "インターネットの図書館" not in found[0])


def _goes_on(text: str, line: int) -> bool:
    """Whether what stands above a line begins a colophon, or would."""
    above = line_start(text, before_blank_lines(text, line, max(0, line - TITLE)) - 1) if line else None
    return bool(above is not None and _KEY.match(text, above) and not _is_sentence(text, above))


RULES = Rules(LIBRARY, lambda text: any(sign.search(text) for sign in _SIGNS), frames)
