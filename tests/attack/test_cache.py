"""A damaged cache: the text is the right one all the same."""

from pathlib import Path

import numpy as np
import pytest

from tests.attack.harness import bounded, damaged
from tests.conftest import TEXT
from textgen.corpus import cache, sources
from textgen.corpus.corpus import Corpus


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A text that counts as settled, so that its encoding is remembered."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(sources, "SETTLED", -(10**12))
    monkeypatch.setattr(cache, "TICK", 0)
    path = tmp_path / "text.txt"
    path.write_bytes(f"{TEXT}Ça, où ?\n".encode("cp1252") * 30)
    return path


@pytest.mark.parametrize("suffix", [".codes", ".json", ".memory"])
def test_whatever_the_cache_holds_the_text_is_right(text: Path, suffix: str) -> None:
    whole = Corpus.from_files(text)
    codes = np.array(whole.codes)  # a copy: its own are those of the file that is damaged
    (entry,) = (text.parent / "cache" / "codes").glob(f"*{suffix}")
    for case, content in damaged(entry.read_bytes(), 120, seed=5):
        entry.write_bytes(content)
        with bounded(case):
            found = Corpus.from_files(text)
        assert found.sha256 == whole.sha256, case
        assert found.vocabulary == whole.vocabulary, case
        np.testing.assert_array_equal(found.codes, codes, case)
        assert found.notes == whole.notes, case
