"""The page of an inspection: what it can be tinted by, and what it says of each."""

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import TEXT
from tests.inspection.random_model import write_random
from textgen.config import Reading
from textgen.errors import CorpusError
from textgen.evaluation.score import subject_of
from textgen.evaluation.subject import Subject
from textgen.inspection import page
from textgen.inspection.page import tinted
from textgen.inspection.views import View, viewed


def subject(folder: Path, cell: str = "lstm", text: str = f"{TEXT}☃☃fox") -> Subject:
    model = write_random(folder / cell, cell=cell, layers=2)
    return subject_of(model, (), text=text, everything=False, reading=Reading())


def test_the_page_has_a_tint_for_each_view_and_marks_what_is_not_read(tmp_path: Path) -> None:
    read = subject(tmp_path)
    views = [View("cell", 2, 3), View("forget", 1)]
    found = tinted(read, views, "a fox")
    (whole,) = viewed(read, views)
    assert (found.text, found.summary) == (f"{TEXT}☃☃fox", "73 characters (whole)")
    np.testing.assert_allclose(found.values, np.tanh(whole.values[:, 0]))
    (gate,) = found.tints
    np.testing.assert_allclose(gate.values, whole.values[:, 1] - np.nanmean(whole.values[:, 1]), atol=1e-6)
    assert found.scale is not None
    assert [scale.name for scale in (found.scale, gate.scale)] == ["tanh of cell 2.3", "forget gate of layer 1"]
    assert gate.scale.low == f"below its mean of {np.nanmean(whole.values[:, 1]):.2f}"
    assert [(mark.start, mark.end, mark.label) for mark in found.marks] == [(68, 70, "not in the model's vocabulary")]


def test_a_text_that_is_too_long_for_a_page_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST", 72)
    with pytest.raises(
        CorpusError, match="too long for a page of cells and gates, which holds 72 characters, not 73; "
    ):
        tinted(subject(tmp_path), [View("cell", 1, 1)], "a fox")
