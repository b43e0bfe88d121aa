"""Damaged and crafted archives: their texts are the right ones, or they are refused in one line."""

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.attack.harness import attempt, damaged
from tests.conftest import TEXT

TEXTS = {"a.txt": (TEXT * 9).encode(), "books/ch2.txt": b"To be, or not to be.\n" * 20, "books/x.bin": b"\0\1\2"}
MOST = 2**20  # bytes of a file that small bounds hold for


def zipped(method: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as opened:
        for name, data in TEXTS.items():
            opened.writestr(name, data)
    return content.getvalue()


def tarred(mode: str = "") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=f"w:{mode}") as opened:  # type: ignore[call-overload]
        for name, data in TEXTS.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            opened.addfile(entry, io.BytesIO(data))
    return content.getvalue()


ONE = TEXTS["a.txt"]
CHECKED = {"gz": gzip.compress(ONE, mtime=0), "xz": lzma.compress(ONE), "bz2": bz2.compress(ONE)}  # by their own sums
ARCHIVES = CHECKED | {
    "stored.zip": zipped(zipfile.ZIP_STORED),
    "deflated.zip": zipped(zipfile.ZIP_DEFLATED),
    "bzip2.zip": zipped(zipfile.ZIP_BZIP2),
    "lzma.zip": zipped(zipfile.ZIP_LZMA),
    "tar": tarred(),
    "tar.gz": tarred("gz"),
    "tar.xz": tarred("xz"),
    "tar.bz2": tarred("bz2"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shown(case: str, content: bytes, *options: str) -> dict | None:
    """What is in an archive, None where it is refused."""
    Path("archive").write_bytes(content)
    code, stdout, _ = attempt(case, "corpora", "show", "archive", "--json", *options)
    return None if code else json.loads(stdout)


@pytest.mark.parametrize("name", list(ARCHIVES))
def test_a_damaged_archive_is_refused_or_gives_its_texts(name: str) -> None:
    whole = shown(name, ARCHIVES[name])
    assert whole is not None
    for case, content in damaged(ARCHIVES[name], 30, seed=len(name)):
        found = shown(f"{name} {case}", content)
        if name in CHECKED and found is not None:
            assert found["symbols"] == whole["symbols"], case


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that would become large."""
    part = b"To be, or not.\n" * 2**16
    for name, pack in {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}.items():
        one = pack(part)
        yield f"{name} by parts", one * (MOST // len(one))
        yield f"{name} of zeros", pack(bytes(32 * 2**20))


def entries(
    *names: str, data: bytes = b"To be\n", change: Callable[[zipfile.ZipInfo], None] = lambda entry: None
) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        for name in names:
            entry = zipfile.ZipInfo("x.txt")
            entry.filename = name  # as it is: what it forbids is what an attack has
            change(entry)
            opened.writestr(entry, data)
    return content.getvalue()


def tar_entry(**values: object) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as opened:
        entry = tarfile.TarInfo("a.txt")
        data = b"To be, or not to be.\n"
        entry.size = len(data)
        for name, value in values.items():
            setattr(entry, name, value)
        opened.addfile(entry, io.BytesIO(data + bytes(entry.size)) if entry.isreg() else None)
        last = tarfile.TarInfo("z.txt")
        last.size = len(data)
        opened.addfile(last, io.BytesIO(data))
    return content.getvalue()


def crafted() -> Iterator[tuple[str, bytes]]:
    odd = [
        "../../up.txt",
        "/root.txt",
        "a\nb.txt",
        "\x1b[2J.txt",
        "\u202e.txt",
        ".txt",
        "a/./b.txt",
        "C:\\x.txt",
        "a\\.b.txt",
    ]
    yield "odd names in a zip", entries(*odd)
    yield "a long name in a zip", entries("x" * 60_000 + ".txt")
    yield "one name often", entries(*["a.txt"] * 500)
    yield "many entries", entries(*[f"{number}.txt" for number in range(1500)])
    yield "a name that is not what its flag says", entries("é.txt").replace("é".encode(), b"\xff\xfe")
    yield "a large zip that is cut", zipped(zipfile.ZIP_STORED).replace(b"PK\5\6", b"PK\5\5")
    yield "entries of one place", _overlapping()
    yield "a zip in a zip", entries("a.zip", data=zipped(zipfile.ZIP_STORED))
    yield "sizes of 4 GB", zipped(zipfile.ZIP_STORED).replace(struct.pack("<I", len(ONE)) * 2, b"\xff\xff\xff\xff" * 2)
    yield "an encrypted zip", _encrypted()
    for name in odd:
        yield f"{name!r} in a tar", tar_entry(name=name)
    yield "a long name in a tar", tar_entry(name="x" * 100_000 + ".txt")
    yield "a long header in a tar", tar_entry(pax_headers={"comment": "x" * 500_000})
    yield "an odd header in a tar", tar_entry(pax_headers={"size": "9" * 400, "path": "\x1b[2J.txt"})
    yield "a negative size", tar_entry(pax_headers={"size": "-1000"})
    yield (
        "a sparse file",
        tar_entry(pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9" * 18}),
    )
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, b"\xff"):
        yield f"an entry of type {kind!r}", tar_entry(type=kind, linkname="/etc/passwd", size=0)
    yield "gz of nothing", gzip.compress(b"")
    yield "gz twice", gzip.compress(gzip.compress(ONE))
    yield "gz often", _nested(gzip.compress, 12)
    yield "gz and more", gzip.compress(ONE) + b"more"
    yield "xz and zeros", lzma.compress(ONE) + bytes(8)
    yield (
        "xz that wants much memory",
        lzma.compress(ONE, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 2**30 + 2**29}]),
    )
    yield "lzma alone", lzma.compress(ONE, lzma.FORMAT_ALONE)
    yield "many short bz2", bz2.compress(b"a") * 10_000
    yield "many short gz", gzip.compress(b"a") * 20_000


def _overlapping() -> bytes:
    """A zip whose 2,000 entries all lie at one place, and unpack to 200 MB."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.txt", b"To be, or not.\n" * 6600)
        opened.filelist.extend(opened.filelist * 1999)
    return content.getvalue()


def _encrypted() -> bytes:
    content = bytearray(zipped(zipfile.ZIP_STORED))
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = content.index(mark)
        content[place + flags] |= 1
    return bytes(content)


def _nested(pack: Callable[[bytes], bytes], times: int) -> bytes:
    content = ONE
    for _ in range(times):
        content = pack(content)
    return content


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_crafted_archives_are_read_or_refused() -> None:
    for case, content in crafted():
        assert len(content) < MOST, case
        shown(case, content, "--glob", "*")


def test_bombs_are_refused() -> None:
    for case, content in bombs():
        assert len(content) <= MOST, case
        shown(f"a bomb of {case}", content)
