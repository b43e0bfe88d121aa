"""What zip and tar archives hold: names that people can read, and where the bytes of each entry are.

An entry is known by its place, never by its name, of which an archive may have two. Nothing is kept open: whoever
reads an entry reads a slice of the archive.
"""

import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple, Protocol

from textgen.corpus.packing import Packing, damage, damaged
from textgen.errors import CorpusError

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")  # of one with entries, of an empty one
METHODS = {
    zipfile.ZIP_STORED: "stored",
    zipfile.ZIP_DEFLATED: "deflate",
    zipfile.ZIP_BZIP2: "bzip2",
    zipfile.ZIP_LZMA: "lzma",
}
LOCAL_HEADER = struct.Struct("<4s22xHH")  # of a zip's entry: its signature, the lengths of its name and of more
UNICODE_PATH = 0x7075  # of an extra field: the name in UTF-8, where the header has it in another encoding
UTF8_NAME = 0x800  # among a zip entry's flags
ENCRYPTED = 1

LONGEST_HEADER = 2**20  # bytes of a tar's header; a name has some hundreds
DRIVE = re.compile("[A-Za-z]:")
KANA_OR_KANJI = re.compile("[\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f]")


class Entry(NamedTuple):
    """One file of an archive.

    Attributes:
        name: its path, with `/` between the parts.
        start: the offset of its bytes in the archive.
        stored: how many there are.
        packing: how they are packed; None if not at all.
        unfit: what it is if it is no file of its own, such as a link; else empty.
    """

    name: str
    start: int
    stored: int
    packing: Packing | None = None
    unfit: str = ""

    @property
    def parts(self) -> list[str]:
        """Of its path."""
        return [part for part in self.name.split("/") if part not in ("", ".")]


def is_zip(head: bytes) -> bool:
    """Whether a file that begins so is a zip archive."""
    return head.startswith(ZIP_STARTS)


def is_tar(head: bytes) -> bool:
    """Whether a file that begins so is a tar archive: a signature, or, in the oldest, a right checksum, tells it."""
    if head[257:262] == b"ustar":
        return True
    try:
        tarfile.TarInfo.frombuf(head[:512], "utf-8", "surrogateescape")
    except Exception:  # which depends on what it is instead
        return False
    return True


def zip_entries(name: str, file: IO[bytes]) -> list[Entry]:
    """The files of a zip archive, in the order of its directory.

    Raises:
        CorpusError: the archive is damaged, needs a password, or is not to be trusted.
    """
    with damage(name), zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        names = _zip_names(infos)
    entries = []
    for info, path in zip(infos, names, strict=True):
        _check_path(name, path)
        if info.flag_bits & ENCRYPTED:
            raise CorpusError(f"{name}: is encrypted ({path}); unpack it with its password first")
        if not path.endswith("/"):
            entries.append(_zip_entry(name, file, info, path))
    return entries


def _zip_entry(name: str, file: IO[bytes], info: zipfile.ZipInfo, path: str) -> Entry:
    with damage(name):
        file.seek(info.header_offset)  # which may be negative
        signature, *lengths = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    if signature != ZIP_STARTS[0]:
        raise damaged(name, f"{path} is not where it should be")
    method = METHODS.get(info.compress_type)
    if method is None:
        raise CorpusError(
            f"{name}: the compression of {path} is not supported (method {info.compress_type}); unpack it first"
        )
    return Entry(
        path,
        info.header_offset + LOCAL_HEADER.size + sum(lengths),
        info.compress_size,
        Packing(method, info.file_size, info.CRC),
        "a link" if stat.S_ISLNK(info.external_attr >> 16) else "",
    )


def _zip_names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    r"""The entries' paths; those that are not marked as UTF-8 are read alike. A `\`, which no path has, is a `/`."""
    raw = [_raw_name(info) for info in infos]
    legacy = _encoding([name for name in raw if isinstance(name, bytes)])
    names = (name if isinstance(name, str) else name.decode(legacy) for name in raw)
    return [name.split("\0")[0].replace("\\", "/") for name in names]


def _raw_name(info: zipfile.ZipInfo) -> str | bytes:
    """An entry's name, as bytes if its encoding is not known."""
    if info.flag_bits & UTF8_NAME:
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == UNICODE_PATH and field[1:5] == zlib.crc32(raw).to_bytes(4, "little"):
            return field[5:].decode()
    return raw


def _encoding(names: Sequence[bytes], fallback: str = "cp437") -> str:
    """What encoding names are in: UTF-8, else Windows's of Japan if that makes Japanese of them, else another."""
    for encoding in ("utf-8", "cp932"):
        try:
            read = "".join(name.decode(encoding) for name in names)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or KANA_OR_KANJI.search(read):
            return encoding
    return fallback


class Readable(Protocol):
    """What a tar archive is read from; it need not go back."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102
    def seek(self, offset: int, /) -> int: ...  # noqa: D102
    def tell(self) -> int: ...  # noqa: D102


class Forward:
    """Blocks as a file that can be read and skipped, but not gone back in."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        """Begin before the first block."""
        self._blocks = blocks
        self._block, self._used, self._at = b"", 0, 0

    def read(self, size: int) -> bytes:
        """Read `size` bytes, fewer only at the end."""
        if size > LONGEST_HEADER:
            raise ValueError(f"it has a header of {size:,} bytes")
        return b"".join(self.pieces(size))

    def pieces(self, size: int) -> Iterator[bytes]:
        """Read `size` bytes, in pieces as they come."""
        while size > 0:
            if self._used == len(self._block):
                self._block, self._used = next(self._blocks, b""), 0
                if not self._block:
                    return
            piece = self._block[self._used : self._used + size]
            self._used += len(piece)
            self._at += len(piece)
            size -= len(piece)
            yield piece

    def seek(self, offset: int) -> int:
        """Skip what stands before an offset."""
        for _ in self.pieces(offset - self._at):
            pass
        return self._at

    def tell(self) -> int:
        """The offset."""
        return self._at

    def finish(self) -> None:
        """Skip all that is left, since a checksum may stand at its end."""
        for _ in self._blocks:
            pass


def tar_entries(name: str, stream: Readable) -> Iterator[Entry]:
    """The files of a tar archive, as they come; whoever takes one may read its bytes from the stream, then and there.

    Raises:
        CorpusError: the archive is damaged or not to be trusted.
    """
    with damage(name):
        archive = tarfile.TarFile(fileobj=stream, mode="r")  # type: ignore[arg-type]
        member: tarfile.TarInfo | None = archive.firstmember  # type: ignore[attr-defined]
    while member is not None:
        if member.size < 0 or archive.offset < member.offset_data:
            raise damaged(name, "a size in it is negative")  # with which one would read for ever
        if not member.isdir():
            path = _tar_name(member.name)
            _check_path(name, path)
            yield Entry(path, member.offset_data, member.size, unfit=_unfit(member))
        with damage(name):
            member = _next(archive, stream)


def _next(archive: tarfile.TarFile, stream: Readable) -> tarfile.TarInfo | None:
    """The next member; unlike `TarFile.next`, this does not take damage for the end."""
    if archive.offset != stream.tell():
        stream.seek(archive.offset - 1)
        if not stream.read(1):
            raise EOFError("it ends early")
    try:
        return tarfile.TarInfo.fromtarfile(archive)
    except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
        return None


def _tar_name(name: str) -> str:
    raw = name.encode("utf-8", "surrogateescape")
    encoding = _encoding([raw], "utf-8")
    return raw.decode(encoding, "surrogateescape")


def _unfit(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return "a link"
    return "" if member.isreg() and not member.issparse() else "not a plain file"


def _check_path(name: str, path: str) -> None:
    """Refuse an archive that no honest program has made."""
    parts = path.split("/")
    if ".." in parts or parts[0] == "" or DRIVE.fullmatch(parts[0]):
        raise CorpusError(f"{name}: has an entry whose path leaves the folder ({path}); do not trust this archive")
