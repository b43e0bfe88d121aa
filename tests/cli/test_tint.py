from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.cli.terminal import printable
from textgen.cli.tint import GAIN, SURPRISAL, TRUE_COLOUR, legend, tinted, with_digits

ANY = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("a\n\t\u0301\u200d日\x1b")), max_size=60
)


def values(text: str, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=len(text)).astype(np.float32) * 8
    return np.where(np.arange(len(text)) == 0, np.float32(np.nan), found)


@pytest.mark.parametrize("colours", [256, TRUE_COLOUR])
@given(text=ANY)
def test_the_pieces_are_the_text(text: str, colours: int) -> None:
    pieces = list(tinted(text, values(text), GAIN, colours))
    assert "".join(piece for _, piece in pieces).replace("↵\n", "\n") == text.replace("↵\n", "\n")
    assert all(style != after for (style, _), (after, _) in pairwise(pieces)), "runs are joined"
    assert all("\n" not in piece for style, piece in pieces if style), "no tint runs on to the end of the line"


def test_marks_have_the_tint_of_the_most_remarkable_of_their_character() -> None:
    pieces = list(tinted("ae\u0301b", np.array([0.0, 1.0, 9.0, 0.0]), SURPRISAL, 256))
    assert [piece for _, piece in pieces] == ["a", "e\u0301", "b"]
    assert pieces[1][0] == SURPRISAL.style(9.0, 256)


def test_a_tint_is_that_of_the_stop_or_between_two() -> None:
    assert SURPRISAL.style(1.99, 256) == SURPRISAL.style(float("nan"), 256) == SURPRISAL.style(-9.0, 256) == ""
    assert SURPRISAL.style(2.0, 256) == SURPRISAL.style(3.9, 256) == "38;5;16;48;5;222"
    assert SURPRISAL.style(20.0, 256) == "38;5;231;48;5;88"
    assert SURPRISAL.style(3.0, TRUE_COLOUR) == "38;2;0;0;0;48;2;254;198;97", "half way"
    assert SURPRISAL.style(50.0, TRUE_COLOUR) == SURPRISAL.style(14.0, TRUE_COLOUR)
    assert GAIN.style(4.0, 256) != GAIN.style(-4.0, 256)
    assert GAIN.style(0.4, 256) == GAIN.style(-0.4, 256) == ""


def test_the_legend_shows_every_stop() -> None:
    assert "".join(piece for _, piece in legend(SURPRISAL, 256)) == "bits:  2   4   6   8   10   14  "
    shown = "".join(piece for _, piece in legend(GAIN, TRUE_COLOUR))
    assert shown.split(":")[1].split() == ["-4", "-2", "-1", "-0.5", "0.5", "1", "2", "4"]


@given(text=ANY, columns=st.integers(2, 30))
def test_any_text_is_shown_with_digits(text: str, columns: int) -> None:
    lines = list(with_digits([(text, values(text))], GAIN, columns))
    assert all(printable(line) == line for line in lines)
    letters = printable(text.replace("\t", " ").replace("\n", ""))
    assert len("".join(lines)) >= len(letters)


def test_lines_go_on_over_pieces_and_break_at_the_edge() -> None:
    pieces = [("ab", np.array([np.nan, 2.4])), ("c日d\n", np.array([0.4, 12.0, 1.0, 3.0])), ("e", np.array([0.0]))]
    assert list(with_digits(pieces, SURPRISAL, 5)) == ["abc日", " 2 9", "d", "13", "e"]
    assert list(with_digits(pieces, SURPRISAL, 80)) == ["abc日d", " 2 9 13", "e"]
