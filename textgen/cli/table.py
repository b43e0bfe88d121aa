"""Aligned columns for a terminal, also with characters of width two or zero."""

import unicodedata
from collections.abc import Sequence

GAP = "  "


def width(text: str) -> int:
    """The number of terminal columns of a text."""
    return sum(_columns(character) for character in text)


def cut(text: str, columns: int) -> str:
    """The beginning of a text that fits in a number of columns, with the marks on its last character."""
    for place, character in enumerate(text):
        columns -= _columns(character)
        if columns < 0:
            return text[:place]
    return text


def aligned(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Lines with cells of equal width.

    Args:
        rows: all with the same number of cells.
        right: the columns, counted from 0, whose cells are right-aligned.
    """
    widths = [max(width(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        GAP.join(
            _padded(cell, size, index in right) for index, (cell, size) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _padded(cell: str, size: int, right: bool) -> str:
    space = " " * (size - width(cell))
    return space + cell if right else cell + space


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
