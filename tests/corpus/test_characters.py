import unicodedata

import pytest

from textgen.corpus.characters import CONTROLS, first_named, named


def test_abbreviations_of_control_characters_are_unicode_s() -> None:
    assert [chr(point) for point in CONTROLS] == [unicodedata.lookup(name) for name in CONTROLS.values()]
    assert {unicodedata.category(chr(point)) for point in CONTROLS} == {"Cc"}
    assert len(CONTROLS) == 65


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("é", "'é' (U+00E9 LATIN SMALL LETTER E WITH ACUTE)"),
        ("\u0301", "'◌\u0301' (U+0301 COMBINING ACUTE ACCENT)"),
        ("\x1b", r"'\x1b' (U+001B ESC)"),
        ("\u202e", r"'\u202e' (U+202E RIGHT-TO-LEFT OVERRIDE)"),
        ("\ud800", r"'\ud800' (U+D800 (unpaired surrogate))"),
    ],
)
def test_messages_name_a_character_and_show_nothing_that_steers(symbol: str, name: str) -> None:
    assert named(symbol) == name


def test_only_the_first_of_many_are_named() -> None:
    assert first_named(["a", "b"], 2).endswith("'b' (U+0062 LATIN SMALL LETTER B)")
    assert first_named(["a"] * 1003, 3).endswith("'a' (U+0061 LATIN SMALL LETTER A) and 1,000 more")
