import json
import random
import re
import sys
from pathlib import Path

import pytest

from tests.conftest import run, run_here
from tests.evaluation.unigram import write_unigram

TEXT = "".join(random.Random(3).choices("ab ", k=12_500))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_unigram(tmp_path / "A", {"a": 0.6, " ": 0.2, "b": 0.2})
    write_unigram(tmp_path / "B", {"a": 0.2, " ": 0.2, "b": 0.6})
    write_unigram(tmp_path / "C", {"a": 0.5, " ": 0.2})
    (tmp_path / "text.txt").write_text(TEXT)
    (tmp_path / "short.txt").write_text(TEXT[:500])
    return tmp_path


def test_a_text_is_judged_in_a_table(folder: Path) -> None:
    found = run_here("attribute", "text.txt", "--among", "A", "B", cwd=folder)
    assert found.returncode == 0
    size, head, best, other, verdict = found.stdout.splitlines()
    assert size == "text.txt: 12,500 characters, blocks of 625"
    assert head.split() == "bits/char more than the best 95 % interval model".split()
    assert best.split() == ["1.7920", "best", "B"]
    assert re.fullmatch(r" *1\.7963 +\+0\.0043 +-0\.\d{4} to \+0\.\d{4}  A", other)
    assert verdict == "verdict: cannot tell: B or A"
    assert found.stderr == "text.txt: 12,500 characters\n"


def test_unknown_characters_are_counted_in_a_column(folder: Path) -> None:
    found = run_here("attribute", "short.txt", "text.txt", "--among", "A", "C", cwd=folder).stdout
    assert "unknown  model" in found
    assert "verdict: none: the text has 500 characters, a verdict needs 1,000\n\ntext.txt: 12,500" in found
    assert found.endswith("verdict: A\n")


def test_json_has_the_same(folder: Path) -> None:
    found = run_here("attribute", "short.txt", "--json", "--among", "A", "C", cwd=folder)
    values = json.loads(found.stdout)
    (text,) = values["texts"]
    assert (text["text"], text["best"], text["candidates"][1]["unknown"]) == ("short.txt", None, TEXT[:500].count("b"))
    assert values["notes"] == found.stderr.splitlines()


@pytest.mark.parametrize(
    "words",
    [
        ["text.txt", "--among", "A", "B", "--glob", "*"],
        ["--among", "A", "B", "--", "text.txt"],
        ["--among", "A", "--among", "B", "--", "text.txt"],
        ["--among=A", "text.txt", "--among=B"],
    ],
)
def test_models_end_at_the_next_option(folder: Path, words: list[str]) -> None:
    assert run_here("attribute", *words, cwd=folder).stdout.endswith("verdict: cannot tell: B or A\n")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (
            ["text.txt"],
            2,
            "Error: --among needs two models or more, behind the texts: textgen attribute TEXT --among A B",
        ),
        (["text.txt", "--among", "A"], 2, "Error: --among needs two models or more, behind the texts: "),
        (["text.txt", "--among"], 2, "Error: Option '--among' requires an argument."),
        (["text.txt", "--among", "--json"], 2, "Error: --among needs two models or more"),
        (["--among", "A", "B", "text.txt"], 2, "Error: Missing argument 'TEXT...'."),
        (
            ["text.txt", "--among", "A", "A"],
            1,
            "textgen: error: A: is named twice in --among; expected different models",
        ),
        (
            ["text.txt", "--among", "A", "text.txt"],
            1,
            "textgen: error: text.txt: is a text, not a model; train a model",
        ),
        (["none.txt", "--among", "A", "B"], 1, "textgen: error: none.txt: "),
    ],
)
def test_what_cannot_be_compared_is_told_in_a_line(folder: Path, words: list[str], code: int, told: str) -> None:
    found = run_here("attribute", *words, cwd=folder)
    assert (found.returncode, found.stdout) == (code, "")
    assert found.stderr.splitlines()[-1].startswith(told)


def test_nothing_of_tensorflow_is_loaded(folder: Path) -> None:
    script = (
        "import sys; from textgen.cli import main\n"
        "try: main(['attribute', 'text.txt', '--among', 'A', 'B'])\n"
        "finally: print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    assert run("-c", script, cwd=folder, command=(sys.executable,)).stdout.endswith("[]\n")
