"""Recognises and removes what Project Gutenberg and Aozora Bunko add to texts.

Everything that decides about a place of the text is within a bounded distance of it, so that a text in chunks is
treated exactly as a whole one.
"""

from collections import deque
from collections.abc import Iterable, Iterator

from textgen.corpus import aozora, gutenberg
from textgen.corpus.removal import Removed, without_frames

RULES = 2  # to be raised with each change of what is removed, so that cached codes of older rules are not used
EDGE = 2**16  # characters at each end where additions are noticed without being asked for
SEVERAL = 5  # readings without any other sign that tell a text of Aozora Bunko


def strip(chunks: Iterable[str], removed: Removed) -> Iterator[str]:
    r"""Remove what libraries added.

    Args:
        chunks: the text, with `\n` for newlines.
        removed: is filled in as the text is read.
    """
    for rules in (gutenberg.RULES, aozora.RULES):
        chunks = filter(None, without_frames(chunks, rules, removed))
    yield from filter(None, aozora.without_marks(chunks, removed))


def notice(chunks: Iterable[str], removed: Removed) -> Iterator[str]:
    """Pass a text on unchanged; `removed.library` tells who has added to its first or last `EDGE` characters."""
    head, last, length = "", deque[str](), 0
    for chunk in chunks:
        yield chunk
        if len(head) < EDGE:
            head += chunk[: EDGE - len(head)]
        last.append(chunk)
        length += len(chunk)
        while length - len(last[0]) >= EDGE:
            length -= len(last.popleft())
    tail = "".join(last)[-EDGE:]
    _tell(head, removed)
    if tail != head:
        _tell(tail, removed)


def _tell(edge: str, removed: Removed) -> None:
    """Tell whose additions an edge of a text has; titles in 《》 and a lone reading are no sign."""
    found = Removed()
    for _ in strip([edge], found):
        pass
    marked = found.headers + found.footers + found.notes + found.bars
    if marked or found.readings >= max(SEVERAL, 0.9 * edge.count("《")):
        for library in filter(None, found.library.split(" and ")):
            removed.belongs_to(library)
