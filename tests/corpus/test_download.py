import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.text_server import CONTENT, Answer, serving
from textgen.corpus.catalog import CatalogText, read_catalog
from textgen.corpus.download import cached, downloads, fetch, locate, remove_downloads, texts_folder
from textgen.errors import CorpusError


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, and no waiting between two attempts."""
    monkeypatch.setenv("TEXTGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    return tmp_path / "cache"


def only(catalog: Path) -> CatalogText:
    return next(iter(read_catalog(catalog).values()))


def kept(own_cache: Path) -> list[str]:
    """The files of the cache: a failure must leave none."""
    return sorted(path.name for path in own_cache.rglob("*") if path.is_file())


def test_a_text_is_fetched_once_and_its_bytes_are_reported(tmp_path: Path, own_cache: Path) -> None:
    seen: list[int] = []
    with serving() as server:
        text = only(server.catalog(tmp_path, "play"))
        assert cached(text) is None
        path = fetch(text, lambda about, received: seen.append(received))
        assert fetch(text) == path
        assert server.requests == 1
    assert path == own_cache / "texts" / "play.txt" == cached(text)
    assert path.read_bytes() == CONTENT
    assert (seen[0], seen[-1]) == (0, len(CONTENT))
    assert seen == sorted(seen)
    assert len(seen) >= 3
    assert kept(own_cache) == ["play.txt"]
    assert [folder.stat().st_mode & 0o777 for folder in (own_cache, own_cache / "texts")] == [0o700, 0o700]
    assert fetch(text) == path  # with no server


def failure(folder: Path, answer: Answer) -> tuple[CatalogText, str]:
    """The text that a server was asked for three times in vain, and what the user is told."""
    with serving(answer) as server:
        text = only(server.catalog(folder, "play"))
        with pytest.raises(CorpusError) as caught:
            fetch(text)
        assert server.requests == 3
    return text, str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [Answer(CONTENT[:-1] + b"!"), Answer(CONTENT[:-1]), Answer(CONTENT + b"!"), Answer(b"<html>Log in</html>")],
)
def test_what_is_not_the_text_is_not_kept(tmp_path: Path, own_cache: Path, answer: Answer) -> None:
    text, message = failure(tmp_path, answer)
    assert message == (
        f"play: cannot be downloaded from {text.url} (what was received is not its {len(CONTENT):,} bytes with SHA-256 "
        f"{text.sha256}, and was discarded); check whether a login page of your network answered, or update textgen"
    )
    assert kept(own_cache) == []


def test_no_more_is_written_than_the_text_has(tmp_path: Path) -> None:
    seen: list[int] = []
    with serving(Answer(CONTENT * 50)) as server:
        text = only(server.catalog(tmp_path, "play"))
        with pytest.raises(CorpusError, match="what was received is not its 200,000 bytes"):
            fetch(text, lambda about, received: seen.append(received))
    assert 0 < max(seen) <= len(CONTENT)


@pytest.mark.parametrize("sent", [0, 1000, len(CONTENT) - 1])
def test_a_cut_connection_is_told_and_leaves_nothing(tmp_path: Path, own_cache: Path, sent: int) -> None:
    text, message = failure(tmp_path, Answer(send=sent))
    assert message == (
        f"play: cannot be downloaded from {text.url} (the connection was cut); try again with a connection, or give "
        "the path of a file of yours"
    )
    assert kept(own_cache) == []


@pytest.mark.parametrize("first", [Answer(send=1000), Answer(status=503), Answer(b"damaged")])
def test_a_failure_that_passes_is_tried_again(tmp_path: Path, first: Answer) -> None:
    with serving(first, Answer()) as server:
        assert fetch(only(server.catalog(tmp_path, "play"))).read_bytes() == CONTENT
        assert server.requests == 2


@pytest.mark.parametrize(
    ("status", "words", "requests"),
    [
        (404, "404 Not Found); update textgen, or give the path of a file of yours", 1),
        (503, "503 Service Unavailable); try again with a connection, or give the path of a file of yours", 3),
    ],
)
def test_a_server_that_refuses_is_quoted(
    tmp_path: Path, own_cache: Path, status: int, words: str, requests: int
) -> None:
    with serving(Answer(b"no", status=status)) as server:
        text = only(server.catalog(tmp_path, "play"))
        with pytest.raises(CorpusError) as caught:
            fetch(text)
        assert server.requests == requests
    assert str(caught.value) == f"play: cannot be downloaded from {text.url} (the server answered {words}"
    assert kept(own_cache) == []


def test_no_network_is_told(tmp_path: Path, own_cache: Path) -> None:
    with serving() as server:
        text = only(server.catalog(tmp_path, "play"))
    with pytest.raises(CorpusError) as caught:
        fetch(text)
    assert str(caught.value) == (
        f"play: cannot be downloaded from {text.url} (Connection refused); try again with a connection, or give the "
        "path of a file of yours"
    )
    assert kept(own_cache) == []


def test_a_damaged_file_is_fetched_again_or_named(tmp_path: Path) -> None:
    with serving() as server:
        text = only(server.catalog(tmp_path, "play"))
        path = fetch(text)
        path.write_bytes(CONTENT[:-1] + b"!")
        assert cached(text) is None
        assert fetch(text).read_bytes() == CONTENT
        assert server.requests == 2
    path.write_bytes(b"")
    with pytest.raises(CorpusError, match=rf"^play: {path} is damaged, and cannot be downloaded from http.* refused"):
        fetch(text)


def test_a_cache_folder_that_takes_no_file_is_named(tmp_path: Path, own_cache: Path) -> None:
    own_cache.write_text("a file in the folder's place")
    with serving() as server:
        text = only(server.catalog(tmp_path, "play"))
        with pytest.raises(CorpusError) as caught:
            fetch(text)
    assert str(caught.value).startswith(f"{own_cache}/texts: play cannot be saved there (")
    assert str(caught.value).endswith("); free some space, or set TEXTGEN_CACHE to another folder")


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, own_cache: Path) -> None:
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from textgen.corpus.catalog import read_catalog\n"
        "from textgen.corpus.download import fetch\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "fetch(read_catalog(Path(sys.argv[1]))['play'])\n"
    )
    with serving() as server:
        catalog = server.catalog(tmp_path, "play")
        done = subprocess.run(
            [sys.executable, "-B", "-c", script, str(catalog)], capture_output=True, text=True, check=False
        )
    assert f"CorpusError: {own_cache}/texts: play cannot be saved there (File too large); " in done.stderr
    assert kept(own_cache) == []


def test_names_become_paths_and_paths_win(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("song").write_text("La")
    with serving() as server:
        monkeypatch.setenv("TEXTGEN_CATALOG", str(server.catalog(tmp_path, "play", "song")))
        assert locate(["-", "song", "play"]) == ("-", "song", str(own_cache / "texts" / "play.txt"))
        assert server.requests == 1
        (own_cache / "texts" / "play.txt").unlink()
        assert locate([str(own_cache / "texts" / "play.txt")]) == (str(own_cache / "texts" / "play.txt"),)
        assert server.requests == 2


def test_downloads_at_once_do_not_disturb_each_other(tmp_path: Path, own_cache: Path) -> None:
    with serving() as server, ThreadPoolExecutor(4) as pool:
        text = only(server.catalog(tmp_path, "play"))
        paths = list(pool.map(lambda _: fetch(text), range(4)))
    assert set(paths) == {own_cache / "texts" / "play.txt"} == {cached(text)}
    assert kept(own_cache) == ["play.txt"]


def test_what_is_neither_path_nor_name_is_told_before_a_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as server:
        monkeypatch.setenv("TEXTGEN_CATALOG", str(server.catalog(tmp_path, "play", "plum")))
        with pytest.raises(CorpusError, match=r"^pla: no such file or catalog text; did you mean play"):
            locate(["play", "pla"])
        with pytest.raises(CorpusError) as caught:
            locate(["play", "plays/zzz.txt"])
        assert server.requests == 0
    assert str(caught.value) == (
        "plays/zzz.txt: no such file; check the path, or choose a name from 'textgen corpora list'"
    )


def test_what_cannot_even_be_looked_for_is_left_to_the_reader() -> None:
    assert locate(["a" * 5000]) == ("a" * 5000,)


def test_paths_need_no_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTGEN_CATALOG", "missing")
    assert locate([str(tmp_path), "-"]) == (str(tmp_path), "-")


def test_downloads_are_removed_and_counted(tmp_path: Path) -> None:
    assert (downloads(), remove_downloads()) == ([], 0)
    with serving() as server:
        path = fetch(only(server.catalog(tmp_path, "play")))
    leftover = path.with_name("tmpleftover")  # of a killed download
    leftover.write_bytes(b"half")
    assert downloads() == [path, leftover]
    assert remove_downloads() == len(CONTENT) + 4
    assert (downloads(), remove_downloads()) == ([], 0)


def test_the_place_follows_the_platform_without_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTGEN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    if sys.platform == "linux":
        assert texts_folder() == Path("/somewhere/textgen/texts")
    assert texts_folder().parts[-2:] == ("textgen", "texts")
    assert os.environ.get("TEXTGEN_CACHE") is None


def test_network_libraries_are_loaded_for_a_download_only() -> None:
    script = "import sys, textgen.corpus.download, textgen.cli.train, textgen.cli.corpora\n"
    script += "print({'pooch', 'requests', 'tqdm'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "set()\n"
