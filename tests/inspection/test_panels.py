"""What was found, as the page shows it beside the text."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import TEXT
from tests.inspection.random_model import write_random
from textgen.config import Reading
from textgen.evaluation.score import subject_of
from textgen.evaluation.subject import Subject
from textgen.inspection.analyses import gates_where, similar_to
from textgen.inspection.blocks import Choice
from textgen.inspection.finding import FoundCells
from textgen.inspection.page import tinted
from textgen.inspection.panels import OVERVIEW, cells_found, overview, panels
from textgen.inspection.saturation import Saturation
from textgen.inspection.trace import Trace, traced_subject
from textgen.inspection.views import View, viewed
from textgen.page.tinted import Scatter, Table, page


def subject(folder: Path, cell: str = "lstm") -> Subject:
    model = write_random(folder / cell, cell=cell, layers=2)
    return subject_of(model, (), text=TEXT * 20, everything=False, reading=Reading())


def test_an_overview_has_the_cells_that_tell_what_occurs_and_the_saturation(tmp_path: Path) -> None:
    read = subject(tmp_path)
    looked = list(overview(read))
    found = [one for one in looked if one is not None]
    assert len(looked) == OVERVIEW
    named = [one.feature.name for one in found if isinstance(one, FoundCells)]
    assert named == ["line", "word", "sentence"]  # no quotes, speakers, brackets or indentation occur
    views = cells_found(read, found)
    assert {view.quantity for view in views} == {"cell"}
    table, scatter = panels(read, found, [View("forget", 1), *views])
    assert isinstance(table, Table)
    telling = [cell for one in found if isinstance(one, FoundCells) for cell in one.telling[:3]]
    rows = [row for row in table.rows if row.tint is not None]
    assert len(rows) == len(telling) > 1
    for row, cell in zip(rows, telling, strict=True):
        assert row.cells[0] == f"{cell.layer}.{cell.unit}"
        assert row.tint == 1 + [view.word for view in views].index(f"cell_{cell.layer}.{cell.unit}")
        assert row.cells[2].split()[1] == f"{cell.told:.3f}"
    assert isinstance(scatter, Scatter)
    (saturation,) = (one for one in found if isinstance(one, Saturation))
    assert [name for name, *_ in scatter.groups[:2]] == ["input, layer 1", "forget, layer 1"]
    np.testing.assert_array_equal(scatter.groups[1][1], saturation.is_open[1, 0])
    assert "Cells that tell" in page(tinted(read, views, "a fox", [table, scatter]))


def test_an_overview_reads_the_text_for_all_features_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, readings = subject(tmp_path), list[tuple[str, ...]]()

    def counted(subject: Subject, choice: Choice) -> Iterator[Trace]:
        readings.append(choice.quantities)
        return traced_subject(subject, choice)

    monkeypatch.setattr("textgen.inspection.analyses.traced_subject", counted)
    assert len(list(overview(read))) == OVERVIEW
    assert readings == [("cell",), ("input", "forget", "output")]


def test_a_plain_rnn_has_no_saturation(tmp_path: Path) -> None:
    assert list(overview(subject(tmp_path, "rnn")))[-1] is None


def test_gates_at_a_pattern_and_similar_passages_are_tables(tmp_path: Path) -> None:
    read = subject(tmp_path)
    cells = np.concatenate([piece.values for piece in viewed(read, [View("cell", 2, 1)])])
    place = int(np.abs(cells[:, 0]).argmax())  # where a cell is active
    gates, passages = gates_where(read, r"\."), similar_to(read, place, place + 1)
    at, similar = panels(read, [gates, passages], [View("cell", 1, 1)])
    assert isinstance(at, Table)
    assert isinstance(similar, Table)
    assert (at.heading, at.note) == (
        r"At \.",
        f"{gates.places} places; of gates the mean, of what has either sign the mean size",
    )
    middle = gates.offsets.tolist().index(0)
    assert at.rows[1].cells == [
        "forget, layer 1",
        *(f"{gates.means[0, 1, middle + k]:.2f}" for k in (-1, 0, 1)),
        at.rows[1].cells[4],
    ]
    assert at.rows[1].cells[4] == f"{gates.elsewhere[0, 1]:.2f}"
    assert [row.start for row in similar.rows] == [passage.start for passage in passages.passages]
    assert similar.note.startswith(f"to “{(TEXT * 20)[place]}”, by {len(passages.cells)} cells; ")
    assert len(similar.rows) > 3
