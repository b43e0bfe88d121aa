import csv
import io
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import COMMAND, TEXT, a_terminal, run_here, sent_to
from tests.evaluation.unigram import write_unigram

HEADER = "position line column character bits rank entropy".split()
LIKELIEST = [f"{name}_{number}" for number in (1, 2, 3) for name in ("likeliest", "probability")]


def to_terminal(*arguments: str, width: int = 60, **environment: str) -> str:
    """What a terminal as standard output is sent; stderr is another file."""
    ours, theirs = a_terminal(width)
    cleared = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLORTERM", "COLUMNS")}
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=theirs, stderr=subprocess.PIPE, env=cleared | {"TERM": "xterm"} | environment
    )
    shown = sent_to(ours, theirs)
    told = process.communicate()[1].decode()
    assert process.returncode == 0, told
    return shown.decode().replace("\r\n", "\n")


def number(value: float | None) -> float:
    return np.nan if value is None else value


def test_a_pipe_gets_a_row_for_each_character(fox: Path, tmp_path: Path) -> None:
    text = f'{TEXT}"\\\t\n{TEXT}Ω日'
    (tmp_path / "a.txt").write_text(text)
    result = run_here("score", str(fox / "run"), str(tmp_path / "a.txt"))
    found = textgen.score(fox / "run", tmp_path / "a.txt")
    rows = list(csv.DictReader(io.StringIO(result.stdout), delimiter="\t"))
    assert list(rows[0]) == [*HEADER, *LIKELIEST]
    assert len(rows) == len(text)
    escaped = {"\n": r"\n", "\t": r"\t", "\\": r"\\", '"': r"\""}
    lines = text.split("\n")
    for place, (row, symbol) in enumerate(zip(rows, text, strict=True)):
        assert row["character"] == escaped.get(symbol, symbol)
        assert int(row["position"]) == place
        assert f"{lines[int(row['line']) - 1]}\n"[int(row["column"]) - 1] == symbol
        assert row["bits"] == ("" if not place else f"{found.bits[place]:.4f}")
        assert row["rank"] == (str(found.rank[place]) if found.rank[place] else "")
        assert row["entropy"] == ("" if np.isnan(found.entropy[place]) else f"{found.entropy[place]:.4f}")
        assert row["likeliest_2"] == escaped.get(found.likeliest[place, 1], found.likeliest[place, 1])
    assert rows[-1]["bits"] == "20.0875"
    probabilities = [float(rows[1][f"probability_{rank}"]) for rank in (1, 2, 3)]
    np.testing.assert_allclose(probabilities, np.exp2(-found.likeliest_bits[1]), atol=1e-4)
    told = result.stderr.splitlines()
    assert told[0] == f"{tmp_path}/a.txt: {len(text)} characters"
    assert told[1] == f"whole: {len(text) - 1} characters, {found.bpc:.3f} bits per character"
    assert told[2].startswith("not in the vocabulary, 20.09 bits each: 5 characters: ")
    assert "'Ω' (U+03A9 GREEK CAPITAL LETTER OMEGA)" in told[2]


def test_what_is_read_as_a_rare_character_is_told_to_be(tmp_path: Path) -> None:
    model = write_unigram(tmp_path / "run", {"a": 0.5, "\ufffd": 0.5}, replacement="\ufffd")
    (tmp_path / "a.txt").write_text("aΩaΩ")
    result = run_here("score", str(model), str(tmp_path / "a.txt"))
    assert [line.split("\t")[4] for line in result.stdout.splitlines()[1:]] == ["", "1.0000", "1.0000", "1.0000"]
    assert result.stderr.splitlines()[2] == (
        "not in the vocabulary, read as rare ones: 2 characters: 'Ω' (U+03A9 GREEK CAPITAL LETTER OMEGA)"
    )


def test_json_has_the_same_names_and_null_where_nothing_is_predicted(fox: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"the Ω{TEXT}")
    arguments = ("score", str(fox / "run"), str(tmp_path / "a.txt"))
    rows = list(csv.DictReader(io.StringIO(run_here(*arguments).stdout), delimiter="\t"))
    found = [json.loads(line) for line in run_here(*arguments, "--json").stdout.splitlines()]
    assert len(found) == len(rows)
    for line, row in zip(found, rows, strict=True):
        assert list(line) == list(row)
        assert [str(number(line[name])) for name in ("position", "line", "column")] == [row[n] for n in HEADER[:3]]
        for name in ("bits", "entropy", "probability_3"):
            assert line[name] == (float(row[name]) if row[name] else None)
    assert (found[0]["bits"], found[0]["rank"], found[0]["likeliest_1"]) == (None, None, None)
    assert (found[4]["character"], found[4]["bits"], found[4]["rank"]) == ("Ω", 20.0875, None)


def test_the_hold_out_of_the_training_text_is_compared_with_the_best_n_gram(fox: Path) -> None:
    result = run_here("score", str(fox / "run"), str(fox / "fox.txt"), "--against-ngram", "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert (len(lines), lines[0]["position"], lines[0]["line"], lines[0]["column"]) == (408, 60 * 68 - 408, 55, 24)
    for line in lines:
        assert line["gain"] == pytest.approx(line["ngram_bits"] - line["bits"], abs=2e-4)
    expected = textgen.evaluate(fox / "run", fox / "fox.txt")
    mean = sum(line["ngram_bits"] for line in lines) / 408
    name = expected.baselines[0].name
    assert result.stderr.splitlines()[-1] == (
        f"hold-out: 408 characters, {expected.bpc:.3f} bits per character, {name}: {mean:.3f}"
    )
    whole = run_here("score", str(fox / "run"), str(fox / "fox.txt"), "--all")
    assert len(whole.stdout.splitlines()) == 1 + 60 * 68


@pytest.mark.parametrize(
    ("variable", "value", "style"), [("COLORTERM", "truecolor", "48;2;"), ("TERM", "xterm", "48;5;")]
)
def test_a_terminal_shows_the_text_tinted(fox: Path, tmp_path: Path, variable: str, value: str, style: str) -> None:
    (tmp_path / "a.txt").write_text(f"{TEXT}日本\x1b[31m\n")
    shown = to_terminal("score", str(fox / "run"), str(tmp_path / "a.txt"), **{variable: value})
    assert style in shown
    sequences = shown.split("\x1b[")[1:]
    assert all(part.startswith(("0m", "38;")) for part in sequences), "no sequence but ours"
    plain = "".join([shown.split("\x1b[")[0], *(part.partition("m")[2] for part in sequences)])
    assert plain.startswith(f"{TEXT[:44]}")
    assert r"日本\x1b[31m↵" in plain
    assert plain.endswith("\nbits:  2   4   6   8   10   14  \n")


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_a_terminal_without_colours_shows_digits(fox: Path, tmp_path: Path, setting: dict) -> None:
    (tmp_path / "a.txt").write_text("the Ω日x\x07\n")
    options = () if setting else ("--no-color",)
    shown = to_terminal("score", str(fox / "run"), str(tmp_path / "a.txt"), *options, **setting)
    assert "\x1b" not in shown
    lines = shown.splitlines()
    assert lines[0] == r"the Ω日x\x07"
    assert lines[1][4:7] == "99 ", "a wide character takes two columns"
    assert lines[1][8] == "9"
    assert lines[-1] == "below each character: its bits, from 1 to 9 (or more)"


def test_color_is_forced_into_a_pipe(fox: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"{TEXT}\x1b[2J")
    shown = run_here("score", str(fox / "run"), str(tmp_path / "a.txt"), "--color").stdout
    assert "\x1b[38;" in shown
    assert "\x1b[2J" not in shown


def test_a_page_is_written_for_a_browser(fox: Path, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        (tmp_path / name).write_text(f"{TEXT}</script>\x1bΩ")
    (tmp_path / "page.html").write_text("an older one")
    result = run_here(
        "score", str(fox / "run"), "a.txt", "b.txt", "c.txt", "d.txt", "--html", "page.html", cwd=tmp_path
    )
    assert (result.returncode, result.stdout) == (0, "")
    assert "page: page.html" in result.stderr.splitlines()
    written = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<title>a.txt, b.txt, c.txt and 1 more under run</title>" in written
    assert "\\u003c/script\\u003e\\u001bΩ" in written
    assert '"width": 5' in written
    assert [file.name for file in sorted(tmp_path.iterdir())][4:] == ["page.html"]


def test_a_text_too_long_for_a_page_is_refused_and_leaves_the_older_page(
    fox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textgen.evaluation.tinting.MOST", 99)
    (tmp_path / "a.txt").write_text(TEXT * 2)
    (tmp_path / "page.html").write_text("an older one")
    result = run_here("score", str(fox / "run"), "a.txt", "--html", "page.html", cwd=tmp_path)
    assert result.returncode == 1
    assert "the text is too long for a page, which holds 99 characters; give a part of it" in result.stderr
    assert (tmp_path / "page.html").read_text() == "an older one"


@pytest.mark.parametrize(
    ("text", "options", "code", "message"),
    [
        ("", [], 1, "a.txt: is empty; expected a text of at least one character"),
        ("ΩΩ", [], 1, "a.txt: no character of it is in the model's vocabulary; expected a text in the same script"),
        (TEXT, ["--against-ngram"], 1, "a.txt: has no training part to train the n-gram on; give another --baseline"),
        (TEXT, ["--against-ngram", "--baseline", "b.txt"], 1, "b.txt: has 2 characters of the model's vocabulary"),
        (TEXT, ["--html", "page.html", "--json"], 2, "--html and --json exclude each other; give only one of them."),
        (TEXT, ["--html", "page.html", "--color"], 2, "--html and --color exclude each other; give only one of them."),
        (
            TEXT,
            ["--html", "no/page.html"],
            1,
            "no/page.html: cannot be written (No such file or directory); name another",
        ),
        (TEXT, ["--baseline", "b.txt"], 2, "--baseline needs --against-ngram or --context."),
        (TEXT, ["--json", "--color"], 2, "--json and --color exclude each other; give only one of them."),
    ],
)
def test_bad_input_is_refused_in_one_line(
    fox: Path, tmp_path: Path, text: str, options: list[str], code: int, message: str
) -> None:
    (tmp_path / "a.txt").write_text(text)
    (tmp_path / "b.txt").write_text("ab")
    result = run_here("score", str(fox / "run"), "a.txt", *options, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (code, "")
    assert message in result.stderr.splitlines()[-1]
