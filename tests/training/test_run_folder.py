"""A run folder has one owner at a time, whatever happens between opening and locking."""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from textgen.errors import RunError
from textgen.training import run_folder
from textgen.training.contents import COLUMNS
from textgen.training.run_folder import LOCK, Row, open_run_folder


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    with (
        open_run_folder(tmp_path / "run"),
        pytest.raises(RunError, match="another process is training into this folder; wait"),
        open_run_folder(tmp_path / "run"),
    ):
        pass
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("folder_too", [False, True])
def test_a_lock_that_another_process_removes_before_it_is_taken_is_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder_too: bool
) -> None:
    path, lock, inodes = tmp_path / "run", fcntl.flock, []

    def lock_late(descriptor: int, operation: int) -> None:
        if not inodes:
            (path / LOCK).unlink()
            if folder_too:
                path.rmdir()
        inodes.append(os.fstat(descriptor).st_ino)
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    with ExitStack() as stack:
        stack.enter_context(open_run_folder(path))
        assert (path / LOCK).stat().st_ino == inodes[1]
        with pytest.raises(RunError, match="another process is training into this folder"):
            stack.enter_context(open_run_folder(path))


def test_a_folder_that_another_process_removes_before_its_lock_is_opened_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real, opened = tmp_path / "run", os.open, []

    def open_late(file: Path, *arguments: int) -> int:
        opened.append(file)
        if len(opened) == 1:
            path.rmdir()
        return real(file, *arguments)

    monkeypatch.setattr(run_folder.os, "open", open_late)
    with open_run_folder(path):
        assert opened[:2] == [path / LOCK] * 2
        assert path.is_dir()


def test_a_folder_that_another_process_begins_to_use_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with open_run_folder(path):
        (path / LOCK).unlink()
        (path / LOCK).mkdir()  # which cannot be unlinked
    assert path.is_dir()


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LOCK).symlink_to(tmp_path / "none" / "elsewhere")
    with pytest.raises(RunError, match=r"run: cannot be written \(Too many levels of symbolic links\)"):
        open_run_folder(tmp_path / "run").__enter__()


def test_a_checkpoint_s_history_has_the_columns_of_a_row() -> None:
    assert len(Row._fields) == COLUMNS
