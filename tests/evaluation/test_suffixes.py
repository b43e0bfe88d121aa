import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.evaluation import suffixes
from textgen.evaluation.suffixes import Codes, Suffixes, blank

LONGEST, SHORTEST = 8, 3  # small ones, so that short texts have what is longer


def coded(text: list[int], step: int = 1) -> Codes:
    codes = blank(len(text), 4 * step)
    codes[:] = np.array(text) * step
    return codes


def naive_longest(text: list[int], corpus: list[int]) -> list[int]:
    """By looking at every pair of places."""
    return [max(same(text[i:], corpus[j:]) for j in range(len(corpus))) for i in range(len(text))]


def same(first: list[int], second: list[int]) -> int:
    return next(
        (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )


@st.composite
def pairs(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """A text with stretches of a corpus."""
    codes = st.lists(st.integers(1, draw(st.integers(1, 4))), min_size=1, max_size=60)
    corpus, text = draw(codes), draw(codes)[:20]
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(corpus) - 1))
        text += corpus[start : start + draw(st.integers(1, 40))]
    return text, corpus


@pytest.mark.parametrize("step", [1, 100, 30_001])  # codes of one, two and four bytes
@given(pairs())
def test_what_is_found_is_what_looking_at_every_pair_of_places_finds(
    step: int, pair: tuple[list[int], list[int]]
) -> None:
    text, corpus = pair
    expected = naive_longest(text, corpus)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suffixes, "LONGEST", LONGEST)
        patch.setattr(suffixes, "QUERIES", 16)
        codes, found = coded(text, step), Suffixes(coded(corpus, step))
        longest = found.longest(codes)
        assert longest.tolist() == [min(LONGEST, length) for length in expected]
        passages = found.passages(codes, longest, SHORTEST)
    wanted = [
        (place, length)
        for place, length in enumerate(expected)
        if length >= SHORTEST and (place == 0 or expected[place - 1] <= length)
    ]
    assert list(zip(passages.starts.tolist(), passages.lengths.tolist(), strict=True)) == wanted
    for start, length in wanted:
        at = [j for j in range(len(corpus)) if corpus[j : j + length] == text[start : start + length]]
        assert found.occurrences(codes[start : start + length]) == (at[0], len(at))


def test_what_is_not_there_has_no_occurrence() -> None:
    assert Suffixes(coded([1, 2, 1])).occurrences(coded([2, 2])) == (-1, 0)


def test_a_corpus_of_one_character_is_searched_in_no_time_whatever_is_copied() -> None:
    found, text = Suffixes(coded([1] * 200_000)), coded([1] * 50_000 + [2])
    passages = found.passages(text, found.longest(text), 20)
    assert (passages.starts.tolist(), passages.lengths.tolist()) == ([0], [50_000])


def test_the_border_of_two_texts_is_never_in_common_with_the_end_of_a_text() -> None:
    corpus = coded([1, 2, 0, 1, 3])
    assert Suffixes(corpus).longest(coded([1, 2])).tolist() == [2, 1]
