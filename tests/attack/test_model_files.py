"""Damaged and crafted model files: each is read right, or refused in one line, at once and in little memory."""

import copy
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.attack.harness import attempt, damaged
from tests.conftest import describe
from tests.test_model_file import CONFIG, VOCABULARY, hdf5
from textgen.config import Shape
from textgen.model_file import DESCRIPTION, WEIGHTS, Model, Weights, layout, read_model

DESCRIBED = json.loads(describe(VOCABULARY, CONFIG).to_json())
LAST = "layers/dense/vars/1"


def archive(description: bytes | str | None = None, weights: bytes | None = None) -> bytes:
    """A model file, whose checksums are right."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        opened.writestr("config.json", "{}")
        opened.writestr(WEIGHTS, WHOLE_WEIGHTS if weights is None else weights)
        opened.writestr(DESCRIPTION, json.dumps(DESCRIBED) if description is None else description)
    return content.getvalue()


WHOLE_WEIGHTS = hdf5()


def read(case: str, content: bytes, folder: Path) -> Model | None:
    """The model that a file's content is, None where the command refuses it."""
    path = folder / "model.keras"
    path.write_bytes(content)
    return None if attempt(case, "info", str(path))[0] else read_model(path)


def arrays(weights: Weights) -> list[np.ndarray]:
    return [weights.embedding, *(part for layer in weights.layers for part in layer), weights.head, weights.head_bias]


def assert_same(case: str, found: Model, expected: Model) -> None:
    assert found.description == expected.description, case
    for one, other in zip(arrays(found.weights), arrays(expected.weights), strict=True):
        np.testing.assert_array_equal(one, other, case)


@pytest.fixture
def whole(tmp_path: Path) -> Model:
    found = read("whole", archive(), tmp_path)
    assert found is not None
    return found


def test_a_damaged_archive_is_refused_or_gives_the_same_model(tmp_path: Path, whole: Model) -> None:
    refused = 0
    for case, content in damaged(archive(), 300, seed=1):
        found = read(case, content, tmp_path)
        refused += found is None
        if found is not None:
            assert_same(case, found, whole)
    assert refused > 200  # the others fell on what nobody reads


def test_damaged_weights_with_a_right_check_sum_are_refused_or_of_the_right_shapes(tmp_path: Path) -> None:
    for case, content in damaged(WHOLE_WEIGHTS, 200, seed=2):
        found = read(case, archive(weights=content), tmp_path)
        if found is not None:
            assert [array.shape for array in arrays(found.weights)] == list(layout(CONFIG, len(VOCABULARY)).values())
            assert all(np.isfinite(array).all() for array in arrays(found.weights)), case


HOSTILE = {
    "NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity", "huge": "1" + "0" * 400, "long": "9" * 5000,
    "overflow": "1e999", "tiny": "1e-999", "negative": "-1", "zero": "0", "large": "1e300", "2**63": str(2**63),
    "true": "true", "null": "null", "empty": '""', "newline": '"a\\nb\\u001b[2J"', "surrogate": '"\\ud800"',
    "NUL": '"\\u0000"', "override": '"\\u202e"', "2 MB": '"' + "x" * 2_000_000 + '"', "list": "[]", "object": "{}",
    "nested": "[" * 900 + "]" * 900, "deep": "[" * 100_000 + "]" * 100_000, "objects": '{"a": {"b": {"c": 1}}}',
    "odd key": '{"a\\nb\\u001b]0;x\\u0007": "1"}', "long key": '{"' + "k" * 1_000_000 + '": "1"}',
    "many keys": "{" + ",".join(f'"{number}": "1"' for number in range(50_000)) + "}",
}  # fmt: skip
PLACES = [
    (part, key) for part in ("model", "text", "training") for key in DESCRIBED[part]
] + [(key,) for key in DESCRIBED]  # fmt: skip


def with_value(place: tuple[str, ...], value: str) -> str:
    """The description with other JSON at a place."""
    values: dict[str, Any] = copy.deepcopy(DESCRIBED)
    inner = values
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = "@here@"
    return json.dumps(values).replace('"@here@"', value)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_value_anywhere_in_the_description_is_refused_or_shown_safely(name: str, tmp_path: Path) -> None:
    for place in PLACES:
        case = f"{'.'.join(place)} is {name}"
        found = read(case, archive(with_value(place, HOSTILE[name])), tmp_path)
        if found is not None:
            json.loads(found.description.to_json(), parse_constant=pytest.fail)


def test_a_description_that_is_no_json_of_ours_is_refused(tmp_path: Path) -> None:
    odd_key = json.dumps(DESCRIBED | {"a\nb\x1b[31m\u202e": 1})
    contents: dict[str, bytes | str] = {
        "an odd key": odd_key,
        "a long key": json.dumps(DESCRIBED | {"k" * 10_000_000: 1}),
        "UTF-16": json.dumps(DESCRIBED).encode("utf-16"),
        "not UTF-8": b'{"format": "\xff"}',
        "a list": "[]",
        "a number": "1" * 5000,
        "nested": "[" * 10**6,
        "nothing": "",
        "a key twice": json.dumps(DESCRIBED)[:-1] + ', "format": 99}',
        "60 MB": json.dumps(DESCRIBED)[:-1] + " " * 60_000_000 + "}",
        "symbols by the million": json.dumps(DESCRIBED | {"vocabulary": ["ab"] * 10**6}),
        "all of Unicode": json.dumps(
            DESCRIBED | {"vocabulary": [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]}
        ),
    }
    for case, content in contents.items():
        found = read(case, archive(content), tmp_path)
        assert found is None or case in ("a key twice", "UTF-16"), case


def without(name: str, make: Callable[[h5py.File], None]) -> bytes:
    """The weights with something else in the place of one."""

    def change(file: h5py.File) -> None:
        del file[name]
        make(file)

    return hdf5(change)


def crafted(outside: Path) -> Iterator[tuple[str, bytes]]:
    """Files of weights that Keras never writes."""
    shape = (len(VOCABULARY),)
    chunked = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    chunked.set_chunk((2,))
    late = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    late.set_alloc_time(h5py.h5d.ALLOC_TIME_LATE)

    def never_written(file: h5py.File, properties: Any = late) -> None:
        h5py.h5d.create(file.id, LAST.encode(), h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple(shape), properties)

    virtual = h5py.VirtualLayout(shape, "f4")
    virtual[:] = h5py.VirtualSource(str(outside), "x", shape)
    numbers = np.zeros(shape, "f4")
    for case, make in {
        "nothing": lambda file: None,
        "never written": never_written,
        "chunks never written": lambda file: never_written(file, chunked),
        "a soft link": lambda file: file.__setitem__(LAST, h5py.SoftLink("/layers/dense/vars/0")),
        "a soft link to itself": lambda file: file.__setitem__(LAST, h5py.SoftLink(f"/{LAST}")),
        "an external link": lambda file: file.__setitem__(LAST, h5py.ExternalLink(str(outside), "/x")),
        "outside storage": lambda file: file.create_dataset(
            LAST, shape, "f4", external=[(str(outside), 0, 4 * len(VOCABULARY))]
        ),
        "a virtual dataset": lambda file: file.create_virtual_dataset(LAST, virtual),
        "compression": lambda file: file.create_dataset(LAST, data=numbers, compression="gzip"),
        "a checksum of its own": lambda file: file.create_dataset(LAST, data=numbers, fletcher32=True),
        "big-endian numbers": lambda file: file.__setitem__(LAST, numbers.astype(">f4")),
        "strings": lambda file: file.create_dataset(LAST, shape, h5py.string_dtype()),
        "references": lambda file: file.create_dataset(LAST, shape, h5py.ref_dtype),
        "records": lambda file: file.create_dataset(LAST, shape, [("a", "f4")]),
        "arrays": lambda file: file.create_dataset(LAST, shape, "(1000,)f4"),
        "a group": lambda file: file.create_group(LAST),
        "a type": lambda file: file.__setitem__(LAST, np.dtype("f4")),
        "a scalar": lambda file: file.__setitem__(LAST, np.float32(0)),
        "no dataspace": lambda file: file.__setitem__(LAST, h5py.Empty("f4")),
        "another shape": lambda file: file.create_dataset(LAST, (2**40,), "f4"),
        "another rank": lambda file: file.create_dataset(LAST, (1,) * 32, "f4"),
    }.items():
        yield case, without(LAST, make)
    yield "a cycle of groups", hdf5(lambda file: file["layers"].__setitem__("layers", file["/"]))
    yield "attributes", hdf5(lambda file: file.attrs.__setitem__("x" * 50_000, "y"))
    yield (
        "a group shared",
        without("layers/lstm_1", lambda file: file.__setitem__("layers/lstm_1", file["layers/lstm"])),
    )
    yield "no HDF5", b"\x89HDF\r\n\x1a\n" + bytes(1000)
    yield "nothing", b""


def test_crafted_weights_are_refused_or_give_the_same_model(tmp_path: Path, whole: Model) -> None:
    outside = tmp_path / "outside.h5"
    with h5py.File(outside, "w") as file:
        file["x"] = np.zeros(len(VOCABULARY), "f4")
    for case, content in crafted(outside):
        found = read(case, archive(weights=content), tmp_path)
        if found is not None:
            assert_same(case, found, whole)


def wide_description(layers: int = 8, units: int = 4096) -> str:
    """Of the largest network that may be."""
    model = {"layers": layers, "units": units, "dropout": 0.0, "embedding": 4096, "cell": "lstm"}
    return json.dumps(DESCRIBED | {"model": model})


def never_written_weights(config: Shape) -> bytes:
    """Weights of any size in a file of a few kilobytes: created, and never written."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, shape in layout(config, len(VOCABULARY)).items():
            file.create_dataset(name, shape, "<f4")
    return content.getvalue()


def test_a_small_file_cannot_hold_a_large_network(tmp_path: Path) -> None:
    config = Shape(layers=8, units=4096, dropout=0.0, embedding=4096)
    assert read("never written", archive(wide_description(), never_written_weights(config)), tmp_path) is None
    small = Shape(layers=2, units=8, dropout=0.0, embedding=4)
    description = json.dumps(DESCRIBED | {"model": vars(small)})
    assert read("never written, small", archive(description, never_written_weights(small)), tmp_path) is None


def test_arrays_that_share_one_place_are_refused(tmp_path: Path) -> None:
    """The address of one array, in the message that describes where it lies, written over that of another."""
    with h5py.File(io.BytesIO(WHOLE_WEIGHTS), "r") as file:
        one, other = (file[f"layers/{name}/cell/vars/1"].id.get_offset() for name in ("lstm", "lstm_1"))
    address, shared = struct.pack("<Q", one), struct.pack("<Q", other)
    assert WHOLE_WEIGHTS.count(address) == 1
    assert read("shared", archive(weights=WHOLE_WEIGHTS.replace(address, shared)), tmp_path) is None


def entries(change: Callable[[zipfile.ZipFile], None]) -> bytes:
    content = io.BytesIO(archive())
    with zipfile.ZipFile(content, "a") as opened:
        change(opened)
    return content.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_crafted_archives_are_refused_or_give_the_same_model(tmp_path: Path, whole: Model) -> None:
    def compressed(method: int, name: str) -> bytes:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as opened:
            for entry, data in ((WEIGHTS, WHOLE_WEIGHTS), (DESCRIPTION, json.dumps(DESCRIBED).encode())):
                opened.writestr(entry, data, method if entry == name else zipfile.ZIP_STORED)
        return content.getvalue()

    def bomb(name: str, size: int) -> bytes:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as opened:
            for entry in (WEIGHTS, DESCRIPTION):
                opened.writestr(entry, bytes(size) if entry == name else b"{}")
        return content.getvalue()

    cases = {
        "the description twice": entries(lambda file: file.writestr(DESCRIPTION, json.dumps(DESCRIBED))),
        "the weights twice": entries(lambda file: file.writestr(WEIGHTS, b"")),
        "bomb of weights": bomb(WEIGHTS, 100_000_000),
        "bomb of a description": bomb(DESCRIPTION, 100_000_000),
        "encrypted": archive().replace(b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\x01\0"),
        "a comment": archive()[:-2] + struct.pack("<H", 0xFFFF),
        "entries by the thousand": entries(lambda file: [file.writestr(str(number), b"") for number in range(5000)]),  # type: ignore[func-returns-value]
    }
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        for name in (WEIGHTS, DESCRIPTION):
            cases[f"{name} compressed, method {method}"] = compressed(method, name)
    for case, content in cases.items():
        found = read(case, content, tmp_path)
        if found is not None:
            assert_same(case, found, whole)
