"""What a stranger's file claims of its sizes is compared with what it has, before anything is read."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from textgen.keras_archive import opened, read_arrays

SHAPES = {"layers/a": (8, 32), "layers/b": (8, 32), "layers/c": (32,)}
SIZE = 4 * 8 * 32


def hdf5(change: Callable[[h5py.File], None] = lambda file: None) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for place, (name, shape) in enumerate(SHAPES.items()):
            file[name] = np.full(shape, place, "f4")
        change(file)
    return content.getvalue()


def place_of(content: bytes, name: str) -> int:
    with h5py.File(io.BytesIO(content), "r") as file:
        return int(file[name].id.get_offset())


def moved(content: bytes, name: str, place: int, size: int = SIZE) -> bytes:
    """Another place, and another size there, in what a dataset's header says."""
    header = struct.pack("<QQ", place_of(content, name), SIZE)
    assert content.count(header) == 1
    return content.replace(header, struct.pack("<QQ", place, size))


def refused(content: bytes) -> str:
    with pytest.raises(ValueError, match="weight") as error:
        read_arrays(content, SHAPES)
    return str(error.value)


def test_arrays_are_read_in_order() -> None:
    for place, (array, shape) in enumerate(zip(read_arrays(hdf5(), SHAPES), SHAPES.values(), strict=True)):
        np.testing.assert_array_equal(array, np.full(shape, place, "f4"))


@pytest.mark.parametrize("fill", [None, 0.5])
def test_what_was_never_written_is_refused(fill: float | None) -> None:
    def change(file: h5py.File) -> None:
        del file["layers/b"]
        file.create_dataset("layers/b", SHAPES["layers/b"], "f4", fillvalue=fill)

    assert refused(hdf5(change)) == "its weight layers/b is not whole in the file"


def test_two_arrays_in_one_place_are_refused() -> None:
    def change(file: h5py.File) -> None:
        del file["layers/b"]
        file["layers/b"] = file["layers/a"]

    expected = "its weights layers/a and layers/b are in one place"
    assert refused(hdf5(change)) == expected
    content = hdf5()
    first = place_of(content, "layers/a")
    assert refused(moved(content, "layers/b", first)) == expected
    assert refused(moved(content, "layers/b", first + SIZE - 4)) == expected


def test_an_array_that_leaves_the_file_is_refused() -> None:
    content = hdf5()
    for place, size in ((len(content) - 4, SIZE), (2**62, SIZE), (place_of(content, "layers/b"), SIZE - 4)):
        refused(moved(content, "layers/b", place, size))


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", bytes(1000), hdf5()[:5000]])
def test_what_is_no_hdf5_is_damaged(content: bytes) -> None:
    assert refused(content).startswith("its weights are damaged (")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "some.keras"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a", bytes(100))
        file.writestr("b", bytes(50))
    return path


def test_entries_are_read_within_their_bounds(archive: Path) -> None:
    with opened(archive) as entries:
        assert "a" in entries
        assert "c" not in entries
        assert entries.read("a", least=100, most=100) == bytes(100)
        for least, most, message in (
            (0, 99, "larger than its model can be"),
            (101, 200, "smaller than its model must"),
        ):
            with pytest.raises(ValueError, match=message):
                entries.read("a", least=least, most=most)
        with pytest.raises(ValueError, match="it has no c"):
            entries.read("c", most=1)


def test_an_entry_that_is_larger_than_its_file_is_refused(archive: Path) -> None:
    content = archive.read_bytes()
    sizes = struct.pack("<LL", 100, 100)
    for claimed in ((100, 2**31), (2**31, 100), (2**31, 2**31)):
        archive.write_bytes(content.replace(sizes, struct.pack("<LL", *claimed)))
        with opened(archive) as entries, pytest.raises(zipfile.BadZipFile, match="a has another size"):
            entries.read("a", most=2**32)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice_is_refused(archive: Path) -> None:
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("a", b"another")
    with pytest.raises(ValueError, match="an entry is in it twice"), opened(archive):
        pass


def test_a_directory_that_points_before_the_file_is_no_failure_of_the_disk(archive: Path) -> None:
    content = archive.read_bytes()
    directory = content.index(b"PK\x01\x02")
    (archive.parent / "odd").write_bytes(content[directory:])
    with pytest.raises(zipfile.BadZipFile), opened(archive.parent / "odd") as entries:
        entries.read("a", most=100)
