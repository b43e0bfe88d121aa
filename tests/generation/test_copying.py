import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import describe
from tests.generation.test_constraints import codes, holds
from textgen.config import ModelConfig
from textgen.corpus import cache
from textgen.corpus.corpus import Corpus
from textgen.corpus.vocabulary import Vocabulary
from textgen.description import Description
from textgen.errors import CorpusError
from textgen.generation import copying
from textgen.generation.copying import NoCopy, Other, other_text, own_text

UNKNOWN = 3  # of the texts below, to the model
CONFIG = ModelConfig(layers=1, units=2, dropout=0.0, embedding=2)


def other(text: list[int], dtype: str = "u1") -> Other:
    return Other(np.array(text, dtype), np.array([0, 1, 2, -1], np.int32))


def rows(text: list[int], n: int) -> list[list[int]]:
    return [text[start : start + n] for start in range(len(text) - n + 1)]


def model(symbols: str, **text) -> Description:
    return describe(Vocabulary.of(symbols), CONFIG, **text)


@pytest.mark.parametrize("part", [copying.PART, 4])
@given(
    st.integers(2, 6),
    st.lists(st.lists(st.integers(0, UNKNOWN), max_size=40), min_size=1, max_size=3),
    codes,
    codes,
)
def test_what_stands_in_the_texts_is_never_written_and_nothing_else_is_missed(
    part: int, n: int, texts: list[list[int]], seed: list[int], written: list[int]
) -> None:
    if max(map(len, texts)) < n:
        texts.append([0] * n)
    forbidden = [row for text in texts for row in rows(text, n)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copying, "PART", part)
        rule = NoCopy(n, [other(text) for text in texts], 3)
    holds(rule, seed, written, 3, lambda text: text[-n:] not in forbidden)


def test_the_same_is_found_in_a_text_of_many_parts_and_symbols() -> None:
    rng = np.random.default_rng(1)
    text = rng.integers(3000, size=60_000).astype("u2")
    rule = NoCopy(9, [Other(text, np.arange(3000, dtype=np.int32))], 3000)
    for place in rng.integers(len(text) - 9, size=200).tolist():
        row = text[place : place + 9].tolist()
        mask = rule.begin(text[place : place + 8], 5).allowed()
        assert mask is not None
        assert np.flatnonzero(~mask).tolist() == [row[-1]]
        assert rule.begin(np.roll(text[place : place + 8], 1), 5).allowed() is None


@pytest.mark.parametrize(("symbols", "dtype"), [(100, "u1"), (3000, "u2")])
def test_ten_bytes_a_character_are_enough(symbols: int, dtype: str) -> None:
    rng = np.random.default_rng(2)
    tracemalloc.start()
    try:
        text = rng.integers(symbols, size=500_000).astype(dtype)
        before = tracemalloc.get_traced_memory()[0] - text.nbytes
        tracemalloc.reset_peak()
        rule = NoCopy(20, [Other(text, np.arange(symbols, dtype=np.int32))], symbols)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert rule.begin(np.zeros(50, np.int32), 1).allowed() is None
    assert peak < 10 * len(text) + 2**20


def test_what_comes_again_and_again_is_kept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "PART", 4)
    assert NoCopy(3, [other([0, 1] * 50), other([1, 0] * 50)], 3)._entries.shape == (2,)


def test_a_text_that_is_too_short_is_told() -> None:
    message = "`no_copy` must be at most the length of the text, 3 characters, not 4$"
    with pytest.raises(ValueError, match=message):
        NoCopy(4, [other([0, 1, 2]), other([0])], 3)
    NoCopy(3, [other([0, 1, 2]), other([0])], 3)


def test_another_text_is_taken_by_its_characters() -> None:
    corpus = Corpus.from_text("abz" * 10, unicode="none")
    found = other_text(corpus, model("abc\ufffd", replacement="\ufffd"))
    assert found.table[found.codes[:3]].tolist() == [0, 1, 3]
    assert other_text(corpus, model("abc")).table[found.codes[:3]].tolist() == [0, 1, -1]


def test_a_text_in_another_script_is_refused() -> None:
    message = (
        "^text: the model knows 10 % of its characters, so nothing can be copied from it; expected a text in the mo"
    )
    with pytest.raises(CorpusError, match=message):
        other_text(Corpus.from_text("ひらがなばかりです\n", unicode="none"), model("abc\n"))


@pytest.mark.parametrize("options", [{"unicode": "nfc"}, {"lowercase": True}, {"min_count": 5}])
def test_a_text_that_is_normalised_otherwise_is_refused(options) -> None:
    message = (
        "`against` must be normalised as the model's text was, with `unicode='none'`, `lowercase=False` and all its s"
    )
    with pytest.raises(ValueError, match=message):
        other_text(Corpus.from_text("abc" * 9 + "d", **{"unicode": "none", **options}), model("abcd"))


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    path = tmp_path / "play.txt"
    path.write_text("To be, or not to be.\n" * 30 + "Q")
    return path


def of(corpus: Corpus, **text) -> Description:
    described = describe(corpus.vocabulary, CONFIG, **text)
    object.__setattr__(described.text, "sha256", corpus.sha256)
    return described


def test_a_models_own_text_is_found_in_the_cache(play: Path) -> None:
    corpus = Corpus.from_files(play)
    found = own_text(of(corpus))
    assert found.table[found.codes].tolist() == corpus.codes.tolist()


def test_a_text_is_found_whose_rare_symbols_are_all_there_or_unknown_to_the_model(play: Path) -> None:
    rare = Corpus.from_files(play, min_count=2)
    found = own_text(of(rare, replacement="\ufffd"))
    assert found.table[found.codes].tolist() == rare.codes.tolist()
    message = (
        "^the text that the model was trained on, play, is not in the cache folder; name its files with `against`$"
    )
    whole = Corpus.from_text(play.read_text())
    with pytest.raises(CorpusError, match=message):
        own_text(of(whole))
    Corpus.from_files(play)
    found = own_text(of(whole))
    assert whole.vocabulary.decode(found.table[found.codes]) == play.read_text()


def test_damaged_entries_of_the_cache_are_passed_over(play: Path) -> None:
    corpus = Corpus.from_files(play)
    (folder,) = (play.parent / "cache").iterdir()
    (folder / "0.json").write_text("{}")
    assert len(own_text(of(corpus)).codes) == len(corpus)
    next(folder.glob("*.codes")).write_bytes(b"")
    with pytest.raises(CorpusError, match="is not in the cache folder"):
        own_text(of(corpus))
