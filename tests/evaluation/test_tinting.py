import html
from dataclasses import replace

import numpy as np
import pytest

from textgen.evaluation.score import Place, Score
from textgen.evaluation.tinting import tinted
from textgen.page.tinted import Mark

NAN = np.nan


@pytest.fixture
def score() -> Score:
    """Of "ab☃\\n", where ☃ is unknown."""
    return Score(
        text="ab☃\n",
        bits=np.array([NAN, 1, 20, 3], np.float32),
        rank=np.array([0, 2, 0, 1], np.int32),
        entropy=np.array([NAN, 0.5, NAN, 2], np.float32),
        likeliest=np.array([["", ""], ["a", "b"], ["", ""], ["\n", "🎉"]]),
        likeliest_bits=np.array([[NAN, NAN], [1, 2], [NAN, NAN], [0.5, 3]], np.float32),
        unknown=np.array([False, False, True, False]),
        ngram_bits=None,
        ngram=None,
        part="whole",
        place=Place(7, 3, 4),
    )


def test_a_page_shows_all_that_was_predicted(score: Score) -> None:
    shown = tinted(score, "title")
    assert (shown.title, shown.text, shown.line, shown.column) == ("title", "ab☃\n", 3, 4)
    assert shown.summary == "8.00 bits per character, 4 characters (whole)"
    assert shown.values is score.bits
    rank, entropy = shown.details
    np.testing.assert_array_equal(rank.values, [NAN, 2, NAN, 1])
    assert entropy.values is score.entropy
    assert shown.marks == [Mark(2, 3, "not in the model's vocabulary")]
    alternatives = shown.alternatives
    assert alternatives is not None
    found = np.array(alternatives.symbols)[alternatives.codes]
    np.testing.assert_array_equal(found[1::2], score.likeliest[1::2])
    np.testing.assert_allclose(alternatives.probabilities[[1, 3]], [[0.5, 0.25], [2**-0.5, 0.125]])


def test_beside_an_n_gram_the_tint_is_what_the_model_gains(score: Score) -> None:
    against = replace(score, ngram_bits=np.array([NAN, 4, 20, 2], np.float32), ngram="n-gram (5)")
    shown = tinted(against)
    assert shown.values is not None
    np.testing.assert_array_equal(shown.values, [NAN, 3, 0, -1])
    assert shown.scale is not None
    assert (shown.scale.diverging, shown.scale.low, shown.scale.high) == (True, "n-gram (5) better", "model better")
    assert [detail.name for detail in shown.details] == ["surprisal", "n-gram's", "rank", "entropy"]


def test_a_notebook_shows_a_score(score: Score) -> None:
    frame = score._repr_html_()
    assert frame.startswith('<iframe title="Surprisal" sandbox="allow-scripts"')
    assert '"text": "ab☃\\n"' in html.unescape(frame)


def test_nothing_predicted_is_said(score: Score) -> None:
    alone = replace(
        score, text="a", **{name: getattr(score, name)[:1] for name in (
            "bits", "rank", "entropy", "likeliest", "likeliest_bits", "unknown")},
    )  # fmt: skip
    assert tinted(alone).summary == "nothing predicted, 1 character (whole)"
    assert tinted(alone).marks == []
