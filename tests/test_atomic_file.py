import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from textgen.atomic_file import PREFIX, remove_leftovers, replacing


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(path: Path, content: str, **options: bool) -> None:
    with replacing(path, **options) as temporary:
        temporary.write_text(content)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        assert temporary.suffix == ".txt"
        assert temporary.parent == tmp_path
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


@pytest.mark.parametrize(
    "name",
    [
        "\u6f22" * 75 + ".txt",
        "x" * 255,
        "a." + "\u6f22" * 84,
        "line\nbreak.txt",
        "-x.txt",
        " ",
        "'\"$(x)*?[a].txt",
        os.fsdecode(b"caf\xe9.txt"),
    ],
)
def test_any_name_that_a_file_can_have_is_replaced(tmp_path: Path, name: str) -> None:
    for content in ("one", "two"):
        write(tmp_path / name, content)
        assert (tmp_path / name).read_text() == content
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("permissions", [0o600, 0o640, 0o644, 0o400, 0o755])
def test_what_replaces_a_file_keeps_its_permissions_and_is_secret_until_then(tmp_path: Path, permissions: int) -> None:
    path = tmp_path / "diary.txt"
    path.touch()
    path.chmod(permissions)
    with replacing(path) as temporary:
        assert mode(temporary) == 0o600
        temporary.write_text("new")
    assert mode(path) == permissions
    assert path.read_text() == "new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_replaces_a_file_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    os.chown(path, 12, 34)
    write(path, "new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12, 34)


def test_where_the_group_cannot_be_kept_another_one_gets_no_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    path = tmp_path / "file"
    path.touch()
    path.chmod(0o664)
    monkeypatch.setattr(os, "fchown", refuse)
    write(path, "new")
    assert mode(path) == 0o604


@pytest.mark.parametrize(("mask", "expected"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_gets_the_permissions_of_new_files(tmp_path: Path, mask: int, expected: int) -> None:
    os.umask(mask)
    write(tmp_path / "new", "new")
    assert mode(tmp_path / "new") == expected


def test_a_private_file_is_so_whatever_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for _ in range(2):
        write(path, "new", private=True)
        assert mode(path) == 0o600
        path.chmod(0o644)


@pytest.mark.parametrize("keep_links", [True, False])
def test_the_other_names_of_a_file_show_the_new_content_or_keep_the_old_one(tmp_path: Path, keep_links: bool) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_text("a long old content")
    other.hardlink_to(path)
    write(path, "new", keep_links=keep_links)
    assert path.read_text() == "new"
    assert other.read_text() == ("new" if keep_links else "a long old content")
    assert names(tmp_path) == ["file", "other"]


def test_a_device_or_a_pipe_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="Not a regular file"):
        write(pipe, "new")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert names(tmp_path) == ["pipe"]


def test_a_link_in_the_temporary_file_s_place_is_never_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / f"{PREFIX}1.tmp.txt").symlink_to(tmp_path / "precious")
    monkeypatch.setattr("secrets.token_hex", lambda size: "1")
    with pytest.raises(FileExistsError):
        write(tmp_path / "file.txt", "new")
    assert (tmp_path / "precious").read_text() == "precious"


KILLED = """
import os, sys
from pathlib import Path
from textgen.atomic_file import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_left_is_removed_by_the_next_that_writes_there(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "model.keras")], check=False)
    assert len(names(tmp_path)) == 1
    (tmp_path / ".other.tmp.txt").touch()
    write(tmp_path / "file", "new")
    assert names(tmp_path) == [".other.tmp.txt", "file"]


def test_what_is_being_written_is_no_leftover(tmp_path: Path) -> None:
    with replacing(tmp_path / "slow.txt") as slow:
        slow.write_text("slow")
        write(tmp_path / "quick.txt", "quick")
        remove_leftovers(tmp_path)
    assert (tmp_path / "slow.txt").read_text() == "slow"


def test_a_temporary_file_that_was_taken_for_a_leftover_as_it_was_made_is_made_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, made = os.open, []

    def open_and_lose(path: Path, flags: int, *mode: int) -> int:
        descriptor = real(path, flags, *mode)
        if flags & os.O_EXCL:
            made.append(path)
            if len(made) == 1:
                remove_leftovers(tmp_path)
        return descriptor

    monkeypatch.setattr(os, "open", open_and_lose)
    write(tmp_path / "file", "new")
    assert len(made) == 2
    assert (tmp_path / "file").read_text() == "new"


def test_a_file_system_without_locks_is_written_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    (tmp_path / f"{PREFIX}0.tmp").touch()
    write(tmp_path / "file", "new")
    assert names(tmp_path) == [f"{PREFIX}0.tmp", "file"]
