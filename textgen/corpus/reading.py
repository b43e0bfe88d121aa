"""Reads texts: finds their sources and encodings, then decodes, repairs, strips, joins and normalises them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from textgen.config import Reading
from textgen.corpus.cache import Memory
from textgen.corpus.detection import guesser
from textgen.corpus.encodings import Encoding, decode, examine
from textgen.corpus.faults import Faults, look
from textgen.corpus.finding import Skipped, find_sources
from textgen.corpus.normalisation import MarksError, Normalisation, with_lf
from textgen.corpus.removal import Removed
from textgen.corpus.sources import Source
from textgen.corpus.stripping import notice, strip
from textgen.errors import CorpusError
from textgen.wording import counted


class Remark(NamedTuple):
    """A note for the user on a text.

    Attributes:
        text: for this text.
        common: for many texts; empty if it is the same.
    """

    text: str
    common: str = ""


@dataclass(eq=False)
class Text:
    """The text of one source, not yet read.

    Attributes:
        source: of its bytes.
        sha256: of its bytes.
        encoding: of its bytes.
        strip: whether to remove what libraries added.
        repair: whether to repair faults.
        characters: read by `chunks` so far, before normalisation.
        removed: what `chunks` has removed or, without `strip`, could remove.
        faults: what `chunks` has found, repaired or not.
    """

    source: Source
    sha256: str
    encoding: Encoding
    strip: bool = False
    repair: bool = False
    characters: int = 0
    removed: Removed = field(default_factory=Removed)
    faults: Faults = field(default_factory=Faults)

    @property
    def name(self) -> str:
        """The name in messages."""
        return self.source.name

    def chunks(self) -> Iterator[str]:
        r"""Read it: decoded, its newlines `\n`, repaired and stripped if asked, not yet normalised.

        Raises:
            CorpusError: it cannot be read or decoded, is empty, or has changed.
        """
        self.characters, self.removed, self.faults = 0, Removed(), Faults()
        decoded = self._not_empty(decode(self.name, self.source.blocks(), self.encoding, self.faults))
        looked = look(decoded, self.faults, repair=self.repair)
        for chunk in (strip if self.strip else notice)(looked, self.removed):
            self.characters += len(chunk)
            yield chunk

    def _not_empty(self, chunks: Iterator[str]) -> Iterator[str]:
        first = next(chunks, "")
        if not first and self.source.named:
            wish = (
                "expected a text of at least one character"
                if self.source.path
                else "pipe a text in (to resume: the run's own)"
            )
            raise CorpusError(f"{self.name}: is empty; {wish}")
        yield first
        yield from chunks

    def result(self) -> dict[str, Any]:
        """The result of reading it, as JSON values."""
        return {"characters": self.characters, "removed": asdict(self.removed), "faults": asdict(self.faults)}

    def told(self, result: Mapping[str, Any]) -> str:
        """The note for the user on such a result, in one line."""
        size = f"{self.name}: {counted(result['characters'], 'character')}"
        return ", ".join([size, *(remark.text for remark in self.remarks(result))])

    def remarks(self, result: Mapping[str, Any]) -> list[Remark]:
        """The remarks for the user on such a result, besides its size."""
        found = []
        if self.encoding.name != "utf-8":
            found.append(Remark(self.encoding.told(), f"read as {self.encoding}"))
        found += [Remark(*told) for told in Faults.from_dict(result["faults"]).told(repair=self.repair)]
        removed = Removed(**result["removed"])
        if removed.library and self.strip:
            found.append(Remark(f"without {removed}", f"without text added by {removed.library}"))
        elif removed.library:
            found.append(Remark(f"with text added by {removed.library}, which `strip` removes"))
        return found


def find_texts(paths: Sequence[str | Path], reading: Reading) -> tuple[list[Text], list[Skipped]]:
    """Find the texts that paths name, in order, and determine the encoding of each.

    The encoding of a file that has not changed since the last time is remembered.

    Args:
        paths: files, folders, archives, `-` for standard input.
        reading: how to read them.

    Returns:
        The texts, and the files of folders and archives that were skipped, with the reason.

    Raises:
        CorpusError: a path is missing or unreadable, holds no text, or is in no known encoding.
    """
    sources, skipped = find_sources(paths, reading.glob, markup=reading.markup)
    try:
        return _examined(sources, paths, reading), skipped
    except BaseException:
        for source in sources:
            source.close()
        raise


def _examined(sources: Sequence[Source], paths: Sequence[str | Path], reading: Reading) -> list[Text]:
    """Each source with its encoding, which is remembered of files."""
    names = [str(Path(path).absolute()) for path in paths]
    memory = Memory(names, reading.glob, reading.encoding, reading.repair, guesser())
    texts, remembered = [], {}
    for source in sources:
        known = memory.recall(source.identity)
        sha256, encoding = (
            (known[0], Encoding(*known[1:]))
            if known
            else examine(source.name, source.blocks(), reading.encoding, repair=reading.repair)
        )
        texts.append(Text(source, sha256, encoding, reading.strip, reading.repair))
        if source.identity is not None and source.settled:
            remembered[source.identity] = [sha256, *astuple(encoding)]
    memory.keep(remembered)
    return texts


def decoded(name: str, content: bytes, encoding: str | None = None) -> tuple[str, str | None]:
    r"""Decode a short text such as a seed phrase, in any encoding.

    Invalid bytes in UTF-8 are read as cp1252: in so short a text, a person sees the result.

    Args:
        name: in messages.
        content: its bytes; there may be none.
        encoding: used if its bytes do not determine it; None guesses.

    Returns:
        The text with newlines `\n`, and a note for the user.

    Raises:
        CorpusError: it is in no known encoding, or has a NUL.
    """
    try:
        found = examine(name, [content], None, repair=True).encoding
    except CorpusError:
        if encoding is None:
            raise
        found = Encoding(encoding, "given")
    if encoding is not None and found.how in ("guessed", "mixed"):
        found = Encoding(encoding, "given")
    faults = Faults()
    chunks = decode(name, [content], found, faults)
    text = "".join(look(chunks, faults, repair=True) if found.how == "mixed" else chunks)
    told = [] if found.name == "utf-8" or found.how == "given" else [found.told()]
    told += [alone for alone, _ in faults.told(repair=True)]
    return text, f"{name}: {', '.join(told)}" if told else None


def normalisation(reading: Reading) -> Normalisation:
    """The normalisation of the characters."""
    return Normalisation(reading.unicode, reading.lowercase)


def joined(texts: Sequence[Text], reading: Reading) -> Iterator[str]:
    """The whole text, normalised, in chunks.

    Raises:
        CorpusError: a text cannot be read, or has too many combining marks in a row.
    """
    separator = with_lf(reading.separator)
    try:
        yield from normalisation(reading).stream(_joined(texts, separator))
    except MarksError as error:
        place = error.place
        for text in texts:
            if place < text.characters:
                raise CorpusError(f"{text.name}: {MarksError(max(0, place))}") from error
            place -= text.characters + len(separator)
        raise


def _joined(texts: Iterable[Text], separator: str) -> Iterator[str]:
    for place, text in enumerate(texts):
        if place and separator:
            yield separator
        yield from text.chunks()
