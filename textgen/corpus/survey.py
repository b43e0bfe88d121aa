"""Statistics of a text before training, in one pass."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.config import LARGEST_HOLD_OUT, Reading, TrainingConfig
from textgen.corpus.characters import code_point, unicode_name
from textgen.corpus.corpus import called, held_out, unseen_note
from textgen.corpus.faults import Faults
from textgen.corpus.finding import Skipped
from textgen.corpus.reading import Text, find_texts, joined
from textgen.corpus.removal import Removed
from textgen.corpus.vocabulary import code_points
from textgen.errors import CorpusError

RARE = 5  # a symbol that occurs less often is hardly learnt
CODE_POINTS = 0x110000


@dataclass(frozen=True, slots=True)
class Symbol:
    """A character of a text, and how often it occurs."""

    symbol: str
    count: int

    @property
    def code_point(self) -> str:
        """In Unicode's notation, `U+0041`."""
        return code_point(self.symbol)

    @property
    def name(self) -> str:
        """In Unicode; a control character's abbreviation."""
        return unicode_name(self.symbol)

    def as_dict(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return {"symbol": self.symbol, "count": self.count, "code_point": self.code_point, "name": self.name}


@dataclass(frozen=True)
class Surveyed:
    """One source of a text.

    Attributes:
        name: what it is called.
        encoding: Python's name of the codec that reads it.
        how: where that comes from: `mark` (a byte order mark), `valid` (it is UTF-8), `escapes` (escape sequences),
            `guessed`, `given`, or `mixed` (UTF-8 with invalid bytes, read as cp1252).
        line: of what is guessed, the first line that is not ASCII, as it was read.
        rival: another encoding that is nearly as likely.
        rival_line: the same line as this one would read it.
        characters: how many it has before normalisation, without what was taken out.
        repaired: whether they were repaired.
        faults: its stray characters.
        stripped: whether what a library has added was taken out.
        removed: what that is, or would be; None where no library's additions are recognised.
    """

    name: str
    encoding: str
    how: str
    line: str
    rival: str
    rival_line: str
    characters: int
    repaired: bool
    faults: Faults
    stripped: bool
    removed: Removed | None


@dataclass(frozen=True)
class Survey:
    """The statistics of a text, as training would read it.

    Attributes:
        sources: in their order.
        skipped: files of folders and archives that were skipped, with the reason.
        characters: of the whole, normalised text, separators included.
        lines: their number.
        symbols: all distinct characters, most frequent first, ties by code point.
        hold_out: characters at the end that training would hold out.
        unseen: characters that only these have, most frequent first.
        rare_below: characters that occur less often count as rare.
    """

    sources: tuple[Surveyed, ...]
    skipped: tuple[Skipped, ...]
    characters: int
    lines: int
    symbols: tuple[Symbol, ...]
    hold_out: int
    unseen: tuple[Symbol, ...]
    rare_below: int

    def rare(self) -> list[Symbol]:
        """The rare characters, rarest first."""
        found = [item for item in self.symbols if item.count < self.rare_below]
        return sorted(found, key=lambda item: (item.count, item.symbol))

    def unseen_note(self) -> str | None:
        """A note on characters that training would never see; None if there are none."""
        unseen = {item.symbol: item.count for item in self.unseen}
        return unseen_note(unseen, self.hold_out) if unseen else None

    def as_dict(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["sources"] = [asdict(item) for item in self.sources]
        values["skipped"] = [str(item) for item in self.skipped]
        for name in ("symbols", "unseen"):
            values[name] = [item.as_dict() for item in getattr(self, name)]
        return values | {"training": self.characters - self.hold_out}


def survey(paths: Sequence[str | Path], reading: Reading) -> Survey:
    """Read a text as training would, and count.

    The text is never in memory as a whole.

    Args:
        paths: files, folders, archives, `-` for standard input.
        reading: how to read them. Nothing is replaced, but what `min_count` would replace counts as rare.

    Raises:
        CorpusError: a text is missing, unreadable, empty, or in no encoding known.
    """
    texts, skipped = find_texts(paths, reading)
    try:
        counts, end = _count(joined(texts, reading))
        sources = tuple(_surveyed(text) for text in texts)
    except UnicodeEncodeError as error:
        raise CorpusError(f"{called(paths)}: has an unpaired surrogate; expected valid Unicode text") from error
    finally:
        for text in texts:
            text.source.close()
    characters = int(counts.sum())
    if not characters:
        raise CorpusError(f"{called(paths)}: the text is empty; expected at least one character")
    points = np.flatnonzero(counts)
    points = points[np.argsort(-counts[points], kind="stable")]
    hold_out = held_out(characters, TrainingConfig().validation)
    held_out_counts = np.bincount(code_points(end[len(end) - hold_out :]), minlength=CODE_POINTS)
    symbols = tuple(Symbol(chr(point), int(counts[point])) for point in points)
    return Survey(
        sources,
        tuple(skipped),
        characters,
        int(counts[ord("\n")]) + (not end.endswith("\n")),
        symbols,
        hold_out,
        tuple(item for item in symbols if held_out_counts[ord(item.symbol)] == item.count),
        reading.min_count if reading.min_count > 1 else RARE,
    )


def _count(chunks: Iterable[str]) -> tuple[NDArray[np.int64], str]:
    """How often each code point occurs, and the text's end, at least as much of it as is ever held out."""
    counts = np.zeros(CODE_POINTS, np.int64)
    last: deque[str] = deque()
    kept = 0  # characters of `last`
    for chunk in filter(None, chunks):
        found = np.bincount(code_points(chunk))
        counts[: len(found)] += found
        last.append(chunk)
        kept += len(chunk)
        while kept - len(last[0]) >= LARGEST_HOLD_OUT:
            kept -= len(last.popleft())
    return counts, "".join(last)


def _surveyed(text: Text) -> Surveyed:
    """What reading a source has shown; one that a library has added to is read once more, to tell what it is."""
    removed = text.removed
    if removed.library and not text.strip:
        stripped = replace(text, strip=True)
        for _ in stripped.chunks():
            pass
        removed = stripped.removed
    encoding = text.encoding
    return Surveyed(
        name=text.name,
        encoding=encoding.name,
        how=encoding.how,
        line=encoding.line,
        rival=encoding.rival,
        rival_line=encoding.rival_line,
        characters=text.characters,
        repaired=text.repair,
        faults=text.faults,
        stripped=text.strip,
        removed=removed if removed.library else None,
    )
