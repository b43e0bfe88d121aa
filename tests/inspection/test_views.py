"""What is looked at: how it is named, what there is, and what a text is tinted by."""

from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT
from tests.generation.test_recurrent import some_weights
from tests.inspection.random_model import write_random
from textgen.config import Reading
from textgen.evaluation.score import subject_of
from textgen.inspection.views import View, cell_view, default_views, gate_view, viewed


def test_cells_and_gates_are_named_by_layer_and_number() -> None:
    weights = some_weights(2)
    assert cell_view("2.10", weights) == View("cell", 2, 10)
    assert (gate_view("forget", weights), gate_view("1.forget", weights)) == (View("forget", 2), View("forget", 1))
    assert [view.name for view in default_views(weights)[:2]] == ["input gate of layer 1", "forget gate of layer 1"]
    assert (View("cell", 2, 10).name, View("cell", 2, 10).word, View("forget", 1).word) == (
        "cell 2.10",
        "cell_2.10",
        "forget_1",
    )
    assert cell_view("1.1", some_weights(cell="gru")) == View("hidden", 1, 1)


@pytest.mark.parametrize(
    "word", ["2.11", "3.1", "0.1", "1.0", "2", "2.", ".1", "2.1.1", "-1.1", "２.1", "", "1" * 5000]
)
def test_a_cell_out_of_range_is_refused_with_the_range(word: str) -> None:
    with pytest.raises(ValueError, match=r"from 1\.1 to 2\.10 in this model \(2 × LSTM\(10\)\), not "):
        cell_view(word, some_weights())


@pytest.mark.parametrize(
    ("word", "cell", "message"),
    [
        (
            "update",
            "lstm",
            "one of input, forget, output, which LSTM layers have, or LAYER.GATE with a layer from 1 to 2",
        ),
        ("3.forget", "lstm", "with a layer from 1 to 2, not '3.forget'"),
        ("0.forget", "lstm", "with a layer from 1 to 2"),
        ("candidate", "lstm", "one of input, forget, output"),
        ("forget", "gru", "one of update, reset, which GRU layers have"),
        ("forget", "rnn", "`gate` needs a layer with gates, which SimpleRNN layers do not have; look at a `cell`"),
    ],
)
def test_a_gate_that_a_model_does_not_have_is_refused_with_those_it_has(word: str, cell: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gate_view(word, some_weights(cell=cell))


def test_views_are_columns_of_a_trace(tmp_path: Path) -> None:
    model = write_random(tmp_path / "run")
    whole = textgen.trace(model, text=TEXT * 20)
    subject = subject_of(model, (), text=TEXT * 20, everything=False, reading=Reading())
    views = [View("cell", 1, 3), View("forget", 1)]
    pieces = list(viewed(subject, views))
    assert [len(piece.text) for piece in pieces] == [1024, 336]
    found = np.concatenate([piece.values for piece in pieces])
    np.testing.assert_allclose(found[:, 0], whole.values["cell"][:, 0, 2], atol=1e-6)
    np.testing.assert_allclose(found[:, 1], whole.values["forget"][:, 0].mean(axis=1), atol=1e-6)


def test_a_cell_is_tinted_by_its_tangent_and_a_gate_by_its_difference_from_the_mean() -> None:
    cell = np.array([-9, 0, 0.5, np.nan], np.float32)
    for view, expected in ((View("cell", 1, 1), np.tanh(cell)), (View("hidden", 1, 1), cell)):
        shown, top, middle = view.difference(cell)
        np.testing.assert_array_equal(shown, expected)
        assert (top, middle) == (1, 0)
    gate = np.array([0.4] * 50 + [0.6] * 50 + [np.nan], np.float32)
    shown, top, middle = View("forget", 1).difference(gate)
    np.testing.assert_allclose(shown, [-0.1] * 50 + [0.1] * 50 + [np.nan], atol=1e-6)
    assert (top, middle) == (pytest.approx(0.1), pytest.approx(0.5))
    assert View("forget", 1).difference(np.full(5, 0.5, np.float32))[1] > 0, "a text of one character has a scale too"
