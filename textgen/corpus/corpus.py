"""A text as training sees it: integer codes, the end of them held out."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from textgen.corpus.sources import normalise, read_texts
from textgen.corpus.vocabulary import Codes, Vocabulary
from textgen.errors import CorpusError

LARGEST_HOLD_OUT = 200_000  # characters: enough to tell 0.005 nats apart, and scored in seconds


@dataclass(frozen=True, eq=False)
class Corpus:
    """One text, or several joined, normalised and encoded.

    Attributes:
        name: what the text is called, after its first file.
        vocabulary: the characters of the whole text, sorted by code point.
        codes: the text's codes, shape `(N,)`, of the smallest sufficient unsigned type.
        sha256: of the normalised text in UTF-8.
        lowercase: whether the text was made lowercase.
        sources: the absolute paths of its files; none of a text given as a string.
    """

    name: str
    vocabulary: Vocabulary
    codes: Codes
    sha256: str
    lowercase: bool = False
    sources: tuple[str, ...] = ()

    @classmethod
    def from_text(cls, text: str, *, name: str = "text", lowercase: bool = False) -> Self:
        """Make a corpus from a string.

        Raises:
            CorpusError: the text is empty.
        """
        text = normalise(text, lowercase=lowercase)
        if not text:
            raise CorpusError(f"{name}: the text is empty; expected a text to learn from")
        vocabulary = Vocabulary.of(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return cls(name, vocabulary, vocabulary.encode(text), digest, lowercase)

    @classmethod
    def from_files(cls, *paths: str | Path, lowercase: bool = False) -> Self:
        """Read UTF-8 files and join them, in the order given, with a newline between two.

        Raises:
            CorpusError: a file is missing, unreadable, empty or not UTF-8.
            ValueError: no file is given.
        """
        if not paths:
            raise ValueError("expected the path of at least one text")
        corpus = cls.from_text(read_texts(paths), name=Path(paths[0]).stem, lowercase=lowercase)
        return replace(corpus, sources=tuple(str(Path(path).absolute()) for path in paths))

    def __len__(self) -> int:
        return len(self.codes)

    def recoded(self, vocabulary: Vocabulary) -> Self:
        """The same text in the codes of another vocabulary, which must have all its symbols."""
        if vocabulary == self.vocabulary:
            return self
        table = vocabulary.encode("".join(self.vocabulary.symbols))
        return replace(self, vocabulary=vocabulary, codes=table[self.codes])

    def hold_out(self, share: float = 0.1) -> int:
        """How many characters at the end are held out: a share of the text, at most `LARGEST_HOLD_OUT`."""
        return held_out(len(self), share)


def held_out(characters: int, share: float) -> int:
    """How many characters at a text's end are held out."""
    return min(characters - int((1 - share) * characters), LARGEST_HOLD_OUT)
