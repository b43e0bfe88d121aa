import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import TEXT, run
from tests.text_server import CONTENT, Answer, TextServer, serving, write_catalog
from textgen.model_file import read_model

QUICK = ("--units", "16", "--batch-size", "4", "--rng-seed", "1", "--epochs", "1")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TextServer]:
    """A server with two texts, and the catalog that names them."""
    with serving() as running:
        monkeypatch.setenv("TEXTGEN_CATALOG", str(running.catalog(tmp_path, "play", "ode", title="Ｏｄｅ")))
        yield running


def test_get_prints_the_paths_of_the_files(server: TextServer, cache: Path) -> None:
    result = run("corpora", "get", "play", "ode")
    assert (result.returncode, result.stdout) == (0, f"{cache}/texts/play.txt\n{cache}/texts/ode.txt\n")
    assert result.stderr == "".join(f"{name}: fetching 200,000 bytes from {server.url}\n" for name in ("play", "ode"))
    assert (cache / "texts" / "ode.txt").read_bytes() == CONTENT
    again = run("corpora", "get", "ode")
    assert (again.stdout, again.stderr, server.requests) == (f"{cache}/texts/ode.txt\n", "", 2)


def test_list_is_a_table(server: TextServer) -> None:
    run("corpora", "get", "ode")
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
    result = run("corpora", "get", "ode", "plya")
    assert (result.returncode, result.stdout, server.requests) == (1, "", 0)
    assert result.stderr == "textgen: error: plya: the catalog has no such text; did you mean play?\n"


def test_a_failing_download_is_told_in_one_line_and_leaves_nothing(server: TextServer, cache: Path) -> None:
    server.answers = [Answer(send=1000)]
    result = run("corpora", "get", "play")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines()[1:] == [
        "play: that failed; trying again",
        "play: that failed; trying again",
        f"textgen: error: play: cannot be downloaded from {server.url} (the connection was cut); try again with a "
        "connection, or give the path of a file of yours",
    ]
    assert not [path for path in cache.rglob("*") if path.is_file()]


@pytest.mark.slow
def test_a_catalog_text_is_trained_on_by_name_and_resumed_without_network(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (TEXT * 30).encode()
    with serving(Answer(content)) as server:
        monkeypatch.setenv("TEXTGEN_CATALOG", str(server.catalog(tmp_path, "play", content=content)))
        words = [sys.executable, "-m", "textgen", "train", "play", *QUICK, "--epochs", "60"]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        assert process.stderr is not None
        while not process.stderr.readline().startswith("epoch 2.0"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert (process.returncode, server.requests) == (130, 1)
    resumed = run("train", "--resume", "-o", "models/play", cwd=tmp_path)
    assert (resumed.returncode, "resumed after " in resumed.stderr) == (0, True)
    text = read_model(tmp_path / "models" / "play").description.text
    assert (text.name, text.characters) == ("play", len(content))
    scored = run("evaluate", "models/play", "play", cwd=tmp_path)
    assert (scored.returncode, scored.stdout[:8]) == (0, "hold-out")


def test_a_path_wins_over_a_name(server: TextServer, tmp_path: Path) -> None:
    (tmp_path / "play").write_text("too short", encoding="utf-8")
    result = run("train", "play", cwd=tmp_path)
    assert (result.returncode, server.requests) == (1, 0)
    assert result.stderr.startswith("textgen: error: play: the text has 9 characters")


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_what_is_neither_path_nor_name_offers_the_nearest(server: TextServer, command: str, trained: Path) -> None:
    words = [command, "plya"] if command == "train" else [command, str(trained), "plya"]
    result = run(*words)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "textgen: error: plya: no such file, and no text of the catalog; did you mean play?\n"


def test_a_broken_catalog_is_told(tmp_path: Path) -> None:
    path = write_catalog(tmp_path / "own.toml", "https://example.org/a", "a", size=0)
    result = run("corpora", "list", TEXTGEN_CATALOG=str(path))
    assert (result.returncode, result.stdout) == (1, "")
    assert (
        result.stderr == f"textgen: error: {path}: [a]: size: expected a positive whole number; correct the catalog\n"
    )
