import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.corpus.vocabulary import Vocabulary
from textgen.generation.nearest import VARIANTS, nearest


@pytest.mark.parametrize(
    ("text", "symbols", "form"),
    [
        ("ｶﾞｷﾞ", "ガギカ", "ガギ"),  # half-width kana and their voiced mark are one symbol
        ("ﾎﾟｽﾄ", "ポスト", "ポスト"),
        ("ガー", "ｶﾞｰ", "ｶﾞｰ"),  # and back
        ("ｶﾞ", "カ\u3099", "カ\u3099"),
        ("é", "e\u0301", "e\u0301"),  # decomposed, for a text that is
        ("e\u0301", "é", "é"),  # and composed
        ("ế", "ê\u0301", "ê\u0301"),  # and as Vietnamese keyboards have it, half composed
        ("한", "\u1112\u1161\u11ab", "\u1112\u1161\u11ab"),
        ("\u1112\u1161\u11ab", "한", "한"),
        ("Ａ１", "A1", "A1"),
        ("A1", "Ａ１", "Ａ１"),
        ("Ａ", "a", "a"),
        ("A", "ＡA", "A"),
        ("…", ".", "..."),
        ("...", "…", "…"),
        ("....", "…。", "…。"),
        ("fine", "ﬁne", "ﬁne"),
        ("x\u0302", "x", "x"),  # a mark that is not known goes alone
        ("é", "É", "É"),
        ("é", "Ée", "É"),
        ("´", "' ", "'"),
        ("´", "' \u0301", "'"),
        ("\u00a0", " ", " "),
        ("क\u093f", "क", "क\u093f"),  # a vowel sign is no accent: it stays, and is named
        ("aΩ", "aω", "aω"),
        ("†", "a", "†"),
        ("", "a", ""),
    ],
)
def test_a_sequence_takes_the_form_that_the_vocabulary_has(text: str, symbols: str, form: str) -> None:
    assert nearest(text, Vocabulary.of(symbols)) == form


def test_typographic_kin_stand_for_each_other() -> None:
    for variants in VARIANTS:
        for symbol in variants:
            for kin in variants:
                assert nearest(symbol, Vocabulary.of(kin + "x")) == kin


@given(st.text())
def test_what_is_known_stays(text: str) -> None:
    assert nearest(text, Vocabulary.of(text + "e")) == text


@given(st.text(st.characters(categories=["L", "M"])), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_what_is_known_in_another_form_is_found(text: str, form: str) -> None:
    normalised = unicodedata.normalize(form, text)
    found = nearest(text, Vocabulary.of(normalised + "e"))
    assert set(found) <= set(normalised + "e")
    assert unicodedata.normalize("NFKD", found) == unicodedata.normalize("NFKD", text)
