"""Trainings as child processes, one at a time: what is queued, running and done is read from the run folders."""

import logging
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from textgen.model_file import FILE_NAME
from textgen.serving.child import spawned, terminate, training
from textgen.serving.names import check_name, unused
from textgen.serving.refusal import RefusalError, stopping
from textgen.serving.runs import (
    BASELINES,
    BEGUN,
    BESIDE,
    ERRORS,
    EVENTS,
    TEXTS,
    Order,
    Stored,
    Told,
    compared,
    is_finished,
    is_locked,
    is_run,
    order_of,
    problem_of,
    rows,
)
from textgen.serving.slot import Holder, Slot, sign
from textgen.serving.storing import storing
from textgen.training.run_folder import LOCK, OWN

SLOT = ".training"  # in the folder of runs
MOST_QUEUED = 20
WORTH_COMPARING = 1.0  # minutes of a training from which on the n-gram is computed while it runs
log = logging.getLogger(__name__)


class Jobs:
    """The trainings of a folder of runs. Any number of threads, and of servers, may use it."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of runs; it is made when it is needed."""
        self.folder = folder.absolute()
        self._slot = Slot(self.folder / SLOT)
        self._lock = threading.RLock()
        self._told: dict[str, Told] = {}
        self._child: subprocess.Popen[bytes] | None = None
        self._running = ("", 0.0)  # the run of the child, and since when it was queued
        self._comparing: tuple[subprocess.Popen[bytes], Path] | None = None
        self._ended = False

    def tick(self) -> None:
        """Start what is next; to be called about twice a second."""
        with self._lock:
            if self._child is not None and self._child.poll() is not None:
                log.info("the training of %s has ended", self._running[0])
                self._child = None
            self._compare()
            if self._ended or self._child is not None or not self._queue():
                return
            descriptor = self._slot.take()
            if descriptor is None:
                return
            try:
                if waiting := self._queue():  # another server may just have begun with the first
                    self._start(waiting[0], descriptor)
            finally:
                os.close(descriptor)

    def all(self) -> list[dict[str, Any]]:
        """All runs, the newest first, without their histories."""
        with self._lock:
            holder, queue = self._slot.holder(), self._queue()
            found = [self._summary(path, holder, queue) for path in self._paths()]
        return sorted(found, key=lambda run: (-run["changed"], run["id"]))

    def tell(self, name: str) -> dict[str, Any]:
        """All about a run."""
        with self._lock:
            path = self._path(name)
            summary, told = self._summary(path, self._slot.holder(), self._queue()), self._told[name]
        running = summary["state"] in ("running", "stopping", "elsewhere")
        steps = told.stepped or {}
        return summary | {
            "rows": rows(path),
            "samples": told.samples,
            "baselines": compared(path, told),
            "started": told.started,
            "step": steps.get("step"),
            "planned_steps": steps.get("planned_steps"),
            "seconds_left": steps.get("seconds_left") if running else None,
            "validation_nats": (told.finished or {}).get("validation_nats"),
            "stopped_by": (told.finished or {}).get("stopped_by"),
        }

    def add(self, name: str | None, order: Order, files: Sequence[Path]) -> str:
        """Queue a training on files, which are moved beside it, and texts of the catalog; return its name."""
        with self._lock, storing():
            self._check_room()
            self.folder.mkdir(parents=True, exist_ok=True)
            if name is None:
                name = unused((files[0].stem if files else order.texts[0].name), self._is_taken)
            path = self.folder / check_name(name)
            try:
                path.mkdir()
            except FileExistsError:
                raise RefusalError(
                    409, f"there is a run {name!r} already; choose another name", param="name", code="exists"
                ) from None
            try:
                stored = iter(_moved(files, path / BESIDE / TEXTS))
                texts = [text if text.catalog else next(stored) for text in order.texts]
                order.model_copy(update={"texts": texts, "queued": time.time()}).write(path)
            except BaseException:
                shutil.rmtree(path, ignore_errors=True)
                raise
        return name

    def stop(self, name: str) -> None:
        """Stop a training, which keeps its best model and can be resumed; or take it out of the queue."""
        with self._lock, storing():
            path, holder = self._path(name), self._slot.holder()
            order = order_of(path)
            if order is None or not (order.queued or _has(holder, name)):
                raise RefusalError(409, f"{name} is not being trained by this page", code="not_running")
            if not order.stopped:  # a second signal would end it at once
                order.model_copy(update={"queued": None, "stopped": True}).write(path)
                if holder is not None and _has(holder, name):
                    terminate(holder.process)

    def resume(self, name: str) -> None:
        """Queue a training that was stopped, or has failed."""
        with self._lock, storing():
            self._check_room()
            path = self._path(name)
            state = self._summary(path, self._slot.holder(), [])["state"]
            if state not in ("stopped", "failed"):
                raise RefusalError(409, f"{name} is {state}; there is nothing to resume", code="not_stopped")
            order = order_of(path) or Order(texts=[], minutes=None, units=None)
            (path / BESIDE).mkdir(exist_ok=True)
            order.model_copy(update={"queued": time.time(), "stopped": False}).write(path)

    def delete(self, name: str) -> None:
        """Remove a run, its model and its texts; files in its folder that are none of these stay."""
        with self._lock, storing():
            path = self._path(name)
            if path.is_symlink() or _has(self._slot.holder(), name) or is_locked(path):
                raise RefusalError(409, f"{name} is being trained; stop it first", code="running")
            if (path / BESIDE).is_dir():
                shutil.rmtree(path / BESIDE)
            for own in (*OWN, LOCK):
                (path / own).unlink(missing_ok=True)
            with suppress(OSError):  # it has files of the user's
                path.rmdir()
            self._told.pop(name, None)

    def end(self) -> None:
        """Start nothing more, and stop what this server has started; the next server goes on with it."""
        with self._lock:
            self._ended = True
            if self._comparing is not None:
                self._comparing[0].kill()
            if self._child is None or self._child.poll() is not None:
                return
            name, since = self._running
            order = order_of(self.folder / name)
            if order is None or order.stopped:
                return
            with suppress(OSError):  # it can be resumed by hand
                order.model_copy(update={"queued": since}).write(self.folder / name)
            terminate(self._child.pid)

    @property
    def busy(self) -> bool:
        """Whether a child of this server is still there."""
        return self._child is not None and self._child.poll() is None

    def _start(self, path: Path, descriptor: int) -> None:
        order = order_of(path)
        if order is None:
            return
        with storing():
            order.model_copy(update={"queued": None, "stopped": False}).write(path)
            sign(descriptor, Holder(path.name, None))
        with (path / BESIDE / EVENTS).open("ab") as events, (path / BESIDE / ERRORS).open("wb") as errors:
            events.write(BEGUN.encode())
            events.flush()
            try:
                self._child = spawned(training(path, order), events, errors, keep=(descriptor,))
            except OSError as error:
                errors.write(f"the training cannot be started: {error.strerror}".encode())
                return
        self._running = (path.name, order.queued or time.time())
        sign(descriptor, Holder(path.name, self._child.pid))
        log.info("the training of %s has begun", path.name)

    def _compare(self) -> None:
        """Compute the n-gram's loss on the held-out text, once for a run, as soon as it has a model."""
        if self._comparing is not None:
            child, result = self._comparing
            if child.poll() is None:
                return
            self._comparing = None
            with suppress(OSError):
                result.replace(result.with_name(BASELINES))
        path = self.folder / self._running[0]
        if self._child is None or self._ended or not (path / FILE_NAME).exists():
            return
        order = order_of(path)
        if order is None or (order.minutes or 0) < WORTH_COMPARING or (path / BESIDE / BASELINES).exists():
            return
        result = path / BESIDE / f"{BASELINES}.part"
        with suppress(OSError), result.open("wb") as content:
            words = ["evaluate", str(path), *(text.argument(path) for text in order.texts), "--json"]
            self._comparing = spawned([*words, *(["--strip"] if order.strip else [])], content), result

    def _summary(self, path: Path, holder: Holder | None, queue: Sequence[Path]) -> dict[str, Any]:
        told = self._told.setdefault(path.name, Told())
        told.read(path)
        order = order_of(path)
        state, problem = self._state(path, order, holder, told)
        changed = 0.0
        with suppress(OSError):
            changed = max(item.stat().st_mtime for item in (path, path / FILE_NAME, path / BESIDE) if item.exists())
        return {
            "id": path.name,
            "state": state,
            "problem": problem,
            "place": queue.index(path) + 1 if path in queue else None,
            "texts": [text.name for text in order.texts] if order else [],
            "minutes": order.minutes if order else None,
            "strip": order.strip if order else False,
            "model": (path / FILE_NAME).exists(),
            "changed": round(changed),
        }

    def _state(self, path: Path, order: Order | None, holder: Holder | None, told: Told) -> tuple[str, str | None]:
        if _has(holder, path.name):
            return ("stopping" if order and order.stopped else "running"), None
        if order and order.queued:
            return "queued", None
        if is_finished(path) and (order is None or told.finished or not told.begun):
            return "finished", None
        if is_locked(path):
            return "elsewhere", None
        problem = problem_of(path, told, order)
        return ("failed" if problem else "stopped"), problem

    def _paths(self) -> Iterator[Path]:
        with suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                if not path.name.startswith(".") and path.is_dir() and is_run(path):
                    yield path

    def _path(self, name: str) -> Path:
        """The folder of a run; `RefusalError` if there is none."""
        if "/" not in name and "\0" not in name and not name.startswith("."):
            with suppress(OSError):  # the name is too long
                if is_run(path := self.folder / name):
                    return path
        raise RefusalError(404, f"there is no run {name[:100]!r}", code="run_not_found")

    def _queue(self) -> list[Path]:
        """The runs that wait, the one that is next first."""
        orders = [(order.queued, path) for path in self._paths() if (order := order_of(path)) and order.queued]
        return [path for _, path in sorted(orders)]

    def _check_room(self) -> None:
        if self._ended:
            raise stopping()
        if len(self._queue()) >= MOST_QUEUED:
            raise RefusalError(
                429, f"{MOST_QUEUED} trainings wait already", code="queue_full", headers={"Retry-After": "60"}
            )

    def _is_taken(self, name: str) -> bool:
        return (self.folder / name).exists()


def _has(holder: Holder | None, name: str) -> bool:
    return holder is not None and holder.run == name


def _moved(files: Sequence[Path], folder: Path) -> list[Stored]:
    """Move uploaded texts to a folder, each into one of its own: names may be the same."""
    stored = []
    folder.mkdir(parents=True)
    for number, file in enumerate(files, 1):
        place = f"{number}/{file.name}"
        (folder / place).parent.mkdir()
        file.rename(folder / place)
        stored.append(Stored(catalog=None, file=place))
    return stored
