"""What is told of each character of a text: whether it is in quotation marks, its position in the line, and so on.

A network's state at a character is what it holds after having read it, so a feature says what can be known then: an
opening quotation mark is inside, a closing one is not, and the first of four spaces has an indentation of 1.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import shown
from textgen.errors import CorpusError
from textgen.evaluation.words import WORD, words
from textgen.generation.endings import BEHIND, ENDS

Spans = Iterable[tuple[int, int]]  # where each begins, and where it has ended

QUOTES = {
    **{"“": "”", "„": "“”", "«": "»", "‹": "›", "‘": "’"},
    **{"「": "」", "『": "』", "｢": "｣", "〝": "〟〞"},
}
BRACKETS = {
    **{"(": ")", "[": "]", "{": "}", "⟨": "⟩"},
    **{"（": "）", "［": "］", "｛": "｝", "〔": "〕", "〈": "〉", "《": "》", "【": "】", "〖": "〗", "〘": "〙"},
}
STRAIGHT = '"'
PARAGRAPH = re.compile(r"\n[^\S\n]*\n")
NAME = re.compile(r"([^\W\d_][\w '’\-]{0,39})([.:：]?)(?=\s|$)")  # that may begin a line, and what follows it
MOST_WORDS = 5  # of such a name
NO_NAME = re.compile(r"(?:ACT|SCENE|CHAPTER|BOOK|PART|EPILOGUE|PROLOGUE)\b|[IVXLC]+$")  # headings


@dataclass(frozen=True, eq=False)
class Feature:
    """A feature of each character of a text.

    Attributes:
        name: as it was asked for: a name of `NAMED`, or a regular expression.
        what: in words, "position in the line" for instance.
        values: float32 `(N,)`: 0 or 1 for no or yes; or a number.
        graded: whether it is a number.
    """

    name: str
    what: str
    values: NDArray[np.float32]
    graded: bool


class _Kind(NamedTuple):
    what: str
    graded: bool
    of: Callable[[str], NDArray[np.float32]]


def feature(name: str, text: str) -> Feature:
    """A feature of each character of a text.

    Args:
        name: `quotes`, `line`, `word`, `sentence`, `speaker`, `brackets`, `indent`, or a regular expression, which is
            1 for the characters inside a match; `^` and `$` are the ends of lines.
        text: N characters.

    Raises:
        ValueError: it is neither such a name nor a regular expression.
        CorpusError: it is the same for all characters, or the text's words have no space between them.
    """
    kind = NAMED.get(name)
    if kind is None:
        pattern = compiled("find", name)
        kind = _Kind(f"inside a match of {called(name)}", False, lambda text: _inside(_matched(pattern, text), text))
    values = kind.of(text)
    _refuse_same(name, kind, values)
    return Feature(name, kind.what, values, kind.graded)


def compiled(argument: str, pattern: str) -> re.Pattern[str]:
    """A regular expression, whose `^` and `$` are the ends of lines; `ValueError` with the reason if it is none."""
    try:
        return re.compile(pattern, re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as error:
        names = f"one of {', '.join(NAMED)}, or " if argument == "find" else ""
        raise ValueError(
            f"`{argument}` must be {names}a regular expression, which {called(pattern)} is not: {error}"
        ) from error


def called(name: str) -> str:
    """A feature's name as messages have it: a regular expression is quoted."""
    return name if name in NAMED else shown(name).replace("\\\\", "\\")


def _refuse_same(name: str, kind: _Kind, values: NDArray[np.float32]) -> None:
    """Raise `CorpusError` for a feature that tells no character from another."""
    size = f"this text of {len(values):,} characters"
    if not len(values):
        raise CorpusError(f"{called(name)}: the text is empty; expected one in which there is something to find")
    low, high = float(values.min()), float(values.max())
    if low < high:
        return
    if kind.graded:
        why = f"the {kind.what} is {low:g} throughout {size}"
    else:
        why = f"never occurs in {size}" if high == 0 else f"is true of every character of {size}"
    raise CorpusError(f"{called(name)}: {why}, so no cell can tell it; look for another feature, or in another text")


def _line(text: str) -> NDArray[np.float32]:
    """How many characters of the line were before."""
    ends = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4") == ord("\n")
    return _since(np.append(True, ends[:-1])[: len(ends)])


def _since(begins: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far each place is behind the last one where something begins."""
    places = np.arange(len(begins))
    return (places - np.maximum.accumulate(np.where(begins, places, 0))).astype(np.float32)


def _word(text: str) -> NDArray[np.float32]:
    """Which of its word's letters it is, from 1; 0 between words."""
    if words(text) is None:
        raise CorpusError(
            "word: most letters of this text are of a script that puts no space between words; "
            "look for `find=line` or `find=sentence`"
        )
    values = np.zeros(len(text), np.float32)
    for found in WORD.finditer(text):
        values[found.start() : found.end()] = np.arange(1, found.end() - found.start() + 1)
    return values


def _sentence(text: str) -> NDArray[np.float32]:
    """How many characters of the sentence were before; sentences end as those that are generated do."""
    ended, begins = ENDS["sentence"], np.zeros(len(text), bool)
    for place in range(1, len(text)):
        if text[place - 1].isalnum():
            continue
        before = text[max(0, place - BEHIND) : place]
        begins[place] = not before.isspace() and ended(before, text[place])
    return _since(begins)


def _indent(text: str) -> NDArray[np.float32]:
    """By how many characters the line is indented; in its white space, how many there were so far."""
    sizes = []
    for line in text.split("\n"):
        size = len(line) - len(line.lstrip())
        whole = np.full(len(line) + 1, size, np.float32)  # with its newline
        whole[:size] = np.arange(1, size + 1)
        sizes.append(whole)
    return np.concatenate(sizes)[:-1]


def _inside(spans: Spans, text: str) -> NDArray[np.float32]:
    """Whether each character is in one of some spans."""
    steps = np.zeros(len(text) + 1, np.int32)
    for begin, end in spans:
        steps[begin] += 1
        steps[end] -= 1
    return (np.cumsum(steps)[:-1] > 0).astype(np.float32)


def _matched(pattern: re.Pattern[str], text: str) -> Spans:
    return ((found.start(), found.end()) for found in pattern.finditer(text))


def _quoted(text: str) -> Iterator[tuple[int, int]]:
    """From an opening mark to before its closing one, in the same paragraph."""
    pairs = dict(QUOTES)
    if -1 < text.find("»") < text.find("«"):  # »as in German books«
        pairs = {mark: end for mark, end in pairs.items() if mark != "«"} | {"»": "«"}
    start = 0
    for end in [*(found.end() for found in PARAGRAPH.finditer(text)), len(text)]:
        paragraph = text[start:end]
        straight = [place for place, symbol in enumerate(paragraph) if symbol == STRAIGHT]
        for begin, close in [*_pairs(paragraph, pairs), *zip(straight[::2], straight[1::2], strict=False)]:
            yield start + begin, start + close
        start = end


def _pairs(text: str, pairs: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Where marks open and close that belong to each other; those without a partner are passed over."""
    openings = {symbol: {mark for mark in pairs if symbol in pairs[mark]} for ends in pairs.values() for symbol in ends}
    stack: list[tuple[str, int]] = []
    open_now: Counter[str] = Counter()
    for place, symbol in enumerate(text):
        waiting = [mark for mark in openings.get(symbol, ()) if open_now[mark]]
        if waiting and not _is_apostrophe(text, place):
            while True:
                mark, begin = stack.pop()
                open_now[mark] -= 1
                if mark in waiting:
                    break
            yield begin, place
        elif symbol in pairs:
            stack.append((symbol, place))
            open_now[symbol] += 1


def _is_apostrophe(text: str, place: int) -> bool:
    return text[place] == "’" and text[place + 1 : place + 2].isalpha()


def _speakers(text: str) -> Iterator[tuple[int, int]]:
    """The names before speeches in plays: `First Citizen:`, `HAMLET. To be`, or a line alone before indented ones."""
    lines, start = text.split("\n"), 0
    for number, line in enumerate(lines):
        before = lines[number - 1] if number else ""
        size = _name(line, before, lines[number + 1 : number + 3])
        if size:
            yield start, start + size
        start += len(line) + 1


def _name(line: str, before: str, after: list[str]) -> int:
    """How many characters of a line are a speaker's name, 0 where it does not begin with one."""
    found = NAME.match(line)
    if found is None or line[0].islower():
        return 0
    name, mark = found.groups()
    if NO_NAME.match(name) or len(name.split()) > MOST_WORDS:
        return 0
    capitals, first = name.isupper() and sum(map(str.isupper, name)) > 1, not before.strip()
    if mark:  # and where it is no name in capitals, the speech is in the next line
        is_name = (capitals and (first or mark != ".")) or (first and mark != "." and found.end() == len(line.rstrip()))
    else:
        is_name = first and name[0].isupper() and len(after) == 2 and not after[0].strip() and after[1][:1].isspace()
        is_name = is_name and found.end() == len(line.rstrip())
    return len(name.rstrip()) if is_name else 0


NAMED = {
    "quotes": _Kind("inside quotation marks", False, lambda text: _inside(_quoted(text), text)),
    "line": _Kind("position in the line", True, _line),
    "word": _Kind("position in the word", True, _word),
    "sentence": _Kind("position in the sentence", True, _sentence),
    "speaker": _Kind("in a speaker's name", False, lambda text: _inside(_speakers(text), text)),
    "brackets": _Kind("inside brackets", False, lambda text: _inside(_pairs(text, BRACKETS), text)),
    "indent": _Kind("indentation of the line", True, _indent),
}
