import csv
import io
import json
from pathlib import Path

import click
import pytest

import textgen
from tests.cli.test_score import to_terminal
from tests.conftest import run_here
from textgen.cli.contexts import Contexts


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("8", (8,)),
        ("1,2,4", (1, 2, 4)),
        ("1,2,4,…,512", (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)),
        (" 3 , ... , 20,30", (3, 6, 12, 20, 30)),
        ("2,…,3", (2, 3)),
        ("4,…,4", (4, 4)),
    ],
)
def test_a_list_of_contexts_is_read(word: str, expected: tuple[int, ...]) -> None:
    assert Contexts().convert(word, None, None) == expected


@pytest.mark.parametrize(
    "word", ["", ",", "1,,2", "0", "10001", "1.5", "…", "…,4", "1,…", "1,…,…,8", "a", "1;2", "9" * 5000]
)
def test_a_malformed_list_is_refused(word: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        Contexts().convert(word, None, None)
    assert "expected numbers from 1 to 10,000, such as 1,2,4,…,512, not " in str(caught.value)
    assert len(str(caught.value)) < 200


def test_the_curve_is_printed_as_rows_or_json_and_drawn(fox: Path, tmp_path: Path) -> None:
    plot = tmp_path / "curve.png"
    arguments = ("score", str(fox / "run"), str(fox / "fox.txt"), "--context", "1,…,16")
    result = run_here(*arguments, "--plot", str(plot))
    assert result.returncode == 0, result.stderr
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["curve.png"]
    expected = textgen.memory_curve(fox / "run", fox / "fox.txt", contexts=[1, 2, 4, 8, 16])
    rows = list(csv.DictReader(io.StringIO(result.stdout), delimiter="\t"))
    assert [row["context"] for row in rows] == ["1", "2", "4", "8", "16"]
    assert [row["bits"] for row in rows] == [f"{bits:.4f}" for bits in expected.bits]
    assert [bool(row["ngram_bits"]) for row in rows] == [True, True, True, False, False]
    assert result.stderr.splitlines()[-1] == (
        f"hold-out: 408 characters, {expected.all_bits:.3f} bits per character with all of the text before as context"
    )
    lines = [json.loads(line) for line in run_here(*arguments, "--json").stdout.splitlines()]
    assert [list(line) for line in lines] == [["context", "bits", "margin", "ngram_bits"]] * 5
    assert [line["ngram_bits"] is None for line in lines] == [False] * 3 + [True] * 2
    shown = to_terminal(*arguments).splitlines()
    assert shown[0] == "context    bits  margin  ngram_bits"
    assert len({len(line) for line in shown[:4]}) == 1


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--context", "1", "--against-ngram"], 2, "--context and --against-ngram exclude each other"),
        (["--context", "1", "--color"], 2, "--context and --color exclude each other"),
        (["--plot", "a.png"], 2, "--plot needs --context."),
        (["--context", "1", "--plot", "a.txt"], 2, "--plot needs a file name that ends in .png, .svg, .pdf."),
        (["--context", "1", "--plot", "no/a.png"], 1, "no/a.png: cannot be written (No such file or directory); name"),
        (["--context", "5000"], 1, "expected more than the longest context, 5,000"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    fox: Path, tmp_path: Path, options: list[str], code: int, message: str
) -> None:
    result = run_here("score", str(fox / "run"), str(fox / "fox.txt"), *options, cwd=tmp_path)
    assert result.returncode == code
    assert message in result.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_a_missing_matplotlib_is_told_before_anything_is_read(
    fox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textgen.cli.pictures.find_spec", lambda _: None)
    result = run_here("score", str(fox / "run"), "no.txt", "--context", "1", "--plot", "a.png", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith(
        "Error: --plot needs matplotlib: install textgen with its plot extra"
    )
