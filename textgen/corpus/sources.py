"""What a user names → sources: files, what folders and archives hold, standard input; in a stable order, as bytes.

The order is that of the arguments; inside a folder or a zip, that of the paths, part by part, by code point. What is a
gzip or a zip file is told by its first bytes, not by its name.
"""

import fnmatch
import gzip
import os
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from textgen.corpus.cache import scratch_file, stamp_of, writing
from textgen.errors import CorpusError, reason

STANDARD_INPUT = "-"
BLOCK = 2**20  # bytes read at once
HEAD = 8192  # bytes from which a binary file in a folder is told
MOST_RATIO = 100  # times its packed size that an archive may unpack to; texts pack to a third or a fifth
ALWAYS_UNPACKED = 2**24  # bytes, whatever the ratio
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")  # of UTF-16 and UTF-32, whose texts have zero bytes

SETTLED = 10**9  # nanoseconds, more than most file systems' clocks take between two times they write down


@dataclass(frozen=True, eq=False)
class Source:
    """One text's bytes, not yet read; it can be read several times.

    Attributes:
        name: what to call it in front of the user.
        path: the absolute path of its file, or of the archive that holds it; None of a copied stream.
        stamp: of that file, when it was found, see `stamp_of`; of a copied stream its size.
        gzipped: whether that file is packed by gzip.
        entry: its name inside a zip.
        named: whether the user has named it, rather than a folder or an archive that holds it.
        copy: the file with no name that a stream was copied to.
        settled: whether the file has been left alone for so long that a change from now on changes its stamp.
    """

    name: str
    path: Path | None
    stamp: Sequence[int]
    gzipped: bool = False
    entry: str | None = None
    named: bool = True
    copy: IO[bytes] | None = None
    settled: bool = False

    @property
    def identity(self) -> str | None:
        """What stays the same as long as the content surely does; None of a stream."""
        return None if self.path is None else "|".join(map(str, (self.path, *self.stamp, self.entry)))

    def blocks(self) -> Iterator[bytes]:
        """Read it, unpacked, a block at a time.

        Raises:
            CorpusError: it cannot be read or unpacked, unpacks to far more than a text would, or has changed.
        """
        total = 0
        with _told(self.name), self._opened() as file:
            self._check_unchanged(file)
            with self._unpacked(file) as stream:
                while block := stream.read(BLOCK):
                    total += len(block)
                    if self.gzipped:
                        _refuse_bomb(self.name, total, self.stamp[0])
                    yield block
            self._check_unchanged(file)

    def close(self) -> None:
        """Let a copied stream go."""
        if self.copy is not None:
            self.copy.close()

    def head(self) -> bytes:
        """Its first bytes."""
        with _told(self.name), self._opened() as file, self._unpacked(file) as stream:
            return stream.read(HEAD)

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        if self.copy is not None:
            self.copy.seek(0)
            yield self.copy
        elif self.path is not None:
            with self.path.open("rb") as file:
                yield file

    @contextmanager
    def _unpacked(self, file: IO[bytes]) -> Iterator[IO[bytes]]:
        if self.gzipped:
            with gzip.GzipFile(fileobj=file) as stream:
                yield stream  # type: ignore[misc]
        elif self.entry is not None:
            with zipfile.ZipFile(file) as archive, archive.open(self.entry) as entry:
                yield entry
        else:
            yield file

    def _check_unchanged(self, file: IO[bytes]) -> None:
        if self.copy is None and stamp_of(os.fstat(file.fileno())) != self.stamp:
            raise CorpusError(f"{self.name}: has changed while it was read; wait until it is complete, and try again")


class Found(NamedTuple):
    """The sources of a text, in order, and what was passed over in folders and archives, with the reason."""

    sources: list[Source]
    skipped: list[str]


def find_sources(paths: Sequence[str | Path], glob: str) -> Found:
    """Find the texts that paths stand for.

    Args:
        paths: files, folders, and `-` for standard input, which is copied to the cache folder.
        glob: which files of a folder, and which entries of a zip, are texts; it is compared with their last part.

    Raises:
        CorpusError: a path is missing or unreadable, holds no text, or is an archive not to be trusted.
    """
    found = Found([], [])
    for path in paths:
        if str(path) == STANDARD_INPUT:
            _add(_copied("standard input", sys.stdin.buffer), glob, found)
            continue
        with _told(str(path)):
            if Path(path).is_dir():
                _add_folder(Path(path), glob, found)
            else:
                _add(_file(Path(path)), glob, found)
    return found


def _file(path: Path, *, named: bool = True) -> Source:
    if not path.exists():
        raise FileNotFoundError
    if not path.is_file():  # a pipe, which can be read only once
        with path.open("rb") as stream:
            return _copied(str(path), stream)
    stamp = stamp_of(path.stat())
    settled = time.time_ns() - max(stamp[1:3]) > SETTLED
    return Source(str(path), path.absolute(), stamp, named=named, settled=settled)


def _copied(name: str, stream: IO[bytes]) -> Source:
    """A stream that can be read only once, copied to a file without a name."""
    copy = scratch_file()
    size = 0
    while block := _read(name, stream):
        size += len(block)
        with writing():
            copy.write(block)
    with writing():
        copy.flush()
    return Source(name, None, (size,), copy=copy)


def _read(name: str, stream: IO[bytes]) -> bytes:
    with _told(name):
        return stream.read(BLOCK)


def _add(source: Source, glob: str, found: Found) -> None:
    """Add a file, or what it holds if it is a zip."""
    start = source.head()[:4]
    if start[:2] == b"\x1f\x8b":
        found.sources.append(replace(source, gzipped=True))
    elif start == b"PK\x03\x04":
        _add_zip(source, glob, found)
    else:
        found.sources.append(source)


def _add_folder(folder: Path, glob: str, found: Found) -> None:
    """Add the texts of a folder and the folders in it; links to folders are not followed, since they can make rings."""
    before = len(found.sources)
    for path in sorted(_listed(folder, found.skipped), key=lambda path: path.parts):
        if not fnmatch.fnmatchcase(path.name, glob):
            continue
        with _told(str(path)):
            if path.name.startswith("."):
                found.skipped.append(f"{path} (hidden)")
            elif not path.is_file():
                found.skipped.append(f"{path} (not a file)")
            elif is_binary((source := _file(path, named=False)).head()):
                found.skipped.append(f"{path} (binary)")
            else:
                _add(source, glob, found)
    if len(found.sources) == before:
        raise CorpusError(f"{folder}: no text in this folder matches {glob}; name others with `glob`")


def _listed(folder: Path, skipped: list[str]) -> Iterator[Path]:
    """All files under a folder, hidden folders left out and named."""

    def fail(error: OSError) -> None:
        raise CorpusError(f"{error.filename}: cannot be read ({reason(error)}); make it readable, or move it away")

    for root, folders, names in os.walk(folder, onerror=fail):
        for name in folders:
            path = Path(root, name)
            if name.startswith(".") or path.is_symlink():
                skipped.append(f"{path}/ ({'hidden' if name.startswith('.') else 'a link to a folder'})")
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in names)


def _add_zip(source: Source, glob: str, found: Found) -> None:
    """Add the texts of a zip."""
    before = len(found.sources)
    with _told(source.name), source._opened() as file, zipfile.ZipFile(file) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        _check_zip(source.name, entries, source.stamp[0])
    for entry in sorted(entries, key=lambda entry: entry.filename.split("/")):
        path = PurePosixPath(entry.filename)
        if not fnmatch.fnmatchcase(path.name, glob):
            continue
        text = replace(source, name=f"{source.name}/{entry.filename}", entry=entry.filename, named=False)
        if any(part.startswith((".", "__MACOSX")) for part in path.parts):
            found.skipped.append(f"{text.name} (hidden)")
        elif is_binary(text.head()):
            found.skipped.append(f"{text.name} (binary)")
        else:
            found.sources.append(text)
    if len(found.sources) == before:
        raise CorpusError(f"{source.name}: no text in this archive matches {glob}; name others with `glob`")


def _check_zip(name: str, entries: Sequence[zipfile.ZipInfo], size: int) -> None:
    """Refuse an archive that no honest program has made, or that needs a password."""
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or parts[0].endswith(":"):
            raise CorpusError(
                f"{name}: has an entry whose path leaves the folder ({entry.filename}); do not trust this archive"
            )
        if entry.flag_bits & 1:
            raise CorpusError(f"{name}: is encrypted ({entry.filename}); unpack it with its password first")
    _refuse_bomb(name, sum(entry.file_size for entry in entries), size)


def _refuse_bomb(name: str, unpacked: int, packed: int) -> None:
    if unpacked > ALWAYS_UNPACKED + MOST_RATIO * packed:
        raise CorpusError(
            f"{name}: unpacks to {unpacked:,} bytes or more from {packed:,}, as no text does; "
            "if you trust it, unpack it first and name its files"
        )


def is_binary(head: bytes) -> bool:
    """Whether a file that begins so is no text: it has zero bytes, and not those of UTF-16 or UTF-32 with a mark."""
    return b"\0" in head and not head.startswith(WIDE_MARKS)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turn a failure to read into one line."""
    try:
        yield
    except FileNotFoundError as error:
        raise CorpusError(f"{name}: no such file; check the path of the text") from error
    except (gzip.BadGzipFile, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise CorpusError(f"{name}: the archive is damaged ({error}); copy it again") from error
    except NotImplementedError as error:
        raise CorpusError(f"{name}: is packed in a way not known here ({error}); unpack it first") from error
    except OSError as error:
        raise CorpusError(f"{name}: cannot be read ({reason(error)}); expected a text file or a folder") from error
