import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.corpus.normalisation import Normalisation
from textgen.corpus.vocabulary import Vocabulary
from textgen.generation.constraints import Alphabet, Ban, NoRepeat, Rule

codes = st.lists(st.integers(0, 2), max_size=12)


def holds(rule: Rule, seed: Sequence[int], written: Sequence[int], symbols: int, is_right) -> None:
    """Hold a rule to a naive twin at every place of a text, whatever was written before."""
    constraint = rule.begin(np.array(seed, np.int32), len(written))
    for place in range(len(written) + 1):
        before = [*seed, *written[:place]]
        mask = constraint.allowed()
        allowed = [True] * symbols if mask is None else mask.tolist()
        assert allowed == [is_right([*before, code]) for code in range(symbols)], before
        if place < len(written):
            constraint.advance(written[place])


def letters(alphabet: Alphabet, vocabulary: Vocabulary) -> str:
    return "".join(np.array(vocabulary.symbols)[alphabet.mask])


def alphabet(letters: str = "abcde", *, unicode: str = "nfc", lowercase: bool = False, **options) -> Alphabet:
    return Alphabet.of(Vocabulary.of(letters), normalisation=Normalisation(unicode, lowercase), **options)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"only": "cab"}, "abc"),
        ({"only": "aaa"}, "a"),
        ({"without": "e"}, "abcd"),
        ({"only": "abc", "without": "de"}, "abc"),
        ({"without": "a", "replacement": "e"}, "bcd"),
        ({"only": "ae", "replacement": "e"}, "a"),
        ({"replacement": "e"}, "abcd"),
    ],
)
def test_an_alphabet_has_what_it_is_given(options, kept: str) -> None:
    rule = alphabet(**options)
    mask = rule.begin(np.array([0], np.int32), 5).allowed()
    assert letters(rule, Vocabulary.of("abcde")) == kept
    assert mask is not None
    assert mask.sum() == len(kept)


def test_an_alphabet_is_normalised_as_the_text_was() -> None:
    assert letters(alphabet("aé", only="e\u0301"), Vocabulary.of("aé")) == "é"
    assert letters(alphabet("aσς", only="ΑΣ".replace("Α", "A"), lowercase=True), Vocabulary.of("aσς")) == "aσ"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"only": "abx"},
            r"`only` has characters that are not in the model's vocabulary: 'x' \(U\+0078 LATIN [^(]*\)$",
        ),
        ({"without": "é"}, r"`without` has characters that are not in the model's vocabulary: 'é' \(U\+00E9"),
        ({"only": ""}, "`only` must have at least one character$"),
        ({"without": ""}, "`without` must have at least one character$"),
        ({"only": "ab", "without": "bc"}, r"`only` and `without` contradict each other: both have 'b' \(U\+0062"),
        ({"without": "abcde"}, "`without` leaves no character to write$"),
        ({"only": "e", "replacement": "e"}, "`only` leaves no character to write$"),
    ],
)
def test_an_alphabet_that_cannot_be_is_refused(options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        alphabet(**options)


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=4), min_size=1, max_size=5), codes, codes)
def test_a_banned_text_is_never_completed(banned: list[list[int]], seed: list[int], written: list[int]) -> None:
    holds(Ban(banned, 3), seed, written, 3, lambda text: not any(text[-len(item) :] == item for item in banned))


def test_what_is_no_ending_of_a_banned_text_costs_no_mask() -> None:
    banned = Ban([[0, 1, 2]], 3).begin(np.array([], np.int32), 10)
    assert banned.allowed() is None


@given(st.integers(2, 5), codes, codes)
def test_no_characters_in_a_row_come_twice(n: int, seed: list[int], written: list[int]) -> None:
    def is_right(text: list[int]) -> bool:
        return text[-n:] not in [text[start : start + n] for start in range(len(text) - n)]

    holds(NoRepeat(n, 3), seed, written, 3, is_right)


def test_texts_that_follow_the_same_seed_do_not_see_each_other() -> None:
    rule = NoRepeat(2, 3)
    first, second = rule.begin(np.array([0, 1, 0], np.int32), 9), rule.begin(np.array([0, 1, 0], np.int32), 9)
    first.advance(2)
    first.advance(0)
    assert first.allowed().tolist() == [True, False, False]  # type: ignore[union-attr]
    assert second.allowed().tolist() == [True, False, True]  # type: ignore[union-attr]
    assert rule.begin(np.array([0, 2, 0], np.int32), 9).allowed().tolist() == [True, True, False]  # type: ignore[union-attr]


def test_a_text_of_one_symbol_ends_when_it_would_repeat_itself() -> None:
    text = NoRepeat(3, 1).begin(np.array([], np.int32), 9)
    for _ in range(3):
        assert text.allowed() is None
        text.advance(0)
    assert text.allowed().tolist() == [False]  # type: ignore[union-attr]


def test_a_large_n_takes_no_more_memory_than_a_small_one() -> None:
    written, taken = np.random.default_rng(0).integers(60, size=4000).tolist(), []
    for n in (8, 1000):
        text = NoRepeat(n, 60).begin(np.array([], np.int32), 9)
        tracemalloc.start()
        for code in written:
            text.advance(code)
        taken.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    assert taken[1] < 1.1 * taken[0]
