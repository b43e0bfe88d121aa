from pathlib import Path

import pytest

from textgen.corpus import sources
from textgen.corpus.finding import find_sources
from textgen.errors import CorpusError


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "BLOCK", 10)
    path = tmp_path / "log.txt"
    path.write_text("line\n" * 10, encoding="utf-8")
    (source,) = find_sources([path], "*.txt").sources
    blocks = source.blocks()
    next(blocks)
    with path.open("a") as file:
        file.write("more\n")
    with pytest.raises(CorpusError) as error:
        list(blocks)
    assert str(error.value) == f"{path}: has changed while it was read; wait until it is complete, and try again"
    with pytest.raises(CorpusError, match="has changed while it was read"):
        list(source.blocks())
