import json
from pathlib import Path

import pytest

from tests.conftest import TEXT, on_a_terminal, run_here
from textgen.model_file import shipped

FABLE = "The fox saw the grapes.\nThey hung high above the path, and he leapt.\nIn vain.\n"
STORY = "Once more: he leapt at noon. They hung high above the path, and he wept; then home.\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fable.txt").write_text(FABLE)
    Path("story.txt").write_text(STORY)


def test_the_report_is_data_and_the_notes_are_not() -> None:
    result = run_here("novelty", "story.txt", "--against", "fable.txt")
    assert (result.returncode, result.stderr) == (0, "story.txt: 84 characters\nfable.txt: 78 characters\n")
    first, *lines = result.stdout.splitlines()
    assert first == "45.2 % of the text is copied in passages of 20 characters or more (the longest: 38)"
    assert [line.split()[-2:] for line in lines[2:7]] == [
        ["characters", "84"],
        ["45.2", "%"],
        ["0.0", "%"],
        ["0.0", "%"],
        ["passage", "38"],
    ]
    assert lines[-3:] == [
        "Longest copied passages: characters, place in the text, place in the corpus",
        "38  story.txt:1:30  fable.txt:2:1",
        "    “They hung high above the path, and he ”",
    ]


def test_the_yardstick_is_beside_the_figures_and_what_occurs_often_is_said() -> None:
    Path("fable.txt").write_text(FABLE * 9)
    lines = run_here("novelty", "story.txt", "--against", "fable.txt").stdout.splitlines()
    assert lines[0].endswith("(the longest: 38); of the corpus's own end 100.0 % (the longest: 71)")
    assert lines[2].split() == ["text", "corpus's", "end"]
    assert lines[3].split() == ["characters", "84", "71"]
    assert lines[-2] == "38  story.txt:1:30  fable.txt:2:1 (and 8 more times)"


def test_what_is_new_has_no_list() -> None:
    Path("new.txt").write_text("0123456789" * 5)
    result = run_here("novelty", "new.txt", "--against", "fable.txt")
    assert result.stdout.startswith(
        "nothing of the text is copied in passages of 20 characters or more (the longest: 0)\n"
    )
    assert "Longest" not in result.stdout


def test_json_is_one_object() -> None:
    values = json.loads(run_here("novelty", "story.txt", "--against", "fable.txt", "--json").stdout)
    assert list(values) == ["verdict", "figures", "held_out", "passages"]
    assert values["figures"]["copied"] == {"20": pytest.approx(38 / 84), "50": 0.0, "100": 0.0}
    assert values["passages"][0]["corpus"] == {"file": "fable.txt", "line": 2, "column": 1, "offset": 24}


def test_a_page_is_written_beside_the_report() -> None:
    plain = run_here("novelty", "story.txt", "--against", "fable.txt")
    result = run_here("novelty", "story.txt", "--against", "fable.txt", "--html", "page.html")
    assert (result.returncode, result.stdout) == (0, plain.stdout)
    content = Path("page.html").read_text(encoding="utf-8")
    assert content.startswith("<!DOCTYPE html>")
    assert '"marks": [[29, 67, "fable.txt:2:1"]]' in content


def test_a_page_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("novelty", "story.txt", "--against", "fable.txt", "--html")
    result = run_here(*words, "no/such/page.html")
    assert (result.returncode, result.stdout) == (1, "")
    told = "no/such/page.html: cannot be written (No such file or directory); name another file with --html"
    assert result.stderr.splitlines()[-1] == f"textgen: error: {told}"
    monkeypatch.setattr("textgen.page.tinted.MOST", 83)
    result = run_here(*words, "page.html")
    told = "textgen: error: story.txt: a page holds at most 83 characters, not 84; show a part of the text"
    assert (result.returncode, result.stderr.splitlines()[-1]) == (1, told)
    assert not Path("page.html").exists()


def test_against_takes_all_words_up_to_the_next_option() -> None:
    Path("more.txt").write_text("And nothing of that here, I fear.\n")
    words = ("novelty", "story.txt", "--against", "more.txt", "fable.txt", "--strip", "--json")
    values = json.loads(run_here(*words).stdout)
    assert values["passages"][0]["corpus"]["file"] == "fable.txt"
    told = run_here("novelty", "--against", "fable.txt", "story.txt")
    assert (told.returncode, "Missing argument 'TEXT... --against CORPUS...'" in told.stderr) == (2, True)


def test_a_text_may_come_from_standard_input() -> None:
    result = run_here("novelty", "-", "--against", "fable.txt", stdin=STORY)
    assert "38  standard input:1:30  fable.txt:2:1" in result.stdout


def test_control_characters_do_not_reach_a_terminal_nor_break_a_line() -> None:
    Path("fable.txt").write_text("A \x1b[31mred fox\x1b[0m, and\na red tale of \x07 it.\n")
    Path("story.txt").write_text("So: A \x1b[31mred fox\x1b[0m, and\na red tale of \x07 it.\n!")
    result = run_here("novelty", "story.txt", "--against", "fable.txt")
    assert result.stdout.splitlines()[-1].strip() == r"“A \x1b[31mred fox\x1b[0m, and\na red tale of \x07 it.\n”"
    shown = on_a_terminal("novelty", "story.txt", "--against", "fable.txt")[1]
    assert b"\x1b[31m" not in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("none.txt", "--against", "fable.txt"), "textgen: error: none.txt: no such file"),
        (("empty.txt", "--against", "fable.txt"), "textgen: error: empty.txt: is empty"),
        (
            ("short.txt", "--against", "fable.txt"),
            "textgen: error: short.txt: has 5 characters; expected at least 20, ",
        ),
        (
            ("story.txt", "--against", "short.txt"),
            "textgen: error: short.txt: has 5 characters; expected at least 20, ",
        ),
        (("binary.txt", "--against", "fable.txt"), "textgen: error: binary.txt: has a NUL"),
    ],
)
def test_unfit_texts_are_told_in_one_line(words: tuple[str, ...], message: str) -> None:
    Path("empty.txt").touch()
    Path("short.txt").write_text("short")
    Path("binary.txt").write_bytes(b"abc\0\0\1" * 99)
    result = run_here("novelty", *words)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith(message)


def test_a_text_beside_itself_is_told() -> None:
    result = run_here("novelty", "fable.txt", "--against", "fable.txt")
    assert result.returncode == 0
    assert result.stderr.endswith("the corpus holds all of fable.txt; compare with a corpus that does not\n")
    assert result.stdout.startswith("100.0 % of the text is copied")


def test_a_corpus_must_be_named() -> None:
    result = run_here("novelty", "story.txt")
    assert (result.returncode, "Missing option '--against'" in result.stderr) == (2, True)


def test_generated_text_is_followed_by_its_verdict(trained: Path) -> None:
    words = ("generate", str(trained), "--seed", "The quick ", "--length", "60", "--argmax", "--rng-seed", "1")
    plain, told = run_here(*words), run_here(*words, "--novelty")
    assert (told.returncode, told.stdout) == (0, plain.stdout)
    start = (
        "novelty: 100.0 % of the text is copied in passages of 20 characters or more (the longest: 60); of the corpus"
    )
    assert told.stderr.startswith(start)
    assert told.stderr.count("\n") == 1


def test_several_texts_have_one_verdict_and_in_json_their_own_figures(trained: Path) -> None:
    words = ("generate", str(trained), "--length", "30", "--count", "2", "--rng-seed", "1", "--novelty")
    told, as_json = run_here(*words), run_here(*words, "--json")
    assert told.stderr == as_json.stderr
    lines = [json.loads(line) for line in as_json.stdout.splitlines()]
    assert [line["novelty"]["characters"] for line in lines] == [30, 30]
    assert set(lines[0]["novelty"]) == {"characters", "copied", "longest", "distinct", "distinct_of"}
    assert "novelty" not in json.loads(run_here(*words[:-1], "--json").stdout.splitlines()[0])


def test_generated_text_is_compared_with_other_texts_too(trained: Path) -> None:
    Path("other.txt").write_text(TEXT.replace("fox", "dog") * 9)
    words = ("generate", str(trained), "--argmax", "--seed", "The quick ", "--length", "68", "--novelty")
    told = run_here(*words, "--against", "other.txt")
    assert "100.0 %" not in told.stderr.split(";")[0]
    assert "copied in passages" in told.stderr
    refused = run_here("generate", str(trained), "--against", "other.txt")
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (
        2,
        "Error: --against needs --no-copy or --novelty.",
    )
    copied = run_here(*words, "--against", "other.txt", "--no-copy", "15")
    assert copied.returncode == 0


def test_a_training_text_that_is_not_to_be_found_is_told_before_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTGEN_CACHE", str(Path("nothing").absolute()))
    result = run_here("generate", str(shipped()), "--length", "5", "--novelty")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.endswith("is not in the cache folder; name its files with --against\n")


def test_a_text_too_short_to_tell_is_no_error(trained: Path) -> None:
    result = run_here("generate", str(trained), "--length", "0", "--novelty", "--rng-seed", "1")
    assert result.returncode == 0
    assert result.stderr == (
        "novelty: a text of 0 characters is too short to tell, since passages count as copied from 20 on\n"
    )
