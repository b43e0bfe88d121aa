"""One training at a time for a folder of runs, whichever server starts it."""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Holder:
    """The training that has the slot: the run's name, and the process, None in the moment before it starts."""

    run: str
    process: int | None


class Slot:
    """A lock of the operating system's, which the training inherits from the server that starts it.

    So it is held exactly as long as the training lives, also when its server has been killed, and every server on the
    folder sees it.
    """

    def __init__(self, path: Path) -> None:
        """Take the file to lock."""
        self._path = path

    def holder(self) -> Holder | None:
        """Who has it; None if it is free."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _holder(os.pread(descriptor, 10_000, 0))
        finally:
            os.close(descriptor)
        return None

    def take(self) -> int | None:
        """A descriptor that holds the lock; None if another has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor


def sign(descriptor: int, holder: Holder) -> None:
    """Write into the file of a lock that is held who holds it."""
    content = json.dumps({"run": holder.run, "process": holder.process}).encode()
    os.pwrite(descriptor, content, 0)
    os.ftruncate(descriptor, len(content))


def _holder(content: bytes) -> Holder:
    try:
        values = json.loads(content)
        return Holder(str(values["run"]), values["process"])
    except (ValueError, LookupError, TypeError):  # it is being written
        return Holder("", None)
