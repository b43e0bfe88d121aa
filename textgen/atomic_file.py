"""Files that are either the old one or the whole new one, also after a crash."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Give the path of a temporary file to write; when the block ends well, it takes the place of `path`.

    The temporary file lies beside `path`, with its suffix, and is gone after an error. Content, then name, are on
    the disk when the block has ended (fsync of the file, rename, fsync of the folder). Unless `durable`, there is no
    fsync, and a crash of the machine soon after can leave a file cut short.

    Raises:
        OSError: the file or its folder cannot be written.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}-{threading.get_ident()}.tmp{path.suffix}")
    try:
        yield temporary
        if durable:
            _synchronise(temporary)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    if durable:
        _synchronise(path.parent)


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_temporaries(path: Path) -> None:
    """Remove what processes that were killed while they wrote `path` have left beside it."""
    for leftover in path.parent.glob(f".{path.stem}.*.tmp{path.suffix}"):
        leftover.unlink(missing_ok=True)
