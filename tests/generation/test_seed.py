import pytest

from textgen.corpus.normalisation import Normalisation
from textgen.corpus.vocabulary import Vocabulary
from textgen.errors import SeedError
from textgen.generation.seed import Unknown, encode_seed

VOCABULARY = Vocabulary.of("abcdeEF'\"-. \n")


def read(seed: str, unknown: Unknown = "error", *, lowercase: bool = False) -> str:
    return VOCABULARY.decode(
        encode_seed(seed, VOCABULARY, normalisation=Normalisation(lowercase=lowercase), unknown=unknown)
    )


@pytest.mark.parametrize("unknown", ["error", "skip", "nearest"])
@pytest.mark.parametrize("form", ["none", "nfkc"])
def test_marks_without_end_are_no_seed(unknown: Unknown, form: str) -> None:
    with pytest.raises(SeedError, match="the seed has more than 1,000 combining marks in a row, from character 1 on"):
        encode_seed("e" + "\u0315\u0316" * 10**5, VOCABULARY, normalisation=Normalisation(form), unknown=unknown)


def test_a_seed_is_normalised_as_the_text_was() -> None:
    assert read("a\r\nb") == "a\nb"
    assert read("ABC", lowercase=True) == "abc"
    assert read("") == ""


def test_unknown_characters_are_named() -> None:
    with pytest.raises(SeedError) as error:
        read("a±b†±")
    assert str(error.value) == (
        "the seed phrase has characters that are not in the model's vocabulary: "
        "'±' (U+00B1 PLUS-MINUS SIGN), '†' (U+2020 DAGGER); "
        'use `unknown="nearest"` or `unknown="skip"`, or change the seed phrase'
    )


def test_only_the_first_of_many_unknown_characters_are_named() -> None:
    with pytest.raises(SeedError, match=r"\(U\+0034 DIGIT FOUR\) and 3 more; "):
        read("01234567")


def test_skip_leaves_them_out() -> None:
    assert read("a±b†", "skip") == "ab"
    assert read("†", "skip") == ""


@pytest.mark.parametrize(
    ("seed", "nearest"),
    [("A", "a"), ("f", "F"), ("é", "e"), ("Ç", "c"), ("’", "'"), ("“", '"'), ("—", "-"), ("…", "...")],
)
def test_nearest_tries_case_then_accents_then_typography(seed: str, nearest: str) -> None:
    assert read(seed, "nearest") == nearest


def test_nearest_prefers_case_to_the_bare_letter() -> None:
    vocabulary = Vocabulary.of("Ée")
    assert vocabulary.decode(encode_seed("é", vocabulary, normalisation=Normalisation(), unknown="nearest")) == "É"


def test_nearest_names_what_has_no_kin() -> None:
    with pytest.raises(SeedError, match=r"'†' \(U\+2020 DAGGER\); write it otherwise or leave it out"):
        read("a†", "nearest")


def test_another_way_is_refused() -> None:
    with pytest.raises(ValueError, match="`unknown` must be one of error, skip, nearest, not 'drop'"):
        read("a", "drop")  # type: ignore[arg-type]
