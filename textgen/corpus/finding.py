"""Finds the texts that paths name: files, the files of folders and archives, standard input, in a stable order.

The order is that of the arguments; inside a folder or an archive, the natural one of the paths. What a file is packed
with, and what it is, is told by its bytes, not by its name.
"""

import fnmatch
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, NamedTuple

from textgen.corpus.archives import Entry, Forward, is_tar, is_zip, tar_entries, zip_entries
from textgen.corpus.cache import scratch_file, writing
from textgen.corpus.formats import BINARY, MARKUP, Kind, document_in_zip, is_binary, recognise
from textgen.corpus.natural_order import natural
from textgen.corpus.packing import Allowance, damaged, packing_of, unpack, without_packing
from textgen.corpus.sources import Source, of_file, of_stream, told
from textgen.errors import CorpusError, reason

STANDARD_INPUT = "-"
NAMED = 3  # of what was passed over, where all of it was


class Skipped(NamedTuple):
    """A file of a folder or an archive that was skipped, and why."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


class Found(NamedTuple):
    """The sources of a text, in order, and the skipped files."""

    sources: list[Source]
    skipped: list[Skipped]


def find_sources(paths: Sequence[str | Path], glob: str, *, markup: bool = False) -> Found:
    """Find the texts that paths name.

    Args:
        paths: files, folders, archives, and `-` for standard input, which is copied to the cache folder.
        glob: which files of a folder, and which entries of an archive, are texts; it is compared with the file name,
            with and without a suffix such as `.gz`, ignoring case.
        markup: whether to accept HTML and RTF.

    Raises:
        CorpusError: a path is missing or unreadable, holds no text, or is an untrustworthy archive.
    """
    finder = _Finder(glob, markup)
    try:
        for path in paths:
            finder.add(path)
    except BaseException:
        finder.close()
        raise
    return finder.found


class _Finder:
    """Finds sources, one path after another."""

    def __init__(self, glob: str, markup: bool) -> None:
        self.found = Found([], [])
        self._glob = glob
        self._markup = markup
        self._copies: IO[bytes] | None = None  # of all texts that cannot be read where they are
        self._end = 0  # of what it holds

    def close(self) -> None:
        """Let go all copies."""
        for source in self.found.sources:
            source.close()
        if self._copies is not None:
            self._copies.close()

    def add(self, path: str | Path) -> None:
        """Add what a path stands for."""
        if not str(path):  # a variable of the shell that is not set; it would stand for the current folder
            raise CorpusError("the path of a text is empty; name a file or a folder")
        if str(path) == STANDARD_INPUT:
            self._add_named(of_stream("standard input", sys.stdin.buffer))
            return
        with told(str(path)):
            if Path(path).is_dir():
                self._add_folder(Path(path))
            else:
                self._add_named(of_file(Path(path)))

    def _add_named(self, source: Source) -> None:
        """Add a file, or what it holds if it is an archive."""
        try:
            source, head = _looked_into(source)
            if is_zip(head) and source.packing is None:
                self._add_zip(source, head)
            elif is_tar(head):
                self._add_tar(source)
            else:
                self._refuse(source.name, recognise(head))
                self.found.sources.append(source)
        except BaseException:
            source.close()
            raise

    def _refuse(self, name: str, kind: Kind | None) -> None:
        if kind is not None and not (kind.markup and self._markup):
            raise CorpusError(f"{name}: is {kind.name}; {kind.remedy}")

    def _add_folder(self, folder: Path) -> None:
        """Add the texts of a folder and the folders in it; links are not followed: they can lead anywhere."""
        skipped: list[Skipped] = []
        paths = sorted(_listed(folder, skipped), key=lambda path: natural(path.parts))
        self._take("this folder", str(folder), [*skipped, *map(self._of_folder, paths)])

    def _of_folder(self, path: Path) -> Source | Skipped:
        with told(str(path)):
            if why := self._mismatch([path.name]):
                return Skipped(str(path), why)
            if path.is_symlink():
                return Skipped(str(path), "a link")
            if not path.is_file():
                return Skipped(str(path), "not a file")
            return self._fit(*_looked_into(of_file(path, named=False)))

    def _add_zip(self, archive: Source, head: bytes) -> None:
        """Add the texts of a zip, each a slice of it."""
        with told(archive.name), archive.opened() as file:
            entries = zip_entries(archive.name, file)
        self._refuse(archive.name, document_in_zip({entry.name for entry in entries}, head))
        allowance = Allowance(archive.name, archive.stamp[0])
        allowance.take(sum(entry.packing.size or 0 for entry in entries if entry.packing))
        self._add_entries(archive, entries, allowance)

    def _add_tar(self, archive: Source) -> None:
        """Add the texts of a tar, each a slice of it, or, where the whole is packed, a copy made as it passes by."""
        allowance = Allowance(archive.name, archive.stamp[0])
        if archive.packing is None:
            with told(archive.name), archive.opened() as file:
                self._add_entries(archive, tar_entries(archive.name, file), allowance)
        else:
            stream = Forward(archive.blocks())
            self._add_entries(archive, tar_entries(archive.name, stream), allowance, stream)
            stream.finish()

    def _add_entries(
        self, archive: Source, entries: Iterable[Entry], allowance: Allowance, stream: Forward | None = None
    ) -> None:
        """Add the texts of an archive, two of one name as well.

        Args:
            archive: what it is.
            entries: what it holds.
            allowance: counts them, and what is unpacked further.
            stream: to copy each entry from, as it comes; None if they are read where they are.
        """
        items = []
        seen: Counter[str] = Counter()
        for number, entry in enumerate(entries):
            allowance.enter()
            path = "/".join(entry.parts)
            seen[path] += 1
            again = f" ({seen[path]})" if seen[path] > 1 else ""
            source = replace(
                archive,
                name=f"{archive.name}/{path}{again}",
                start=entry.start,
                stored=entry.stored,
                packing=entry.packing,
                entry=number,
                named=False,
            )
            items.append((natural(entry.parts), self._of_archive(source, entry, allowance, stream)))
        items.sort(key=lambda item: item[0])
        self._take("this archive", archive.name, [item for _, item in items])

    def _of_archive(
        self, source: Source, entry: Entry, allowance: Allowance, stream: Forward | None
    ) -> Source | Skipped:
        if why := self._mismatch(entry.parts) or entry.unfit:
            return Skipped(source.name, why)
        if stream is not None:
            source = self._copied(source, stream.pieces(entry.stored))
            if source.stored != entry.stored:
                raise damaged(source.name, "it ends early")
        head = source.head()
        if packing := packing_of(head):
            source = self._copied(source, unpack(source.name, source.blocks(), packing, allowance))
            head = source.head()
        return self._fit(source, head)

    def _mismatch(self, parts: Sequence[str]) -> str:
        """Why the pattern or its name passes a file over; empty if it does not."""
        if not parts or not matches(parts[-1], self._glob):
            return f"does not match {self._glob}"
        return "hidden" if any(part.startswith((".", "__MACOSX")) for part in parts) else ""

    def _fit(self, source: Source, head: bytes) -> Source | Skipped:
        """A file of a folder or an archive, unless it begins as no text does."""
        kind = recognise(head) or (BINARY if is_binary(head) else None)
        if kind is None or (kind.markup and self._markup):
            return source
        return Skipped(source.name, kind.name)

    def _copied(self, source: Source, pieces: Iterator[bytes]) -> Source:
        """A source whose bytes are copied to the file of copies; the pieces may be read from that file."""
        if self._copies is None:
            self._copies = scratch_file()
        start = self._end
        for piece in pieces:
            with writing():
                self._copies.seek(self._end)
                self._copies.write(piece)
            self._end += len(piece)
        return replace(source, copy=self._copies, start=start, stored=self._end - start, packing=None)

    def _take(self, what: str, name: str, items: Sequence[Source | Skipped]) -> None:
        """Add what a folder or an archive holds, or fail if it is no text at all."""
        sources = [item for item in items if isinstance(item, Source)]
        skipped = [item for item in items if isinstance(item, Skipped)]
        if not sources:
            raise CorpusError(f"{name}: no text in {what} matches {self._glob}{_instead(skipped)}")
        self.found.sources.extend(sources)
        self.found.skipped.extend(skipped)


def matches(name: str, glob: str) -> bool:
    """Whether a file's name, as it is or without the suffix of its packing, matches a pattern, in any case."""
    name, glob = name.lower(), glob.lower()
    return fnmatch.fnmatchcase(without_packing(name), glob) or fnmatch.fnmatchcase(name, glob)


def _instead(skipped: Sequence[Skipped]) -> str:
    """What to do where nothing but this was found."""
    telling = [item for item in skipped if not item.why.startswith("does not match")] or skipped
    named = telling[:NAMED]
    more = f" and {len(skipped) - len(named):,} more" if len(skipped) > len(named) else ""
    passed = f"; skipped: {', '.join(map(str, named))}{more}" if skipped else ""
    markup = ", or give `markup=True` to read HTML and RTF" if any(item.why in MARKUP for item in skipped) else ""
    return f"{passed}; name others with `glob`{markup}"


def _looked_into(source: Source) -> tuple[Source, bytes]:
    """A source that is unpacked as its first bytes tell, and the first bytes of that."""
    head = source.head()
    packing = packing_of(head)
    if packing is None:
        return source, head
    source = replace(source, packing=packing)
    return source, source.head()


def _listed(folder: Path, skipped: list[Skipped]) -> Iterator[Path]:
    """All files under a folder; hidden folders and links to folders are left out and named."""

    def fail(error: OSError) -> None:
        raise CorpusError(f"{error.filename}: cannot be read ({reason(error)}); make it readable, or move it away")

    for root, folders, names in os.walk(folder, onerror=fail):
        for name in folders:
            path = Path(root, name)
            if name.startswith(".") or path.is_symlink():
                skipped.append(Skipped(f"{path}/", "hidden" if name.startswith(".") else "a link"))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in names)
