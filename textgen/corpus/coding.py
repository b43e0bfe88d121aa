"""Encodes a text that comes in chunks into a file of codes, in constant memory.

Codes are given in the order in which symbols appear, and written so; when all are known, the file is read once more
and written in the codes of the sorted vocabulary.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from textgen.corpus.normalisation import REPLACEMENT
from textgen.corpus.vocabulary import UNKNOWN, Vocabulary, code_points
from textgen.errors import CorpusError

NO_BYTE = 255  # in tables of bytes, for what has no code


@dataclass(frozen=True)
class Coded:
    """The result of encoding a text.

    Attributes:
        vocabulary: its characters, sorted by code point.
        characters: the number of codes.
        sha256: of the text in UTF-8, before rare symbols were replaced.
        replacement: the symbol that replaces rare characters; None if none was replaced.
        replaced: the rare characters.
    """

    vocabulary: Vocabulary
    characters: int
    sha256: str
    replacement: str | None
    replaced: str


class _Coder:
    """Assigns codes in the order in which characters appear."""

    def __init__(self, draft: IO[bytes], *, counting: bool) -> None:
        self._draft = draft
        self._counting = counting
        self._table = np.full(0x110000, UNKNOWN, np.int32)  # code point → code
        self._bytes = bytearray([NO_BYTE] * 256)  # the same for ASCII, for `bytes.translate`
        self.points: list[int] = []  # code → code point
        self.counts = np.zeros(0, np.int64)  # code → how often, if counting
        self.parts: list[tuple[int, str]] = []  # the length and type of what was written
        self._digest = hashlib.sha256()

    @property
    def characters(self) -> int:
        return sum(length for length, _ in self.parts)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def add(self, text: str) -> None:
        encoded = text.encode()
        self._digest.update(encoded)
        codes = self._of_ascii(encoded) if len(encoded) == len(text) else self._of_points(code_points(text))
        if self._counting:
            counts = np.bincount(codes, minlength=len(self.points))
            counts[: len(self.counts)] += self.counts
            self.counts = counts
        dtype = np.min_scalar_type(len(self.points) - 1)
        self._draft.write(codes.astype(dtype, copy=False).data)
        self.parts.append((len(codes), dtype.str))

    def _of_ascii(self, encoded: bytes) -> NDArray[np.integer]:
        """The codes of a text whose characters are bytes: while codes are bytes too, at the speed of a copy."""
        if len(self.points) + 128 > NO_BYTE:
            return self._of_points(np.frombuffer(encoded, np.uint8))
        codes = encoded.translate(self._bytes)
        if NO_BYTE in codes:
            self._give(np.unique(np.frombuffer(encoded, np.uint8)[np.frombuffer(codes, np.uint8) == NO_BYTE]))
            codes = encoded.translate(self._bytes)
        return np.frombuffer(codes, np.uint8)

    def _of_points(self, points: NDArray[np.integer]) -> NDArray[np.integer]:
        codes = self._table[points]
        if codes.min() == UNKNOWN:
            self._give(np.unique(points[codes == UNKNOWN]))
            codes = self._table[points]
        return codes

    def _give(self, new: NDArray[np.integer]) -> None:
        """Give codes to new symbols."""
        self._table[new] = np.arange(len(self.points), len(self.points) + len(new))
        self.points += new.tolist()
        first = self._table[:128]
        self._bytes[:128] = np.where(first == UNKNOWN, NO_BYTE, np.minimum(first, NO_BYTE)).astype(np.uint8).tobytes()


def encode(name: str, chunks: Iterable[str], *, draft: IO[bytes], codes: IO[bytes], min_count: int = 1) -> Coded:
    """Encode a text.

    Args:
        name: of the text, for messages.
        chunks: the normalised text.
        draft: an empty file to write to and read again.
        codes: the file that gets the codes, in the vocabulary's smallest integer type.
        min_count: characters that occur less often are replaced.

    Raises:
        CorpusError: the text is empty, or has an unpaired surrogate, or only rare characters.
        OSError: a file cannot be written.
    """
    coder = _Coder(draft, counting=min_count > 1)
    for chunk in filter(None, chunks):
        try:
            coder.add(chunk)
        except UnicodeEncodeError as error:
            raise CorpusError(
                f"{name}: has an unpaired surrogate (U+{ord(chunk[error.start]):04X}) at character "
                f"{coder.characters + error.start:,}; expected valid Unicode text"
            ) from error
    if not coder.parts:
        raise CorpusError(f"{name}: the text is empty; expected at least one character")
    points = np.array(coder.points, np.uint32)
    rare = coder.counts < min_count if min_count > 1 else np.zeros(len(points), bool)
    if rare.all():
        raise CorpusError(f"{name}: no character occurs {min_count:,} times; choose a smaller `min_count`")
    kept = np.where(rare, ord(REPLACEMENT), points).astype(np.uint32)
    vocabulary = Vocabulary([chr(point) for point in np.unique(kept)])
    _rewrite(coder.parts, vocabulary.encode("".join(map(chr, kept.tolist()))), draft, codes)
    replaced = "".join(sorted(chr(point) for point in points[rare]))
    return Coded(vocabulary, coder.characters, coder.sha256, REPLACEMENT if replaced else None, replaced)


def _rewrite(parts: list[tuple[int, str]], table: NDArray[Any], draft: IO[bytes], codes: IO[bytes]) -> None:
    """Write the draft once more, in the codes that a table gives for its own."""
    draft.seek(0)
    of_bytes = table[:256].tobytes().ljust(256, b"\0") if table.itemsize == 1 else b""
    for length, dtype in parts:
        part = draft.read(length * np.dtype(dtype).itemsize)
        is_bytes = of_bytes and len(part) == length
        codes.write(part.translate(of_bytes) if is_bytes else table[np.frombuffer(part, dtype)].data)
