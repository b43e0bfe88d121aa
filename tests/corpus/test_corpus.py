import hashlib
from pathlib import Path

import pytest

from textgen.corpus.corpus import Corpus
from textgen.errors import CorpusError


def test_files_are_joined_in_order_with_a_newline(tmp_path: Path) -> None:
    for name, text in (("b.txt", "second\r\n"), ("a.txt", "First")):
        (tmp_path / name).write_text(text, newline="")
    corpus = Corpus.from_files(tmp_path / "a.txt", tmp_path / "b.txt", lowercase=True)
    text = "first\nsecond\n"
    assert corpus.vocabulary.decode(corpus.codes) == text
    assert corpus.name == "a"
    assert corpus.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert len(corpus) == len(text)


@pytest.mark.parametrize(
    ("characters", "share", "held_out"),
    [(111_661, 0.1, 11_167), (1_115_394, 0.1, 111_540), (5_000_000, 0.1, 200_000), (1000, 0.0, 0), (1000, 0.25, 250)],
)
def test_the_hold_out_is_a_share_of_the_text_with_a_limit(characters: int, share: float, held_out: int) -> None:
    assert Corpus.from_text("ab" * (characters // 2) + "c" * (characters % 2)).hold_out(share) == held_out


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(CorpusError, match="poem: the text is empty"):
        Corpus.from_text("", name="poem")
