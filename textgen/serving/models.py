"""The models at hand: listed from the file system, loaded when first asked for, replaced when their file is."""

import asyncio
import hashlib
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from textgen import __version__
from textgen.description import Description
from textgen.errors import ModelFileError
from textgen.generation.compiled import Compiled
from textgen.generation.generator import Generator
from textgen.kernel.library import best_level
from textgen.model_file import FILE_NAME, locate, named, read_description, read_model, shipped
from textgen.serving.refusal import RefusalError

FRESH = 0.5  # seconds for which the list of models is not looked up again
MOST_LOADED = 8  # models in memory, those that are writing not counted
TRIES = 3  # at a file that is replaced while it is read
log = logging.getLogger(__name__)

Signature = tuple[int, int, int]  # of a file: number, size, time
Kind = Literal["shipped", "run"]


@dataclass(frozen=True)
class Entry:
    """A model that can be asked for.

    Attributes:
        id: its name in requests.
        path: of its file.
        kind: `shipped`, or `run` for what the user has trained or named.
        signature: of the file; another one is another model.
        created: when the file was written, in seconds of Unix.
        description: what the file says of itself.
    """

    id: str
    path: Path
    kind: Kind
    signature: Signature
    created: int
    description: Description


@dataclass(frozen=True)
class Loaded:
    """A model in memory.

    Attributes:
        entry: what it was loaded from.
        generator: writes with it.
        fingerprint: names model, version and kernel: the same one, the same text. None without a kernel, where a text
            depends a little on the others.
    """

    entry: Entry
    generator: Generator
    fingerprint: str | None


class Models:
    """The models of a server. Any number of threads may use it.

    Attributes:
        folder: of runs, whose models appear by themselves; None if only named models are served.
    """

    def __init__(self, paths: Sequence[str | Path] = (), folder: Path | None = None) -> None:
        """Serve the models at `paths`, or without any the shipped one and all runs in `folder`.

        Raises:
            ModelFileError: one of `paths` is no model, or two have the same name.
        """
        self.folder = folder
        self._named: dict[str, tuple[Path, Kind]] = {}
        for path in paths:
            file = locate(path)
            name = named(file)
            if name in self._named:
                raise ModelFileError(f"{path}: another model is called {name} too; rename its folder or its file")
            read_description(file)
            self._named[name] = (file, "run")
        self._lock = threading.Lock()
        self._listed: dict[str, Entry] = {}
        self._looked = -FRESH
        self._unreadable: dict[Path, Signature] = {}  # files that are told of once
        self._loaded: dict[str, Loaded] = {}  # the one loaded last at the end
        self._locks: dict[str, threading.Lock] = {}

    def list(self) -> dict[str, Entry]:
        """All models by name, the shipped one first, then by name."""
        with self._lock:
            if self._is_stale():
                self._listed = self._look()
                self._looked = time.monotonic()
            return self._listed

    def entry(self, name: str) -> Entry:
        """The model of a name; `RefusalError` if there is none."""
        listed = self.list()
        if (found := listed.get(name)) is None:
            known = ", ".join(list(listed)[:10]) or "none"
            raise RefusalError(
                404,
                f"the model {name[:100]!r} does not exist; the models here are: {known}",
                param="model",
                code="model_not_found",
            )
        return found

    async def get(self, name: str) -> Loaded:
        """The model of a name, as its file is now; `RefusalError` if there is none, or it cannot be read."""
        entry = await asyncio.to_thread(self.entry, name) if self._is_stale() else self.entry(name)
        loaded = self._loaded.get(name)
        if loaded is not None and loaded.entry.signature == entry.signature:
            return loaded
        return await asyncio.to_thread(self.load, entry)

    def load(self, entry: Entry) -> Loaded:
        """Load a model, unless another thread just has."""
        with self._lock:
            lock = self._locks.setdefault(entry.id, threading.Lock())
        with lock:
            loaded = self._loaded.get(entry.id)
            if loaded is not None and loaded.entry.signature == entry.signature:
                return loaded
            fresh = self._fresh(entry)
            if fresh is None:
                if loaded is not None:  # it is better than none
                    return loaded
                raise unreadable(entry.id)
            with self._lock:
                self._loaded.pop(entry.id, None)
                self._loaded[entry.id] = fresh
                while len(self._loaded) > MOST_LOADED:
                    del self._loaded[next(iter(self._loaded))]
            log.info("loaded the model %s", entry.id)
            return fresh

    def _fresh(self, entry: Entry) -> Loaded | None:
        """The model, read anew; None if it cannot be, which is told once for each version of its file."""
        if self._unreadable.get(entry.path) == entry.signature:
            return None
        try:
            return _read(entry)
        except ModelFileError as error:
            log.warning("%s", error)
            self._unreadable[entry.path] = entry.signature
            return None

    def _is_stale(self) -> bool:
        return time.monotonic() - self._looked >= FRESH

    def _look(self) -> dict[str, Entry]:
        found: dict[str, tuple[Path, Kind]] = {}
        if self._named:
            found = dict(self._named)
        else:
            try:
                path = shipped()
                found[named(path)] = (path, "shipped")
            except ModelFileError:
                pass
            if self.folder is not None:
                for path in sorted(self.folder.glob(f"*/{FILE_NAME}")):
                    found[named(path)] = (path, "run")  # a run of the shipped one's name is meant by it
        entries = {name: self._entry(name, path, kind) for name, (path, kind) in found.items()}
        return {name: entry for name, entry in entries.items() if entry is not None}

    def _entry(self, name: str, path: Path, kind: Kind) -> Entry | None:
        """The entry of a file, the one known if it has not changed; None if it cannot be read."""
        try:
            signature, created = _signature(path)
        except OSError:
            return None
        known = self._listed.get(name)
        if known is not None and known.path == path and known.signature == signature:
            return known
        if self._unreadable.get(path) == signature:
            return known
        try:
            return Entry(name, path, kind, signature, created, read_description(path))
        except ModelFileError as error:
            log.warning("%s", error)
            self._unreadable[path] = signature
            return known


def unreadable(name: str) -> RefusalError:
    """A model's file cannot be read."""
    message = f"the model {name} cannot be read; the log says why"
    return RefusalError(503, message, param="model", code="model_unreadable")


def _signature(path: Path) -> tuple[Signature, int]:
    stat = path.stat()
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns), int(stat.st_mtime)


def _read(entry: Entry) -> Loaded:
    """Read a model and the hash of its file, both of one version of it."""
    for _ in range(TRIES):
        try:
            signature, created = _signature(entry.path)
            model = read_model(entry.path)
            digest = hashlib.sha256(entry.path.read_bytes()).hexdigest()[:12]
            whole = _signature(entry.path)[0] == signature
        except OSError as error:
            raise ModelFileError(f"{entry.path}: it has been removed") from error
        except ModelFileError:
            if entry.path.is_file() and _signature(entry.path)[0] != signature:
                continue
            raise
        if whole:
            generator = Generator(model.description, model.weights)
            level = best_level() if isinstance(generator.network, Compiled) else None
            fingerprint = level and f"textgen-{__version__}-{level}-{digest}"
            return Loaded(
                Entry(entry.id, entry.path, entry.kind, signature, created, model.description), generator, fingerprint
            )
    raise ModelFileError(f"{entry.path}: it is replaced again and again while it is read")
