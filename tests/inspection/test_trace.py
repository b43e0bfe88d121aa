"""Traces against the textbook's step in float64, and against Keras's."""

from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT
from tests.generation.test_recurrent import gru, lstm, rnn, sigmoid, some_weights
from tests.inspection.random_model import write_random
from textgen.cells import CELLS
from textgen.errors import CorpusError
from textgen.inspection import blocks, trace
from textgen.inspection.blocks import Choice, traced
from textgen.model_file import LayerWeights, Weights

CODES = np.random.default_rng(2).integers(0, 7, 40).astype(np.uint8)
Parts = dict[str, np.ndarray]


def lstm_parts(x: np.ndarray, layer: LayerWeights, h: np.ndarray, c: np.ndarray) -> Parts:
    i, f, g, o = np.split(x @ layer.kernel + h @ layer.recurrent + layer.bias, 4)
    hidden, cell = lstm(x, layer, h, c)
    parts = {"input": sigmoid(i), "forget": sigmoid(f), "output": sigmoid(o), "candidate": np.tanh(g)}
    return parts | {"hidden": hidden, "cell": cell}


def gru_parts(x: np.ndarray, layer: LayerWeights, h: np.ndarray) -> Parts:
    of_input, of_output = layer.bias
    (z, r, g), (z2, r2, g2) = np.split(x @ layer.kernel + of_input, 3), np.split(h @ layer.recurrent + of_output, 3)
    parts = {"update": sigmoid(z + z2), "reset": sigmoid(r + r2), "candidate": np.tanh(g + sigmoid(r + r2) * g2)}
    return parts | {"hidden": gru(x, layer, h)[0]}


def rnn_parts(x: np.ndarray, layer: LayerWeights, h: np.ndarray) -> Parts:
    return {"hidden": rnn(x, layer, h)[0]}


TEXTBOOK = {"lstm": lstm_parts, "gru": gru_parts, "rnn": rnn_parts}


def naive(weights: Weights, cell: str) -> Parts:
    """Every quantity of every unit, `(N, layers, units)`."""
    memory = CELLS[cell].memory
    states = [[np.zeros(len(layer.recurrent)) for _ in memory] for layer in weights.layers]
    rows: list[list[Parts]] = []
    for code in CODES:
        x, rows = weights.embedding[code].astype(np.float64), [*rows, []]
        for place, layer in enumerate(weights.layers):
            rows[-1].append(TEXTBOOK[cell](x, layer, *states[place]))
            states[place] = [rows[-1][-1][name] for name in memory]
            x = states[place][0]
    return {name: np.array([[parts[name] for parts in row] for row in rows]) for name in rows[0][0]}


def whole(weights: Weights, first: int = 0, choice: Choice | None = None) -> Parts:
    found = [block.values for block in traced(weights, CODES, first, choice=choice)]
    return {name: np.concatenate([values[name] for values in found]) for name in found[0]}


@pytest.mark.parametrize("cell", CELLS)
def test_a_trace_is_the_textbooks_step_in_blocks_of_any_size(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 7)
    weights = some_weights(3, cell=cell)
    expected, found = naive(weights, cell), whole(weights)
    assert set(found) == set(expected) == set(CELLS[cell].quantities)
    for name, values in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], values, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("cell", CELLS)
def test_states_are_those_of_keras_layers(cell: str) -> None:
    keras = pytest.importorskip("textgen.training.backend").keras
    weights = some_weights(2, cell=cell)
    x, found = weights.embedding[CODES][None], whole(weights)
    for number, arrays in enumerate(weights.layers):
        kind = getattr(keras.layers, CELLS[cell].keras)
        layer = kind(10, return_sequences=True, return_state=True, **CELLS[cell].options)
        layer.build(x.shape)
        layer.set_weights([*arrays])
        for end in (1, 20, len(CODES)):
            hidden, *states = (np.asarray(array) for array in layer(x[:, :end]))
            for name, state in zip(CELLS[cell].memory, states, strict=True):
                np.testing.assert_allclose(found[name][end - 1, number], state[0], atol=1e-5, rtol=0)
        np.testing.assert_allclose(found["hidden"][:, number], hidden[0], atol=1e-5, rtol=0)
        x = hidden


def test_of_what_is_chosen_the_values_are_those_of_all() -> None:
    weights = some_weights(3, cell="gru")
    everything = whole(weights)
    chosen = whole(weights, choice=Choice.of(weights, [3, 1], ["candidate", "hidden"], [10, 2, 5]))
    assert set(chosen) == {"candidate", "hidden"}
    for name, values in chosen.items():
        np.testing.assert_allclose(values, everything[name][:, [2, 0]][:, :, [9, 1, 4]], atol=1e-6)


def test_a_trace_of_the_end_of_a_text_has_read_what_is_before_it() -> None:
    weights = some_weights()
    np.testing.assert_allclose(whole(weights, 15)["cell"], whole(weights)["cell"][15:], atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": [2]}, r"`layers\[0\]` must be a whole number from 1 to 1, not 2"),
        ({"units": [1, 0]}, r"`units\[1\]` must be a whole number from 1 to 8, not 0"),
        ({"quantities": "update"}, "`quantities` of LSTM layers are input, forget, output, candidate, cell, hidden, "),
        ({"units": []}, "`units` is empty; choose at least one"),
    ],
)
def test_what_a_model_does_not_have_is_refused_with_what_it_has(fox: Path, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        textgen.trace(fox / "run", text=TEXT, **options)


def test_a_trace_larger_than_memory_is_refused_before_it_is_made(fox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "MOST_NUMBERS", 500)
    with pytest.raises(ValueError, match=r"of 68 characters would have 544 numbers, more than 500; choose fewer"):
        textgen.trace(fox / "run", text=TEXT, quantities="cell")
    assert textgen.trace(fox / "run", text=TEXT, quantities="cell", units=[1]).values["cell"].shape == (68, 1, 1)


def test_unknown_characters_are_shown_and_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = write_random(tmp_path / "run")
    monkeypatch.setattr(trace, "BLOCK", 5)
    strange = textgen.trace(model, text="the é dog, ☃☃☃☃☃☃☃☃ dog", layers=[1], units=[3, 4])
    plain = textgen.trace(model, text="the  dog,  dog")
    assert strange.text == "the é dog, ☃☃☃☃☃☃☃☃ dog"
    assert [*np.flatnonzero(~strange.known)] == [4, *range(11, 19)]
    for name, values in strange.values.items():
        assert np.isnan(values[~strange.known]).all()
        np.testing.assert_allclose(values[strange.known], plain.values[name][:, :, 2:4], atol=1e-6)
    np.testing.assert_array_equal(strange.of("cell", 1, 4), strange.values["cell"][:, 0, 1])
    with pytest.raises(ValueError, match="'cell' of unit 5 of layer 1 was not traced"):
        strange.of("cell", 1, 5)
    assert repr(plain) == (
        "<Trace of 14 characters: input, forget, output, candidate, cell, hidden of 8 units of 1 layer>"
    )


def test_of_the_training_text_the_held_out_part_is_traced(fox: Path) -> None:
    found = textgen.trace(fox / "run", fox / "fox.txt", quantities="hidden")
    assert (found.part, len(found), found.place.position) == ("hold-out", 408, 3672)
    assert found.text == (TEXT * 60)[3672:]
    everything = textgen.trace(fox / "run", fox / "fox.txt", quantities="hidden", everything=True)
    assert (everything.part, len(everything)) == ("whole, seen in training", 4080)


def test_pieces_are_a_trace_in_bounded_memory(tmp_path: Path) -> None:
    model = write_random(tmp_path / "run")
    whole = textgen.trace(model, text=TEXT * 20, quantities="cell")
    pieces = list(textgen.trace_pieces(model, text=TEXT * 20, quantities="cell"))
    assert [len(piece) for piece in pieces] == [1024, 336]
    assert pieces[1].place.position == 1024
    np.testing.assert_array_equal(np.concatenate([piece.values["cell"] for piece in pieces]), whole.values["cell"])


def test_a_text_without_a_character_is_refused(fox: Path) -> None:
    with pytest.raises(CorpusError, match="empty"):
        textgen.trace(fox / "run", text="")
