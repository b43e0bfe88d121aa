"""Atomic writing: after a crash, a file is either the old one or the complete new one."""

import errno
import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = ".textgen-"  # of temporary files; what they are to replace may have a name too long to be part of theirs
LONGEST_SUFFIX = 16  # bytes; some programs tell from it what to write


@contextmanager
def replacing(path: Path, *, durable: bool = True, private: bool = False, keep_links: bool = False) -> Iterator[Path]:
    """Yield the path of a temporary file to write; if the block succeeds, it replaces `path`.

    The temporary file lies beside `path`, has its suffix, exists already, and is gone after an error. It is opened so
    that it follows no link and was nobody else's before, and in a folder such as /tmp no one but its owner can put
    another in its place; so it may safely be opened once more by its name, as what writes archives and pictures does.
    What a killed process has left in the folder is removed on the way.

    It takes over the permissions of the file that it replaces, and as far as possible its owner; until then, nobody
    else can read it. A new file gets the permissions that new files get. Content, then name, are on the disk when the
    block has ended (fsync of the file, rename, fsync of the folder). Unless `durable`, there is no fsync, and a crash
    of the machine soon after can leave a file cut short.

    Args:
        path: the file to replace or to make.
        durable: whether it must outlive a crash of the machine.
        private: whether nobody else may ever read it, whatever was there before.
        keep_links: whether a file with several names (hard links) keeps them all: the new content is copied into it,
            which a crash can interrupt. Otherwise the other names keep the old content.

    Raises:
        OSError: the file or its folder cannot be written, or what is there is a device or a pipe: a program that
            replaced /dev/null would take it from all others.
    """
    remove_leftovers(path.parent)
    try:
        old = path.stat()
    except FileNotFoundError:
        old = None
    if old and not (stat.S_ISREG(old.st_mode) or stat.S_ISDIR(old.st_mode)):
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    descriptor, temporary = _made_beside(path, 0o600 if private or old else 0o666)
    try:
        yield temporary
        if old and not private:
            _take_over(descriptor, old)
        if durable:
            os.fsync(descriptor)
        if old and keep_links and old.st_nlink > 1:
            shutil.copyfile(temporary, path)
            temporary.unlink()
            if durable:
                _synchronise(path)
        else:
            temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    if durable:
        _synchronise(path.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files in a folder that ended processes have left.

    A process holds a lock of the operating system's on its temporary file, which ends with it however it ends.
    """
    for leftover in folder.glob(f"{PREFIX}*.tmp*"):
        with suppress(OSError):  # it is in use, or gone, or another user's
            descriptor = os.open(leftover, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                leftover.unlink()
            finally:
                os.close(descriptor)


def _made_beside(path: Path, mode: int) -> tuple[int, Path]:
    """Create and lock a temporary file with an unused name; return its open descriptor too."""
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= LONGEST_SUFFIX else ""
    while True:
        temporary = path.with_name(f"{PREFIX}{secrets.token_hex(8)}.tmp{suffix}")
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # Another process may have taken it for a leftover in this moment; or the file system knows no locks.
            if error.errno != errno.EWOULDBLOCK:
                return descriptor, temporary
        else:
            if os.fstat(descriptor).st_nlink:
                return descriptor, temporary
        os.close(descriptor)


def _take_over(descriptor: int, old: os.stat_result) -> None:
    """Copy the permissions of an older file, and its owner and group if the system allows it."""
    mode = old.st_mode & 0o777
    try:
        os.fchown(descriptor, old.st_uid, old.st_gid)
    except OSError:
        try:
            os.fchown(descriptor, -1, old.st_gid)
        except OSError:
            mode &= 0o707  # they were meant for the members of another group
    os.fchmod(descriptor, mode)


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
