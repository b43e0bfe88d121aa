import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.unigram import write_unigram
from textgen.corpus.separate import Whole
from textgen.errors import CorpusError
from textgen.evaluation.evaluate import evaluate
from textgen.evaluation.judgement import UNKNOWN_BITS, Judgement, block_length, judge
from textgen.model_file import read_model

EVEN, ODD = {"a": 0.5, " ": 0.25, "b": 0.25}, {"a": 0.25, " ": 0.25, "b": 0.5}


def judged(tmp_path: Path, text: str, *models: dict[str, float], **description: str) -> Judgement:
    folders = [write_unigram(tmp_path / f"m{place}", model, **description) for place, model in enumerate(models)]
    return judge(Whole("text.txt", text), [read_model(folder) for folder in folders], [item.name for item in folders])


def test_bits_and_differences_are_those_of_a_computation_by_hand(tmp_path: Path) -> None:
    found = judged(tmp_path, "aab " * 500, ODD, EVEN)
    assert (found.characters, found.words, found.block) == (2000, 500, 100)
    assert [item.name for item in found.candidates] == ["m1", "m0"]
    best, other = found.candidates
    assert best.bits * 1999 == pytest.approx(999 * 1 + 500 * 2 + 500 * 2, rel=1e-6)  # all but the first
    assert other.bits * 1999 == pytest.approx(999 * 2 + 500 * 1 + 500 * 2, rel=1e-6)
    assert (best.difference, best.low, best.high, best.unknown, best.seen) == (0, 0, 0, 0, False)
    assert other.difference == pytest.approx(other.bits - best.bits)
    assert 0 < other.low < other.difference < other.high
    assert (found.best, found.equal, found.verdict) == ("m1", ("m1",), "m1")


def test_the_bits_are_those_of_evaluate(trained: Path, tmp_path: Path) -> None:
    text = "The lazy dog sleeps, and the fox jumps over Ω it. " * 30
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    other = write_unigram(tmp_path / "other", EVEN)
    found = judge(Whole("text.txt", text), [read_model(trained), read_model(other)], ["trained", "other"])
    expected = evaluate(trained, tmp_path / "text.txt")
    assert found.candidates[0].bits == pytest.approx(expected.bpc, rel=1e-6)
    assert (found.candidates[0].unknown, found.characters - 1) == (expected.unknown, expected.characters)


def test_equal_models_cannot_be_told_apart(tmp_path: Path) -> None:
    found = judged(tmp_path, "aab " * 500, EVEN, EVEN)
    assert (found.best, found.verdict) == (None, "cannot tell: m0 or m1")


def test_models_that_are_as_good_on_such_a_text_cannot_be_told_apart(tmp_path: Path) -> None:
    text = "".join(np.random.default_rng(0).choice(list("ab "), 3000).tolist())
    found = judged(tmp_path, text, EVEN, ODD, {"a": 0.01, "b": 0.01, " ": 0.98})
    assert found.best is None
    assert set(found.equal) == {"m0", "m1"}
    assert found.candidates[2].low > 1


def test_the_verdict_is_rarely_wrong_where_there_is_no_difference(tmp_path: Path) -> None:
    rng, verdicts = np.random.default_rng(0), []
    models = [read_model(write_unigram(tmp_path / name, model)) for name, model in (("m0", EVEN), ("m1", ODD))]
    for _ in range(60):
        text = "".join(rng.choice(list("ab "), 1000).tolist())
        verdicts.append(judge(Whole("", text), models, ["m0", "m1"]).best)
    assert verdicts.count(None) > 50


def test_a_short_text_gets_no_verdict(tmp_path: Path) -> None:
    found = judged(tmp_path, "aab " * 249, EVEN, ODD)
    assert (found.best, found.verdict) == (None, "none: the text has 996 characters, a verdict needs 1,000")
    assert found.candidates[0].name == "m0"


def test_characters_that_no_model_knows_are_no_evidence(tmp_path: Path) -> None:
    found = judged(tmp_path, "猫" * 3000 + "aab " * 249, EVEN, ODD)
    assert (found.characters, found.known, found.best) == (3996, 996, None)
    assert found.verdict == "none: the text has 996 characters that a model knows, a verdict needs 1,000"
    (tmp_path / "other").mkdir()
    assert judged(tmp_path / "other", "猫" * 3000 + "aab " * 249, EVEN, {**EVEN, "猫": 0.5}).best == "m1"


def test_a_very_short_text_has_no_interval_and_still_is_json(tmp_path: Path) -> None:
    found = judged(tmp_path, "aab ", EVEN, ODD)
    assert found.candidates[1].high == math.inf
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert values["candidates"][1]["low"] is None
    assert values["best"] is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("aab " * 2499, "text.txt: short for an attribution (9,996 characters, 2,499 words)"),
        ("aaaaaaab " * 1200, "text.txt: short for an attribution (10,800 characters, 1,200 words)"),
        ("猫" * 9999, "text.txt: short for an attribution (9,999 characters)"),
        ("aab " * 2500, None),
        ("猫" * 10_000, None),
    ],
)
def test_a_text_that_is_short_for_an_attribution_is_told(tmp_path: Path, text: str, told: str | None) -> None:
    flat = dict.fromkeys("ab 猫", 0.25)
    found = judged(tmp_path, text, flat, flat).warning
    if told is None:
        assert found is None
    else:
        assert found == f"{told}; below 2,500 words or 10,000 characters it is unreliable (Eder, 2015)"


def test_each_model_reads_in_its_own_normalisation_and_stretches_stay_aligned(tmp_path: Path) -> None:
    text = "Ab e\u0301e\u0301 ﬁ " * 200
    symbols = "abefi é\u0301Aﬁ"
    flat = dict.fromkeys(symbols, 1 / len(symbols))
    written = [
        write_unigram(tmp_path / form, flat, unicode=form, lowercase=form == "nfkc") for form in ("none", "nfc", "nfkc")
    ]
    found = judge(Whole("t", text), [read_model(folder) for folder in written], ["none", "nfc", "nfkc"])
    each = math.log2(len(symbols)) / (len(text) - 1)
    assert {item.name: round(item.bits / each) for item in found.candidates} == {
        "none": 10 * 200 - 1,
        "nfc": 8 * 200 - 1,
        "nfkc": 9 * 200 - 1,
    }
    assert all(item.high - item.low < 0.1 for item in found.candidates)


def test_unknown_characters_cost_a_choice_among_all_of_unicode(tmp_path: Path) -> None:
    found = judged(tmp_path, "aaΩb" * 300, EVEN, {**EVEN, "Ω": 0.25})
    assert [item.unknown for item in found.candidates] == [0, 300]
    assert found.candidates[1].bits * 1199 == pytest.approx(299 * 1 + 300 * 1 + 300 * 2 + 300 * UNKNOWN_BITS, rel=1e-5)


def test_a_symbol_for_rare_characters_stands_for_unknown_ones(tmp_path: Path) -> None:
    rare = {"a": 0.5, " ": 0.25, "\ufffd": 0.25}
    found = judged(tmp_path, "aaΩ " * 300, rare, rare, replacement="\ufffd")
    assert found.candidates[0].unknown == 300
    assert found.candidates[0].bits * 1199 == pytest.approx(599 * 1 + 600 * 2, rel=1e-5)


def test_a_text_of_unknown_characters_is_refused(tmp_path: Path) -> None:
    message = r"^text.txt: fewer than two of its characters are in the vocabulary of .*m1.*; expected .* same script$"
    with pytest.raises(CorpusError, match=message):
        judged(tmp_path, "猫は" * 500, dict.fromkeys("猫は", 0.5), EVEN)


def test_too_many_marks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"^text.txt: has more than 1,000 combining marks in a row"):
        judged(tmp_path, "a" + "\u0301" * 2000, EVEN, ODD, unicode="nfc")


def test_blocks_grow_with_the_text_in_steps() -> None:
    assert [block_length(n) for n in (10, 1000, 10_000, 20_000, 500_000, 4_000_000)] == [50, 50, 500, 1000, 1000, 4000]
