"""Normalises the characters of a text, in chunks of any size, with the same result as for the whole text."""

import functools
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

REPLACEMENT = "\ufffd"  # stands for rare symbols; Unicode's own, so no text has it that was read without loss

MOST_MARKS = 1000  # that combine with one character; Python takes the square of their number of steps to order them

UNIDATA_VERSION = unicodedata.unidata_version  # of Unicode's tables: others may give another normalised text


class MarksError(ValueError):
    """A text has a longer run of combining marks than any script has; `place` is where it begins."""

    def __init__(self, place: int) -> None:
        """At that character."""
        super().__init__(
            f"has more than {MOST_MARKS:,} combining marks in a row, from character {place:,} on; "
            "expected readable text"
        )
        self.place = place


@dataclass(frozen=True)
class Normalisation:
    """The normalisation of every text that a model reads: its training text, evaluated texts, seed phrases.

    Attributes:
        unicode: the form of Unicode (Unicode Standard Annex 15): `none` leaves characters as they are, `nfc` composes
            them, `nfkc` also replaces what is merely another shape.
        lowercase: whether to convert to lowercase afterwards.
    """

    unicode: str = "nfc"
    lowercase: bool = False

    def __call__(self, text: str) -> str:
        """Normalise one whole text, newlines too; `MarksError` if it is none."""
        return "".join(self.stream([with_lf(text)]))

    def stream(self, chunks: Iterable[str]) -> Iterator[str]:
        r"""Normalise a text that comes in chunks, whose newlines are `\n` already.

        Raises:
            MarksError: it has more than `MOST_MARKS` combining marks in a row.
        """
        chunks = _without_runs(chunks)
        if self.unicode != "none":
            form: Literal["NFC", "NFKC"] = "NFC" if self.unicode == "nfc" else "NFKC"
            chunks = _in_parts(chunks, begins_anew, lambda text: unicodedata.normalize(form, text))
        if self.lowercase:
            chunks = _in_parts(chunks, _parts_words, str.lower)
        return iter(chunks)


def stretches(text: str, size: int) -> Iterator[str]:
    """Cut a text into stretches that any normalisation changes one by one as it changes the whole text.

    Args:
        text: not normalised.
        size: the least number of characters of a stretch; the last may have fewer.
    """
    start = 0
    while start < len(text):
        end = start + size
        while end < len(text) and not (begins_anew(text[end]) and _parts_words(text[end])):
            end += 1
        yield text[start:end]
        start = end


def with_lf(text: str) -> str:
    r"""The text with `\n` for every newline."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _without_runs(chunks: Iterable[str]) -> Iterator[str]:
    """The same chunks, unless there is too long a run of marks: every so many-th character must be in it."""
    read = run = 0  # characters, and how many marks are at their end
    for chunk in chunks:
        if not chunk.isascii():
            if run + _marks(chunk, 0, 1) > MOST_MARKS:
                raise MarksError(read - run)
            for place in range(MOST_MARKS, len(chunk), MOST_MARKS):
                if not begins_anew(chunk[place]):
                    before = _marks(chunk, place - 1, -1)
                    if before + _marks(chunk, place, 1) > MOST_MARKS:
                        raise MarksError(read + place - before)
        ending = _marks(chunk, len(chunk) - 1, -1)
        run = ending + (run if ending == len(chunk) else 0)
        read += len(chunk)
        yield chunk


def _marks(text: str, place: int, step: int) -> int:
    """How many characters combine with the one before them, from a place on or back; of too many the first ones."""
    count = 0
    while 0 <= place < len(text) and count <= MOST_MARKS and not begins_anew(text[place]):
        place, count = place + step, count + 1
    return count


def _in_parts(chunks: Iterable[str], is_border: Callable[[str], bool], change: Callable[[str], str]) -> Iterator[str]:
    """Change a text part by part, each beginning at a border: what stands before one does not depend on what follows.

    Args:
        chunks: the text.
        is_border: whether a character may begin a part.
        change: of a part.
    """
    held = ""
    for chunk in chunks:
        place = next((place for place in range(len(chunk) - 1, -1, -1) if is_border(chunk[place])), None)
        if place is None:
            held += chunk
        elif part := held + chunk[:place]:
            yield change(part)
            held = chunk[place:]
        else:
            held = chunk
    if held:
        yield change(held)


@functools.lru_cache(2**14)
def begins_anew(symbol: str) -> bool:
    """Whether a character never combines with what stands before it, in any form of Unicode.

    Such is one whose decomposition begins neither with a mark nor with the second or third part of a Hangul syllable.
    (From Unicode 16 on there are others, in the range of Kirat Rai.)
    """
    if symbol.isascii():
        return True
    first = unicodedata.normalize("NFKD", symbol)[0]
    joins = "\u1160" <= first <= "\u11ff" or "\ud7b0" <= first <= "\ud7ff" or "\U00016d40" <= first <= "\U00016d7f"
    return not joins and not unicodedata.category(first).startswith("M")


def _parts_words(symbol: str) -> bool:
    """Whether a character ends the word before it, which decides how a capital sigma is made small."""
    if symbol.isspace() or symbol.isdecimal():
        return True
    return unicodedata.category(symbol) == "Lo" and symbol.lower() == symbol and not symbol.islower()
