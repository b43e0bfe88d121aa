"""The bytes of a text: a file, a slice of an archive, or a copy of a stream."""

import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from textgen.corpus.cache import scratch_file, stamp_of, writing
from textgen.corpus.packing import Allowance, Packing, damaged, unpack
from textgen.errors import CorpusError, reason

BLOCK = 2**20  # bytes read at once
PACKED_BLOCK = 2**16  # the same of packed bytes, which become more
HEAD = 8192  # bytes from which is told what a file is

SETTLED = 10**9  # nanoseconds, more than most file systems' clocks take between two times they write down


@dataclass(frozen=True, eq=False)
class Source:
    """One text's bytes, not yet read; it can be read several times.

    Attributes:
        name: in messages.
        path: the absolute path of its file, or of the archive that holds it; None of a copied stream.
        stamp: of that file, when it was found, see `stamp_of`; of a copied stream its size.
        start: where its bytes begin in that file.
        stored: how many there are; None up to the end.
        packing: how they are packed; None if not at all.
        entry: its number in the archive that holds it.
        named: whether the user has named it, rather than a folder or an archive that holds it.
        copy: the file with no name that holds its bytes, of a stream and of what was unpacked from an archive.
        settled: whether the file has been left alone for so long that a change from now on changes its stamp.
    """

    name: str
    path: Path | None
    stamp: Sequence[int]
    start: int = 0
    stored: int | None = None
    packing: Packing | None = None
    entry: int | None = None
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
        with told(self.name), self.opened() as file:
            self.check_unchanged(file)
            yield from self._unpacked(self._slices(file))
            self.check_unchanged(file)

    def head(self) -> bytes:
        """Its first bytes, unpacked."""
        head = b""
        with told(self.name), self.opened() as file:
            for block in self._unpacked(self._slices(file, HEAD)):
                head += block
                if len(head) >= HEAD:
                    break
        return head[:HEAD]

    def close(self) -> None:
        """Let a copy go."""
        if self.copy is not None:
            self.copy.close()

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open the file that its bytes are in."""
        if self.copy is not None:
            yield self.copy
        elif self.path is not None:
            with self.path.open("rb") as file:
                yield file

    def check_unchanged(self, file: IO[bytes]) -> None:
        """Raise `CorpusError` if the open file is not as it was found."""
        if self.copy is None and stamp_of(os.fstat(file.fileno())) != self.stamp:
            raise CorpusError(f"{self.name}: has changed while it was read; wait until it is complete, and try again")

    def _slices(self, file: IO[bytes], most: int = BLOCK) -> Iterator[bytes]:
        """Read its bytes as they are stored. A copy is shared, so its position is set each time."""
        place, end = self.start, None if self.stored is None else self.start + self.stored
        most = min(most, BLOCK if self.packing is None else PACKED_BLOCK)
        while place != end:
            file.seek(place)
            block = file.read(most if end is None else min(most, end - place))
            if not block:
                break
            place += len(block)
            yield block
        if end not in (None, place):
            raise damaged(self.name, "it ends early")

    def _unpacked(self, slices: Iterator[bytes]) -> Iterator[bytes]:
        if self.packing is None:
            return slices
        return unpack(self.name, slices, self.packing, Allowance(self.name, self.stamp[0]))


def of_file(path: Path, *, named: bool = True) -> Source:
    """The source of a file; a pipe, which can be read only once, is copied.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it cannot be looked at.
        CorpusError: the cache folder cannot be written.
    """
    if not path.exists():
        raise FileNotFoundError
    if not path.is_file():
        with path.open("rb") as stream:
            return of_stream(str(path), stream)
    stamp = stamp_of(path.stat())
    settled = time.time_ns() - max(stamp[1:3]) > SETTLED
    return Source(str(path), path.absolute(), stamp, named=named, settled=settled)


def of_stream(name: str, stream: IO[bytes]) -> Source:
    """The source of a stream that can be read only once: a copy of it in a file without a name.

    Raises:
        CorpusError: it cannot be read, or is a device that has no end, or the cache folder cannot be written.
    """
    copy = scratch_file()
    size = 0
    try:
        while block := _read(name, stream):
            if _is_device(stream):  # as /dev/zero is; /dev/null gives no block
                raise CorpusError(f"{name}: is a device, whose bytes may have no end; expected a file or a pipe")
            size += len(block)
            with writing():
                copy.write(block)
        with writing():
            copy.flush()
    except BaseException:
        copy.close()
        raise
    return Source(name, None, (size,), copy=copy)


def _is_device(stream: IO[bytes]) -> bool:
    """Whether bytes come from a device that is no terminal."""
    try:
        return stat.S_ISCHR(os.fstat(stream.fileno()).st_mode) and not stream.isatty()
    except OSError:  # a stream of this process's own
        return False


def _read(name: str, stream: IO[bytes]) -> bytes:
    with told(name):
        return stream.read(BLOCK)


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn a failure to read into one line."""
    try:
        yield
    except FileNotFoundError as error:
        raise CorpusError(f"{name}: no such file; check the path") from error
    except OSError as error:
        raise CorpusError(f"{name}: cannot be read ({reason(error)}); expected a text file or a folder") from error
