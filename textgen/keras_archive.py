"""Reads entries and arrays of a Keras archive, strictly: sizes are checked before anything is read.

The archive is a zip whose entries are stored as they are, and the weights in it an HDF5 file. Both say themselves how
large their parts are, and a stranger's may say anything: a few bytes could stand for gigabytes. So an entry must lie
within its file, and every array have its own place in the entry, of all its bytes.
"""

import errno
import io
import itertools
import math
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import h5py
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Archive:
    """The entries of an open archive."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        """Read which entries there are in a file of `size` bytes; for what is raised see `opened`."""
        self._size = size
        with _whole():
            self._zip = zipfile.ZipFile(file)
        self._entries = {entry.filename: entry for entry in self._zip.infolist()}
        if len(self._entries) != len(self._zip.infolist()):
            raise ValueError("an entry is in it twice")

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def read(self, name: str, *, least: int = 0, most: int) -> bytes:
        """The bytes of an entry, between `least` and `most` of them; its checksum is compared."""
        if name not in self._entries:
            raise ValueError(f"it has no {name}")
        entry = self._entries[name]  # by its place from here on: the name alone could mean another
        if entry.file_size > most:
            raise ValueError(f"{name} is larger than its model can be")
        if entry.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{name} is compressed, and Keras compresses nothing")
        if entry.file_size < least:
            raise ValueError(f"{name} is smaller than its model must be")
        with _whole():
            if entry.compress_size != entry.file_size or entry.file_size > self._size:
                raise zipfile.BadZipFile(f"{name} has another size than the archive says")
            return self._zip.read(entry)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open an archive.

    Raises:
        OSError: the file cannot be read.
        zipfile.BadZipFile: it is no archive, or not whole; `Archive.read` raises it too.
        ValueError: the archive, or what is read from it, is not as Keras writes it.
    """
    with path.open("rb") as file:
        yield Archive(file, path.stat().st_size)


@contextmanager
def _whole() -> Iterator[None]:
    """Make one of all that `zipfile` raises for damaged archives: nearly anything."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # which is a place before the file's beginning
            raise
        raise zipfile.BadZipFile(str(error) or type(error).__name__) from error


def read_arrays(content: bytes, shapes: Mapping[str, tuple[int, ...]]) -> list[Array]:
    """The float32 arrays of an HDF5 file, of which the paths and shapes are known.

    Raises:
        ValueError: the file is damaged, or an array is not there, of another type or shape, not finite, or not whole in
            a place of its own.
    """
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            datasets = {name: _dataset(file, name, shape) for name, shape in shapes.items()}
            _check_places(datasets, len(content))
            return [_finite(name, dataset) for name, dataset in datasets.items()]
    except (ValueError, MemoryError):
        raise
    except Exception as error:  # HDF5 has no error of its own for what is damaged
        raise ValueError(f"its weights are damaged ({error})") from error


def _dataset(file: Any, name: str, shape: tuple[int, ...]) -> Any:
    """One dataset of the file, reached by hard links alone: others may lead outside it."""
    item = file
    for part in name.split("/"):
        if not isinstance(item, h5py.Group) or not isinstance(item.get(part, getlink=True), h5py.HardLink):
            raise ValueError(f"its weight {name} is missing or not stored in the file itself")
        item = item[part]
    if not isinstance(item, h5py.Dataset) or item.dtype != np.dtype("<f4") or item.shape != shape:
        raise ValueError(f"its weight {name} is not float32 of shape {shape}, which its configuration asks for")
    if item.id.get_create_plist().get_layout() != h5py.h5d.CONTIGUOUS or item.external:
        raise ValueError(f"its weight {name} is not stored contiguously in the file itself")
    return item


def _check_places(datasets: Mapping[str, Any], size: int) -> None:
    """Raise `ValueError` unless all bytes of each dataset lie within the file's `size`, and no two share any.

    What was never written has no place, and would be read as zeros, however many are asked for.
    """
    places = []
    for name, dataset in datasets.items():
        start, length = dataset.id.get_offset(), 4 * math.prod(dataset.shape)
        if start is None or dataset.id.get_storage_size() != length or start + length > size:
            raise ValueError(f"its weight {name} is not whole in the file")
        places.append((start, start + length, name))
    places.sort()
    for (_, end, name), (start, _, other) in itertools.pairwise(places):
        if start < end:
            raise ValueError(f"its weights {name} and {other} are in one place")


def _finite(name: str, dataset: Any) -> Array:
    array = cast(Array, dataset[()])
    if not np.isfinite(array).all():
        raise ValueError(f"its weight {name} has numbers that are not finite; train it again")
    return array
