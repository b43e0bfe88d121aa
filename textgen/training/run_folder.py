"""The run folder `models/NAME/`: its files and its lock."""

import csv
import errno
import fcntl
import io
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from textgen.atomic_file import remove_leftovers, replacing
from textgen.description import Description, TrainingInfo
from textgen.errors import RunError, reason
from textgen.model_file import FILE_NAME, add_description
from textgen.training.checkpoint import (
    NEWEST,
    PREVIOUS,
    Checkpoint,
    has_checkpoint,
    remove_checkpoints,
    remove_damaged,
    write_checkpoint,
)
from textgen.training.learner import Arrays

LOCK = ".lock"
LOOK = 0.05  # seconds, more than a look at the lock takes
HISTORY = "history.csv"
CURVE = "curve.png"
ENSEMBLE = "ensemble.json"  # see `ensemble.py`
OWN = (FILE_NAME, HISTORY, NEWEST, PREVIOUS, CURVE, ENSEMBLE)  # the files that show that a folder holds a run


class Row(NamedTuple):
    """One line of `history.csv`: an evaluation, or a new plan between two."""

    step: int
    epochs: float
    characters: int
    seconds: float  # since the run began
    planned_steps: int
    learning_rate: float
    train_nats: float | None  # mean since the last row that has one
    validation_nats: float | None


class RunFolder:
    """The folder of one run, locked while it trains.

    The files of an old run are kept until the new one saves its first model.
    """

    def __init__(self, path: Path) -> None:
        """Created only by `open_run_folder`, which checks the path and takes the lock."""
        self.path = path
        self.model = path / FILE_NAME
        self.kept: TrainingInfo | None = None  # of the model that this run has saved
        self._rows: list[Row] = []
        self._own = False  # the files of an older run have been removed
        self._kept_names = {FILE_NAME}  # of those that are this run's

    def restore(self, rows: Sequence[Sequence[Any]], kept: TrainingInfo | None) -> None:
        """Restore the history of a checkpoint; rows that were written after it are dropped.

        Args:
            rows: the history.
            kept: of the model that the run has saved in the folder; None if it is lost.
        """
        self._rows = [Row(*row) for row in rows]
        self.kept = kept
        self._own = True
        self._write_history()

    def set_aside(self) -> Path:
        """Rename the model file to an unused name, and return it.

        Raises:
            RunError: it cannot be renamed.
        """
        names = (f"other{'' if number == 1 else f'-{number}'}{self.model.suffix}" for number in count(1))
        with _writing(self.path):
            return self.model.rename(next(self.path / name for name in names if not (self.path / name).exists()))

    def save_model(self, write_archive: Callable[[Path], None], description: Description) -> None:
        """Write the model file atomically; the first time, remove the files of an old run.

        Raises:
            RunError: it cannot be written.
        """
        with _writing(self.path), replacing(self.model) as temporary:
            write_archive(temporary)
            add_description(temporary, description)
            if not self._own:
                self._clear()
        self._own, self.kept = True, description.training
        self._write_history()

    def save_ensemble(self, content: str) -> None:
        """Write what is left to do of a run that trains its own teachers.

        Raises:
            RunError: it cannot be written.
        """
        with _writing(self.path), replacing(self.path / ENSEMBLE) as temporary:
            temporary.write_text(content, encoding="utf-8")
        self.keep_ensemble()

    def keep_ensemble(self) -> None:
        """Leave that file when the files of an old run are removed."""
        self._kept_names.add(ENSEMBLE)

    def record(self, row: Row) -> None:
        """Add a line to the history."""
        self._rows.append(row)
        if self._own:
            self._write_history()

    def save_checkpoint(self, meta: Mapping[str, Any], arrays: Arrays) -> None:
        """Write a checkpoint, which includes the history.

        Raises:
            RunError: it cannot be written; the previous one is kept.
        """
        with _writing(self.path):
            write_checkpoint(self.path, Checkpoint(dict(meta) | {"history": self._rows}, arrays))

    def drop_damaged(self) -> None:
        """Remove a damaged newest checkpoint; the run resumes from the previous one."""
        with _writing(self.path):
            remove_damaged(self.path)

    def save_curve(self, draw: Callable[[Path], None]) -> None:
        """Write the plot of the history atomically."""
        with _writing(self.path), replacing(self.path / CURVE) as temporary:
            draw(temporary)

    def finish(self) -> None:
        """Remove what only an unfinished run needs."""
        with _writing(self.path):
            (self.path / ENSEMBLE).unlink(missing_ok=True)
            remove_checkpoints(self.path)

    @property
    def rows(self) -> Sequence[Row]:
        """The history so far."""
        return tuple(self._rows)

    def _write_history(self) -> None:
        content = io.StringIO()
        writer = csv.writer(content, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(self._rows)
        with _writing(self.path), replacing(self.path / HISTORY) as temporary:
            temporary.write_text(content.getvalue(), encoding="utf-8")

    def _clear(self) -> None:
        for name in OWN:
            if name not in self._kept_names:
                (self.path / name).unlink(missing_ok=True)


@contextmanager
def open_run_folder(path: str | Path, *, force: bool = False, resume: bool = False) -> Iterator[RunFolder]:
    """Create a run folder, or reuse an old one, and hold its lock.

    Args:
        path: of the folder.
        force: an old run may be replaced.
        resume: the folder must hold an unfinished run.

    Raises:
        RunError: the name is empty or that of a model file, the folder holds a run and `force` is not given, there is
            nothing to resume, another process is using it, or it cannot be written.
    """
    if not str(path):
        raise RunError("the path of the run folder is empty; name one with `output`")
    path = Path(path)
    if path.suffix == ".keras":
        raise RunError(
            f"{path}: the output is a run folder, not a model file; "
            f'name it without .keras: `output="{path.with_suffix("")}"`'
        )
    if resume:
        check_resumable(path)
    with _locked(path) as made:
        try:
            if not (force or resume):
                refuse_old(path)
            remove_leftovers(path)
            yield RunFolder(path)
        finally:
            if made:
                _remove_if_empty(path)


def refuse_old(path: Path) -> None:
    """Raise `RunError` if a folder has a run."""
    if any((path / name).exists() for name in OWN):
        raise RunError(
            f"{path}: the folder has a run already; name another folder with `output`, or replace it with `force=True`"
        )


def check_resumable(path: Path) -> None:
    """Raise `RunError` unless a run folder holds a run that is not finished."""
    if has_checkpoint(path) or (path / ENSEMBLE).exists():
        return
    if (path / FILE_NAME).exists():
        raise RunError(
            f"{path}: the run is finished; to train its model further, name another folder "
            f'and give `start_from="{path}"`'
        )
    raise RunError(f"{path}: there is nothing to resume; start the run without `resume`")


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Create the folder if needed, and hold a lock of the operating system, which ends with the process.

    Yields whether the folder was created.
    """
    with _writing(path):
        made = not path.exists()
        descriptor = _open_lock(path)
    try:
        while not _holds(path, descriptor):
            os.close(descriptor)
            with _writing(path):
                descriptor = _open_lock(path)
        yield made
    finally:
        os.close(descriptor)


def _open_lock(path: Path) -> int:
    while True:
        path.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another process has just removed the folder that it had created
            return os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)


def _holds(path: Path, descriptor: int) -> bool:
    """Take the lock; False if another process has removed the lock file meanwhile, which makes it useless."""
    try:
        _take(descriptor)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise RunError(f"{path}: cannot be locked ({reason(error)}); name another folder with `output`") from error
        raise RunError(
            f"{path}: another process is training into this folder; wait for it, or name another folder with `output`"
        ) from error
    try:
        return os.path.samestat(os.fstat(descriptor), (path / LOCK).stat())
    except FileNotFoundError:
        return False


def _take(descriptor: int) -> None:
    """Take the lock; once more a moment later, since a server that looks whether it is free holds it for an instant."""
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    time.sleep(LOOK)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn a failure to write inside the block into a `RunError`."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{path}: cannot be written ({reason(error)}); make it writable, or name another folder with `output`"
        ) from error


def _remove_if_empty(path: Path) -> None:
    """Remove the folder if it is empty, since it did not exist before."""
    with suppress(OSError):  # another process may start to use it
        if all(item.name == LOCK for item in path.iterdir()):
            (path / LOCK).unlink(missing_ok=True)
            path.rmdir()
