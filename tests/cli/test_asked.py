"""`textgen inspect --find`, `--saturation`, `--at` and `--similar`, as tables, as JSON and as pictures."""

import json
from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT, run_here
from tests.inspection.random_model import write_random

PLAY = (f"The fox:\n{TEXT}dog\n\nDog:\n{TEXT}\n") * 16
READ = sum(symbol in TEXT for symbol in PLAY.replace("\n", "."))  # the model does not know colons
RANDOM = "".join(np.random.default_rng(1).choice(["x", "o"], 2000).tolist())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_random(tmp_path_factory.mktemp("random") / "run"))


def asked(model: str, *options: str, stdin: str = PLAY) -> list[str]:
    result = run_here("inspect", model, "-", *options, stdin=stdin)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_cells_that_tell_a_feature_are_ranked_beside_a_shuffled_one(model: str) -> None:
    found = textgen.find_cells(model, text=RANDOM, find="x")
    lines = asked(model, "--find", "x", stdin=RANDOM)
    assert found.telling
    for line, cell in zip(lines[5:], found.telling, strict=False):
        way = "higher" if cell.sign > 0 else "lower"
        assert line.split() == [f"{cell.layer}.{cell.unit}", way, f"{cell.learnt:.3f}", f"{cell.told:.3f}"]
    assert lines[-1] == (
        f"shuffled: the best cell tells {found.shuffled:.3f} on the second half, at most {found.shuffled_most:.3f}"
    )
    assert json.loads(asked(model, "--find", "x", "--json", stdin=RANDOM)[0]) == found.to_dict()


def test_noise_is_said_to_be_nothing(model: str) -> None:
    """What comes next at random cannot be told from what has been read."""
    lines = asked(model, "--find", ".(?=x)", stdin=RANDOM)
    share = RANDOM[1:].count("x") / len(RANDOM)
    assert lines[0] == f"inside a match of '.(?=x)': {len(RANDOM):,} characters, {share:.2%} of them"
    assert lines[3].startswith("nothing found: cell 1.")
    assert "of a shuffled feature" in lines[3]


def test_gates_at_a_pattern_are_beside_those_elsewhere(model: str) -> None:
    found = textgen.gates_at(model, text=PLAY, at=r"\.")
    lines = asked(model, "--at", r"\.")
    assert lines[:3] == [f"{found.places} places where '\\.' matches, in {READ:,} characters", "", "layer 1"]
    assert lines[3].split() == ["input", "forget", "output", "cell", "hidden"]
    row, elsewhere = next(line for line in lines if line.strip().startswith("0 ")), lines[-4]
    assert f"{found.means[0, 1, 5]:.3f} ±{found.margins[0, 1, 5]:.3f}" in row
    assert elsewhere.split() == ["elsewhere", *(f"{mean:.3f}" for mean in found.elsewhere[0])]
    assert json.loads(asked(model, "--at", r"\.", "--json")[0]) == found.to_dict()


def test_open_and_shut_gates_are_counted(model: str) -> None:
    found = textgen.saturation(model, text=PLAY)
    rows = [line.split() for line in asked(model, "--saturation")[3:6]]
    assert [row[:2] for row in rows] == [["1", "input"], ["1", "forget"], ["1", "output"]]
    assert [row[2] for row in rows] == [f"{share:.1%}" for share in found.is_open.mean(axis=2)[:, 0]]
    assert rows[1][3:7] == [f"{found.is_shut[1].mean():.1%}", str((found.is_open[1] > 0.9).sum()), "of", "8"]


def test_similar_passages_are_listed_in_context(model: str) -> None:
    found = textgen.similar_passages(model, text=PLAY, start=103, end=105)
    lines = asked(model, "--similar", "103:105")
    assert lines[0] == f"{found.before} | {PLAY[103:105]}".replace("\n", "↵")
    first = found.passages[0]
    assert lines[4].split(maxsplit=4) == [
        *(f"{first.likeness:.3f}", str(first.shared), str(first.others), str(first.start)),
        f"{first.before} | {first.text}".replace("\n", "↵"),
    ]


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (["--find", "line"], "png"),
        (["--find", "speaker"], "png"),
        (["--saturation"], "pdf"),
        (["--at", "fox"], "svg"),
        (["--similar", "103:105"], "png"),
    ],
)
def test_each_view_is_drawn(model: str, tmp_path: Path, options: list[str], kind: str) -> None:
    path = tmp_path / f"picture.{kind}"
    result = run_here("inspect", model, "-", *options, "--plot", str(path), stdin=PLAY)
    assert (result.returncode, f"picture: {path}" in result.stderr) == (0, True)
    content = path.read_bytes()
    assert content.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind])
    assert len(content) > 5000


def test_a_picture_that_cannot_be_written_is_an_error(model: str, tmp_path: Path) -> None:
    path = tmp_path / "no" / "a.png"
    result = run_here("inspect", model, "-", "--saturation", "--plot", str(path), stdin=PLAY)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        f"textgen: error: {path}: cannot be written (No such file or directory); name another file with --plot"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--find", "line", "--at", "x"], "Error: --find and --at exclude each other; give only one of them."),
        (
            ["--saturation", "--cell", "1.1"],
            "Error: --saturation and --cell exclude each other",
        ),
        (["--cell", "1.1", "--plot", "a.png"], "Error: --plot needs --find, --saturation, --at or --similar."),
        (["--saturation", "--plot", "a.gif"], "Error: --plot needs a file name that ends in .png, .svg, .pdf."),
        (
            ["--find", "["],
            "Error: --find must be one of quotes, line, word, ",
        ),
        (
            ["--at", "("],
            "Error: --at must be a regular expression, which '(' is not: missing )",
        ),
        (["--similar", "3"], "Error: Invalid value for '--similar': expected START:END, such as 120:135, not '3'."),
        (
            ["--similar", "70:80"],
            "Error: --similar must be START:END, of at most 1,000 characters,",
        ),
    ],
)
def test_wrong_usage(model: str, options: list[str], message: str) -> None:
    result = run_here("inspect", model, "-", *options, stdin=TEXT)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--find", "quotes"], "textgen: error: quotes: never occurs in this text of 2,"),
        (["--find", "."], "textgen: error: "),
        (["--at", "Q\\d"], "textgen: error: 'Q\\d': matches nowhere in this text of 2,"),
    ],
)
def test_a_text_that_lacks_what_is_asked_for_is_an_error(model: str, options: list[str], message: str) -> None:
    result = run_here("inspect", model, "-", *options, stdin=PLAY.replace("\n", " "))
    assert (result.returncode, result.stdout) == (1, "")
    assert message in result.stderr


def test_the_first_characters_of_a_long_text_count(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textgen.inspection.analyses.LARGEST_HOLD_OUT", 1500)
    result = run_here("inspect", model, "-", "--find", "line", stdin=TEXT * 40)
    size = 40 * len(TEXT)
    assert f"of {size:,} characters, the first 1,500 count" in result.stderr
