import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.corpus.vocabulary import UNKNOWN, Vocabulary

any_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def test_symbols_are_sorted_by_code_point() -> None:
    assert Vocabulary.of("bca\nあ𝄞a").symbols == ("\n", "a", "b", "c", "あ", "𝄞")


@given(any_text)
def test_decode_undoes_encode(text: str) -> None:
    vocabulary = Vocabulary.of(text)
    codes = vocabulary.encode(text)
    assert vocabulary.decode(codes) == text
    assert codes.max() < len(vocabulary) == len(set(text))


@given(any_text, any_text)
def test_lookup_marks_what_is_unknown(known: str, text: str) -> None:
    vocabulary = Vocabulary.of(known)
    assert vocabulary.lookup(text).tolist() == [vocabulary.codes.get(symbol, UNKNOWN) for symbol in text]


@pytest.mark.parametrize(("symbols", "dtype"), [(2, np.uint8), (256, np.uint8), (257, np.uint16), (65537, np.uint32)])
def test_codes_have_the_smallest_type(symbols: int, dtype: type) -> None:
    vocabulary = Vocabulary([chr(0x10000 + code) for code in range(symbols)])
    assert vocabulary.encode(vocabulary.symbols[-1]).dtype == dtype


def test_encoding_an_unknown_character_names_it() -> None:
    with pytest.raises(ValueError, match=r"'z' \(U\+007A\) is not in the vocabulary"):
        Vocabulary.of("abc").encode("abz")


@pytest.mark.parametrize("symbols", [[], ["ab"], ["a", "a"], [1]])
def test_what_is_no_vocabulary_is_refused(symbols: list) -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        Vocabulary(symbols)


def test_it_is_shown_in_a_short_line() -> None:
    assert repr(Vocabulary.of("cab\n")) == r"<Vocabulary of 4 symbols: '\nabc'>"
    assert len(repr(Vocabulary.of("".join(map(chr, range(0x4E00, 0x9000)))))) < 120
