import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.corpus import normalisation
from textgen.corpus.normalisation import Normalisation, stretches

TRICKY = "aAeÉéΣςσ  \n.'\u0301\u0323\u0345\u3099\u309aかガｶﾞﾟ각ᄀ\u1161\u11a8한가İẛﬁÅΩ\u09c7\u09be\U0001d15e。漢"


def pieces(text: str, sizes: list[int]) -> list[str]:
    cut, start = [], 0
    for size in sizes:
        cut.append(text[start : start + size])
        start += size
    return [*cut, text[start:]]


def test_each_step_does_what_it_says() -> None:
    assert Normalisation("none")("e\u0301ﬁ\r\nA\rB") == "e\u0301ﬁ\nA\nB"
    assert Normalisation()("e\u0301ﬁ") == "éﬁ"
    assert Normalisation("nfkc")("e\u0301ﬁｶﾞ①") == "éfiガ1"
    assert Normalisation(lowercase=True)("ÄB ΟΔΟΣ ΣΑΣ") == "äb οδος σας"


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("form", ["none", "nfc", "nfkc"])
@given(text=st.text(st.sampled_from(TRICKY) | st.characters(codec="utf-8"), max_size=40), data=st.data())
def test_chunks_of_any_size_are_normalised_as_the_whole(
    form: str, lowercase: bool, text: str, data: st.DataObject
) -> None:
    whole = text if form == "none" else unicodedata.normalize(form.upper(), text)
    whole = whole.lower() if lowercase else whole
    step = Normalisation(form, lowercase)
    for sizes in ([1] * len(text), data.draw(st.lists(st.integers(0, 8), max_size=20))):
        assert "".join(step.stream(pieces(text, sizes))) == whole


def all_symbols() -> list[str]:
    return [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("form", ["none", "nfc", "nfkc"])
@given(text=st.text(st.sampled_from(TRICKY), max_size=60), size=st.integers(1, 9))
def test_stretches_are_normalised_one_by_one_as_the_whole(form: str, lowercase: bool, text: str, size: int) -> None:
    found, step = list(stretches(text, size)), Normalisation(form, lowercase)
    assert "".join(found) == text
    assert all(len(stretch) >= size for stretch in found[:-1])
    assert "".join(map(step, found)) == step(text)


def test_stretches_of_a_text_with_spaces_are_cut_at_words_and_of_others_anywhere() -> None:
    assert list(stretches("to be or not", 4)) == ["to be", " or not"]
    assert list(stretches("吾輩は猫である", 3)) == ["吾輩は", "猫であ", "る"]
    assert list(stretches("", 3)) == []


def test_no_character_that_combines_backwards_begins_a_part() -> None:
    """Over all of this Python's Unicode: such are marks, and the second characters of compositions."""
    seconds = {chr(point) for point in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    for symbol in all_symbols():
        parts = unicodedata.decomposition(symbol).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            seconds.add(chr(int(parts[1], 16)))
    for symbol in filter(normalisation.begins_anew, all_symbols()):
        for form in ("NFD", "NFKD"):
            first = unicodedata.normalize(form, symbol)[0]
            assert not unicodedata.combining(first)
            assert first not in seconds


def test_a_character_that_parts_words_hides_each_side_from_the_other() -> None:
    for symbol in filter(normalisation._parts_words, all_symbols()):
        assert f"Α{symbol}Σ".lower().endswith("σ")
        assert f"ΑΣ{symbol}Α".lower().startswith("ας")


MOST = normalisation.MOST_MARKS


@pytest.mark.parametrize("form", ["none", "nfc", "nfkc"])
@pytest.mark.parametrize("size", [1, 7, 999, 1000, 1001, 10**6])
@pytest.mark.parametrize("before", [0, 1, 998, 1000, 1500])
def test_a_run_of_marks_is_refused_beyond_a_limit_wherever_it_lies(form: str, size: int, before: int) -> None:
    start, marks = "x" * max(0, before - 1) + "é" * min(1, before), "\u0301\u0323" * MOST
    step = Normalisation(form)
    allowed = f"{start}{marks[:MOST]}{'é' * 1200}"
    assert "".join(step.stream(pieces(allowed, [size] * (len(allowed) // size)))) == step(allowed)
    for length in (MOST + 1, MOST + 2, 2 * MOST):
        refused = f"{start}{marks[:length]}{'é' * 1200}"
        with pytest.raises(normalisation.MarksError) as error:
            list(step.stream(pieces(refused, [size] * (len(refused) // size))))
        assert error.value.place == before
    assert str(error.value) == (
        f"has more than 1,000 combining marks in a row, from character {before:,} on; expected readable text"
    )


def test_marks_by_the_hundred_thousand_take_no_time() -> None:
    began = time.perf_counter()
    for text in ("e" + "\u0315\u0316" * 500_000, "\u0315\u0316" * 500_000, "ᄀ" + "\u1161" * 500_000):
        with pytest.raises(normalisation.MarksError):
            Normalisation()(text)
    assert time.perf_counter() - began < 2
