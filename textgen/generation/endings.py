"""Where a text may end: after a line, a sentence or a paragraph, detected while the text is generated.

What follows decides: `3.14` has no end at the point, nor has a sentence before its closing quote. So an end is detected
at the character after it; neither that character nor white space before it belongs to the text.
"""

import re
from collections.abc import Callable, Iterable
from typing import Literal, get_args

from textgen.arguments import shown

End = Literal["line", "sentence", "paragraph"]

MOST_MORE = 500  # characters by which a text may be longer than `length` to reach its end
BEHIND = 64  # last characters of the text that are examined

# Unicode's Sentence_Terminal (PropList.txt), for scripts in use today. These always end a sentence:
CLEAR = (
    "\u0589\u061d-\u061f\u06d4\u0700-\u0702\u07f9"  # Armenian, Arabic and Urdu, Syriac, N'Ko
    "\u0964\u0965\ua8ce\ua8cf\uabeb\u104a\u104b\u17d4\u17d5"  # dandas of India, Meetei Mayek, Burmese, Khmer
    "\u1362\u1367\u1368\ua4ff\ua60e\ua60f\ua6f3\ua6f7"  # Ethiopic, Lisu, Vai, Bamum
    "\u166e\u1803\u1809"  # Canadian syllabics, Mongolian
    "。！？｡︒︕︖﹖﹗‼‽⁇⁈⁉"  # Chinese and Japanese, and doubled marks
)
# These and the Greek question mark also occur inside numbers and sentences: they end one only before white space that
# no lowercase letter follows.
UNCLEAR = ".!?…‥．﹒"
CLOSING = "\"'”’»›)\\]}）］｝〕】》〉」』〗〙｣"
AS_CLOSING = "“‘«‹"  # where they do not open: in German and Danish, after an unclear mark

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
    """Whether a full stop more likely belongs to a title or an initial than ends a sentence."""
    found = ABBREVIATED.search(text)
    return bool(found and found[0].strip(" \n\"'(“‘«")[0].isupper())


def _paragraph(text: str, after: str) -> bool:
    """An empty line, an indented one, or one that begins with a Japanese speech."""
    return text.endswith("\n") and (after.isspace() or after in "「『")


ENDS: dict[End, Callable[[str, str], bool]] = {"line": _line, "sentence": _sentence, "paragraph": _paragraph}


class EndFinder:
    """Passes a text on up to its end, and holds back only white space.

    Attributes:
        found: whether the end was found.
    """

    def __init__(self, end: End, written: str) -> None:
        """Look for `end` after the text written so far, which may be at its end already, or in white space after it.

        Raises:
            ValueError: `end` is not `line`, `sentence` or `paragraph`.
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
        """Process the next characters; return what is now certain to belong to the text."""
        return "".join([self._feed_one(symbol) for symbol in symbols])

    def flush(self) -> str:
        """Return what was held back, once no more text follows."""
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
    """Passes a text on up to the first end that `EndFinder` finds after `length` characters."""

    def __init__(self, end: End, length: int) -> None:
        """Look for `end` after `length` characters; `ValueError` if there is no such end."""
        self._end, self._left, self._tail = end, length, ""
        self._finder = EndFinder(end, "")

    @property
    def found(self) -> bool:
        """Whether the end was found."""
        return not self._left and self._finder.found

    def feed(self, symbols: str) -> str:
        """Process the next characters; return what is now certain to belong to the text."""
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
        """Return what was held back, once no more text follows."""
        return self._finder.flush()
