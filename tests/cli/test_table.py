import pytest

from textgen.cli.table import aligned, cut, width


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("の", 2), ("Ｏ", 2), ("ｱ", 1), ("e\u0301", 1), ("◌\u3099", 1), ("a\u200bb", 2)],
)
def test_the_width_is_that_of_a_terminal(text: str, columns: int) -> None:
    assert width(text) == columns


def test_cells_are_aligned() -> None:
    assert aligned([["a", "1", "x"], ["日本", "1,000", ""]], right=frozenset({1})) == ["a         1  x", "日本  1,000"]
    assert aligned([]) == []


@pytest.mark.parametrize(
    ("text", "columns", "kept"),
    [("abc", 2, "ab"), ("日本", 3, "日"), ("ae\u0301\u0302b", 2, "ae\u0301\u0302"), ("a", 9, "a")],
)
def test_a_text_is_cut_between_characters(text: str, columns: int, kept: str) -> None:
    assert cut(text, columns) == kept
