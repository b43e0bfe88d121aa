"""What is read of a checkpoint is what a run has written, and what cannot be read now is left alone."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textgen import Corpus
from textgen.config import Hyperparameters, Shape
from textgen.errors import RunError
from textgen.model_file import layout
from textgen.training import checkpoint as module
from textgen.training.checkpoint import FORMAT, NEWEST, PREVIOUS, Checkpoint, read_checkpoint, write_checkpoint
from textgen.training.contents import LATER
from textgen.training.plan import Epochs, Plan
from textgen.training.teachers import Teacher

SHAPE = Shape(layers=2, units=6, dropout=0.1, embedding=4)
TRAINING = Hyperparameters(window=20, batch_size=3, learning_rate=0.01, patience=5, validation=0.1, rng_seed=1)
TEACHERS = (Teacher("/models/other/model.keras", "0" * 64),)
PLAN = Plan(Corpus.from_text("to be or not to be " * 9), SHAPE, TRAINING, Epochs(3), TEACHERS)


def whole() -> tuple[dict[str, Any], dict[str, list[np.ndarray]]]:
    """What a run could have written."""
    shapes = list(layout(SHAPE, len(PLAN.corpus.vocabulary)).values())
    weights = [np.zeros(shape, np.float32) for shape in shapes]
    arrays = {
        "weights": weights,
        "averages": weights,
        "optimizer": [np.int64(4), np.float32(0.1), *weights, *weights],
        "states": [np.zeros((3, 6), np.float32)] * 4,
    }
    numbers = {"planned_steps": 33, "step": 4, "loss_sum": 8.5, "loss_count": 4, "scorings_since_best": 0}
    row = [4, 0.4, 240, 1.5, 33, 0.01, 2.1, None]
    position = {"states": [], "best": None, **numbers}
    return {**deepcopy(PLAN.to_meta()), "position": position, "elapsed": 5.1, "history": [row]}, arrays


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    meta, arrays = whole()
    write_checkpoint(tmp_path, Checkpoint(meta, arrays))
    found, warning = read_checkpoint(tmp_path)
    assert (found.meta, warning) == (json.loads(json.dumps(meta)), None)
    for name, part in arrays.items():
        assert [array.tobytes() for array in found.arrays[name]] == [array.tobytes() for array in part]
    assert not (tmp_path / PREVIOUS).exists()


def leaves(value: Any, path: tuple = ()) -> list[tuple]:
    """The places of all values in JSON values, those that hold others too."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    return [path, *(place for key, item in items for place in leaves(item, (*path, key)))]


# What is free: a name, options that may be open, and what is not decided by the form alone.
FREE = {("text", "name"), ("text", "sources"), ("position", "states")}
WRONG = [None, True, -1, 1.5, "x", "\ud800", [], [[]], {}, {"a": 1}, 10**400, float("nan"), float("inf"), "9" * 300]


@pytest.mark.parametrize("place", leaves(json.loads(json.dumps(whole()[0])))[1:])
def test_wrong_values_are_never_gone_on_from(tmp_path: Path, place: tuple) -> None:
    """Each is read as damaged, or is a value that a run may have written; never anything else."""
    refused = 0
    for value in WRONG:
        meta, arrays = whole()
        meta = json.loads(json.dumps(meta))
        holder = meta
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = value
        write_checkpoint(tmp_path, Checkpoint(meta, arrays))
        (tmp_path / PREVIOUS).unlink(missing_ok=True)
        try:
            read_checkpoint(tmp_path)
        except RunError as error:
            assert "is damaged: its contents are not those of a run" in str(error)  # noqa: PT017
            assert len(str(error)) < 500  # noqa: PT017
            refused += 1
    assert refused >= (0 if place in FREE else 8)


@pytest.mark.parametrize(
    "place",
    [
        place
        for place in leaves(json.loads(json.dumps(whole()[0])))
        if len(place) in (1, 2) and place[-1] not in LATER.get(place[0], ())  # which older runs lack
    ],
)
def test_missing_values_are_never_gone_on_from(tmp_path: Path, place: tuple) -> None:
    meta, arrays = whole()
    meta = json.loads(json.dumps(meta))
    holder = meta[place[0]] if len(place) == 2 else meta
    if isinstance(holder, dict) and place[-1] != "states":
        del holder[place[-1]]
        write_checkpoint(tmp_path, Checkpoint(meta, arrays))
        with pytest.raises(RunError, match="is damaged: its contents are not those of a run"):
            read_checkpoint(tmp_path)


@pytest.mark.parametrize(("part", "name"), [(part, name) for part, names in LATER.items() for name in names])
def test_what_older_runs_lack_is_what_they_did(tmp_path: Path, part: str, name: str) -> None:
    meta, arrays = whole()
    meta = json.loads(json.dumps(meta))
    meant = meta[part].pop(name)
    write_checkpoint(tmp_path, Checkpoint(meta, arrays))
    found, warning = read_checkpoint(tmp_path)
    assert (found.meta[part][name], warning) == (meant, None)


@pytest.mark.parametrize("name", ["weights", "averages", "optimizer", "states"])
@pytest.mark.parametrize(
    "change",
    [
        lambda part: part[:-1],
        lambda part: [*part, part[0]],
        lambda part: [],
        lambda part: [*part[:-1], part[-1][:-1]],
        lambda part: [*part[:-1], part[-1][None]],
        lambda part: [*part[:-1], part[-1].astype(str)],
        lambda part: [*part[:-1], part[-1].astype(complex)],
    ],
)
def test_other_arrays_are_never_gone_on_from(tmp_path: Path, name: str, change: Callable) -> None:
    meta, arrays = whole()
    write_checkpoint(tmp_path, Checkpoint(meta, arrays))
    write_checkpoint(tmp_path, Checkpoint(meta, arrays | {name: change(arrays[name])}))
    found, warning = read_checkpoint(tmp_path)
    assert [array.shape for array in found.arrays[name]] == [array.shape for array in arrays[name]]
    assert warning is not None
    assert warning.startswith(f"{tmp_path / NEWEST} is damaged: its contents are not those of a run (")
    assert warning.endswith("; resuming from the previous one")


def write_raw(folder: Path, payload: bytes) -> None:
    (folder / NEWEST).write_bytes(module.hashlib.sha256(payload).digest() + payload)


def archive(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as written:
        for name, entry in entries.items():
            written.writestr(name, entry)
    return content.getvalue()


def array_file(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def meta_file(text: bytes) -> bytes:
    return array_file(np.frombuffer(text, np.uint8))


HUGE = array_file(np.zeros(1)).replace(b"'shape': (1,), ", b"'shape': (9999999999999,), ")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"PK\x03\x04",
        b"no archive",
        archive({}),
        archive({"meta": b"no array"}),
        archive({"meta.npy": b"no array"}),
        archive({"meta.npy": HUGE}),
        archive({"meta.npy": meta_file(b"")}),
        archive({"meta.npy": meta_file(b"[]")}),
        archive({"meta.npy": meta_file(b"[" * 100_000)}),
        archive({"meta.npy": meta_file(b"{}")}),
        archive({"meta.npy": meta_file(b"\xff")}),
        archive({"meta.npy": meta_file(b'{"format": %d}' % FORMAT)}),
        archive({"meta.npy": meta_file(b"{}"), "weights/0.npy": array_file(np.zeros(10**6))}, zipfile.ZIP_DEFLATED),
    ],
)
def test_other_archives_with_a_right_check_sum_are_told_in_one_line(tmp_path: Path, payload: bytes) -> None:
    write_raw(tmp_path, payload)
    with pytest.raises(RunError) as error:
        read_checkpoint(tmp_path)
    assert str(error.value).count("\n") == 0
    assert str(tmp_path / NEWEST) in str(error.value)


def test_a_checkpoint_of_the_format_before_teachers_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meta, arrays = whole()
    meta.pop("teachers")
    monkeypatch.setattr(module, "FORMAT", 3)
    write_checkpoint(tmp_path, Checkpoint(meta, arrays))
    monkeypatch.undo()
    assert read_checkpoint(tmp_path)[0].meta == json.loads(json.dumps(meta)) | {"teachers": []}


@pytest.mark.parametrize("form", [FORMAT + 1, FORMAT - 2, "new"])
def test_another_textgen_s_checkpoint_is_neither_passed_over_nor_removed(
    tmp_path: Path, form: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meta, arrays = whole()
    write_checkpoint(tmp_path, Checkpoint(meta, arrays))
    monkeypatch.setattr(module, "FORMAT", form)
    write_checkpoint(tmp_path, Checkpoint({"something": "new"}, {}))
    monkeypatch.undo()
    before = (tmp_path / NEWEST).read_bytes()
    with pytest.raises(RunError) as error:
        read_checkpoint(tmp_path)
    assert str(error.value) == (
        f"{tmp_path / NEWEST}: has format {form!r}, of another version of textgen; this one reads {FORMAT}. The run is "
        "kept: resume it with the version that started it, or with the newest"
    )
    assert (tmp_path / NEWEST).read_bytes() == before


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (MemoryError(), "there is not enough memory"),
    ],
)
def test_what_cannot_be_read_now_is_neither_passed_over_nor_removed(
    tmp_path: Path, problem: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        write_checkpoint(tmp_path, Checkpoint(*whole()))
    real = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name == NEWEST:
            raise problem
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    with pytest.raises(RunError) as error:
        read_checkpoint(tmp_path)
    assert str(error.value) == (
        f"{tmp_path / NEWEST}: cannot be read ({told}); the run is kept: resume it when the file can be read"
    )
    assert (tmp_path / NEWEST).exists()


def test_a_checkpoint_is_written_without_a_copy_in_memory(tmp_path: Path) -> None:
    arrays = {"weights": [np.zeros(2**24, np.float32)]}  # 64 MiB
    tracemalloc.start()
    write_checkpoint(tmp_path, Checkpoint({}, arrays))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 48 * 2**20
