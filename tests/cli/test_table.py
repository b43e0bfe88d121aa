import pytest

from textgen.cli.table import aligned, printable, width


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("の", 2), ("Ｏ", 2), ("ｱ", 1), ("e\u0301", 1), ("◌\u3099", 1), ("a\u200bb", 2)],
)
def test_the_width_is_that_of_a_terminal(text: str, columns: int) -> None:
    assert width(text) == columns


def test_cells_are_aligned() -> None:
    assert aligned([["a", "1", "x"], ["日本", "1,000", ""]], right=frozenset({1})) == ["a         1  x", "日本  1,000"]
    assert aligned([]) == []


def test_what_could_steer_a_terminal_is_escaped() -> None:
    assert printable("a\x1b[2J\u202eb\n日\udce9") == r"a\x1b[2J\u202eb\n日\udce9"
