import zipfile
from pathlib import Path

import pytest

from textgen.config import Reading
from textgen.corpus.separate import Whole, read_each
from textgen.errors import CorpusError


def test_texts_are_read_one_by_one_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes(b"E\xcc\x81 \xef\xac\x81\r\nx")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("ch10.txt", "ten")
        archive.writestr("ch2.txt", "two")
        archive.writestr("picture.png", "no")
    found, notes = read_each([tmp_path / "b.txt", tmp_path / "a.zip"], Reading(lowercase=True))
    assert [item.text for item in found] == ["E\u0301 ﬁ\nx", "two", "ten"]
    assert found[0] == Whole(str(tmp_path / "b.txt"), "E\u0301 ﬁ\nx")
    assert found[1].name.endswith("ch2.txt")
    assert notes[0].endswith("b.txt: 6 characters")
    assert notes[-1].startswith("skipped: ")


def test_a_text_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file"):
        read_each([tmp_path / "none.txt"], Reading())
    with pytest.raises(TypeError, match=r"^`paths\[0\]` must be str or PathLike, not int: give each path"):
        read_each([3], Reading())  # type: ignore[list-item]
