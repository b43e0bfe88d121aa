"""The user's cache folder: codes of texts read before, and what is remembered of their files.

An entry is a file of codes and a description beside it, which is written last; neither is ever changed, only replaced
whole. An entry is believed when its file of codes is the very file that was written (size, times, inode), or, after a
copy of the folder, say, when its check sum is right. All else is made anew.
"""

import hashlib
import json
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from textgen.atomic_file import replacing
from textgen.errors import CorpusError, reason

VARIABLE = "TEXTGEN_CACHE"  # names another folder
MOST_BYTES = 4 * 10**9  # that entries may take together; the least recently used go first
BLOCK = 2**20
ABANDONED = 86_400  # seconds after which a temporary file is that of a killed process
TICK = 0.05  # seconds, and more than a file system's clock takes between two times it writes down


class Stored(NamedTuple):
    """A file of codes and what is known of it, as JSON values."""

    path: Path
    meta: Mapping[str, Any]


def cache_folder() -> Path:
    """The folder that holds whatever can be made or fetched anew; it may not exist yet."""
    if given := os.environ.get(VARIABLE):
        return Path(given).absolute()
    from platformdirs import user_cache_path

    return user_cache_path("textgen")


def clean() -> int:
    """Remove all entries; return how many bytes that has freed.

    Raises:
        CorpusError: a file cannot be removed.
    """
    with writing():
        return sum([remove(path) for path in _files()])


def digest(*parts: object) -> str:
    """A name for what is made from these JSON values alone."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def stamp_of(status: os.stat_result) -> list[int]:
    """Size, times of change and inode of a file: what differs when its content may differ."""
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def scratch_file() -> IO[bytes]:
    """A file in the cache folder that has no name, so that it vanishes when it is closed, however the process ends.

    Raises:
        CorpusError: the folder cannot be written.
    """
    with writing():
        return tempfile.TemporaryFile(dir=_made())


def load(key: str) -> Stored | None:
    """The entry of a name, if it is whole; it counts as used."""
    description = _folder() / f"{key}.json"
    codes = description.with_suffix(".codes")
    try:
        meta = json.loads(description.read_bytes())
        if meta["stamp"] != stamp_of(codes.stat()):
            if meta["stamp"][0] != codes.stat().st_size or meta["check"] != _check_sum(codes):
                return None
            _describe(description, meta | {"stamp": stamp_of(codes.stat())})
        with suppress(PermissionError):
            os.utime(description)
        return Stored(codes, meta["of"])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def store(key: str, write: Callable[[IO[bytes]], Mapping[str, Any]]) -> Stored:
    """Make an entry, and make room for it. Processes that make the same one at once do not disturb each other.

    Args:
        key: its name, from `digest`.
        write: writes the codes into a file, and returns what else the entry shall hold, as JSON values.

    Raises:
        CorpusError: the folder cannot be written, for instance because the disk is full; nothing is left behind.
    """
    with writing():
        description = _made() / f"{key}.json"
        codes = description.with_suffix(".codes")
        with replacing(codes, durable=False) as temporary:  # what a crash cuts short has the wrong size
            with temporary.open("wb") as file:
                meta = write(file)
            check = _check_sum(temporary)
        _describe(description, {"of": meta, "check": check, "stamp": stamp_of(codes.stat())})
        time.sleep(TICK)  # whoever changes the codes from now on changes their times
        _make_room(keep={codes, description})
    return Stored(codes, meta)


class Memory:
    """What is remembered of files, each by its identity, of those that were named together."""

    def __init__(self, *names: object) -> None:
        """Recall what was remembered under these names, JSON values; nothing, if it is unreadable."""
        self._path = _folder() / f"{digest(names)}.memory"
        self._of: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            self._of = dict(json.loads(self._path.read_bytes()))
            os.utime(self._path)

    def recall(self, identity: str | None) -> Any:
        """What is remembered of a file; None if nothing is."""
        return None if identity is None else self._of.get(identity)

    def keep(self, values: Mapping[str, Any]) -> None:
        """Remember these JSON values by identity, and forget all others."""
        if values == self._of:
            return
        with writing():
            _made()
            _describe(self._path, dict(values))
        self._of = dict(values)


def _folder() -> Path:
    return cache_folder() / "codes"


def _made() -> Path:
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _describe(path: Path, values: Mapping[str, Any]) -> None:
    with replacing(path, durable=False) as temporary:
        temporary.write_text(json.dumps(values), encoding="utf-8")


def _check_sum(path: Path) -> int:
    check = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            check = zlib.crc32(block, check)
    return check


def _files() -> list[Path]:
    """All files of the folder."""
    try:
        return [path for path in _folder().iterdir() if path.is_file()]
    except FileNotFoundError:
        return []


def remove(path: Path) -> int:
    """Remove a file that another process may remove too; return its size."""
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    return size


def _make_room(keep: Iterable[Path]) -> None:
    """Remove the least recently used entries beyond the limit, and what killed processes have left."""
    used: dict[str, list[tuple[Path, os.stat_result]]] = {}
    now = time.time()
    for path in _files():
        with suppress(FileNotFoundError):
            status = path.stat()
            if path.name.startswith("."):
                if now - status.st_mtime > ABANDONED:
                    remove(path)
            elif path not in keep:
                used.setdefault(path.stem, []).append((path, status))
    kept = sum(path.stat().st_size for path in keep)
    for files in sorted(used.values(), key=lambda files: max(status.st_mtime for _, status in files), reverse=True):
        kept += sum(status.st_size for _, status in files)
        if kept > MOST_BYTES:
            for path, _ in files:
                remove(path)


@contextmanager
def writing() -> Iterator[None]:
    """Turn a failure to write into the folder into one line.

    Raises:
        CorpusError: whatever `OSError` the block raises.
    """
    try:
        yield
    except OSError as error:
        raise CorpusError(
            f"{_folder()}: the cache cannot be written ({reason(error)}); "
            f"free some space there, or name another folder with {VARIABLE}"
        ) from error
