import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.generation.stopping import StopFinder

letters = st.text("ab", max_size=30)
stops = st.lists(st.text("ab", min_size=1, max_size=4), max_size=3)


def feed(text: str, stop: list[str]) -> tuple[str, str | None]:
    finder = StopFinder(stop)
    written = finder.feed(text[:7]) + finder.feed(text[7:])
    return written + finder.flush(), finder.found


@given(letters, stops)
def test_the_text_ends_before_the_first_stop_string_to_be_complete(text: str, stop: list[str]) -> None:
    ends = [(text.find(item) + len(item), -len(item)) for item in stop if item in text]
    written, found = feed(text, stop)
    if ends:
        end, longest = min(ends)
        assert (written, found) == (text[: end + longest], text[end + longest : end])
    else:
        assert (written, found) == (text, None)


def test_only_what_may_become_a_stop_string_is_held_back() -> None:
    finder = StopFinder(["abc"])
    assert [finder.feed(symbol) for symbol in "xababd"] == ["x", "", "", "ab", "", "abd"]


def test_an_empty_stop_string_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one character"):
        StopFinder(["a", ""])
