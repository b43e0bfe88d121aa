"""Decompresses gzip, xz, bzip2 and the entries of a zip, block by block, within limits.

The modules that unpack raise whatever they like on damaged bytes; it is caught around their calls alone, by `damage`.
"""

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from textgen.errors import CorpusError

BLOCK = 2**20  # bytes unpacked at once
MOST_RATIO = 100  # times its packed size that an archive may unpack to; texts pack to a third or a fifth
ALWAYS_UNPACKED = 2**24  # bytes, whatever the ratio
ALWAYS_ENTRIES = 10_000  # files of an archive, however small it is
ENTRY = 80  # bytes that each further one takes at least; with its name and its text it takes more
MOST_MEMORY = 2**27  # bytes that unpacking may need; xz -9 needs 65 MiB, a file can ask for 4 GiB

SUFFIXES = (".gz", ".xz", ".bz2")  # of names, for patterns; what a file is packed with is told by its first bytes
STARTS = {
    "gzip": re.compile(rb"\x1f\x8b\x08"),
    "xz": re.compile(rb"\xfd7zXZ\0"),
    "bzip2": re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
}


class Packing(NamedTuple):
    """How bytes are compressed.

    Attributes:
        method: a key of `UNPACKERS`, or `stored`.
        size: what they unpack to, as far as it is written down beside them.
        check: the CRC-32 of that.
    """

    method: str
    size: int | None = None
    check: int | None = None


class Allowance:
    """Counts the files and bytes that an archive unpacks to, and refuses far more than texts have."""

    def __init__(self, name: str, packed: int) -> None:
        """Nothing is unpacked yet of an archive of this name and this many bytes."""
        self._name, self._packed = name, packed
        self._taken = self._entries = 0

    def take(self, size: int) -> None:
        """Count bytes.

        Raises:
            CorpusError: they are too many.
        """
        self._taken += size
        if self._taken > ALWAYS_UNPACKED + MOST_RATIO * self._packed:
            raise CorpusError(
                f"{self._name}: unpacks to {self._taken:,} bytes or more from {self._packed:,}, far more than a text "
                "does; if you trust it, unpack it first and name its files"
            )

    def enter(self) -> None:
        """Count a file.

        Raises:
            CorpusError: they are too many.
        """
        self._entries += 1
        if self._entries > ALWAYS_ENTRIES + self._packed // ENTRY:
            raise CorpusError(
                f"{self._name}: holds {self._entries:,} files or more in {self._packed:,} bytes, far more than an "
                "archive of texts does; if you trust it, unpack it first and name its folder"
            )


class Unpacker(Protocol):
    """What the standard library's decompressors of xz and bzip2 have in common."""

    @property
    def eof(self) -> bool: ...  # noqa: D102
    @property
    def needs_input(self) -> bool: ...  # noqa: D102
    @property
    def unused_data(self) -> bytes: ...  # noqa: D102
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...  # noqa: D102


class _Deflate:
    """The same for gzip and for the entries of a zip."""

    def __init__(self, window: int) -> None:
        self._of = zlib.decompressobj(window)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._of.eof

    @property
    def unused_data(self) -> bytes:
        return self._of.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        piece = self._of.decompress(self._of.unconsumed_tail + data, max_length)
        self.needs_input = not self._of.unconsumed_tail and len(piece) < max_length
        return piece


UNPACKERS: dict[str, Callable[[], Unpacker]] = {
    "gzip": lambda: _Deflate(16 + zlib.MAX_WBITS),
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_MEMORY),
    "bzip2": bz2.BZ2Decompressor,
    "deflate": lambda: _Deflate(-zlib.MAX_WBITS),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=MOST_MEMORY),
}


def without_packing(name: str) -> str:
    """A file's name without the suffix of its packing."""
    return name[: -len(suffix)] if (suffix := Path(name).suffix).lower() in SUFFIXES else name


def packing_of(head: bytes) -> Packing | None:
    """How a file that begins so is packed; None if it is not."""
    return next((Packing(method) for method, start in STARTS.items() if start.match(head)), None)


def unpack(name: str, blocks: Iterator[bytes], packing: Packing, allowance: Allowance) -> Iterator[bytes]:
    """Unpack what comes in blocks.

    Args:
        name: of what is unpacked, for messages.
        blocks: the packed bytes.
        packing: how they are packed.
        allowance: counts what they unpack to.

    Raises:
        CorpusError: they are damaged, or unpack to too much.
    """
    size = check = 0
    for piece in blocks if packing.method == "stored" else _unpacked(name, blocks, packing):
        size += len(piece)
        allowance.take(len(piece))
        if packing.check is not None:
            check = zlib.crc32(piece, check)
        if packing.size is not None and size > packing.size:
            break
        yield piece
    if packing.size not in (None, size) or packing.check not in (None, check):
        raise damaged(name, "its checksum is wrong")


def _unpacked(name: str, blocks: Iterator[bytes], packing: Packing) -> Iterator[bytes]:
    """Unpack streams that lie one behind the other, perhaps with zeros between them."""
    new = UNPACKERS[packing.method]
    unpacker = new()
    for block in _with_sizes(blocks) if packing.method == "lzma" else blocks:
        rest = block
        while rest:
            if unpacker.eof:
                rest = rest.lstrip(b"\0")
                if not rest:
                    break
                unpacker = new()
            yield from _pieces(name, unpacker, rest)
            rest = unpacker.unused_data if unpacker.eof else b""
    if packing.size is None and not unpacker.eof:
        raise damaged(name, "it ends early")


def _pieces(name: str, unpacker: Unpacker, data: bytes) -> Iterator[bytes]:
    """What some bytes unpack to."""
    while True:
        with damage(name):
            piece = unpacker.decompress(data, BLOCK)
        if piece:
            yield piece
        if unpacker.eof or unpacker.needs_input:
            return
        data = b""


def _with_sizes(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """A zip's LZMA with the header that it has as a file, whose decoder alone keeps to a limit of memory.

    The zip has two bytes of a version, two of the length of the properties, these five, and the data; a file has the
    properties, eight bytes of a size, which may be unknown, and the data.
    """
    head = b""
    for block in blocks:
        head += block
        if len(head) >= 9:
            break
    yield head[4:9] + b"\xff" * 8 + head[9:]
    yield from blocks


def damaged(name: str, why: object) -> CorpusError:
    """The error for a damaged archive."""
    return CorpusError(f"{name}: the archive is damaged ({why}); copy it again")


@contextmanager
def damage(name: str) -> Iterator[None]:
    """Turn whatever a module raises on the bytes of an archive into one line."""
    try:
        yield
    except CorpusError:
        raise
    except NotImplementedError as error:
        raise CorpusError(f"{name}: its compression is not supported ({error}); unpack it first") from error
    except Exception as error:
        if isinstance(error, MemoryError) or str(error) == "Memory usage limit exceeded":
            raise CorpusError(f"{name}: needs too much memory to unpack; unpack it first, if you trust it") from error
        raise damaged(name, str(error) or type(error).__name__) from error
