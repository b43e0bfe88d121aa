"""Characters ↔ integer codes."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import shown
from textgen.wording import counted

Codes = NDArray[np.unsignedinteger]
# The texts that one was joined from, in order: the SHA-256 of the bytes of each, and its number of characters before
# Unicode normalisation.
Sources = tuple[tuple[str, int], ...]

UNKNOWN = -1  # what `lookup` gives for a character outside the vocabulary


def code_points(text: str) -> NDArray[np.uint32]:
    """The Unicode code points of a text, shape `(N,)`."""
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


class Vocabulary:
    """The characters of a model, its symbols; the code of a symbol is its index in `symbols`."""

    def __init__(self, symbols: Sequence[str]) -> None:
        """Create it from the symbols in the order of their codes.

        Raises:
            ValueError: there is none, one is not a single character or is a surrogate, or one occurs twice.
        """
        if not symbols or any(not isinstance(symbol, str) or len(symbol) != 1 for symbol in symbols):
            raise ValueError("a vocabulary is a list of single characters, at least one")
        if any("\ud800" <= symbol <= "\udfff" for symbol in symbols):
            raise ValueError("a vocabulary has no surrogates, which are halves of characters")
        if len(set(symbols)) != len(symbols):
            raise ValueError("a vocabulary has each character once")
        self.symbols = tuple(symbols)

    @classmethod
    def of(cls, text: str) -> "Vocabulary":
        """The vocabulary of a text: its characters, sorted by code point."""
        return cls([chr(point) for point in np.unique(code_points(text))])

    def __repr__(self) -> str:
        return f"<Vocabulary of {counted(len(self), 'symbol')}: {shown(''.join(self.symbols[:40]))}>"

    def __len__(self) -> int:
        return len(self.symbols)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self.codes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.symbols == other.symbols

    def __hash__(self) -> int:
        return hash(self.symbols)

    @property
    def language(self) -> str | None:
        """The language that it is of, as far as its script tells; None for scripts of many languages."""
        if any("\u3041" <= symbol <= "\u30fe" for symbol in self.symbols):
            return "ja"
        if any("\uac00" <= symbol <= "\ud7a3" for symbol in self.symbols):
            return "ko"
        if any("\u4e00" <= symbol <= "\u9fff" for symbol in self.symbols):
            return "zh"
        return None

    @cached_property
    def codes(self) -> dict[str, int]:
        """Each symbol's code."""
        return {symbol: code for code, symbol in enumerate(self.symbols)}

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """The smallest integer type that holds every code."""
        return np.min_scalar_type(len(self) - 1)

    @cached_property
    def _code_of_point(self) -> NDArray[np.int32]:
        points = code_points("".join(self.symbols))
        table = np.full(int(points.max()) + 1, UNKNOWN, np.int32)
        table[points] = np.arange(len(self))
        return table

    def lookup(self, text: str) -> NDArray[np.int32]:
        """The codes of a text, shape `(N,)`, with `UNKNOWN` for every character outside the vocabulary."""
        points = code_points(text)
        known = np.minimum(points, len(self._code_of_point) - 1)
        return np.where(points < len(self._code_of_point), self._code_of_point[known], np.int32(UNKNOWN))

    def encode(self, text: str) -> Codes:
        """The codes of a text, shape `(N,)`, of the smallest sufficient type.

        Raises:
            ValueError: the text has a character outside the vocabulary.
        """
        codes = self.lookup(text)
        if (codes == UNKNOWN).any():
            unknown = text[int(np.argmax(codes == UNKNOWN))]
            raise ValueError(f"{unknown!r} (U+{ord(unknown):04X}) is not in the vocabulary")
        return codes.astype(self.dtype)

    def decode(self, codes: Iterable[int]) -> str:
        """The text that codes stand for."""
        return "".join([self.symbols[code] for code in codes])
