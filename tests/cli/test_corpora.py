import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import QUICK_COMMAND, TEXT, in_process, on_a_terminal, run, run_here
from tests.text_server import CONTENT, Answer, TextServer, serving, write_catalog
from textgen.corpus.corpus import Corpus
from textgen.model_file import read_model

QUICK = ("--units", "16", "--batch-size", "4", "--rng-seed", "1", "--epochs", "1")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TextServer]:
    """A server with two texts, and the catalog that names them."""
    with serving() as running:
        monkeypatch.setenv("TEXTGEN_CATALOG", str(running.catalog(tmp_path, "play", "ode", title="Ｏｄｅ")))
        yield running


@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_a_quiet_training_fetches_its_text_quietly(server: TextServer, tmp_path: Path, option: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.keras").touch()  # the folder has a run already: no training starts
    code, stdout, stderr = in_process("train", "play", "-o", str(tmp_path / "run"), option)
    assert (code, stdout, stderr.count("\n")) == (1, "", 1)
    assert "the folder has a run already" in stderr
    assert "downloading" in in_process("train", "ode", "-o", str(tmp_path / "run"))[2]


def test_get_prints_the_paths_of_the_files(server: TextServer, own_cache: Path) -> None:
    result = run_here("corpora", "get", "play", "ode")
    assert (result.returncode, result.stdout) == (0, f"{own_cache}/texts/play.txt\n{own_cache}/texts/ode.txt\n")
    assert result.stderr == "".join(
        f"{name}: downloading 200,000 bytes from {server.url}\n" for name in ("play", "ode")
    )
    assert (own_cache / "texts" / "ode.txt").read_bytes() == CONTENT
    again = run_here("corpora", "get", "ode")
    assert (again.stdout, again.stderr, server.requests) == (f"{own_cache}/texts/ode.txt\n", "", 2)


def test_a_terminal_gets_a_bar(server: TextServer, own_cache: Path) -> None:
    stdout, shown = on_a_terminal("corpora", "get", "play")
    assert stdout.decode() == f"{own_cache}/texts/play.txt\n"
    assert re.search(rb"play: +0%\| +\| 0.00/200k \[", shown)


def test_a_reader_of_stderr_that_leaves_does_not_end_a_download(server: TextServer, own_cache: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    words = [sys.executable, "-m", "textgen", "corpora", "get", "play"]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=write, check=False)
    os.close(write)
    assert done.returncode in (0, 120)  # 120 is Python's own, when its last flush fails
    assert done.stdout.decode() == f"{own_cache}/texts/play.txt\n"


def test_list_is_a_table(server: TextServer) -> None:
    run_here("corpora", "get", "ode")
    result = run("corpora", "list", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (
        "name  title   author     characters  language  cached  licence\n"
        "play  Ｏｄｅ  Anonymous     184,000  en        no      public domain\n"
        "ode   Ｏｄｅ  Anonymous     184,000  en        yes     public domain\n"
    )


def test_list_as_json_has_all_that_is_known(server: TextServer) -> None:
    result = run("corpora", "list", "--json", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    first, second = map(json.loads, result.stdout.splitlines())
    assert list(first) == [
        "name", "title", "author", "language", "licence", "url", "sha256", "size", "characters", "cached",
    ]  # fmt: skip
    assert (first["url"], first["cached"], second["name"], second["title"]) == (server.url, False, "ode", "Ｏｄｅ")


def test_an_unknown_name_is_told_with_the_nearest(server: TextServer) -> None:
    result = run_here("corpora", "get", "ode", "plya")
    assert (result.returncode, result.stdout, server.requests) == (1, "", 0)
    assert result.stderr == "textgen: error: plya: the catalog has no such text; did you mean play?\n"


def test_a_failing_download_is_told_in_one_line_and_leaves_nothing(server: TextServer, own_cache: Path) -> None:
    server.answers = [Answer(send=1000)]
    result = run_here("corpora", "get", "play")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines()[1:] == [
        "play: failed; trying again",
        "play: failed; trying again",
        f"textgen: error: play: cannot be downloaded from {server.url} (the connection was cut); try again with a "
        "connection, or give the path of a file of yours",
    ]
    assert not [path for path in own_cache.rglob("*") if path.is_file()]


def test_a_catalog_text_is_trained_on_by_name_and_resumed_without_network(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (TEXT * 30).encode()
    with serving(Answer(content)) as server:
        monkeypatch.setenv("TEXTGEN_CATALOG", str(server.catalog(tmp_path, "play", content=content)))
        words = [*QUICK_COMMAND, "train", "play", *QUICK, "--epochs", "1000"]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        assert process.stderr is not None
        while not process.stderr.readline().startswith("epoch 2.0"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert (process.returncode, server.requests) == (130, 1)
    resumed = run("train", "--resume", "-o", "models/play", cwd=tmp_path, command=QUICK_COMMAND)
    assert (resumed.returncode, "resumed after " in resumed.stderr) == (0, True)
    text = read_model(tmp_path / "models" / "play").description.text
    assert (text.name, text.characters) == ("play", len(content))
    scored = run_here("evaluate", "models/play", "play", cwd=tmp_path)
    assert (scored.returncode, scored.stdout[:8]) == (0, "hold-out")


def test_a_path_wins_over_a_name(server: TextServer, tmp_path: Path) -> None:
    (tmp_path / "play").write_text("too short", encoding="utf-8")
    result = run_here("train", "play", cwd=tmp_path)
    assert (result.returncode, server.requests) == (1, 0)
    assert "textgen: error: play: the text has 9 characters" in result.stderr


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_what_is_neither_path_nor_name_offers_the_nearest(server: TextServer, command: str, trained: Path) -> None:
    words = [command, "plya"] if command == "train" else [command, str(trained), "plya"]
    result = run_here(*words)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "textgen: error: plya: no such file or catalog text; did you mean play?\n"


def test_a_broken_catalog_is_told(tmp_path: Path) -> None:
    path = write_catalog(tmp_path / "own.toml", "https://example.org/a", "a", size=0)
    result = run("corpora", "list", TEXTGEN_CATALOG=str(path))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"textgen: error: {path}: [a]: size: expected a whole number from 1 to 1,000,000,000,000, not 0; "
        "correct the catalog\n"
    )


def test_show_tells_what_training_would_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("e\u0301te\u0301\t…\n".encode() * 5 + b"~")
    (tmp_path / "b.txt").write_bytes("\ufeff[の]\u200b\r\n\u0301".encode("utf-16-le"))
    result = run("corpora", "show", "a.txt", "b.txt", cwd=tmp_path, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (result.returncode, result.stderr) == (0, "")
    assert (
        result.stdout
        == """\
a.txt  41 characters  utf-8 (valid)
b.txt   6 characters  utf-16-le (byte order mark)

characters           38
lines                 8
distinct characters  11
for training         34
held out              4
only in the held-out part, so never trained on: 3 different characters, 3 times in all (75 % of that part): \
']' (U+005D RIGHT SQUARE BRACKET), \
'◌́' (U+0301 COMBINING ACUTE ACCENT), '\\u200b' (U+200B ZERO WIDTH SPACE)

The characters
  é   10  26.32%  U+00E9  LATIN SMALL LETTER E WITH ACUTE
       7  18.42%  U+000A  LF
       5  13.16%  U+0009  TAB
  t    5  13.16%  U+0074  LATIN SMALL LETTER T
  …    5  13.16%  U+2026  HORIZONTAL ELLIPSIS
  [    1   2.63%  U+005B  LEFT SQUARE BRACKET
  ]    1   2.63%  U+005D  RIGHT SQUARE BRACKET
  ~    1   2.63%  U+007E  TILDE
  ◌́    1   2.63%  U+0301  COMBINING ACUTE ACCENT
       1   2.63%  U+200B  ZERO WIDTH SPACE
  の   1   2.63%  U+306E  HIRAGANA LETTER NO

6 rare characters, fewer than 5 times each, 6 in total (--min-count 5 replaces them by one symbol)
  [   1  U+005B  LEFT SQUARE BRACKET
  ]   1  U+005D  RIGHT SQUARE BRACKET
  ~   1  U+007E  TILDE
  ◌́   1  U+0301  COMBINING ACUTE ACCENT
      1  U+200B  ZERO WIDTH SPACE
  の  1  U+306E  HIRAGANA LETTER NO
"""
    )


def test_show_bounds_its_tables_and_json_has_all(tmp_path: Path) -> None:
    text = "".join(chr(0x4E00 + place) * (place + 1) for place in range(30))
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    words = ("corpora", "show", "a.txt", "--min-count", "25")
    lines = run_here(*words, cwd=tmp_path).stdout.splitlines()
    assert lines.index("The 20 most frequent characters") == 9
    assert lines[7].startswith(
        "only in the held-out part, so never trained on: 1 different character, 30 times in all (63.8"
    )
    assert lines[10].split() == ["\u4e1d", "30", "6.45%", "U+4E1D", "CJK", "UNIFIED", "IDEOGRAPH-4E1D"]
    assert lines[31].startswith("24 rare characters, fewer than 25 times each, 300 in total (--min-count 25 ")
    assert (len(lines), lines[-1]) == (53, "  and 4 more")
    values = json.loads(run(*words, "--json", cwd=tmp_path, LC_ALL="C", PYTHONUTF8="0").stdout)
    assert list(values) == [
        "sources", "skipped", "characters", "lines", "symbols", "hold_out", "unseen", "rare_below", "training",
    ]  # fmt: skip
    assert (values["characters"], values["training"], values["hold_out"], len(values["symbols"])) == (465, 418, 47, 30)
    assert values["symbols"][-1] == {
        "symbol": "一", "count": 1, "code_point": "U+4E00", "name": "CJK UNIFIED IDEOGRAPH-4E00",
    }  # fmt: skip
    assert values["sources"] == [
        {
            "name": "a.txt", "encoding": "utf-8", "how": "valid", "line": "", "rival": "", "rival_line": "",
            "characters": 465, "repaired": False, "faults": {"cut": 0, "of": {}}, "stripped": False, "removed": None,
        }
    ]  # fmt: skip
    assert "No character occurs fewer than 2 times" not in run_here(*words, cwd=tmp_path).stdout


def test_show_tells_many_texts_in_few_lines_and_json_has_all(tmp_path: Path) -> None:
    folder = tmp_path / "texts"  # the cache folder is beside it
    folder.mkdir()
    for number in range(30):
        (folder / f"{number}.txt").write_bytes("é".encode("utf-16" if number > 27 else "utf-8"))
        (folder / f"{number}.md").touch()
    lines = run_here("corpora", "show", ".", cwd=folder).stdout.splitlines()
    assert lines[9:15] == [
        "9.txt  1 character  utf-8 (valid)",
        "and 20 more texts: 20 characters",
        "    18 utf-8 (valid), such as 10.txt, 11.txt, 12.txt",
        "    2 utf-16-le (byte order mark): 28.txt, 29.txt",
        "skipped: 30 (does not match *.txt), such as 0.md, 1.md, 2.md",
        "",
    ]
    values = json.loads(run_here("corpora", "show", ".", "--json", cwd=folder).stdout)
    assert (len(values["sources"]), len(values["skipped"])) == (30, 30)
    assert values["skipped"][10] == "10.md (does not match *.txt)"


def test_show_says_what_was_guessed_and_what_nobody_types(tmp_path: Path) -> None:
    text = "Все счастливые семьи похожи друг на друга.\x1a\n"
    (tmp_path / "a.txt").write_bytes(text.encode("mac_cyrillic"))
    words = ("corpora", "show", "a.txt")
    assert run_here(*words, cwd=tmp_path).stdout.splitlines()[:3] == [
        "a.txt  44 characters  mac_cyrillic (guessed)",
        "    reads “Все счастливые семьи похожи друг на друга.\\x1a”; "
        "cp1251 would read “‚се счастливые семьи похожи друг на друга.\\x1a”",
        "    with 1 control character (U+001A), the first in line 1 at character 43, which --repair removes",
    ]
    source = json.loads(run_here(*words, "--repair", "--json", cwd=tmp_path).stdout)["sources"][0]
    assert (source["line"], source["rival"], source["repaired"], source["characters"]) == (
        text[:-1], "cp1251", True, 43,
    )  # fmt: skip
    assert source["faults"]["of"] == {
        "control": {"count": 1, "line": 1, "character": 43, "shown": ["U+001A"], "left": 0},
    }
    (tmp_path / "b.txt").write_bytes(b"\xe2\x80\x9cI\xe2\x80\x9d don\x92t\n")
    refused = run_here("corpora", "show", "b.txt", cwd=tmp_path)
    assert (refused.returncode, refused.stderr) == (
        1,
        "textgen: error: b.txt: UTF-8 with 1 invalid byte, the first at offset 11, "
        "where cp1252 reads ““I” don’t”; --repair reads such bytes as cp1252\n",
    )


def test_show_says_what_strip_would_take_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("吾輩《わがはい》は猫《ねこ》である。［＃改ページ］\n" * 5, encoding="utf-8")
    assert run_here("corpora", "show", "a.txt", cwd=tmp_path).stdout.splitlines()[1] == (
        "    --strip would remove Aozora Bunko: 10 readings, 5 notes"
    )
    stripped = run_here("corpora", "show", "a.txt", "--strip", cwd=tmp_path).stdout
    assert "    --strip removed Aozora Bunko: 10 readings, 5 notes\n" in stripped
    assert "        warning: that is 65 % of the text, 85 of 130 characters\n" in stripped
    assert "《" not in stripped
    assert "No character occurs fewer than 5 times.\n" in stripped
    framed = f"*** START OF THE PROJECT GUTENBERG EBOOK FOX ***\n{'A fox. ' * 99}\n"
    (tmp_path / "a.txt").write_text(framed, encoding="utf-8")
    assert run_here("corpora", "show", "a.txt", cwd=tmp_path).stdout.splitlines()[1:4] == [
        "    --strip would remove Project Gutenberg: a header of 49 characters",
        '        header "*** START OF THE PROJECT GUTENBE…" to "…PROJECT GUTENBERG EBOOK FOX ***"',
        "",
    ]
    (tmp_path / "a.txt").write_text("A fox.\n", encoding="utf-8")
    shown = run_here("corpora", "show", "a.txt", "--strip", cwd=tmp_path).stdout
    assert shown.splitlines()[1] == "nothing to strip was found in a.txt"


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux")
def test_show_survives_odd_file_names(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xe9\x1b[2J.txt")).write_text("a", encoding="utf-8")
    assert run_here("corpora", "show", ".", cwd=tmp_path).stdout.startswith(r"\udce9\x1b[2J.txt  1 character ")
    values = json.loads(run_here("corpora", "show", ".", "--json", cwd=tmp_path).stdout)
    assert values["sources"][0]["name"] == "\udce9\x1b[2J.txt"


def test_show_takes_names_and_tells_unfit_texts(server: TextServer, tmp_path: Path) -> None:
    assert "\ncharacters           184,000\n" in run_here("corpora", "show", "play").stdout
    assert run_here("corpora", "show", "-", stdin="a\n").stdout.splitlines()[2] == "characters           2"
    (tmp_path / "a.txt").touch()
    result = run_here("corpora", "show", "a.txt", cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("textgen: error: a.txt: ")
    wrong = run_here("corpora", "show")
    assert (wrong.returncode, "Missing argument 'TEXT...'" in wrong.stderr) == (2, True)


def test_clean_frees_the_codes_and_downloads_only_when_asked(
    server: TextServer, tmp_path: Path, own_cache: Path
) -> None:
    empty = run_here("corpora", "clean")
    assert (empty.returncode, empty.stdout, empty.stderr) == (0, "", "encoded texts: there were none\n")
    run_here("corpora", "get", "play", "ode")
    Corpus.from_files(own_cache / "texts" / "play.txt")
    used = sum(path.stat().st_size for path in own_cache.glob("codes/*"))
    assert used > 184_000
    kept = "downloaded texts: 2 kept; --texts removes them as well\n"
    assert run_here("corpora", "clean").stderr == f"encoded texts: {used:,} bytes freed\n{kept}"
    assert sorted(path.name for path in own_cache.rglob("*") if path.is_file()) == ["ode.txt", "play.txt"]
    removed = run_here("corpora", "clean", "--texts")
    assert removed.stderr == "encoded texts: there were none\ndownloaded texts: 400,000 bytes freed\n"
    assert (
        run_here("corpora", "clean", "--texts").stderr
        == "encoded texts: there were none\ndownloaded texts: there were none\n"
    )
    assert not [path for path in own_cache.rglob("*") if path.is_file()]
