"""A text as training sees it: integer codes, the end of them held out."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from textgen.corpus.sources import SEPARATOR, normalise, read_text
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
    """

    name: str
    vocabulary: Vocabulary
    codes: Codes
    sha256: str
    lowercase: bool = False

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
        text = SEPARATOR.join([read_text(path) for path in paths])
        return cls.from_text(text, name=Path(paths[0]).stem, lowercase=lowercase)

    def __len__(self) -> int:
        return len(self.codes)

    def hold_out(self, share: float = 0.1) -> int:
        """How many characters at the end are held out: a share of the text, at most `LARGEST_HOLD_OUT`."""
        return min(len(self) - int((1 - share) * len(self)), LARGEST_HOLD_OUT)
