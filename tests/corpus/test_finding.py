import gzip
import io
import os
import sys
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from textgen.corpus import packing
from textgen.corpus.finding import find_sources, matches
from textgen.errors import CorpusError


def found(*paths: str | Path, glob: str = "*.txt") -> list[tuple[str, bytes]]:
    """The names and contents of the sources."""
    sources = find_sources(paths, glob).sources
    try:
        return [(source.name, b"".join(source.blocks())) for source in sources]
    finally:
        for source in sources:
            source.close()


def skipped(*paths: str | Path, glob: str = "*.txt") -> list[tuple[str, str]]:
    """The names of what is passed over, and why."""
    sources, passed_over = find_sources(paths, glob)
    for source in sources:
        source.close()
    return [(item.name, item.why) for item in passed_over]


def refused(*paths: str | Path, glob: str = "*.txt") -> str:
    with pytest.raises(CorpusError) as error:
        found(*paths, glob=glob)
    assert "\n" not in str(error.value)
    return str(error.value)


def write(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(path: Path, entries: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with all that one may hold."""
    folder = tmp_path / "shelf"
    for name in ("b.txt", "a/z.txt", "a/b/y.txt", "a.txt", "c.md", ".hidden.txt", ".git/x.txt", "Z.txt"):
        write(folder / name, name)
    write(folder / "image.txt", b"\x89PNG\0\0")
    write(folder / "wide.txt", "wide".encode("utf-16"))
    (folder / "ring").symlink_to(folder)
    (folder / "link.txt").symlink_to(folder / "b.txt")
    return folder


def test_a_folder_s_texts_come_by_path_and_what_is_passed_over_is_named(shelf: Path) -> None:
    names = [Path(name).relative_to(shelf).as_posix() for name, _ in found(shelf)]
    assert names == ["Z.txt", "a/b/y.txt", "a/z.txt", "a.txt", "b.txt", "wide.txt"]
    assert {Path(name).name: why for name, why in skipped(shelf)} == {
        ".git": "hidden",
        "ring": "a link",
        "link.txt": "a link",
        ".hidden.txt": "hidden",
        "image.txt": "binary",
        "c.md": "does not match *.txt",
    }


def test_a_link_that_is_named_is_followed(shelf: Path) -> None:
    assert found(shelf / "link.txt") == [(str(shelf / "link.txt"), b"b.txt")]
    assert len(found(shelf / "ring")) == 6


def test_a_glob_chooses_a_folder_s_texts(shelf: Path) -> None:
    assert [content for _, content in found(shelf, glob="*.md")] == [b"c.md"]


def test_arguments_keep_their_order_in_any_mix(tmp_path: Path, shelf: Path) -> None:
    packed = write(tmp_path / "p.txt.gz", gzip.compress(b"packed"))
    archive = zipped(
        tmp_path / "z.zip", {"d/b.txt": "zb", "a.txt": "za", "d/.x.txt": "no", "n.md": "no", "i.txt": b"\0"}
    )
    contents = [content for _, content in found(shelf / "b.txt", packed, archive, shelf / "a", shelf / "b.txt")]
    assert contents == [b"b.txt", b"packed", b"za", b"zb", b"a/b/y.txt", b"a/z.txt", b"b.txt"]
    assert [name for name, _ in found(archive)] == [f"{archive}/a.txt", f"{archive}/d/b.txt"]
    assert skipped(archive) == [
        (f"{archive}/d/.x.txt", "hidden"),
        (f"{archive}/i.txt", "binary"),
        (f"{archive}/n.md", "does not match *.txt"),
    ]


def test_archives_are_told_by_their_content(tmp_path: Path) -> None:
    assert found(write(tmp_path / "plain.gz", "plain")) == [(str(tmp_path / "plain.gz"), b"plain")]
    assert found(write(tmp_path / "packed.txt", gzip.compress(b"x")))[0][1] == b"x"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_read_once_and_kept(monkeypatch: pytest.MonkeyPatch, pack) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(pack(b"piped" * 9))))
    (source,) = find_sources(["-"], "*.txt").sources
    assert source.name == "standard input"
    assert source.identity is None
    assert b"".join(source.blocks()) == b"".join(source.blocks()) == b"piped" * 9
    source.close()


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
def test_a_device_without_an_end_is_refused(device: str) -> None:
    with pytest.raises(CorpusError, match=f"^{device}: is a device, whose bytes may have no end; expected a file or a"):
        find_sources([device], "*.txt")
    (nothing,) = find_sources([os.devnull], "*.txt").sources  # which is empty, and told so where it is read
    nothing.close()


def test_a_named_pipe_is_read_like_standard_input(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"piped",))
    writer.start()
    (source,) = find_sources([tmp_path / "pipe"], "*.txt").sources
    writer.join()
    assert b"".join(source.blocks()) == b"piped"
    source.close()


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "no.txt") == f"{tmp_path / 'no.txt'}: no such file; check the path"
    assert refused("a\0b") == "a\0b: no such file; check the path"
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty") == (
        f"{tmp_path / 'empty'}: no text in this folder matches *.txt; name others with `glob`"
    )
    assert "no text in this archive matches *.txt" in refused(zipped(tmp_path / "z.zip", {"a.md": "a"}))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads everything")
def test_an_unreadable_file_in_a_folder_is_refused(shelf: Path) -> None:
    (shelf / "b.txt").chmod(0)
    assert refused(shelf).startswith(f"{shelf / 'b.txt'}: cannot be read (Permission denied)")


def test_a_file_that_cannot_be_read_is_told(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the superuser's tests can do in place of the one above."""
    opened = Path.open

    def fail(path: Path, *words: str):
        if path.name == "b.txt":
            raise PermissionError(13, "Permission denied")
        return opened(path, *words)

    monkeypatch.setattr(Path, "open", fail)
    assert refused(shelf).startswith(f"{shelf / 'b.txt'}: cannot be read (Permission denied); expected a text file")


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/out.txt", "..\\out.txt", "C:\\out.txt"])
def test_an_archive_with_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    archive = zipped(tmp_path / "z.zip", {"good.txt": "good", name: "bad"})
    assert refused(archive) == (
        f"{archive}: has an entry whose path leaves the folder ({name.replace(chr(92), '/')}); "
        "do not trust this archive"
    )


def test_bombs_are_refused_before_they_unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "ALWAYS_UNPACKED", 2**20)
    zeros = bytes(2**23)
    for bomb in (
        zipped(tmp_path / "bomb.zip", {"a.txt": zeros}),
        write(tmp_path / "bomb.gz", gzip.compress(zeros)),
        write(tmp_path / "many.gz", gzip.compress(zeros[: 2**19]) * 9),
    ):
        message = refused(bomb)
        assert "far more than a text does; if you trust it, unpack it first and name its files" in message
        unpacked = int(message.split("unpacks to ")[1].split(" bytes")[0].replace(",", ""))
        assert bomb.suffix == ".zip" or unpacked <= 3 * 2**20


def test_honest_archives_are_no_bombs(tmp_path: Path) -> None:
    assert found(write(tmp_path / "small.gz", gzip.compress(b"a" * 100_000)))[0][1] == b"a" * 100_000


def test_an_encrypted_entry_is_told(tmp_path: Path) -> None:
    content = bytearray(zipped(tmp_path / "z.zip", {"a.txt": "secret"}).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag in the central directory
    archive = write(tmp_path / "z.zip", bytes(content))
    assert refused(archive) == f"{archive}: is encrypted (a.txt); unpack it with its password first"


def test_damaged_archives_are_told(tmp_path: Path) -> None:
    whole = gzip.compress(os.urandom(5000))
    assert "the archive is damaged" in refused(write(tmp_path / "cut.gz", whole[:-1000]))
    assert "the archive is damaged" in refused(write(tmp_path / "bad.gz", whole[:2000] + b"x" * 9 + whole[2009:]))
    archive = zipped(tmp_path / "z.zip", {"a.txt": "text " * 100})
    whole = archive.read_bytes()
    assert "the archive is damaged" in refused(write(archive, whole[: len(whole) // 2]))
    assert "the archive is damaged" in refused(write(archive, whole[:45] + b"\xff\xff" + whole[47:]))


def test_a_named_document_is_refused_with_what_to_do(tmp_path: Path) -> None:
    word = zipped(tmp_path / "novel.txt", {"[Content_Types].xml": "", "word/document.xml": "It was."})
    assert refused(word) == (
        f"{word}: is a Word document; expected plain text: save it as plain text (UTF-8) and give that"
    )
    packed = write(tmp_path / "a.pdf.gz", gzip.compress(b"%PDF-1.4"))
    assert refused(packed).startswith(f"{packed}: is a PDF; expected plain text: ")
    within = write(tmp_path / "a.zip.gz", gzip.compress(zipped(tmp_path / "a.zip", {"a.txt": "a"}).read_bytes()))
    assert refused(within) == f"{within}: is a zip archive; expected plain text: unpack it, and give what it holds"


def test_markup_is_read_where_it_is_asked_for(tmp_path: Path) -> None:
    page = write(tmp_path / "page.txt", "<html>It was.")
    assert refused(page) == (
        f"{page}: is HTML; expected plain text: save it as plain text (UTF-8), or give `markup=True` to read it with "
        "its markup"
    )
    (source,) = find_sources([page], "*.txt", markup=True).sources
    assert b"".join(source.blocks()) == b"<html>It was."
    with pytest.raises(CorpusError, match="is a PDF"):
        find_sources([write(tmp_path / "a.pdf", "%PDF-1.4")], "*.txt", markup=True)


def test_a_folder_of_nothing_but_documents_is_refused_with_their_kinds(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "%PDF-1.4")
    write(tmp_path / "b.txt", "<html>")
    write(tmp_path / "c.jpg", "")
    assert refused(tmp_path) == (
        f"{tmp_path}: no text in this folder matches *.txt; skipped: {tmp_path}/a.txt (a PDF), {tmp_path}/b.txt "
        "(HTML) and 1 more; name others with `glob`, or give `markup=True` to read HTML and RTF"
    )
    for number in range(9):
        write(tmp_path / f"{number}.jpg", "")
    (tmp_path / "a.txt").unlink()
    (tmp_path / "b.txt").unlink()
    assert "(does not match *.txt), " in refused(tmp_path)
    assert " and 7 more; name others with `glob`" in refused(tmp_path)


@pytest.mark.parametrize(
    ("name", "glob", "expected"),
    [
        ("a.TXT", "*.txt", True),
        ("a.txt", "*.TXT", True),
        ("a.txt.gz", "*.txt", True),
        ("A.TXT.XZ", "*.txt", True),
        ("a.gz", "*.gz", True),
        ("a.txt.zip", "*.txt", False),
        ("atxt", "*.txt", False),
    ],
)
def test_a_pattern_has_no_case_and_sees_through_packing(name: str, glob: str, expected: bool) -> None:
    assert matches(name, glob) is expected


def test_a_folder_s_packed_texts_are_read(tmp_path: Path) -> None:
    write(tmp_path / "ch10.txt.gz", gzip.compress(b"ten"))
    write(tmp_path / "ch2.TXT", "two")
    zipped(tmp_path / "z.txt", {"a.txt": "a"})
    assert [content for _, content in found(tmp_path)] == [b"two", b"ten"]
    assert skipped(tmp_path) == [(f"{tmp_path}/z.txt", "a zip archive")]
