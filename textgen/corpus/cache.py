"""The user's cache folder: encoded texts, and the hashes and encodings of their files.

An entry is a file of codes and a description beside it, which is written last; neither is ever changed, only replaced
whole. An entry is believed when its description's checksum is right, and its file of codes is the very file that was
written (size, times, inode), or, after a copy of the folder, say, has the checksum of the description. What does not
verify is as if it were not there, and is made again.

Nobody but its owner can read it: a text that only they may read would be readable by its codes. Nothing depends on
it: where it cannot be written, codes go to files without names, which vanish when they are closed.
"""

import hashlib
import json
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

from textgen.atomic_file import replacing
from textgen.errors import CorpusError, reason

VARIABLE = "TEXTGEN_CACHE"  # names another folder
MOST_BYTES = 4 * 10**9  # that entries may take together; the least recently used go first
BLOCK = 2**20
PRIVATE = 0o700  # permissions: nobody else's
TICK = 0.05  # seconds, and more than a file system's clock takes between two times it writes down

Result = TypeVar("Result")


class Stored(NamedTuple):
    """An open file of codes, its metadata as JSON values, and notes for the user."""

    codes: IO[bytes]
    meta: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def cache_folder() -> Path:
    """The cache folder, whose contents can always be made or downloaded again; it may not exist yet."""
    if given := os.environ.get(VARIABLE):
        return Path(given).absolute()
    from platformdirs import user_cache_path

    return user_cache_path("textgen")


def clean() -> int:
    """Remove all entries; return the number of bytes freed.

    Raises:
        CorpusError: a file cannot be removed.
    """
    try:
        return sum([remove(path) for path in _files()])
    except OSError as error:
        raise CorpusError(f"{_folder()} cannot be emptied ({reason(error)}); remove it by hand") from error


def digest(*parts: object) -> str:
    """A hash of JSON values, as the name of a cache entry."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def stamp_of(status: os.stat_result) -> list[int]:
    """Size, change times and inode of a file, which differ if its content may differ."""
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def scratch_file() -> IO[bytes]:
    """An open file without a name, which disappears when it is closed, however the process ends.

    It is in the cache folder, which is meant for large files, or else in the system's temporary folder.

    Raises:
        CorpusError: neither can be written.
    """
    try:
        return tempfile.TemporaryFile(dir=private(_folder()))
    except OSError as error:
        with writing(error):
            return tempfile.TemporaryFile()


def in_scratch(write: Callable[[IO[bytes]], Result]) -> tuple[IO[bytes], Result]:
    """Write a file that has no name, where `scratch_file` would make it; once more if the first place becomes full.

    Args:
        write: writes all of it into an empty file.

    Returns:
        The file, and what `write` has returned.

    Raises:
        CorpusError: no place takes it.
    """
    try:
        return _written(private(_folder()), write)
    except OSError as error:
        with writing(error):
            return _written(None, write)


def load(key: str) -> Stored | None:
    """The entry of a name, if it is intact; it is marked as used."""
    description = _folder() / f"{key}.json"
    with ExitStack() as opened, suppress(OSError, ValueError):
        meta = _described(description)
        codes = opened.enter_context(description.with_suffix(".codes").open("rb"))
        stamp = stamp_of(os.fstat(codes.fileno()))
        if meta["stamp"] != stamp:
            if meta["stamp"][0] != stamp[0] or meta["check"] != _check_sum(codes):
                return None
            with suppress(OSError):
                _describe(description, meta | {"stamp": stamp})
        with suppress(OSError):
            os.utime(description)
        opened.pop_all()
        return Stored(codes, meta["of"])
    return None


def find(wanted: Callable[[Mapping[str, Any]], bool]) -> Stored | None:
    """An entry, whatever its name, of which what is known of it is wanted; None if there is none that is whole."""
    for description in sorted(path for path in _files() if path.suffix == ".json" and not path.name.startswith(".")):
        with suppress(OSError, ValueError, KeyError):
            if wanted(_described(description)["of"]) and (stored := load(description.stem)):
                return stored
    return None


def store(
    key: str,
    write: Callable[[IO[bytes], IO[bytes]], Mapping[str, Any]],
    failed: str = "the text could not be cached, and will be read and encoded again the next time",
) -> Stored:
    """Make an entry, and free space for it. Several processes may make the same entry at the same time.

    If the folder cannot be written or is full, the codes are in a file without a name.

    Args:
        key: its name, from `digest`.
        write: writes the codes into the first file, may use the second one for what it likes, and returns what else the
            entry shall hold, as JSON values. It is called once more if the first attempt fails.
        failed: what a user is told if the folder cannot be written.

    Raises:
        CorpusError: no place takes the codes, for instance because the disk is full; nothing is left behind.
    """
    try:
        return _kept(key, write)
    except OSError as error:
        with writing(error), tempfile.TemporaryFile() as draft:
            codes, meta = _written(None, lambda codes: write(codes, draft))
        return Stored(codes, meta, (f"{failed}: {_unwritable(error)}",))


def _kept(key: str, write: Callable[[IO[bytes], IO[bytes]], Mapping[str, Any]]) -> Stored:
    description = private(_folder()) / f"{key}.json"
    codes = description.with_suffix(".codes")
    with replacing(codes, durable=False, private=True) as temporary:  # what a crash cuts short has the wrong size
        with temporary.open("wb") as file, tempfile.TemporaryFile(dir=temporary.parent) as draft:
            meta = write(file, draft)
        with temporary.open("rb") as file:
            check = _check_sum(file)
    with ExitStack() as opened:
        written = opened.enter_context(codes.open("rb"))
        opened.callback(remove, codes)
        _describe(description, {"of": meta, "check": check, "stamp": stamp_of(os.fstat(written.fileno()))})
        opened.pop_all()
    time.sleep(TICK)  # whoever changes the codes from now on changes their times
    with suppress(OSError):
        _make_room(keep={codes, description})
    return Stored(written, meta)


class Memory:
    """Stored values for files, each by its identity, of files that were named together."""

    def __init__(self, *names: object) -> None:
        """Recall what was remembered under these names, JSON values; nothing, if it is unreadable."""
        self._path = _folder() / f"{digest(names)}.memory"
        self._of: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            self._of = _described(self._path)
            os.utime(self._path)

    def recall(self, identity: str | None) -> Any:
        """What is remembered of a file; None if nothing is."""
        return None if identity is None else self._of.get(identity)

    def keep(self, values: Mapping[str, Any]) -> None:
        """Remember these JSON values by identity, and forget all others; nothing, if the folder cannot be written."""
        if values != self._of:
            self._of = dict(values)
            with suppress(OSError):
                private(_folder())
                _describe(self._path, self._of)


def _folder() -> Path:
    return cache_folder() / "codes"


def private(folder: Path) -> Path:
    """Make a folder of the cache, where it is missing, and see to it that nobody else can look into it.

    Raises:
        OSError: it cannot be made, or is somebody else's.
    """
    folder.parent.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.parent.mkdir(mode=PRIVATE)
    folder.mkdir(mode=PRIVATE, exist_ok=True)
    if folder.stat().st_mode & 0o777 != PRIVATE:
        folder.chmod(PRIVATE)
    return folder


def _written(folder: Path | None, write: Callable[[IO[bytes]], Result]) -> tuple[IO[bytes], Result]:
    """Have a file without a name written, in a folder or in the system's for temporary files."""
    with ExitStack() as opened:
        file = opened.enter_context(tempfile.TemporaryFile(dir=folder))
        result = write(file)
        file.flush()
        opened.pop_all()
        return file, result


def _describe(path: Path, values: Mapping[str, Any]) -> None:
    """Write JSON values, and their SHA-256 before them."""
    content = json.dumps(values)
    with replacing(path, durable=False, private=True) as temporary:
        temporary.write_text(f"{hashlib.sha256(content.encode()).hexdigest()}\n{content}", encoding="ascii")


def _described(path: Path) -> dict[str, Any]:
    """Read what `_describe` has written; `ValueError` for anything else."""
    check, _, content = path.read_bytes().partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != check:
        raise ValueError("its checksum is wrong")
    return dict(json.loads(content))


def _check_sum(file: IO[bytes]) -> int:
    check = 0
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
    """Remove the least recently used entries beyond the limit."""
    used: dict[str, list[tuple[Path, os.stat_result]]] = {}
    for path in _files():
        with suppress(FileNotFoundError):
            if path not in keep and not path.name.startswith("."):  # which is being written
                used.setdefault(path.stem, []).append((path, path.stat()))
    kept = sum(path.stat().st_size for path in keep)
    for files in sorted(used.values(), key=lambda files: max(status.st_mtime for _, status in files), reverse=True):
        kept += sum(status.st_size for _, status in files)
        if kept > MOST_BYTES:
            for path, _ in files:
                remove(path)


def _unwritable(error: OSError) -> str:
    return f"{_folder()} cannot be written ({reason(error)})"


@contextmanager
def writing(before: OSError | None = None) -> Iterator[None]:
    """Turn a failure to write what has no name into one line.

    Args:
        before: why it was not written into the cache folder.

    Raises:
        CorpusError: whatever `OSError` the block raises.
    """
    try:
        yield
    except OSError as error:
        places = _unwritable(before or error)
        if before:
            places += f", nor can the folder for temporary files ({reason(error)})"
        raise CorpusError(f"{places}; free some space there, or set {VARIABLE} to another folder") from error
