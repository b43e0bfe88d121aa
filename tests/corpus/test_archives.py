import bz2
import gzip
import io
import lzma
import os
import random
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.corpus.test_finding import found, refused, skipped, write, zipped
from textgen.corpus import packing, sources
from textgen.corpus.finding import find_sources
from textgen.errors import CorpusError

SENTENCES = "".join(f"Line {number} of a text.\n" for number in range(400)).encode()
METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
}


def tarred(entries: list[tuple[str, bytes]], kind: int = tarfile.PAX_FORMAT) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=kind) as archive:
        for name, data in entries:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


def raw_zip(path: Path, names: list[bytes], *, utf8: bool = False) -> Path:
    """A zip whose names are these very bytes, the content of each its number."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr("?" * len(name), str(number))
    data = content.getvalue()
    for name in names:
        for header in (b"PK\x03\x04", b"PK\x01\x02"):
            place = data.index(b"?" * len(name), data.index(header))
            data = data[:place] + name + data[place + len(name) :]
    return write(path, data)


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_is_read_whatever_packs_it(tmp_path: Path, suffix: str, kind: int) -> None:
    entries = [
        ("./books/ch10.txt", SENTENCES),
        ("books/ch2.txt", b"two"),
        ("books/empty.txt", b""),
        (f"books/{'long' * 60}.TXT", b"x" * 512),
        ("books/.hidden.txt", b"no"),
        ("books/a.md", b"no"),
    ]
    if kind == tarfile.USTAR_FORMAT:
        del entries[3]
    archive = write(tmp_path / "books", COMPRESS[suffix](tarred(entries, kind)))
    read = dict(found(archive))
    assert list(read) == [f"{archive}/books/{name}" for name in ("ch2.txt", "ch10.txt", "empty.txt")] + [
        f"{archive}/{name}" for name, _ in entries if "long" in name
    ]
    assert read[f"{archive}/books/ch10.txt"] == SENTENCES
    assert {why for _, why in skipped(archive)} == {"hidden", "does not match *.txt"}


def test_the_oldest_tars_are_known_by_their_check_sum(tmp_path: Path) -> None:
    content = bytearray(tarred([("a.txt", b"old")], tarfile.USTAR_FORMAT))
    content[257:265] = bytes(8)
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    archive = write(tmp_path / "a.tar", bytes(content))
    assert found(archive) == [(f"{archive}/a.txt", b"old")]


def test_only_plain_files_of_a_tar_are_read(tmp_path: Path) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, kind in (
            ("a", tarfile.SYMTYPE),
            ("b", tarfile.LNKTYPE),
            ("c", tarfile.FIFOTYPE),
            ("d", tarfile.CHRTYPE),
        ):
            member = tarfile.TarInfo(f"{name}.txt")
            member.type, member.linkname = kind, "e.txt"
            archive.addfile(member)
        member = tarfile.TarInfo("e.txt")
        member.size = 1
        archive.addfile(member, io.BytesIO(b"e"))
    path = write(tmp_path / "a.tar", content.getvalue())
    assert found(path) == [(f"{path}/e.txt", b"e")]
    assert [(name[-5:], why) for name, why in skipped(path)] == [
        ("a.txt", "a link"),
        ("b.txt", "a link"),
        ("c.txt", "not a plain file"),
        ("d.txt", "not a plain file"),
    ]


def test_a_link_in_a_zip_is_no_text(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.txt")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(link, "../secret")
        archive.writestr("a.txt", "a")
    assert [content for _, content in found(tmp_path / "z.zip")] == [b"a"]


@pytest.mark.parametrize("method", METHODS)
def test_a_zip_s_entries_are_read_however_they_are_packed(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w", method) as archive:
        archive.writestr("a.txt", SENTENCES * 200)
        archive.writestr("b.txt", b"")
    assert [content for _, content in found(tmp_path / "z.zip")] == [SENTENCES * 200, b""]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_two_entries_of_one_name_are_two_texts(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.txt", "first")
            archive.writestr("b.txt", "other")
            archive.writestr("a.txt", "second")
    else:
        content = tarred([("a.txt", b"first"), ("b.txt", b"other"), ("a.txt", b"second")])
        write(path, gzip.compress(content) if kind == "tar.gz" else content)
    assert found(path) == [(f"{path}/a.txt", b"first"), (f"{path}/a.txt (2)", b"second"), (f"{path}/b.txt", b"other")]
    texts = find_sources([path], "*.txt").sources
    assert len({source.identity for source in texts}) == 3
    for source in texts:
        source.close()


def test_backslashes_part_names(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "z.zip", {"books\\a.txt": "a", "books\\.hidden.txt": "no", "__MACOSX\\b.txt": "no"})
    assert found(archive) == [(f"{archive}/books/a.txt", b"a")]
    assert {why for _, why in skipped(archive)} == {"hidden"}


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["夏目/坊っちゃん.txt".encode("cp932"), "表.txt".encode("cp932")], ["夏目/坊っちゃん.txt", "表.txt"]),
        (["café.txt".encode("cp437"), b"a.txt"], ["a.txt", "café.txt"]),
        (["été.txt".encode(), "夏.txt".encode()], ["été.txt", "夏.txt"]),
    ],
)
def test_names_that_are_not_marked_are_shown_right(tmp_path: Path, names: list[bytes], shown: list[str]) -> None:
    archive = raw_zip(tmp_path / "z.zip", names)
    assert [name.removeprefix(f"{archive}/") for name, _ in found(archive)] == shown


def test_the_name_in_an_extra_field_counts(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("?.txt")
    field = b"\1" + zlib.crc32(b"?.txt").to_bytes(4, "little") + "夏.txt".encode()
    entry.extra = b"\x75\x70" + len(field).to_bytes(2, "little") + field
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(entry, "a")
    assert found(tmp_path / "z.zip") == [(f"{tmp_path / 'z.zip'}/夏.txt", b"a")]


def test_a_tar_s_names_of_windows_are_shown_right(tmp_path: Path) -> None:
    name = "夏目.txt".encode("cp932").decode("utf-8", "surrogateescape")
    archive = write(tmp_path / "a.tar", tarred([(name, b"a")], tarfile.GNU_FORMAT))
    assert found(archive) == [(f"{archive}/夏目.txt", b"a")]


@pytest.mark.parametrize("name", ["../a.txt", "/a.txt", "b/../../a.txt"])
def test_a_tar_with_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    archive = write(tmp_path / "a.tar", tarred([("good.txt", b"good"), (name, b"bad")]))
    assert refused(archive) == (
        f"{archive}: has an entry whose path leaves the folder ({name}); do not trust this archive"
    )


def test_damage_to_a_tar_is_never_its_end(tmp_path: Path) -> None:
    whole = tarred([("a.txt", b"a" * 600), ("b.txt", b"b" * 600)])
    header = bytearray(whole)
    header[1536 + 3] ^= 1
    for content in (bytes(header), whole[: 1536 + 100], whole[: 2 * 1536], whole[: 2 * 1536 - 600]):
        for suffix in ("", ".gz"):
            archive = write(tmp_path / "a", COMPRESS[suffix](content))
            assert ": the archive is damaged (" in refused(archive)


def test_the_check_sum_behind_a_tar_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "BLOCK", 2048)  # so that it comes after what was read of the tar
    whole = gzip.compress(tarred([("a.txt", b"a")]))
    assert len(found(write(tmp_path / "a.tgz", whole))) == 1
    assert "the archive is damaged" in refused(write(tmp_path / "a.tgz", whole[:-8] + bytes(4) + whole[-4:]))


def test_texts_of_a_packed_tar_can_be_read_in_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "BLOCK", 10)
    content = gzip.compress(tarred([("a.txt", b"a" * 35), ("b.txt", b"b" * 35)]))
    first, second = find_sources([write(tmp_path / "a.tgz", content)], "*.txt").sources
    turns = list(zip(first.blocks(), second.blocks(), strict=True))
    assert [b"".join(blocks) for blocks in zip(*turns, strict=True)] == [b"a" * 35, b"b" * 35]
    first.close()


def test_a_negative_size_is_no_endless_loop(tmp_path: Path) -> None:
    content = bytearray(tarred([("a.txt", b"a")]))
    content[124:136] = b"\xff" * 10 + b"\xfc\0"
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    assert "the archive is damaged" in refused(write(tmp_path / "a.tar", bytes(content)))


def test_a_packed_text_in_an_archive_is_a_text(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "z.zip", {"a.txt.gz": gzip.compress(SENTENCES), "b.TXT.xz": lzma.compress(b"b")})
    assert [content for _, content in found(archive)] == [SENTENCES, b"b"]
    for pack in COMPRESS.values():
        path = write(tmp_path / "a.tar", pack(tarred([("a.txt.bz2", bz2.compress(SENTENCES))])))
        assert found(path) == [(f"{path}/a.txt.bz2", SENTENCES)]


def test_what_is_packed_in_an_archive_counts_for_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "ALWAYS_UNPACKED", 2**20)
    small = gzip.compress(bytes(2**19))
    for path in (
        zipped(tmp_path / "z.zip", {f"{number}.txt.gz": small for number in range(9)}),
        write(tmp_path / "a.tar.gz", gzip.compress(tarred([(f"{number}.txt.gz", small) for number in range(9)]))),
        write(tmp_path / "a.tar.xz", lzma.compress(tarred([("a.txt", bytes(2**23))]))),
    ):
        assert "far more than a text does" in refused(path)


def test_no_archive_holds_files_in_less_than_their_names_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "ALWAYS_ENTRIES", 10)
    archive = write(tmp_path / "a.tar.xz", lzma.compress(tarred([("a.txt", b"")] * 30)))
    size = archive.stat().st_size
    assert refused(archive) == (
        f"{archive}: holds {10 + size // 80 + 1} files or more in {size} bytes, far more than an archive of "
        "texts does; if you trust it, unpack it first and name its folder"
    )
    honest = [(f"{number}.txt", os.urandom(80).hex().encode()) for number in range(100)]
    assert len(found(write(tmp_path / "b.tar.xz", lzma.compress(tarred(honest))))) == 100


def test_documents_in_an_archive_are_passed_over_by_name(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "z.zip", {"a.txt": "a", "b.txt": "%PDF-1.4", "c.txt": "<html>", "d.txt": "{\\rtf1"})
    assert [(name[-5:], why) for name, why in skipped(archive)] == [
        ("b.txt", "a PDF"),
        ("c.txt", "HTML"),
        ("d.txt", "RTF"),
    ]
    assert len(find_sources([archive], "*.txt", markup=True).sources) == 3


def test_two_thousand_texts_are_read_in_a_moment(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "z.zip", {f"{number}.txt": f"text {number}" for number in range(2000)})
    begun = time.process_time()
    assert [content for _, content in found(archive)] == [f"text {number}".encode() for number in range(2000)]
    assert time.process_time() - begun < 5  # opening the archive anew for each takes a minute


def test_no_archive_is_kept_open(tmp_path: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("no list of open files here")
    content = gzip.compress(tarred([("a.txt", b"a"), ("b.txt", b"b")]))
    paths = [write(tmp_path / f"{number}.tar.gz", content) for number in range(50)]
    before = len(list(folder.iterdir()))
    texts = find_sources(paths, "*.txt").sources
    assert len(list(folder.iterdir())) - before <= 1
    assert len(texts) == 100
    for source in texts:
        source.close()


def samples() -> dict[str, bytes]:
    entries = [("books/a.txt", SENTENCES), ("books/夏.txt", b"b" * 700), ("c.md", b"c")]
    found = {f"tar{suffix}": pack(tarred(entries, tarfile.GNU_FORMAT)) for suffix, pack in COMPRESS.items()}
    found |= {suffix: pack(SENTENCES) for suffix, pack in COMPRESS.items() if suffix}
    found["pax"] = tarred([*entries, ("ü" * 200 + ".txt", b"long")])
    for method in METHODS:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", method) as archive:
            for name, data in entries:
                archive.writestr(name, data)
        found[f"zip {method}"] = content.getvalue()
    return found


@pytest.mark.parametrize("kind", samples())
def test_damage_is_told_in_one_line_or_does_no_harm(tmp_path: Path, kind: str) -> None:
    whole = samples()[kind]
    rng = random.Random(kind)
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(rng.choice([1, 1, 2, 8])):
            damaged[rng.randrange(min(len(damaged), rng.choice([64, 600, 2**20])))] = rng.randrange(256)
        if rng.random() < 0.3:
            del damaged[rng.randrange(len(damaged)) :]
        path = write(tmp_path / f"a{os.urandom(4).hex()}", bytes(damaged))
        try:
            found(path)
        except CorpusError as error:
            assert str(error).startswith(f"{path}")  # noqa: PT017
            assert "\n" not in str(error)  # noqa: PT017
