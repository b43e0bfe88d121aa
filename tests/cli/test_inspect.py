"""`textgen inspect`: the text on a terminal, with and without colours, rows elsewhere, and files."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.cli.test_score import to_terminal
from tests.conftest import TEXT, run_here
from tests.inspection.random_model import write_random
from tests.page.test_tinted import data_of


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_random(tmp_path_factory.mktemp("random") / "run"))


@pytest.fixture(scope="module")
def dog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "dog.txt"
    path.write_text(f"{TEXT}Ω\tfox\n", encoding="utf-8")
    return path


def test_a_pipe_gets_a_row_for_each_character(model: str, dog: Path) -> None:
    result = run_here("inspect", model, str(dog), "--gate", "forget", "--cell", "1.3", "--cell", "1.8")
    assert result.returncode == 0
    rows = list(csv.DictReader(io.StringIO(result.stdout), delimiter="\t"))
    assert list(rows[0]) == ["position", "line", "column", "character", "cell_1.3", "cell_1.8", "forget_1"]
    found = textgen.trace(model, dog)
    assert [row["cell_1.3"] for row in rows] == [f"{x:.4f}" if x == x else "" for x in found.of("cell", 1, 3)]  # noqa: PLR0124
    assert rows[-1] | {"cell_1.3": "", "cell_1.8": "", "forget_1": ""} == {
        **{"position": "73", "line": "2", "column": "29", "character": r"\n"},
        **{"cell_1.3": "", "cell_1.8": "", "forget_1": ""},
    }
    assert [row["forget_1"] == "" for row in rows] == [symbol in "Ω\t" for symbol in found.text]
    lines = run_here("inspect", model, str(dog), "--cell", "1.3", "--json").stdout.splitlines()
    assert json.loads(lines[0]) == {
        **{"position": 0, "line": 1, "column": 1, "character": "T"},
        **{"cell_1.3": float(rows[0]["cell_1.3"])},
    }
    assert result.stderr.splitlines()[1:] == [
        "whole: 74 characters",
        r"not in the vocabulary, not read: 2 characters: '\t' (U+0009 TAB), 'Ω' (U+03A9 GREEK CAPITAL LETTER OMEGA)",
    ]


def test_a_terminal_gets_the_text_with_tints_or_with_signs(model: str, dog: Path) -> None:
    words = ["inspect", model, str(dog), "--cell", "1.3", "--gate", "1.forget"]
    tinted = to_terminal(*words, COLORTERM="truecolor")
    assert "\x1b[38;2;" in tinted
    plain = to_terminal(*words, NO_COLOR="1")
    assert "\x1b" not in plain
    assert "\nbelow each character: + where the tanh of cell 1.3 is 0.5 or more, - where it is -0.5 or less\n" in plain
    assert "+ where the forget gate of layer 1 is " in plain
    found = textgen.trace(model, dog)
    lines = plain.splitlines()
    values = np.tanh(found.of("cell", 1, 3))[:43]
    assert lines[0] == "The quick brown fox jumps over the lazy dog,"
    signs = "".join("+" if x >= 0.5 else "-" if x <= -0.5 else " " for x in values)
    assert lines[1] == signs.rstrip()
    assert set(signs) == set("+- ")
    forced = run_here(*words, "--color").stdout
    assert "\x1b[38;5;" in forced


def test_values_are_written_for_numpy(model: str, dog: Path, tmp_path: Path) -> None:
    def written(*options: str) -> dict[str, np.ndarray]:
        result = run_here("inspect", model, str(dog), "--npz", str(tmp_path / "a.npz"), *options)
        assert (result.returncode, result.stdout) == (0, "")
        with np.load(tmp_path / "a.npz") as file:
            return {name: file[name] for name in file.files}

    everything, cell, gate = written(), written("--cell", "1.3"), written("--gate", "forget")
    found = textgen.trace(model, dog)
    assert set(everything) == {"text", "codes", "symbols", "layers", "units", *found.values}
    assert str(everything["text"]) == found.text
    for symbol, code in zip(found.text, everything["codes"], strict=True):
        assert (everything["symbols"][code] == symbol) if symbol not in "Ω\t" else code == -1
    for name, values in found.values.items():
        np.testing.assert_array_equal(everything[name], values)
        np.testing.assert_allclose(cell[name][:, 0, 0], values[:, 0, 2], atol=1e-6)
    assert ([*cell["layers"]], [*cell["units"]]) == ([1], [3])
    assert set(gate) == {"text", "codes", "symbols", "layers", "units", "forget"}
    assert gate["forget"].shape == (74, 1, 8)
    result = run_here("inspect", model, str(dog), "--npz", str(tmp_path / "no" / "a.npz"))
    assert result.returncode == 1
    assert "a.npz: cannot be written (No such file or directory); name another file with --npz" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Error: there is nothing to look at; give --cell LAYER.UNIT, --gate GATE"),
        (
            ["--cell", "2.1"],
            "Error: --cell must be LAYER.UNIT, from 1.1 to 1.8 in this model (1 × LSTM(8)), not '2.1'.",
        ),
        (
            ["--gate", "reset"],
            "Error: --gate must be one of input, forget, output, which LSTM layers have, or LAYER.GATE",
        ),
        (["--find", "word", "--at", "x"], "Error: --find and --at exclude each other"),
        (["--html", "a.html", "--json"], "Error: --html and --json exclude each other"),
        (["--html", "a.html", "--saturation", "--plot", "a.png"], "Error: --html and --plot exclude each other"),
        (["--html", "a.html", "--npz", "a.npz"], "Error: --html and --npz exclude each other"),
        (["--cell", "1.1", "--json", "--color"], "Error: --json and --color exclude each other"),
    ],
)
def test_wrong_usage(model: str, dog: Path, options: list[str], message: str) -> None:
    result = run_here("inspect", model, str(dog), *options)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.parametrize(
    ("text", "why"), [("", "empty"), ("T", "has no character after its first"), ("日本", "script")]
)
def test_a_text_with_nothing_to_look_at_is_an_error(model: str, text: str, why: str) -> None:
    result = run_here("inspect", model, "-", "--cell", "1.1", stdin=text)
    assert (result.returncode, result.stdout) == (1, "")
    assert why in result.stderr


def test_a_page_shows_all_that_is_asked_and_without_anything_what_can_be_found(model: str, tmp_path: Path) -> None:
    (tmp_path / "dogs.txt").write_text(TEXT * 20)

    def shown(*options: str) -> tuple[list[str], list[str]]:
        result = run_here("inspect", model, str(tmp_path / "dogs.txt"), "--html", str(tmp_path / "a.html"), *options)
        assert (result.returncode, result.stdout) == (0, ""), result.stderr
        data = data_of((tmp_path / "a.html").read_text(encoding="utf-8"))
        names = [data["scale"]["name"], *(tint["scale"]["name"] for tint in data["tints"])]
        return names, [panel["heading"] for panel in data["panels"]]

    words = textgen.find_cells(model, tmp_path / "dogs.txt", find="word").telling[:3]
    cells = [f"tanh of cell {cell.layer}.{cell.unit}" for cell in words]
    assert cells
    gates = [f"{gate} gate of layer 1" for gate in ("input", "forget", "output")]
    asked = ("--find", "word", "--saturation", "--at", "dog")
    assert shown(*asked) == ([*cells, *gates], ["Cells that tell", "Saturation", "At dog"])
    assert shown("--gate", "forget", *asked[:2]) == (["forget gate of layer 1", *cells], ["Cells that tell"])
    assert shown("--gate", "forget") == (["forget gate of layer 1"], [])
    names, headings = shown()
    assert headings == ["Cells that tell", "Saturation"]
    assert set(names) >= {*cells, *gates}
