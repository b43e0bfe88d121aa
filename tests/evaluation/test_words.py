import pytest

from textgen.evaluation.words import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop, O'Neill: it’s 5 o'clock!", ["don't", "stop", "o'neill", "it's", "o'clock"]),
        ("snake_case x2y 'quoted'", ["snake", "case", "x", "y", "quoted"]),
        ("Ärger ÉTÉ", ["ärger", "été"]),
        ("나는 고양이다.", ["나는", "고양이다"]),
        ("", []),
        ("吾輩は猫である。名前はまだ無い。", None),
        ("ฉันเป็นแมว", None),
        ("He said 猫 twice.", ["he", "said", "猫", "twice"]),
    ],
)
def test_words_are_runs_of_letters_where_spaces_part_them(text: str, expected: list[str] | None) -> None:
    assert words(text) == expected
