"""What is known of each character of a text as rows: tab-separated, or as JSON objects."""

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from textgen.cli.terminal import printable

if TYPE_CHECKING:
    from textgen.evaluation.score import Place, Score

BLOCK = 4096  # rows that go out at once
ESCAPES = {"\t": r"\t", "\n": r"\n", "\r": r"\r", "\\": r"\\", '"': r"\""}  # the last, for readers that know quotes


class Part(Protocol):
    """A part of a text."""

    @property
    def text(self) -> str:
        """Its characters."""

    @property
    def place(self) -> "Place":
        """Of its first character in the whole text."""


Piece = TypeVar("Piece", bound=Part)
# Gives the columns of a piece as text, by name, with what quotes a character, and what stands for a missing number.
Columns = Callable[[Piece, Callable[[str], str], str], dict[str, list[str]]]


def as_tsv(pieces: Iterable[Piece], columns_of: Columns[Piece]) -> Iterator[str]:
    """Lines of tab-separated values with a header, in blocks; what is missing is empty."""
    for number, piece in enumerate(pieces):
        columns = columns_of(piece, _escaped, "")
        if not number:
            yield "\t".join(columns) + "\n"
        yield from _blocks(columns, "\t".join)


def as_json(pieces: Iterable[Piece], columns_of: Columns[Piece], *, ascii_only: bool) -> Iterator[str]:
    """One JSON object a line, in blocks; what is missing is null."""

    @functools.cache
    def quoted(symbol: str) -> str:
        return json.dumps(symbol, ensure_ascii=ascii_only) if symbol else "null"

    for piece in pieces:
        columns = columns_of(piece, quoted, "null")
        line = "{" + ", ".join(f'"{name}": %s' for name in columns) + "}"
        yield from _blocks(columns, lambda row, line=line: line % row)  # type: ignore[misc]


def _blocks(columns: dict[str, list[str]], line: Callable[[tuple[str, ...]], str]) -> Iterator[str]:
    rows = list(zip(*columns.values(), strict=True))
    for start in range(0, len(rows), BLOCK):
        yield "".join([f"{line(row)}\n" for row in rows[start : start + BLOCK]])


@functools.cache
def _escaped(symbol: str) -> str:
    return ESCAPES.get(symbol) or printable(symbol)


def beginning(piece: Part, quoted: Callable[[str], str]) -> dict[str, list[str]]:
    """The columns with which all rows begin: where a character is, and which it is."""
    lines, columns = places(piece)
    return {
        "position": _whole(piece.place.position + np.arange(len(piece.text))),
        "line": _whole(lines),
        "column": _whole(columns),
        "character": [quoted(symbol) for symbol in piece.text],
    }


def of_score(piece: "Score", quoted: Callable[[str], str], missing: str) -> dict[str, list[str]]:
    """The columns of a piece of a score."""
    found = beginning(piece, quoted) | {
        "bits": numbers(piece.bits, missing),
        "rank": [str(rank) if rank else missing for rank in piece.rank.tolist()],
        "entropy": numbers(piece.entropy, missing),
    }
    if piece.ngram_bits is not None:
        found["ngram_bits"] = numbers(piece.ngram_bits, missing)
        found["gain"] = numbers(piece.ngram_bits - piece.bits, missing)
    for number in range(piece.likeliest.shape[1]):
        found[f"likeliest_{number + 1}"] = [quoted(symbol) for symbol in piece.likeliest[:, number].tolist()]
        found[f"probability_{number + 1}"] = _shares(np.exp2(-piece.likeliest_bits[:, number]), missing)
    return found


def places(piece: Part) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The line and the column of each character of a piece, `(N,)` both, counted from 1."""
    ends = np.frombuffer(piece.text.encode("utf-32-le"), "<u4") == ord("\n")
    lines = np.cumsum(ends) - ends  # before each character
    index = np.arange(len(piece.text))
    begins = np.maximum.accumulate(np.where(ends, index + 1, 0))  # of the line after each character
    begin = np.append(0, begins[:-1])
    columns = index - begin + np.where(lines == 0, piece.place.column, 1)
    return piece.place.line + lines, columns


def _whole(values: NDArray[np.int64]) -> list[str]:
    return [str(value) for value in values.tolist()]


@functools.cache
def _ten_thousandths() -> list[str]:
    return [f"{number / 10_000:.4f}" for number in range(10_001)]


def _shares(values: NDArray[np.floating], missing: str) -> list[str]:
    """Numbers from 0 to 1, of which most of a row are."""
    rounded: list[int] = np.rint(np.where(np.isnan(values), -1e-4, values) * 10_000).astype(np.int64).tolist()
    shown = [*_ten_thousandths(), missing]  # which -1 finds
    return [shown[number] for number in rounded]


def numbers(values: NDArray[np.floating], missing: str) -> list[str]:
    """Numbers with four digits after the point, or what stands for NaN."""
    shown: Sequence[float] = values.tolist()
    return ["%.4f" % value if value == value else missing for value in shown]  # noqa: PLR0124, UP031  # NaN; the fastest
