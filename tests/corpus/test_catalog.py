import hashlib
import unicodedata
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.text_server import write_catalog
from textgen.corpus.catalog import CHECKS, catalog_path, find, nearest, read_catalog
from textgen.errors import CorpusError

URL = "https://example.org/text"


def test_the_shipped_catalog_is_pinned_to_commits_over_https() -> None:
    catalog = read_catalog()
    assert catalog_path() == PROJECT / "corpora" / "catalog.toml"
    assert list(catalog) == ["macbeth", "tinyshakespeare"]
    for text in catalog.values():
        host, _, path = text.url.removeprefix("https://").partition("/")
        assert host == "raw.githubusercontent.com"
        assert len(path.split("/")[2]) == 40
        assert "public domain" in text.licence


@pytest.mark.parametrize(("name", "line_end"), [("macbeth", b"\r\n"), ("tinyshakespeare", b"\n")])
def test_the_shipped_catalog_describes_the_real_files(texts: Path, name: str, line_end: bytes) -> None:
    served = (texts / f"{name}.txt").read_bytes().replace(b"\n", line_end)
    text = read_catalog()[name]
    assert (text.size, text.sha256) == (len(served), hashlib.sha256(served).hexdigest())
    assert text.characters == len(unicodedata.normalize("NFC", served.decode().replace("\r\n", "\n")))


def test_another_catalog_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTGEN_CATALOG", str(write_catalog(tmp_path / "own.toml", URL, "b", "a")))
    assert list(read_catalog()) == ["b", "a"]


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("play", {"colour": "red"}, "colour: an unknown key"),
        ("play", {"name": "other"}, "name: an unknown key"),
        ("play", {"title": 3}, "title: expected text"),
        ("play", {"title": ""}, "title: expected text"),
        ("play", {"title": "a" * 1001}, "title: expected text of at most 1,000 characters, not 'aaa"),
        ("play", {"size": "12"}, "size: expected a whole number from 1 to 1,000,000,000,000, not '12'"),
        ("play", {"size": -1}, "size: expected a whole number from 1 to 1,000,000,000,000, not -1"),
        ("play", {"size": 10**400}, "size: expected a whole number from 1 to 1,000,000,000,000, not 1000"),
        ("play", {"characters": 0}, "characters: expected a whole number from 1"),
        ("play", {"characters": 1.5}, "characters: expected a whole number from 1"),
        ("a" * 101, {}, "name: expected lowercase letters, digits, - and _, at most 100, not 'aaa"),
        ("play", {"sha256": "A" * 64}, "sha256: expected 64 hexadecimal digits, not 'AAAA"),
        ("play", {"url": "file:///etc/passwd"}, "url: expected an https address, not 'file:///etc/passwd'"),
        ("play", {"language": "English"}, "language: expected a language tag such as en, not 'English'"),
        ('"../play"', {}, "name: expected lowercase letters, digits, - and _, at most 100, not '../play'"),
        ("play.act", {}, "act: an unknown key"),
    ],
)
def test_a_table_that_is_not_a_text_s_is_refused(
    tmp_path: Path, name: str, changes: dict[str, object], message: str
) -> None:
    path = write_catalog(tmp_path / "catalog.toml", URL, name, **changes)
    with pytest.raises(CorpusError, match="correct the catalog") as caught:
        read_catalog(path)
    assert str(caught.value).startswith(f"{path}: [{name.strip(chr(34)).removesuffix('.act')}]: ")
    assert message in str(caught.value)


def test_what_is_no_catalog_is_told(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    with pytest.raises(CorpusError, match=r"the catalog cannot be read \(No such file or directory\); install textgen"):
        read_catalog(path)
    path.write_bytes(b"\xff")
    with pytest.raises(CorpusError, match=r"is not valid TOML in UTF-8 \('utf-8' codec"):
        read_catalog(path)
    path.write_text("[play]\ntitle: Play\n")
    with pytest.raises(CorpusError, match=r"is not valid TOML in UTF-8 \(.* line 2"):
        read_catalog(path)
    path.write_text("play = 1")
    with pytest.raises(CorpusError, match=r"play: expected a table for each text, \[NAME\]"):
        read_catalog(path)


@pytest.mark.parametrize("content", ["a = " + "[" * 100_000, "[a]\nsize = 0x1" + "0" * 10_000, "a = 1" + "0" * 10_000])
def test_a_catalog_that_is_hostile_is_told_in_a_short_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(content)
    with pytest.raises(CorpusError, match="correct") as caught:
        read_catalog(path)
    assert len(str(caught.value)) < 500


def test_near_names_are_offered() -> None:
    catalog = read_catalog()
    assert nearest(catalog, "plays/Macbth.txt") == "macbeth"
    assert nearest(catalog, "zzz") == ""
    with pytest.raises(CorpusError, match=r"^shakespeare: the catalog has no such text; did you mean tinyshakespeare"):
        find(catalog, "shakespeare")
    with pytest.raises(
        CorpusError, match=r"^zzz: the catalog has no such text; choose a name from 'textgen corpora list'$"
    ):
        find(catalog, "zzz")


def test_every_check_is_of_a_key() -> None:
    assert set(CHECKS) < set(vars(read_catalog()["macbeth"]))
