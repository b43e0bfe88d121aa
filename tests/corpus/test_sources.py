from pathlib import Path

import pytest

from textgen.corpus.sources import normalise, read_text
from textgen.errors import CorpusError


def test_newlines_become_lf_and_letters_small() -> None:
    assert normalise("A\r\nB\rC\n", lowercase=False) == "A\nB\nC\n"
    assert normalise("ÄB", lowercase=True) == "äb"


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "bom.txt"
    path.write_bytes(b"\xef\xbb\xbf\xe3\x81\x82")
    assert read_text(path) == "あ"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"abc\xff", "not UTF-8: byte 0xff at offset 3; save the text as UTF-8"),
        (b"ab\0c", "has a NUL at character 2"),
    ],
)
def test_unfit_files_are_refused_by_name(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "unfit.txt"
    path.write_bytes(content)
    with pytest.raises(CorpusError) as error:
        read_text(path)
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file"):
        read_text(tmp_path / "missing.txt")
    with pytest.raises(CorpusError, match=r"cannot be read \(Is a directory\)"):
        read_text(tmp_path)
