from pathlib import Path

import pytest

from textgen.atomic_file import remove_temporaries, replacing


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        assert temporary.suffix == ".txt"
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    for name in (".model.12.tmp.keras", ".model.keras", ".other.12.tmp.keras", "model.keras", ".lock"):
        (tmp_path / name).touch()
    remove_temporaries(tmp_path / "model.keras")
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".lock", ".model.keras", ".other.12.tmp.keras", "model.keras"]
