"""What a run folder tells of its training, whoever trains into it: the folder is the truth, and this only reads it."""

import csv
import fcntl
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from textgen.atomic_file import replacing
from textgen.config import UNITS
from textgen.model_file import FILE_NAME
from textgen.training.checkpoint import has_checkpoint
from textgen.training.run_folder import HISTORY, LOCK

BESIDE = "training"  # the folder in a run folder with all that the server adds to it:
ORDER = "order.json"  # what was asked for,
EVENTS = "events.jsonl"  # what the training has told,
ERRORS = "errors.txt"  # what was wrong with it,
BASELINES = "baselines.json"  # what others make of its held-out text,
TEXTS = "texts"  # and its texts
BEGUN = '\n{"event": "begun"}\n'  # between the parts of a training that was resumed, the last of which may be cut off
SAMPLES = 30  # that are kept, the newest
ROWS = 2000  # of the history that are told
LONGEST_MINUTES = 1440
MOST_TEXTS = 50
LONGEST_PROBLEM = 1000  # characters


class Stored(BaseModel):
    """A text of an order: one of the catalog, or a file in the folder of texts."""

    model_config = ConfigDict(strict=True, extra="forbid")

    catalog: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")
    file: str | None = Field(None, pattern=r"^[0-9]{1,3}/[^/\x00]{1,250}$")

    def argument(self, folder: Path) -> str:
        """As the command takes it."""
        return self.catalog or str(folder / BESIDE / TEXTS / (self.file or ""))

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.catalog or (self.file or "").partition("/")[2]


class Order(BaseModel):
    """What was asked for, and what is still to be done of it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    texts: list[Stored] = Field(max_length=MOST_TEXTS)
    minutes: float | None = Field(None, gt=0, le=LONGEST_MINUTES)
    strip: bool = False
    units: int | None = Field(None, ge=UNITS.low, le=UNITS.high)
    queued: float | None = None  # since when, in seconds of Unix
    stopped: bool = False  # by a person

    def write(self, folder: Path) -> None:
        """Store it in a run folder."""
        with replacing(folder / BESIDE / ORDER) as temporary:
            temporary.write_text(self.model_dump_json(), encoding="utf-8")


def order_of(folder: Path) -> Order | None:
    """The order of a run; None if it was started elsewhere."""
    try:
        return Order.model_validate_json((folder / BESIDE / ORDER).read_bytes())
    except (OSError, ValidationError):
        return None


@dataclass
class Told:
    """What a training has told, read bit by bit.

    Attributes:
        started: the event of its beginning, or None.
        stepped: the newest of its steps, or None.
        finished: the event of its end, or None.
        samples: texts of models that were the best at their time, with epochs and loss.
        begun: whether there was a training at all.
    """

    started: dict[str, Any] | None = None
    stepped: dict[str, Any] | None = None
    finished: dict[str, Any] | None = None
    samples: list[dict[str, Any]] = field(default_factory=list)
    begun: bool = False
    _place: int = 0

    def read(self, folder: Path) -> None:
        """Read what is new."""
        with suppress(OSError), (folder / BESIDE / EVENTS).open("rb") as file:
            file.seek(self._place)
            for line in file:
                if not line.endswith(b"\n"):  # it is still being written
                    break
                self._place += len(line)
                with suppress(ValueError):
                    self._take(json.loads(line))

    def _take(self, event: dict[str, Any]) -> None:
        kind = event.pop("event", None)
        if kind == "begun":
            self.begun, self.started, self.stepped, self.finished = True, None, None, None
        elif kind == "started":
            self.started = event
        elif kind == "stepped":
            self.stepped = event
        elif kind == "finished":
            self.finished = event
        elif kind == "evaluated" and event["best"]:
            sample = {name: event[name] for name in ("epochs", "seconds", "validation_nats", "sample")}
            self.samples = [*self.samples, sample][-SAMPLES:]


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run."""
    return (folder / FILE_NAME).exists() or (folder / BESIDE / ORDER).exists() or has_checkpoint(folder)


def is_finished(folder: Path) -> bool:
    """Whether a folder holds a run that is finished."""
    return (folder / FILE_NAME).exists() and not has_checkpoint(folder)


def is_locked(path: Path) -> bool:
    """Whether a process trains into a run folder, such as one that was started in a terminal."""
    try:
        descriptor = os.open(path / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def problem_of(folder: Path, told: Told, order: Order | None) -> str | None:
    """Why a training has ended that is not running: in words, `interrupted`, or None where nothing is wrong."""
    if order is None or order.stopped or not told.begun or told.finished is not None:
        return None
    lines = []
    with suppress(OSError):
        content = (folder / BESIDE / ERRORS).read_text("utf-8", "replace")
        lines = [line.strip() for line in content.splitlines() if line.strip()]
    if not lines:
        return "interrupted"
    words = lines[-1].removeprefix("textgen: error: ").removeprefix("Error: ")
    return words.replace(f"{folder}/{BESIDE}/{TEXTS}/", "").replace(str(folder), folder.name)[:LONGEST_PROBLEM]


def rows(folder: Path) -> list[list[float | None]]:
    """The evaluations in the history of a run: epochs, seconds, training loss, validation loss."""
    found = []
    with suppress(OSError, ValueError, KeyError, csv.Error), (folder / HISTORY).open(encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            values = [float(row[name]) if row[name] else None for name in NAMES]
            if values[2] is not None:
                found.append(values)
    return found[-ROWS:]


NAMES = ("epochs", "seconds", "train_nats", "validation_nats")


def compared(folder: Path, told: Told) -> list[dict[str, Any]]:
    """The losses of an n-gram and xz on the held-out text, as far as they are known."""
    if told.finished and told.finished["baselines"]:
        return list(told.finished["baselines"])
    with suppress(OSError, ValueError, KeyError):
        return list(json.loads((folder / BESIDE / BASELINES).read_bytes())["baselines"])
    return []
