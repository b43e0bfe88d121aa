import pytest

from textgen.errors import CorpusError
from textgen.inspection.features import NAMED, feature


def marked(name: str, text: str) -> str:
    """The text with a point for each character that does not have the feature."""
    return "".join(symbol if value else "." for symbol, value in zip(text, feature(name, text).values, strict=True))


def numbers(name: str, text: str) -> list[int]:
    return [int(value) for value in feature(name, text).values]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("quotes", 'a "b" c "d', '.."b......'),
        ("quotes", "“a ‘b’ don’t” c", "“a ‘b’ don’t..."),
        ("quotes", "「君『私』は」と", "「君『私』は.."),
        ("quotes", "「一\n\n「二」三", "....「二.."),  # a letter's paragraphs, of which only the last is closed
        ("quotes", "»ja« „doch“ nein", "»ja..„doch......"),
        ("quotes", "« oui » non", "« oui ....."),
        ("brackets", "f(a[1]) b) (c", ".(a[1]......."),
        ("brackets", "[(] (彼（か）《れ》", "[(....（か.《れ."),
        ("speaker", "First Citizen:\nSpeak: now.\n\nAll:\nNo.", "First Citizen" + "." * 15 + "All" + "." * 5),
        ("speaker", "ACT I\n\n    A heath.\n\nMACBETH\n\n    So foul", "." * 21 + "MACBETH" + "." * 13),
        ("speaker", "HAMLET. To be.\n\nKING. O", "HAMLET..........KING..."),
        ("speaker", "XIV. He said:\n\n先生：\nいや", "." * 15 + "先生...."),
        (r"^\w", "ab\ncd", "a..c."),
    ],
)
def test_what_is_inside(name: str, text: str, expected: str) -> None:
    assert marked(name, text) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("line", "ab\n\nc\n", [0, 1, 2, 0, 0, 1]),
        ("word", "I don't 42", [1, 0, 1, 2, 3, 4, 5, 0, 0, 0]),
        ("sentence", "It is. Do", [0, 1, 2, 3, 4, 5, 6, 0, 1]),
        ("sentence", "Mr. C", [0, 1, 2, 3, 4]),
        ("sentence", "春。夏", [0, 1, 0]),
        ("indent", "  a\nb\n\n\tc\n", [1, 2, 2, 2, 0, 0, 0, 1, 1, 1]),
    ],
)
def test_positions(name: str, text: str, expected: list[int]) -> None:
    assert numbers(name, text) == expected


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "quotes",
            "plain " * 300,
            "quotes: never occurs in this text of 1,800 characters, so no cell can tell it; look for another feature, "
            "or in another text",
        ),
        ("[a-z]", "abc", "'[a-z]': is true of every character of this text of 3 characters, so no cell can tell it"),
        ("indent", "a\nb", "indent: the indentation of the line is 0 throughout this text of 3 characters, so"),
        (
            "word",
            "吾輩は猫である",
            "word: most letters of this text are of a script that puts no space between words; ",
        ),
    ],
)
def test_a_feature_that_tells_nothing_is_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        feature(name, text)
    assert str(caught.value).startswith(message)


def test_what_is_no_regular_expression_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match="unterminated") as caught:
        feature("(a", "text")
    expected = (
        "`find` must be one of quotes, line, word, sentence, speaker, brackets, indent, or a regular expression, "
        "which '(a' is not: missing ), unterminated subpattern at position 0"
    )
    assert str(caught.value) == expected


@pytest.mark.parametrize("name", NAMED)
def test_an_empty_text_is_refused(name: str) -> None:
    with pytest.raises(CorpusError, match="the text is empty"):
        feature(name, "")
