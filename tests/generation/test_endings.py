import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.generation.endings import CLEAR, CLOSING, UNCLEAR, End, EndFinder


def ended(end: End, written: str, more: str) -> str | None:
    """A text with what is let through of what follows; None if it has not ended."""
    finder = EndFinder(end, written)
    text = written + finder.feed(more)
    return text if finder.found else None


@pytest.mark.parametrize(
    "text",
    [
        "It was late.| He went.",
        "It was late.|\nHe went.",
        "“Is it late?” he asked.| She",
        "“It is late.”| “Is it?”",
        'It is late.| "Is it?"',
        "Bread, milk, etc. are sold out.| It",
        'He said "no!"| And he',
        "He said (twice.)| And",
        "Er sagte: „Nein.“| Und",
        "Er rief: »Ja!«| Und",
        "Wait... what?!| No. ",
        "Pi is 3.14 or so.| It",
        "See www.example.org now.| It",
        "Mr. Darcy met Dr. J. Smith.| They",
        "It rains… and rains…| So",
        "Τι είναι αυτό;| Αυτό",
        "One; two.| Three",
        "彼は行った。|それから",
        "「はい。」|と彼は言った。",
        "「はい」|\n彼は",
        "「はい」と言った。|彼は",
        "『何！？』|と",
        "本当……かもしれない。|彼は",
        "“你好。”|他说。",
        "你好。|“再见。”",
        "是吗？！|他",
        "えっ！…」|と",
        "हाँ।| वह",
        "ہاں۔| وہ",
        "هل هذا؟| نعم",
        "Այո։| Նա",
        "አዎ።| እሱ",
        "本当！|　彼は",
    ],
)
def test_a_sentence_ends_with_all_its_marks_and_quotes(text: str) -> None:
    whole, before = text.replace("|", ""), text[: text.index("|")]
    for place in range(len(whole)):
        found = ended("sentence", whole[:place], whole[place:])
        if place <= len(before):
            assert found == before, place


def test_a_text_that_has_ended_a_sentence_already_writes_no_more() -> None:
    for end, written in [
        ("sentence", "彼は行った。\n"),
        ("line", "It was late\n"),
        ("paragraph", "It was late.\n\n"),
    ]:
        assert EndFinder(end, written).found  # type: ignore[arg-type]
    for end, written in [
        ("sentence", "It was late."),
        ("sentence", "It was late. "),
        ("sentence", "It was 3.1"),
        ("sentence", "Mr. "),
        ("sentence", ""),
        ("line", "It was late"),
        ("line", "\n"),
        ("paragraph", "It was late.\n"),
    ]:
        assert not EndFinder(end, written).found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("end", "written", "more", "text"),
    [
        ("line", "It was", " late. He\nwent", "It was late. He"),
        ("line", "It was", "\nlate", "It was"),
        ("line", "It was ", "\nlate", "It was "),
        ("line", "It was", "  \nlate", "It was"),
        ("line", "", "\n\nIt was\nlate", "\n\nIt was"),
        ("paragraph", "It was", " late.\nHe went.\n\nThen", "It was late.\nHe went."),
        ("paragraph", "It was", " late.\n  \nThen", "It was late."),
        ("paragraph", "It was late.\n", "\nThen", "It was late.\n"),
        ("paragraph", "行った。", "\n　それから", "行った。"),
        ("paragraph", "行った。", "\n「はい", "行った。"),
        ("sentence", "It was late. ", "He went. Then", "It was late. "),
        ("sentence", "", "\n Never. So", "\n Never."),
    ],
)
def test_an_end_is_met_without_the_white_space_before_it(end: End, written: str, more: str, text: str) -> None:
    assert ended(end, written, more) == text


@given(st.sampled_from(["line", "sentence", "paragraph"]), st.text('aB.。」"; \n　…', max_size=30), st.integers(0, 30))
def test_what_is_let_through_begins_the_text_whatever_the_pieces(end: End, text: str, cut: int) -> None:
    whole, pieces = EndFinder(end, ""), EndFinder(end, "")
    kept = whole.feed(text)
    assert pieces.feed(text[:cut]) + pieces.feed(text[cut:]) == kept
    assert pieces.found == whole.found
    assert text.startswith(kept)
    assert kept + whole.flush() == (kept if whole.found else text)
    if whole.found:
        assert not kept[-1].isspace()


def test_marks_are_punctuation_and_what_closes_is_no_letter() -> None:
    points = [chr(point) for low, high in [(0x61D, 0x61F), (0x700, 0x702)] for point in range(low, high + 1)]
    for symbol in [*CLEAR.replace("-", ""), *UNCLEAR, *CLOSING.replace("\\", ""), *points]:
        assert unicodedata.category(symbol) in ("Po", "Pe", "Pf", "Ps"), symbol


def test_another_end_is_refused() -> None:
    with pytest.raises(ValueError, match="`end` must be one of line, sentence, paragraph, not 'page'"):
        EndFinder("page", "")  # type: ignore[arg-type]
