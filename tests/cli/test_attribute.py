import json
import random
import re
import sys
from pathlib import Path

import pytest

from tests.conftest import run, run_here
from tests.evaluation.unigram import write_unigram
from textgen.training import authors

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


def test_a_text_of_a_line_has_no_interval(folder: Path) -> None:
    (folder / "line.txt").write_text("ab ab")
    found = run_here("attribute", "line.txt", "--among", "A", "B", cwd=folder).stdout.splitlines()
    assert found[3].split()[2:] == ["text", "too", "short", "A"]


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
        (
            ["text.txt", "--among", "--json"],
            2,
            "Error: Invalid value for '--among': expected one word or more behind it.",
        ),
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


@pytest.fixture
def authors_folder(folder: Path, monkeypatch: pytest.MonkeyPatch, quick: None) -> Path:
    """Two texts by Ann, who likes a, and two by Bob; few epochs are enough to learn that."""
    monkeypatch.setattr(authors, "EPOCHS", (3, 3))
    for author, weights in (("ann", (6, 2, 2)), ("bob", (2, 6, 2))):
        (folder / author).mkdir()
        for place in range(2):
            text = random.Random(author + str(place)).choices("ab ", weights, k=1500)
            (folder / author / f"{place}.txt").write_text("".join(text))
    (folder / "new.txt").write_text("".join(random.Random(9).choices("ab ", (6, 2, 2), k=1500)))
    return folder


CORPORA = ["--corpus", "ann=ann", "--corpus", "bob=bob/0.txt", "bob/1.txt"]


def test_a_text_is_given_to_an_author(authors_folder: Path) -> None:
    words = ["attribute", "new.txt", *CORPORA, "--folds", "2", "--from", "A"]
    found = run_here(*words, cwd=authors_folder)
    assert found.returncode == 0, found.stderr
    plan, *trained = [line for line in found.stderr.splitlines() if "train" in line][:7]
    assert re.fullmatch(
        r"6 models to train, on 3,001 characters of each author: about \d+ minutes?\. "
        r"They are kept in models/attribution, so an interrupted command goes on there\.",
        plan,
    )
    assert trained[3] == "training 4 of 6: bob, fold 1, 1,500 characters, 3 epochs"
    lines = found.stdout.splitlines()
    assert lines[0] == "new.txt: 1,500 characters, blocks of 75"
    assert lines[4] == "verdict: ann"
    assert [line.split(": ann (ann ")[0] for line in lines[5:7]] == [
        "Cosine Delta, 150 words",
        "Cosine Delta, 1,000 4-grams",
    ]
    assert lines[8:11] == [
        "",
        "4 known texts, each judged by what the others taught (2 folds):",
        "known texts                     ann     bob  right",
    ]
    assert lines[11].split() == ["LSTM,", "fewest", "bits", "2", "of", "2", "2", "of", "2", "100%"]

    again = run_here(*words, "--json", cwd=authors_folder)
    assert "6 models to train, 6 of them kept from before, on 3,001" in again.stderr
    values = json.loads(again.stdout)
    assert values["texts"][0]["best"] == "ann"
    assert values["known"]["accuracies"][0]["right"] == {"ann": 2, "bob": 2}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--corpus", "ann=ann"], 2, "Error: --corpus needs two authors or more; give it once for each."),
        (
            ["--corpus", "ann", "--corpus", "bob=bob"],
            2,
            "Error: --corpus must be NAME=FILES..., with a name of at most",
        ),
        (
            ["--corpus", "=ann", "--corpus", "bob=bob"],
            2,
            "Error: --corpus must be NAME=FILES..., with a name of at most",
        ),
        (
            ["--corpus", "ann=", "--corpus", "bob=bob"],
            2,
            "Error: --corpus must be NAME=FILES..., with a name of at most",
        ),
        (["--corpus", "a/b=ann", "--corpus", "bob=bob"], 2, "Error: --corpus must be NAME=FILES..., with a name of at"),
        (
            [*CORPORA, "--corpus", "bob=ann"],
            2,
            "Error: --corpus names bob twice; give all files behind one: --corpus bob=A B",
        ),
        ([*CORPORA, "--among", "A", "B"], 2, "Error: --among and --corpus exclude each other; give only one of them."),
        ([*CORPORA, "--folds", "1"], 2, "Error: --folds must be 0, for no cross-validation, or at least 2."),
        (["--among", "A", "B", "--folds", "5"], 2, "Error: --folds goes with --corpus, not with --among."),
        (["--among", "A", "B", "--from", "A"], 2, "Error: --from goes with --corpus, not with --among."),
        (["--among", "A", "B", "-o", "x"], 2, "Error: -o goes with --corpus, not with --among."),
        (
            CORPORA,
            1,
            "textgen: error: ann: has 2 texts, too few for 5 folds; give more texts, or --folds 2, --folds 0 for no "
            "cross-validation",
        ),
        ([*CORPORA, "--from", "none"], 1, "textgen: error: none: no such model; name a run folder or a .keras file"),
    ],
)
def test_what_cannot_be_attributed_is_told_in_a_line(
    authors_folder: Path, words: list[str], code: int, told: str
) -> None:
    found = run_here("attribute", "new.txt", *words, cwd=authors_folder)
    assert (found.returncode, found.stdout) == (code, "")
    assert found.stderr.splitlines()[-1].startswith(told)
    assert not (authors_folder / "models").exists()
