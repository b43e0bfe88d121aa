import json
import math
from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT
from textgen.errors import CorpusError
from textgen.evaluation import score as score_module
from textgen.evaluation.score import Place, Score, joined, score_pieces
from textgen.evaluation.subject import UNKNOWN_BITS
from textgen.evaluation.surprisal import surprisals
from textgen.model_file import read_model

ARRAYS = ("bits", "rank", "entropy", "likeliest", "likeliest_bits", "unknown", "ngram_bits")


def same(found: Score, expected: Score) -> bool:
    assert (found.text, found.part, found.place) == (expected.text, expected.part, expected.place)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), strict=True)
    return True


def test_of_the_training_text_the_hold_out_is_scored_and_its_mean_is_the_loss(fox: Path) -> None:
    found = textgen.score(fox / "run", fox / "fox.txt", against_ngram=True)
    expected = textgen.evaluate(fox / "run", fox / "fox.txt")
    whole = TEXT * 60
    assert (found.part, found.text) == ("hold-out", whole[-408:])
    assert found.place == Place(60 * 68 - 408, 55, 69 - 45)
    assert found.bpc == pytest.approx(expected.bpc, rel=1e-6)
    assert found.ngram == expected.baselines[0].name
    assert found.ngram_bits is not None
    assert found.ngram_bits.mean() == pytest.approx(expected.baselines[0].nats / math.log(2), rel=1e-6)
    assert [getattr(found, name).dtype for name in ARRAYS] == ["f4", "i4", "f4", "<U1", "f4", "?", "f4"]
    assert repr(found) == f"<Score of 408 characters: {found.bpc:.3f} bits per character>"


def test_each_character_has_its_rank_and_the_likeliest_in_its_place(fox: Path) -> None:
    found = textgen.score(fox / "run", text=TEXT, likeliest=2)
    read = read_model(fox / "run")
    np.testing.assert_allclose(found.bits, surprisals(read.weights, read.description.vocabulary.encode(TEXT)))
    assert (found.text, found.part, found.place) == (TEXT, "whole", Place(0, 1, 1))
    assert np.isnan([found.bits[0], found.entropy[0], *found.likeliest_bits[0]]).all(), "nothing predicts the first"
    assert (found.rank[0], found.likeliest[0].tolist()) == (0, ["", ""])
    for place in range(1, len(TEXT)):
        likeliest = found.likeliest[place].tolist()
        assert (found.rank[place] == 1) == (TEXT[place] == likeliest[0])
        assert (found.rank[place] == 2) == (TEXT[place] == likeliest[1])
        if found.rank[place] <= 2:
            assert found.bits[place] == pytest.approx(found.likeliest_bits[place, found.rank[place] - 1], rel=1e-4)
    assert (found.likeliest_bits[1:, 0] <= found.likeliest_bits[1:, 1]).all()


def test_unknown_characters_cost_as_one_of_all_of_unicode_and_are_not_read(fox: Path) -> None:
    plain = textgen.score(fox / "run", text=TEXT, baseline=fox / "fox.txt", against_ngram=True)
    found = textgen.score(fox / "run", text=f"Ω{TEXT[:30]}ΩΩ{TEXT[30:]}Ω", baseline=fox / "fox.txt", against_ngram=True)
    strange = np.array([symbol == "Ω" for symbol in found.text])
    assert (found.unknown == strange).all()
    for name in ARRAYS[:5]:
        np.testing.assert_array_equal(getattr(found, name)[~strange], getattr(plain, name))
    for bits, others in ((found.bits, plain.bits), (found.ngram_bits, plain.ngram_bits)):
        assert bits is not None
        assert others is not None
        assert (bits[strange] == np.float32(UNKNOWN_BITS)).all()
        np.testing.assert_array_equal(bits[~strange], others)
    assert np.isnan(found.bits).tolist() == [False, True, *[False] * (len(found) - 2)]
    assert (found.rank[strange] == 0).all()
    assert np.isnan(found.entropy[strange]).all()
    assert (found.likeliest[strange] == "").all()


@pytest.mark.parametrize("size", [1, 7, 64])
def test_the_pieces_of_a_text_are_the_whole(fox: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    options = {"text": f"Ω{TEXT}ΩΩΩ{TEXT}", "against_ngram": True, "baseline": fox / "fox.txt"}
    whole = textgen.score(fox / "run", **options)
    monkeypatch.setattr(score_module, "PIECE", size)
    pieces = list(score_pieces(fox / "run", **options))
    assert max(len(piece) for piece in pieces) == size
    for piece in pieces:
        before = whole.text[: piece.place.position]
        assert piece.place == Place(len(before), before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert same(joined(pieces), whole)


def test_a_score_is_plain_data(fox: Path) -> None:
    found = textgen.score(fox / "run", text="the Ωfox")
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (values["text"], values["bits"][0], values["rank"][:2]) == ("the Ωfox", None, [0, int(found.rank[1])])
    assert values["place"] == {"position": 0, "line": 1, "column": 1}
    assert values["unknown"] == [symbol == "Ω" for symbol in "the Ωfox"]
    assert values["ngram_bits"] is None
    assert set(ARRAYS) <= set(values)


def test_the_model_s_normalisation_is_used(fox: Path) -> None:
    assert textgen.score(fox / "run", text="e\u0301 \r\n").text == "é \n"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"text": ""}, CorpusError, "text: the text is empty; expected at least one character"),
        ({"text": "Ωt"}, CorpusError, "text: has no character after its first, which nothing predicts, that the model"),
        ({"text": "ΩΩ"}, CorpusError, "no character of it is in the model's vocabulary"),
        ({"text": TEXT, "against_ngram": True}, CorpusError, "no training part to train the n-gram on; give another"),
        ({"text": TEXT, "likeliest": 21}, ValueError, "`likeliest` must be a whole number from 0 to 20, not 21"),
        ({"text": 3}, TypeError, "`text` must be str or None, not int"),
        ({"text": TEXT, "everything": 1}, TypeError, "`everything` must be bool, not int"),
        ({"txt": TEXT}, TypeError, "there is no argument `txt`; did you mean `text`?"),
    ],
)
def test_unfit_arguments_are_refused(fox: Path, options: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message.replace("?", r"\?")):
        textgen.score(fox / "run", **options)


def test_a_string_and_files_exclude_each_other(fox: Path) -> None:
    with pytest.raises(ValueError, match=r"^`text` and paths exclude each other; give only one$"):
        textgen.score(fox / "run", fox / "fox.txt", text=TEXT)
    with pytest.raises(ValueError, match=r"^expected the path of at least one text$"):
        textgen.score(fox / "run")
