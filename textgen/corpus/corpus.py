"""`Corpus`: a text as integer codes with their vocabulary; its end is held out."""

import io
import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, Self, TypedDict, Unpack

import numpy as np

from textgen.arguments import PATH, check_text, expect, expect_known, shown
from textgen.config import LARGEST_HOLD_OUT, LONGEST_NAME, Reading
from textgen.corpus import cache
from textgen.corpus.characters import first_named
from textgen.corpus.codes import mapped, parts, translate
from textgen.corpus.coding import Coded, encode
from textgen.corpus.faults import mender
from textgen.corpus.finding import STANDARD_INPUT
from textgen.corpus.normalisation import UNIDATA_VERSION, MarksError, Normalisation, with_lf
from textgen.corpus.notes import of_texts, passed_over
from textgen.corpus.packing import without_packing
from textgen.corpus.reading import Text, find_texts, joined
from textgen.corpus.stripping import RULES
from textgen.corpus.vocabulary import Codes, Sources, Vocabulary
from textgen.errors import CorpusError
from textgen.wording import counted

Arrange = Callable[[list[Text], Reading], tuple[list[Text], Reading]]
UNSOUND = ("Cc", "Cs", "Zl", "Zp")  # Unicode's categories of what no name needs
FEW = 20  # symbols that are found sooner one by one than by counting all
PIECE = 2**20  # characters of a string that are encoded at once


class SourceOptions(TypedDict, total=False):
    """The fields of `Reading` that say how files are read, as keyword arguments."""

    encoding: str | None
    glob: str
    separator: str
    repair: bool
    strip: bool
    markup: bool


class ReadingOptions(SourceOptions, total=False):
    """All fields of `Reading`, as keyword arguments."""

    unicode: str
    lowercase: bool
    min_count: int


@dataclass(frozen=True, eq=False, repr=False)
class Corpus:
    """One text, or several joined, normalised and encoded.

    Attributes:
        name: of the text, after its first file.
        vocabulary: all distinct characters of the text, sorted by code point.
        codes: of the text, shape `(N,)`, of the smallest sufficient unsigned type; those of files are mapped from the
            cache folder, not held in memory.
        sha256: of the normalised text in UTF-8, before rare characters were replaced.
        reading: how it was read.
        replacement: the symbol that replaces rare characters; None if there were none.
        sources: the absolute paths and `-` that it was read from; empty for a text given as a string.
        notes: what a user must be told of how it was read, a line each.
        parts: the name of each text that was joined, and where it begins in the codes; empty for a text given as a
            string, and where normalisation changed the length of one of several.
        texts: those that it was joined from, in order; none of a text given as a string.
    """

    name: str
    vocabulary: Vocabulary
    codes: Codes
    sha256: str
    reading: Reading
    replacement: str | None = None
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[tuple[str, int], ...] = ()
    texts: Sources = ()

    @classmethod
    def from_text(
        cls, text: str, *, name: str = "text", unicode: str = "nfc", lowercase: bool = False, min_count: int = 1
    ) -> Self:
        """Make a corpus from a string.

        Args:
            text: the text.
            name: of the text.
            unicode: the Unicode normalisation form: `none`, `nfc` or `nfkc`.
            lowercase: whether to convert it to lowercase.
            min_count: characters that occur less often are replaced by one symbol.

        Raises:
            CorpusError: the text is empty, or has a NUL, unpaired surrogate, or thousands of combining marks in a
                row.
            ValueError: an option is wrong.
            TypeError: an argument is of a wrong type.
        """
        expect("text", text, str, "read a file with textgen.Corpus.from_files")
        expect("name", name, str)
        name = _sound(name)
        check_text("name", name, LONGEST_NAME)
        reading = Reading(unicode=unicode, lowercase=lowercase, min_count=min_count)
        if "\0" in text:
            raise CorpusError(
                f"{name}: has a NUL at character {text.index(chr(0)):,}; expected a text, not binary data"
            )
        text = with_lf(text)
        pieces = (text[start : start + PIECE] for start in range(0, len(text), PIECE))
        chunks = Normalisation(unicode, lowercase).stream(pieces)
        codes = io.BytesIO()
        try:
            coded = encode(name, chunks, draft=io.BytesIO(), codes=codes, min_count=min_count)
        except MarksError as error:
            raise CorpusError(f"{name}: {error}") from error
        array = np.frombuffer(codes.getbuffer(), coded.vocabulary.dtype)
        return cls(name, coded.vocabulary, array, coded.sha256, reading, coded.replacement, (), _rare(coded.replaced))

    @classmethod
    def from_files(cls, *paths: str | Path, reading: Reading | None = None, **options: Unpack[ReadingOptions]) -> Self:
        r"""Read texts and join them.

        The codes are stored in the user's cache folder, by content and options, and reused the next time.

        Args:
            *paths: files, folders, archives (zip, tar, gzip, xz, bzip2), `-` for standard input. Their order is kept;
                inside a folder or an archive, texts are ordered by path, `ch2` before `ch10`.
            reading: how to read them, instead of options.
            **options: the fields of `Reading`: `encoding` of all files (default: detected for each),
                `glob` (which files of a folder or an archive, `*.txt`), `separator` between two texts (`\n`), `markup`
                (read HTML and RTF as they are), `repair` (mend invalid bytes in UTF-8 and mojibake, take out control
                characters and stray byte order marks), `strip` (take out what Project Gutenberg and Aozora Bunko have
                added), `unicode` (`none`, `nfc` or `nfkc`), `lowercase`, and `min_count` (symbols that occur less often
                are replaced by one).

        Raises:
            CorpusError: a text is missing, unreadable, empty, in no encoding known, or changes while it is read; or
                neither the cache folder nor the one for temporary files takes its codes.
            ValueError: no path is given, or an option is wrong.
            TypeError: an argument is of a wrong type.
        """
        expect_known(options, (*ReadingOptions.__annotations__, "reading"))
        return cls.from_found(paths, Reading.given("reading", reading, options))

    @classmethod
    def from_found(cls, paths: Sequence[str | Path], reading: Reading, arrange: Arrange | None = None) -> Self:
        """What `from_files` returns, of the texts that are found, perhaps in another order or read in another way.

        Args:
            paths: one or more.
            reading: how to find the texts, and to read them.
            arrange: given the texts that were found and `reading`, returns both as they shall be.
        """
        for place, path in enumerate(paths):
            expect(f"paths[{place}]", path, PATH, "give each path as an argument of its own")
        if not paths:
            raise ValueError("expected the path of at least one text")
        texts, skipped = find_texts(paths, reading)
        if arrange is not None:
            texts, reading = arrange(texts, reading)
        name = name_of(paths[0])
        try:
            stored = _stored(called(paths), texts, reading)
        finally:
            for text in texts:
                text.source.close()
        meta = stored.meta
        vocabulary = Vocabulary(meta["vocabulary"])
        notes = of_texts(texts, meta["texts"])
        codes = mapped(stored.codes, vocabulary.dtype)
        return cls(
            name,
            vocabulary,
            codes,
            meta["sha256"],
            reading,
            meta["replacement"],
            tuple(str(path) if str(path) == STANDARD_INPUT else str(Path(path).absolute()) for path in paths),
            (*notes, *passed_over(skipped), *_rare(meta["replaced"]), *stored.notes),
            _parts([text.name for text in texts], meta["texts"], len(reading.separator), len(codes)),
            tuple((text.sha256, result["characters"]) for text, result in zip(texts, meta["texts"], strict=True)),
        )

    def __repr__(self) -> str:
        return (
            f"<Corpus {shown(self.name)}: {counted(len(self), 'character')}, {counted(len(self.vocabulary), 'symbol')}>"
        )

    def __len__(self) -> int:
        return len(self.codes)

    def recoded(self, vocabulary: Vocabulary) -> Self:
        """The same text in the codes of another vocabulary, which must have all its characters."""
        if vocabulary == self.vocabulary:
            return self
        table = vocabulary.encode("".join(self.vocabulary.symbols))
        return replace(self, vocabulary=vocabulary, codes=translate(self.codes, table))

    @property
    def label(self) -> str:
        """The name of the text in messages."""
        return called(self.sources) if self.sources else self.name

    def hold_out(self, share: float = 0.1) -> int:
        """The number of characters held out at the end: a fraction of the text, at most `LARGEST_HOLD_OUT`."""
        return held_out(len(self), share)

    def unseen(self, share: float = 0.1) -> dict[str, int]:
        """Characters that occur only in the held-out part, so that the model is never trained on them.

        Returns:
            How often each occurs, most frequent first, ties by code.
        """
        learnt = len(self) - self.hold_out(share)
        counts = np.bincount(self.codes[learnt:], minlength=len(self.vocabulary))
        missing = np.flatnonzero(counts)
        for part in parts(self.codes[:learnt]):
            if len(missing) > FEW:
                missing = missing[np.bincount(part, minlength=len(counts))[missing] == 0]
            else:
                missing = np.array([code for code in missing if not (part == code).any()], int)
            if not len(missing):
                break
        missing = missing[np.argsort(-counts[missing], kind="stable")]
        return {self.vocabulary.symbols[code]: int(counts[code]) for code in missing}


def held_out(characters: int, share: float) -> int:
    """The number of characters held out at the end of a text."""
    return min(characters - int((1 - share) * characters), LARGEST_HOLD_OUT)


def unseen_note(unseen: Mapping[str, int], hold_out: int) -> str:
    """A note on characters that only the held-out part has, which the model is therefore never trained on."""
    characters = sum(unseen.values())
    return (
        f"only in the held-out part, so never trained on: {counted(len(unseen), 'different character')}, "
        f"{counted(characters, 'time')} in all ({100 * characters / hold_out:.3g} % of that part): "
        f"{first_named(list(unseen))}"
    )


def _stored(name: str, texts: Sequence[Text], reading: Reading) -> cache.Stored:
    """The codes of texts: from the cache, or encoded now."""
    contents = [[text.sha256, text.encoding.name, text.encoding.how == "mixed"] for text in texts]
    key = cache.digest(2, UNIDATA_VERSION, RULES, mender(), contents, asdict(reading))

    def write(codes: IO[bytes], draft: IO[bytes]) -> dict[str, Any]:
        coded: Coded = encode(name, joined(texts, reading), draft=draft, codes=codes, min_count=reading.min_count)
        return {
            "vocabulary": coded.vocabulary.symbols,
            "sha256": coded.sha256,
            "replacement": coded.replacement,
            "replaced": coded.replaced,
            "texts": [text.result() for text in texts],
        }

    return cache.load(key) or cache.store(key, write)


def _parts(
    names: Sequence[str], results: Sequence[Mapping[str, Any]], separator: int, characters: int
) -> tuple[tuple[str, int], ...]:
    """The texts with their beginnings, from their lengths before normalisation; none if these are not the lengths."""
    starts = [0]
    for result in results:
        starts.append(starts[-1] + result["characters"] + separator)
    if len(names) > 1 and starts[-1] - separator != characters:
        return ()
    return tuple(zip(names, starts, strict=False))


def called(paths: Sequence[str | Path]) -> str:
    """The name of a text in messages, after the first of its paths."""
    first = "standard input" if str(paths[0]) == STANDARD_INPUT else Path(paths[0]).name or str(paths[0])
    return f"{first} and {len(paths) - 1:,} more" if len(paths) > 1 else first


def name_of(path: str | Path) -> str:
    """The name of a text and its run folder: the file name without `.txt` and the like.

    It is usable for both whatever the file name is: never hidden, and never `.` or `..`.
    """
    if str(path) == STANDARD_INPUT:
        return "stdin"
    name = Path(os.path.normpath(Path(path).absolute())).name  # a path that ends in .. has one too
    return _sound(Path(without_packing(name)).stem).strip(". ") or "text"


def _sound(name: str) -> str:
    """A name with `_` for each control, line break, and byte that is not UTF-8; a model file takes no such."""
    return "".join("_" if unicodedata.category(symbol) in UNSOUND else symbol for symbol in name)


def _rare(symbols: str) -> tuple[str, ...]:
    """A note on characters that were replaced."""
    return (f"replaced: {counted(len(symbols), 'rare symbol')}, {symbols[:40]}",) if symbols else ()
