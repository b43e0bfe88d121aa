import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import TEXT, describe, random_weights
from textgen.bfloat16 import holds
from textgen.cells import CELLS
from textgen.config import Shape
from textgen.corpus.vocabulary import Vocabulary
from textgen.errors import ModelFileError
from textgen.generation.generator import load
from textgen.model_file import DESCRIPTION, MOST_DESCRIPTION, WEIGHTS, Weights, add_description, layout, read_model

CONFIG = Shape(layers=2, units=8, dropout=0.25, embedding=4)
VOCABULARY = Vocabulary.of(TEXT)
TRAINING_INFO = json.loads(describe(VOCABULARY, CONFIG).to_json())["training"]
MODEL_INFO = json.loads(describe(VOCABULARY, CONFIG).to_json())["model"]
TEXT_INFO = json.loads(describe(VOCABULARY, CONFIG).to_json())["text"]


def hdf5(change: Callable[[h5py.File], None] = lambda file: None) -> bytes:
    """Weights as Keras writes them, then changed."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        arrays = random_weights(CONFIG, len(VOCABULARY))
        for (name, _), array in zip(layout(CONFIG, len(VOCABULARY)).items(), arrays, strict=True):
            file[name] = array
        change(file)
    return content.getvalue()


def archive(path: Path, description: dict | None = None, weights: bytes | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("config.json", "{}")
        opened.writestr(WEIGHTS, hdf5() if weights is None else weights)
        if description is not None:
            opened.writestr(DESCRIPTION, json.dumps(description))
    return path


def good_description() -> dict:
    return json.loads(describe(VOCABULARY, CONFIG).to_json())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return archive(tmp_path / "good.keras", good_description())


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "model.keras")
    add_description(path, describe(VOCABULARY, CONFIG))
    read = read_model(tmp_path)
    assert read.description == describe(VOCABULARY, CONFIG)
    expected = random_weights(CONFIG, len(VOCABULARY))
    found = [read.weights.embedding, *[part for layer in read.weights.layers for part in layer]]
    found += [read.weights.head, read.weights.head_bias]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert read.weights.parameters == sum(array.size for array in expected)


def refused(path: Path) -> str:
    with pytest.raises(ModelFileError) as error:
        load(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "no") == f"{tmp_path / 'no'}: no such model; name a run folder or a .keras file"
    assert refused(tmp_path) == f"{tmp_path}: the folder has no model.keras; name a run folder or a .keras file"


@pytest.mark.parametrize("content", [b"", b"\0not a zip", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    assert "not a complete Keras archive" in refused(path)


def test_a_model_cut_short_at_any_byte_is_refused(model: Path, tmp_path: Path) -> None:
    whole, cut = model.read_bytes(), tmp_path / "cut.keras"
    for length in range(0, len(whole), 7):
        cut.write_bytes(whole[:length])
        assert "cut short or damaged" in refused(cut)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_is_refused_or_changes_nothing(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    good = archive(folder / "whole.keras", good_description())
    content = bytearray(good.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "flipped.keras").write_bytes(content)
    try:
        read = read_model(folder / "flipped.keras")
    except ModelFileError:
        return
    whole = read_model(good)
    assert read.description == whole.description
    np.testing.assert_array_equal(read.weights.embedding, whole.weights.embedding)
    np.testing.assert_array_equal(read.weights.head, whole.weights.head)


def without(*names: str, values: dict) -> dict:
    return {key: value for key, value in values.items() if key not in names}


def test_older_formats_are_read_for_ever(tmp_path: Path) -> None:
    now = good_description()
    third = {
        "format": 3,
        "model": without("cell", values=now["model"]),
        "text": without("strip", "separator", "sources", values=now["text"]),
    }
    second = third | {"format": 2, "training": without("temperature", values=now["training"])}
    first = second | {"format": 1, "text": without("repair", values=third["text"])}
    for older in (first, second, third):
        read = read_model(archive(tmp_path / "older.keras", now | older)).description
        assert read == describe(VOCABULARY, CONFIG)
        assert (read.model.cell, read.text.repair, read.training.temperature) == ("lstm", False, None)
        assert (read.text.strip, read.text.separator, read.text.sources) == (None, None, ())
        for name in older:  # nor may a part be of another format than the rest
            refused(archive(tmp_path / "odd.keras", now | without(name, values=older)))
        for name in ("model", "text", "training"):
            refused(archive(tmp_path / "odd.keras", now | older | {name: []}))


def test_a_file_of_format_3_is_what_it_was(tmp_path: Path) -> None:
    """Trained and saved by the textgen of that format; its older formats, as it would have written them."""
    path = Path(__file__).with_name("format-3.keras")
    third = json.loads(zipfile.ZipFile(path).read(DESCRIPTION))
    assert third["format"] == 3
    second = third | {"format": 2, "training": without("temperature", values=third["training"])}
    first = second | {"format": 1, "text": without("repair", values=third["text"])}
    for content in (first, second, third):
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "old.keras", "w") as new:
            for entry in old.infolist():
                new.writestr(entry, json.dumps(content) if entry.filename == DESCRIPTION else old.read(entry))
        found = load(tmp_path / "old.keras")
        assert found.description.model == Shape(2, 6, 0.0, 3, "lstm")
        assert found.generate("the ", length=60, temperature=0) == (
            "dog sees the dog, and the dog sees the dog, and the dog sees"
        )
        predicted = found.predict("the ")
        assert list(predicted)[:4] == ["d", "f", "t", "s"]
        assert predicted["d"] == pytest.approx(0.5542756, abs=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_a_network_of_any_cell_is_written_and_read(tmp_path: Path, cell: str) -> None:
    shape = Shape(2, 8, 0.0, 4, cell)
    content, arrays = io.BytesIO(), random_weights(shape, len(VOCABULARY))
    with h5py.File(content, "w") as file:
        for name, array in zip(layout(shape, len(VOCABULARY)), arrays, strict=True):
            file[name] = array
    path = archive(tmp_path / "model.keras", weights=content.getvalue())
    add_description(path, describe(VOCABULARY, shape))
    read = read_model(path)
    assert read.description.model == shape
    assert read.weights.cell is CELLS[cell]
    assert f"2 × {CELLS[cell].keras}, {sum(array.size for array in arrays):,} parameters" in repr(read.weights)
    for one, other in zip(read.weights.arrays, arrays, strict=True):
        np.testing.assert_array_equal(one, other)
    others = {name: repr(refused_as(path, name)) for name in CELLS if name != cell}
    assert all("weight layers/" in message for message in others.values())


def refused_as(path: Path, cell: str) -> str:
    """What is said of a model whose description names another cell."""
    description = json.loads(zipfile.ZipFile(path).read(DESCRIPTION))
    description["model"]["cell"] = cell
    other = archive(path.with_name("other.keras"), description, zipfile.ZipFile(path).read(WEIGHTS))
    return refused(other)


def test_only_matrices_are_rounded() -> None:
    for cell in CELLS:
        arrays = [array + np.float32(1e-3) for array in random_weights(Shape(2, 8, 0.0, 4, cell), len(VOCABULARY))]
        weights = Weights.from_list(arrays)
        rounded = weights.rounded()
        for one, other in zip(rounded.layers, weights.layers, strict=True):
            np.testing.assert_array_equal(one.bias, other.bias)
            assert holds(one.kernel)
            assert holds(one.recurrent)
        assert holds(rounded.embedding)
        assert holds(rounded.head)
        np.testing.assert_array_equal(rounded.head_bias, weights.head_bias)


def test_a_keras_archive_of_others_is_refused(tmp_path: Path) -> None:
    message = refused(archive(tmp_path / "other.keras"))
    assert message.endswith(
        "it has no textgen.json, so its vocabulary is unknown; expected one that textgen has trained"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 5}, "it has format 5, of a newer textgen; this one reads up to 4: update textgen"),
        ({"format": None}, "its format is missing"),
        ({"format": 0}, "its format is missing"),
        ({"format": True}, "its format is missing"),
        ({"vocabulary": ["a", "\ud800"]}, "a vocabulary has no surrogates"),
        ({"surplus": 1}, "missing or unknown keys"),
        ({"vocabulary": "abc"}, "its vocabulary is not a list"),
        ({"vocabulary": ["ab"]}, "a vocabulary is a list of single characters"),
        ({"vocabulary": [["a"]]}, "a vocabulary is a list of single characters"),
        ({"model": {"layers": 2}}, "missing or unknown keys: cell, dropout, embedding, units"),
        (
            {"model": MODEL_INFO | {"layers": 99}},
            "layers must be a whole number from 1 to 8",
        ),
        (
            {"model": MODEL_INFO | {"layers": 2, "units": 8, "dropout": 0.1, "embedding": None}},
            "embedding must be a whole number from 1 to 4,096, not None",
        ),
        ({"text": TEXT_INFO | {"name": 5}}, "name must be str, not int"),
        (
            {"text": {"name": "a"}},
            "the TextInfo has missing or unknown keys: characters, lowercase, repair, replacement, separator, 4 more",
        ),
        ({"text": 5}, "the TextInfo is not an object"),
        ({"text": TEXT_INFO | {"unicode": "nfd"}}, "unicode must be one of none, nfc, nfkc, not 'nfd'"),
        ({"text": TEXT_INFO | {"replacement": "Ω"}}, "its replacement is not one of several symbols"),
        ({"text": TEXT_INFO | {"replacement": 5}}, "replacement must be str or None, not int"),
        ({"text": TEXT_INFO | {"name": "a" * 1001}}, "name must be text of at most 1,000 characters, not 'aaa"),
        ({"text": TEXT_INFO | {"name": "\ud800"}}, r"name must be text of at most 1,000 characters, not '\ud800'"),
        ({"text": TEXT_INFO | {"sha256": "0" * 63 + "g"}}, "sha256 must be 64 hexadecimal digits"),
        ({"text": TEXT_INFO | {"characters": -1}}, "characters must be a whole number from 0 to "),
        ({"text": TEXT_INFO | {"characters": 10**400}}, "characters must be a whole number from 0 to "),
        ({"training": TRAINING_INFO | {"epochs": 10**400}}, "epochs must be a number from 0 to 1e+40"),
        ({"training": TRAINING_INFO | {"epochs": "1"}}, "epochs must be a number from 0 to 1e+40, not '1'"),
        ({"training": TRAINING_INFO | {"seconds": -1}}, "seconds must be a number from 0 to 1e+40"),
        ({"training": TRAINING_INFO | {"window": 1}}, "window must be a whole number from 2 to 10,000, not 1"),
        ({"training": TRAINING_INFO | {"window": 50.0}}, "window must be a whole number from 2 to 10,000, not 50.0"),
        ({"training": TRAINING_INFO | {"batch_size": 0}}, "batch_size must be a whole number from 1"),
        ({"training": TRAINING_INFO | {"learning_rate": 2}}, "learning_rate must be a number above 0, at most 1"),
        ({"training": TRAINING_INFO | {"validation": float("nan")}}, "it has a number that is NaN"),
        ({"training": TRAINING_INFO | {"validation": float("-inf")}}, "it has a number that is -Infinity"),
        ({"training": TRAINING_INFO | {"validation": True}}, "validation must be a number from 0 to 0.5, not True"),
        ({"training": TRAINING_INFO | {"rng_seed": 2**63}}, "rng_seed must be a whole number from 0"),
        ({"training": TRAINING_INFO | {"validation_nats": -1}}, "validation_nats must be a number from 0 to 1e+40"),
        (
            {"training": TRAINING_INFO | {"versions": {"a": {"b": "c"}}}},
            "versions and date must be text of at most 100",
        ),
        ({"training": TRAINING_INFO | {"versions": {"a": "b" * 101}}}, "versions and date must be text of at most 100"),
        (
            {"training": TRAINING_INFO | {"versions": {f"{i}": "" for i in range(51)}}},
            "versions must be at most 50 entries",
        ),
        ({"training": TRAINING_INFO | {"versions": ["a"]}}, "versions must be dict, not list"),
        ({"training": TRAINING_INFO | {"date": "2" * 101}}, "versions and date must be text of at most 100"),
        ({"training": TRAINING_INFO | {"temperature": 0}}, "temperature must be a number above 0, at most 100, not 0"),
        (
            {"training": TRAINING_INFO | {"temperature": "1"}},
            "temperature must be a number above 0, at most 100, not '1'",
        ),
        ({"training": {}}, "the TrainingInfo has missing or unknown keys"),
        ({"model": MODEL_INFO | {"cell": "peephole"}}, "cell must be one of lstm, gru, rnn, not 'peephole'"),
        ({"model": MODEL_INFO | {"cell": None}}, "cell must be str, not NoneType"),
        ({"model": MODEL_INFO | {"cell": "gru"}}, "its weight layers/gru/cell/vars/0 is missing"),
        ({"text": TEXT_INFO | {"strip": 1}}, "strip must be bool or None, not int"),
        ({"text": TEXT_INFO | {"separator": 1}}, "separator must be str or None, not int"),
        ({"text": TEXT_INFO | {"separator": "n" * 10_001}}, "separator must be text of at most 10,000 characters"),
        ({"text": TEXT_INFO | {"sources": None}}, "sources must be a list of at most 10,000 texts, not None"),
        ({"text": TEXT_INFO | {"sources": [["0" * 64, 1]] * 10_001}}, "sources must be a list of at most 10,000 texts"),
        ({"text": TEXT_INFO | {"sources": ["0" * 64]}}, "sources must be pairs of a hash and a number of characters"),
        ({"text": TEXT_INFO | {"sources": [["0" * 63, 1]]}}, "sha256 must be 64 hexadecimal digits"),
        ({"text": TEXT_INFO | {"sources": [["0" * 64, -1]]}}, "characters must be a whole number from 0"),
        ({"text": TEXT_INFO | {"sources": [["0" * 64, "1"]]}}, "characters must be a whole number from 0"),
        ({"model": MODEL_INFO | {"units": 9}}, "is not float32 of shape"),
        (
            {"model": MODEL_INFO | {"layers": 3}},
            "lstm_2/cell/vars/0 is missing",
        ),
        ({"vocabulary": ["a", "b"]}, "is not float32 of shape (2, 4), which its configuration asks for"),
    ],
)
def test_a_description_that_is_not_strictly_right_is_refused(tmp_path: Path, change: dict, message: str) -> None:
    assert message in refused(archive(tmp_path / "odd.keras", good_description() | change))


NAME = "layers/dense/vars/1"


def replaced(make: Callable[[h5py.File], None]) -> bytes:
    def change(file: h5py.File) -> None:
        del file[NAME]
        make(file)

    return hdf5(change)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda file: None, "is missing"),
        (lambda file: file.__setitem__(NAME, h5py.ExternalLink("other.h5", "/x")), "not stored in the file itself"),
        (lambda file: file.__setitem__(NAME, h5py.SoftLink("/layers/dense/vars/0")), "not stored in the file itself"),
        (lambda file: file.create_group(NAME), "is not float32 of shape"),
        (lambda file: file.__setitem__(NAME, np.zeros(len(VOCABULARY))), "is not float32 of shape"),
        (lambda file: file.__setitem__(NAME, np.zeros((1, 2), "f4")), "is not float32 of shape"),
        (
            lambda file: file.create_dataset(NAME, (len(VOCABULARY),), "f4", compression="gzip"),
            "not stored contiguously",
        ),
        (lambda file: file.create_dataset(NAME, (len(VOCABULARY),), "f4", chunks=(2,)), "not stored contiguously"),
        (lambda file: file.__setitem__(NAME, np.full(len(VOCABULARY), np.nan, "f4")), "numbers that are not finite"),
        (lambda file: file.__setitem__(NAME, np.full(len(VOCABULARY), np.inf, "f4")), "numbers that are not finite"),
    ],
)
def test_weights_that_keras_would_not_write_are_refused(
    tmp_path: Path, make: Callable[[h5py.File], None], message: str
) -> None:
    text = refused(archive(tmp_path / "odd.keras", good_description(), replaced(make)))
    assert NAME in text
    assert message in text


def test_weights_in_an_outside_file_are_refused(tmp_path: Path) -> None:
    outside = tmp_path / "secret.bin"
    outside.write_bytes(bytes(4 * len(VOCABULARY)))

    def make(file: h5py.File) -> None:
        file.create_dataset(NAME, (len(VOCABULARY),), "f4", external=[(os.fsencode(outside), 0, 4 * len(VOCABULARY))])

    text = refused(archive(tmp_path / "odd.keras", good_description(), replaced(make)))
    assert "not stored contiguously in the file itself" in text


def test_a_soft_linked_group_on_the_way_is_refused(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        file.move("layers/dense", "layers/elsewhere")
        file["layers/dense"] = h5py.SoftLink("/layers/elsewhere")

    text = refused(archive(tmp_path / "odd.keras", good_description(), hdf5(change)))
    assert "layers/dense/vars/0 is missing or not stored in the file itself" in text


def test_a_bomb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(WEIGHTS, bytes(50_000_000))
        opened.writestr(DESCRIPTION, json.dumps(good_description()), zipfile.ZIP_STORED)
    assert "model.weights.h5 is larger than its model can be" in refused(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as opened:
        opened.writestr(WEIGHTS, hdf5())
        opened.writestr(DESCRIPTION, json.dumps(good_description()))
    assert "textgen.json is compressed, and Keras compresses nothing" in refused(path)


def test_a_number_that_only_json_can_write_is_refused(model: Path) -> None:
    content = json.dumps(good_description()).replace('"validation": 0.1', '"validation": 1e999')
    with zipfile.ZipFile(model, "w") as opened:
        opened.writestr(WEIGHTS, hdf5())
        opened.writestr(DESCRIPTION, content)
    assert "validation must be a number from 0 to 0.5, not inf" in refused(model)


def test_a_large_shape_in_a_small_file_is_refused_unread(tmp_path: Path) -> None:
    config, content = Shape(8, 4096, 0.1, 4096), io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, shape in layout(config, len(VOCABULARY)).items():
            file.create_dataset(name, shape, "f4")  # never written, so that it would be read as gigabytes of zeros
    description = good_description() | {"model": asdict(config)}
    path = archive(tmp_path / "large.keras", description, content.getvalue())
    assert path.stat().st_size < 50_000
    assert "model.weights.h5 is smaller than its model must be" in refused(path)


def test_a_description_of_all_of_unicode_fits_and_a_larger_one_is_refused(tmp_path: Path) -> None:
    everything = [chr(point) for point in range(0x110000) if not 0xD800 <= point <= 0xDFFF]
    size = len(json.dumps(everything, ensure_ascii=False, indent=1).encode())
    assert size + 10_000 < MOST_DESCRIPTION
    path = archive(tmp_path / "large.keras")
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr(DESCRIPTION, " " * MOST_DESCRIPTION + "{}")
    assert "textgen.json is larger than its model can be" in refused(path)


def test_running_out_of_memory_is_told(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("textgen.model_file.read_arrays", fail)
    assert "there is not enough memory to read it" in refused(model)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Once upon a time\r\n", "is a text, not a model; train a model on it, and name its run folder"),
        ("Il était une fois".encode(), "is a text, not a model"),
        ("Il était une fois".encode("latin-1"), "is a text, not a model"),
        ("\ufeffOnce".encode("utf-16-le"), "is a text, not a model"),
        ("吾輩は猫である".encode("iso2022-jp"), "is a text, not a model"),
        (hdf5(), "is an HDF5 file with weights only; expected a .keras file that textgen has trained"),
    ],
)
def test_what_is_often_taken_for_a_model_is_recognised(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "grimm.txt"
    path.write_bytes(content)
    assert refused(path).startswith(f"{path}: {message}")


def test_a_model_of_another_name_in_the_folder_is_offered(model: Path) -> None:
    assert refused(model.parent) == f"{model.parent}: the folder has no model.keras; name {model}"


def test_a_name_too_long_for_a_file_is_told() -> None:
    assert "cannot be read (File name too long)" in refused(Path("x" * 300))


def test_an_unreadable_file_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(zipfile, "ZipFile", deny)
    assert "cannot be read (Permission denied)" in refused(model)
