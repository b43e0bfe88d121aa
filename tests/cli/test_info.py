import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.conftest import run, run_here
from tests.test_model_file import archive, good_description, hdf5


def test_info_tells_what_a_model_is(trained: Path) -> None:
    result = run_here("info", str(trained))
    assert result.returncode == 0
    rows = [line[:16].strip() for line in result.stdout.splitlines()]
    assert [row for row in rows if row] == [
        "file", "text", "vocabulary", "network", "parameters", "validation loss", "training", "calibration",
        "versions",
    ]  # fmt: skip
    assert "fox, 4,080 characters" in result.stdout
    assert r"31 characters: \n ,.Tabcdefghijklmnopqrstuvwxyz" in result.stdout
    assert "2 × LSTM(48), embedding dimension 64, dropout 0.0" in result.stdout
    assert " epochs in " in result.stdout


def test_json_is_the_description_as_stored(trained: Path) -> None:
    result = run("info", str(trained), "--json", LC_ALL="C", PYTHONUTF8="0")
    with zipfile.ZipFile(trained / "model.keras") as archive:
        assert json.loads(result.stdout) == json.loads(archive.read("textgen.json"))


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    result = run_here("info", str(tmp_path))
    assert result.returncode == 1
    assert "has no model.keras" in result.stderr


@pytest.mark.parametrize(
    ("change", "weights", "message"),
    [
        ({"format": 5}, None, "it has format 5, of a newer textgen"),
        (None, None, "has no textgen.json"),
        ({"vocabulary": ["a"]}, None, "is not float32 of shape (1, 4), which its configuration asks for"),
        ({}, lambda file: file["layers/dense/vars/1"].__setitem__(0, np.nan), "numbers that are not finite"),
        ({}, lambda file: file.move("layers/dense", "elsewhere"), "is missing or not stored in the file itself"),
    ],
)
def test_an_odd_archive_is_told_in_one_line(
    tmp_path: Path, change: dict | None, weights: Callable[[h5py.File], None] | None, message: str
) -> None:
    description = None if change is None else good_description() | change
    path = archive(tmp_path / "odd.keras", description, hdf5(weights) if weights else None)
    result = run_here("info", str(path))
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith(f"textgen: error: {path}: ")
    assert message in result.stderr


def test_what_could_steer_a_terminal_is_escaped(tmp_path: Path) -> None:
    description = good_description()
    description["text"]["name"] = "\x1b[2Jplay"
    result = run_here("info", str(archive(tmp_path / "odd.keras", description)))
    assert result.returncode == 0
    assert "\x1b" not in result.stdout
    assert r"\x1b[2Jplay" in result.stdout
