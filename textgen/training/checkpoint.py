"""Checkpoints: everything needed to resume a run bit for bit, in one file whose damage is always detected.

The file is a SHA-256 of the rest, then an uncompressed `.npz` of arrays, one of which is a JSON text of all else.
Reading it needs only NumPy and unpickles nothing. The previous checkpoint is kept: if the newest is damaged, the run
resumes from it and, since everything follows from seed and step, ends with the same weights.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import shown
from textgen.atomic_file import replacing
from textgen.errors import RunError, reason
from textgen.training.contents import LATER, check_contents
from textgen.training.learner import Arrays

FORMAT = 4
WITHOUT_TEACHERS = 3  # the format before, which is still read
NEWEST, PREVIOUS = "checkpoint", "checkpoint.previous"
META = "meta"
DIGEST = 32  # bytes of the SHA-256
# What reading an archive, its arrays and its JSON text raises if they are damaged.
UNPACKING = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The contents of a checkpoint file.

    Attributes:
        meta: the plan, position and history of the run, as JSON values.
        arrays: lists of arrays by name: weights, averages, optimizer, states of the layers.
    """

    meta: Mapping[str, Any]
    arrays: Arrays


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the newest one becomes the previous one.

    Raises:
        OSError: it cannot be written; the newest one is unchanged, or is the previous one now.
    """
    named = {f"{name}/{place}": array for name, part in checkpoint.arrays.items() for place, array in enumerate(part)}
    meta = json.dumps({"format": FORMAT} | dict(checkpoint.meta)).encode()
    with replacing(folder / NEWEST) as temporary:
        with temporary.open("w+b") as file:  # written piece by piece, since the arrays may fill the memory
            file.write(bytes(DIGEST))
            np.savez(file, allow_pickle=False, **{META: np.frombuffer(meta, np.uint8)}, **named)
            file.seek(DIGEST)
            digest = hashlib.file_digest(file, "sha256").digest()
            file.seek(0)
            file.write(digest)
        # If killed between the two renames, the folder has only the previous one, which is complete.
        if (folder / NEWEST).exists():
            (folder / NEWEST).replace(folder / PREVIOUS)


def remove_damaged(folder: Path) -> None:
    """Remove a damaged newest checkpoint, which the next one would otherwise make the previous one."""
    (folder / NEWEST).unlink(missing_ok=True)


def has_checkpoint(folder: Path) -> bool:
    """Whether the folder has a checkpoint to resume from."""
    return (folder / NEWEST).exists() or (folder / PREVIOUS).exists()


def read_checkpoint(folder: Path) -> tuple[Checkpoint, str | None]:
    """Read the newest undamaged checkpoint of a run folder.

    A damaged one is replaced by the previous one. One that cannot be read at the moment, or is of another version of
    textgen, is not: the run would lose progress without need.

    Returns:
        The checkpoint, and a note for the user if it is not the newest.

    Raises:
        RunError: there is none, all are damaged, or one cannot be read, or not by this version of textgen.
    """
    problems = []
    for name in (NEWEST, PREVIOUS):
        path = folder / name
        try:
            checkpoint = _read(path)
        except FileNotFoundError:
            continue
        except (OSError, MemoryError) as error:
            why = reason(error) if isinstance(error, OSError) else "there is not enough memory"
            raise RunError(
                f"{path}: cannot be read ({why}); the run is kept: resume it when the file can be read"
            ) from error
        except _DamagedError as error:
            problems.append(f"{path} {error}")
        else:
            return checkpoint, f"{problems[0]}; resuming from the previous one" if problems else None
    if not problems:
        raise RunError(f"{folder}: there is nothing to resume; start the run without `resume`")
    raise RunError(f"{folder}: {'; '.join(problems)}; start a new run with `force=True`")


class _DamagedError(Exception):
    """A checkpoint is damaged."""


def _read(path: Path) -> Checkpoint:
    content = path.read_bytes()
    if hashlib.sha256(memoryview(content)[DIGEST:]).digest() != content[:DIGEST]:
        raise _DamagedError("is damaged: its checksum is wrong")
    try:
        meta, arrays = _unpacked(content)
        stored = meta.pop("format")
        if stored == WITHOUT_TEACHERS and "teachers" not in meta:
            meta["teachers"], stored = [], FORMAT
        if stored == FORMAT:
            meta |= {part: later | meta[part] for part, later in LATER.items()}
            check_contents(meta, arrays)
    except UNPACKING as error:
        raise _DamagedError(f"is damaged: its contents are not those of a run ({shown(str(error))})") from error
    if stored != FORMAT:
        raise RunError(
            f"{path}: has format {shown(stored)}, of another version of textgen; this one reads {FORMAT}. The run is "
            "kept: resume it with the version that started it, or with the newest"
        )
    return Checkpoint(meta, arrays)


def _unpacked(content: bytes) -> tuple[dict[str, Any], dict[str, list[NDArray[Any]]]]:
    file = io.BytesIO(content)
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > len(content):
            raise ValueError("its arrays are larger than it is")
    file.seek(DIGEST)
    with np.load(file, allow_pickle=False) as stored:
        meta = dict(json.loads(stored[META].tobytes()))
        arrays: dict[str, list[NDArray[Any]]] = {}
        for key in stored.files:
            if key != META:
                arrays.setdefault(key.split("/")[0], []).append(stored[key])
    return meta, arrays


def remove_checkpoints(folder: Path) -> None:
    """Remove the checkpoints of a finished run."""
    for name in (NEWEST, PREVIOUS):
        (folder / name).unlink(missing_ok=True)
