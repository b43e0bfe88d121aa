import json
import math
from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT, random_weights
from textgen.config import ModelConfig
from textgen.errors import CorpusError
from textgen.evaluation import memory
from textgen.evaluation.baselines import ngram_losses
from textgen.evaluation.memory_plot import FORMATS, draw_memory
from textgen.evaluation.surprisal import surprisals, surprisals_after
from textgen.generation.recurrent import Recurrent
from textgen.generation.sampling import losses
from textgen.model_file import Weights, read_model

V = 7
WEIGHTS = Weights.from_list(random_weights(ModelConfig(2, 12, 0.0, 6), V))
CODES = np.random.default_rng(4).integers(0, V, 500).astype(np.uint8)


def after(place: int, context: int, weights: Weights = WEIGHTS, codes: np.ndarray = CODES) -> float:
    """The bits of a character after so many others, read by a network that has read nothing before."""
    network = Recurrent(weights)
    state = network.start()
    for code in codes[place - context : place]:
        logits = network.step(code[None], state)
    return losses(logits, codes[place : place + 1]).item() / math.log(2)


@pytest.mark.parametrize("context", [1, 2, 30, 499])
def test_a_character_is_predicted_from_so_many_before_it(context: int) -> None:
    places = np.array([499, max(context, 200), max(context, 7), 499])
    found = surprisals_after(WEIGHTS, CODES, places, context)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [after(place, context) for place in places.tolist()], atol=1e-4)


@pytest.mark.parametrize(("first", "context"), [(1, 1), (300, 8), (300, 350)])
def test_a_mean_is_of_every_place_where_there_are_few(first: int, context: int) -> None:
    whole = surprisals(WEIGHTS, CODES, first)
    bits, margin = memory._measured(WEIGHTS, CODES, first, whole, context)
    places = range(max(first, context), len(CODES))
    more = np.mean([after(place, context) - whole[place - first] for place in places])
    assert bits == pytest.approx(whole.mean(dtype=np.float64) + more, abs=1e-4)
    assert margin == 0 or len(places) < len(whole)


def test_a_mean_of_some_places_is_within_its_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = surprisals(WEIGHTS, CODES, 100)
    expected = {context: memory._measured(WEIGHTS, CODES, 100, whole, context)[0] for context in (1, 4, 50)}
    monkeypatch.setattr(memory, "MOST", 120)
    found = {context: memory._measured(WEIGHTS, CODES, 100, whole, context) for context in expected}
    for context, (bits, margin) in found.items():
        assert 0 < abs(bits - expected[context]) < 2 * margin
    assert found[50][1] < found[1][1] / 3, "long contexts hardly differ from all of the text"


def test_the_hold_out_of_the_training_text_is_measured_beside_the_n_gram(fox: Path) -> None:
    found = textgen.memory_curve(fox / "run", fox / "fox.txt", contexts=[8, 1, 2, 100, 2])
    assert found.contexts.tolist() == [1, 2, 8, 100]
    read = read_model(fox / "run")
    codes = read.description.vocabulary.encode(TEXT * 60)
    first = len(codes) - 408
    assert found.all_bits == pytest.approx(surprisals(read.weights, codes, first).mean(), abs=1e-5)
    assert (found.characters, found.part) == (408, "hold-out")
    expected = np.array(ngram_losses(codes[:first], codes[first:], len(read.description.vocabulary))) / math.log(2)
    assert found.ngram_bits is not None
    np.testing.assert_allclose(found.ngram_bits, [expected[1], expected[2], np.nan, np.nan])


def test_without_a_training_text_there_is_no_n_gram(fox: Path) -> None:
    found = textgen.memory_curve(fox / "run", text=TEXT + "Ω" + TEXT, contexts=[1, 9])
    assert found.ngram_bits is None
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert values["contexts"] == [1, 9]
    assert (values["ngram_bits"], values["characters"], values["part"]) == (None, 2 * 68 - 1, "whole")
    with_it = textgen.memory_curve(fox / "run", text=TEXT, contexts=[1, 9], baseline=fox / "fox.txt").to_dict()
    assert with_it["ngram_bits"][1] is None


@pytest.mark.parametrize(
    ("contexts", "error", "message"),
    [
        ([], ValueError, "`contexts` must be 1 to 50 numbers, not []"),
        ([0], ValueError, "`contexts` must be a whole number from 1 to 10,000, not 0"),
        (3, TypeError, "`contexts` must be Sequence, not int"),
        (range(1, 52), ValueError, "`contexts` must be 1 to 50 numbers"),
        (
            [1, 68],
            CorpusError,
            "text: has 68 characters that the model knows; expected more than the longest context, 68",
        ),
    ],
)
def test_unfit_contexts_are_refused(fox: Path, contexts: list[int], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        textgen.memory_curve(fox / "run", text=TEXT, contexts=contexts)
    assert message in str(caught.value)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_curve_is_drawn(fox: Path, tmp_path: Path, kind: str) -> None:
    for options in ({}, {"baseline": fox / "fox.txt"}):
        curve = textgen.memory_curve(fox / "run", text=TEXT, contexts=[1, 2, 9], **options)
        draw_memory(curve, tmp_path / "curve", kind)
        assert (tmp_path / "curve").stat().st_size > 3000
