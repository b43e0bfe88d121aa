"""The analyses of texts, against the trace of the same."""

from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT
from tests.inspection.random_model import write_random
from textgen.errors import CorpusError
from textgen.inspection import analyses
from textgen.inspection.around import around
from textgen.inspection.features import feature
from textgen.inspection.finding import find
from textgen.inspection.similar import similar

TOLD = ("The quick dog.\n" + TEXT + "Ω\t") * 30  # the model knows neither Ω nor tabs


@pytest.fixture(scope="module", params=["lstm", "gru", "rnn"])
def model(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    return write_random(tmp_path_factory.mktemp("random") / "run", cell=request.param, layers=2)


@pytest.fixture
def known() -> np.ndarray:
    return np.array([symbol not in "Ω\t" for symbol in TOLD])


def memory(trace: textgen.Trace) -> np.ndarray:
    return trace.values["cell" if "cell" in trace.values else "hidden"]


def test_cells_are_found_among_those_of_the_trace(model: Path, known: np.ndarray) -> None:
    found = textgen.find_cells(model, text=TOLD, find="line")
    whole = feature("line", TOLD)
    asked = type(whole)(whole.name, whole.what, whole.values[known], whole.graded)
    expected = find(memory(textgen.trace(model, text=TOLD))[known].astype(np.float16), asked)
    assert found.to_dict() == expected.to_dict()
    assert found.to_dict()["characters"] == known.sum()
    assert {cell.layer for cell in found.cells} == {1, 2}


def test_gates_at_a_pattern_are_the_means_of_the_trace(model: Path, known: np.ndarray) -> None:
    found = textgen.gates_at(model, text=TOLD, at=r"dog\.?$|x*")
    trace = textgen.trace(model, text=TOLD)
    ends = np.array([place for place in range(len(TOLD)) if TOLD[place - 2 : place + 1] in ("dog", "og.")])
    ends = np.array([place for place in ends if TOLD[place + 1] == "\n" or TOLD[place] == "x"])
    ends = np.union1d(ends, [place for place in range(len(TOLD)) if TOLD[place] == "x"])
    places = (np.cumsum(known) - 1)[ends]
    for layer in range(2):
        for number, name in enumerate(found.quantities):
            values = trace.values[name][known, layer]
            if name in ("cell", "hidden", "candidate"):
                values = np.abs(values)
            expected = around(values.mean(axis=1, keepdims=True), places)
            np.testing.assert_allclose(found.means[layer, number], expected[0][0], atol=1e-5)
            np.testing.assert_allclose(found.margins[layer, number], expected[1][0], atol=1e-5)
            assert found.elsewhere[layer, number] == pytest.approx(expected[2][0], abs=1e-5)
            assert found.places == expected[3]
    assert found.to_dict()["offsets"] == [*range(-5, 11)]


def test_saturation_is_that_of_the_trace(model: Path, known: np.ndarray) -> None:
    trace = textgen.trace(model, text=TOLD)
    gates = [name for name in trace.values if name not in ("candidate", "cell", "hidden")]
    if not gates:
        with pytest.raises(ValueError, match="`saturation` is of gates, which SimpleRNN layers do not have"):
            textgen.saturation(model, text=TOLD)
        return
    found = textgen.saturation(model, text=TOLD)
    assert (found.gates, found.layers, found.characters) == (tuple(gates), (1, 2), known.sum())
    for number, gate in enumerate(gates):
        np.testing.assert_allclose(found.is_open[number], (trace.values[gate][known] > 0.9).mean(axis=0), atol=0.002)
        np.testing.assert_allclose(found.is_shut[number], (trace.values[gate][known] < 0.1).mean(axis=0), atol=0.002)


def test_similar_passages_are_told_by_their_places_in_the_whole_text(model: Path, known: np.ndarray) -> None:
    found = textgen.similar_passages(model, text=TOLD, start=90, end=93)
    values = memory(textgen.trace(model, text=TOLD))[known]
    least = 1.0 if np.abs(values).max() > 1 else 0.5
    signs = (np.sign(values) * (np.abs(values) >= least)).astype(np.int8)
    read = "".join(symbol for symbol in TOLD if symbol not in "Ω\t")
    expected = similar(signs, read, 88, 91)  # two characters before are not read
    assert (found.start, found.text, found.cells, found.typical) == (90, "uic", expected.cells, expected.typical)
    places = np.flatnonzero(known)
    assert [passage.start for passage in found.passages] == [places[passage.start] for passage in expected.passages]
    assert [passage.likeness for passage in found.passages] == [passage.likeness for passage in expected.passages]
    assert [passage.text for passage in found.passages] == [passage.text for passage in expected.passages]


def test_only_so_much_is_held(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyses, "MOST_BYTES", 2 * 16 * 1500)
    found = textgen.find_cells(model, text=TOLD, find="line").to_dict()
    assert found["characters"] == sum(symbol not in "Ω\t" for symbol in TOLD[:1500])
    assert found == textgen.find_cells(model, text=TOLD[:1500], find="line").to_dict()


@pytest.mark.parametrize(
    ("span", "error", "message"),
    [
        ((0, 0), ValueError, "`similar` must be START:END, of at most 1,000 characters, in what is read, from 0 to "),
        ((5, 4), ValueError, "not 5:4"),
        ((-1, 4), ValueError, "not -1:4"),
        ((0, 1001), ValueError, "not 0:1001"),
        ((len(TOLD) - 1, len(TOLD) + 1), ValueError, f"from 0 to {len(TOLD)}, not "),
        ((TOLD.find("Ω"), TOLD.find("Ω") + 2), CorpusError, "the model knows none of these characters"),
    ],
)
def test_a_passage_that_is_not_there_is_refused(
    tmp_path: Path, span: tuple[int, int], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        textgen.similar_passages(write_random(tmp_path / "run"), text=TOLD, start=span[0], end=span[1])
    assert message in str(caught.value)


def test_what_cannot_be_told_is_refused_before_the_text_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_random(tmp_path / "run")
    monkeypatch.setattr(analyses, "traced_subject", None)
    for name, error, message in [
        ("quotes", CorpusError, "quotes: never occurs"),
        ("^", CorpusError, "'^': never occurs"),
        ("(", ValueError, "`find` must be one of quotes, "),
    ]:
        with pytest.raises(error) as caught:
            textgen.find_cells(folder, text=TOLD, find=name)
        assert str(caught.value).startswith(message)
    with pytest.raises(ValueError, match=r"^`at` must be a regular expression, which '\[' is not: unterminated"):
        textgen.gates_at(folder, text=TOLD, at="[")
    with pytest.raises(CorpusError, match="to find cells takes at least 1,000"):
        textgen.find_cells(folder, text=TEXT, find="line")
