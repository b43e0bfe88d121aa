"""Where a text may end: with a line, a sentence or a paragraph, looked for as the text is written.

What follows decides: `3.14` goes on, and so does a closing quote after a full stop. So an end is found with the
character behind it, and neither that nor any white space before it belongs to the text any more.
"""

import re
from collections.abc import Callable, Iterable
from typing import Literal, get_args

from textgen.arguments import shown

End = Literal["line", "sentence", "paragraph"]

MOST_MORE = 500  # characters by which a text goes on to its end
BEHIND = 64  # characters of the text that decide

# Unicode's Sentence_Terminal (PropList.txt), as far as people write with it today. A sentence is over, come what may:
CLEAR = (
    "\u0589\u061d-\u061f\u06d4\u0700-\u0702\u07f9"  # Armenian, Arabic and Urdu, Syriac, N'Ko
    "\u0964\u0965\ua8ce\ua8cf\uabeb\u104a\u104b\u17d4\u17d5"  # dandas of India, Meetei Mayek, Burmese, Khmer
    "\u1362\u1367\u1368\ua4ff\ua60e\ua60f\ua6f3\ua6f7"  # Ethiopic, Lisu, Vai, Bamum
    "\u166e\u1803\u1809"  # Canadian syllabics, Mongolian
    "。！？｡︒︕︖﹖﹗‼‽⁇⁈⁉"  # Chinese and Japanese, and doubled marks
)
# These, and Greek's question mark, stand inside of numbers and sentences too: white space and no small letter follows.
UNCLEAR = ".!?…‥．﹒"
CLOSING = "\"'”’»›)\\]}）］｝〕】》〉」』〗〙｣"
AS_CLOSING = "“‘«‹"  # where they do not open: in German and Danish, behind what is unclear

BELONGING = re.compile(f"[{CLEAR}{UNCLEAR}{CLOSING}]")
ENDED_CLEARLY = re.compile(f"[{CLEAR}][{CLEAR}{UNCLEAR}]*[{CLOSING}]*$|[」』]$")
ENDED = re.compile(f"(?:[{UNCLEAR}]|(?<=[\u0370-\u03ff\u1f00-\u1fff]);)[{CLOSING}{AS_CLOSING}]*\\s+$")
ABBREVIATED = re.compile(r"(?:^|\W)[^\W\d_]\w{0,2}\.\s+$")  # Mr. and Dr., if it begins with a capital


def _line(text: str, after: str) -> bool:
    return after == "\n"


def _sentence(text: str, after: str) -> bool:
    if BELONGING.match(after) and not text[-1].isspace():
        return False
    clearly = ENDED_CLEARLY.search(text)
    if clearly and (clearly[0] not in "」』" or after == "\n"):  # a speech in Japanese is a line without a full stop
        return True
    may_begin = not after.isspace() and not after.islower()
    return may_begin and bool(ENDED.search(text)) and not _is_abbreviated(text)


def _is_abbreviated(text: str) -> bool:
    """Whether a full stop is more likely that of a title or an initial than that of a sentence."""
    found = ABBREVIATED.search(text)
    return bool(found and found[0].strip(" \n\"'(“‘«")[0].isupper())


def _paragraph(text: str, after: str) -> bool:
    """An empty line, an indented one, or one that begins with a Japanese speech."""
    return text.endswith("\n") and (after.isspace() or after in "「『")


ENDS: dict[End, Callable[[str, str], bool]] = {"line": _line, "sentence": _sentence, "paragraph": _paragraph}


class EndFinder:
    """Lets a text that is long enough through up to its end, holding back only white space.

    Attributes:
        found: whether the end was met.
    """

    def __init__(self, end: End, written: str) -> None:
        """Take what to look for, and what was written before, which may have ended there, or with white space behind.

        Raises:
            ValueError: `end` is none of the three.
        """
        if end not in get_args(End):
            raise ValueError(f"`end` must be one of {', '.join(get_args(End))}, not {shown(end)}")
        self.found = False
        self._ends = ENDS[end]
        self._held = ""
        self._text = written.rstrip()
        for symbol in written[len(self._text) :]:
            self._take(symbol)

    def feed(self, symbols: Iterable[str]) -> str:
        """Take the next characters; return what is now certain to belong to the text."""
        return "".join([self._feed_one(symbol) for symbol in symbols])

    def flush(self) -> str:
        """Return what was held back, when no more text comes."""
        held, self._held = self._held, ""
        return held

    def _feed_one(self, symbol: str) -> str:
        self._take(symbol)
        if self.found:
            return ""
        self._held += symbol
        return "" if symbol.isspace() else self.flush()

    def _take(self, symbol: str) -> None:
        if self._text and not self._text.isspace() and self._ends(self._text, symbol):
            self.found, self._held = True, ""
        self._text = (self._text + symbol)[-BEHIND:]


class Ending:
    """Lets a text through up to its first end after so many characters, as `EndFinder` finds it."""

    def __init__(self, end: End, length: int) -> None:
        """Take what to look for, and the characters before; `ValueError` if there is no such end."""
        self._end, self._left, self._tail = end, length, ""
        self._finder = EndFinder(end, "")

    @property
    def found(self) -> bool:
        """Whether the end was met."""
        return not self._left and self._finder.found

    def feed(self, symbols: str) -> str:
        """Take the next characters; return what is now certain to belong to the text."""
        if not self._left:
            return self._finder.feed(symbols)
        before, after = symbols[: self._left], symbols[self._left :]
        self._left -= len(before)
        self._tail = (self._tail + before)[-BEHIND:]
        if self._left:
            return before
        self._finder = EndFinder(self._end, self._tail)
        return before + self._finder.feed(after)

    def flush(self) -> str:
        """Return what was held back, when no more text comes."""
        return self._finder.flush()
