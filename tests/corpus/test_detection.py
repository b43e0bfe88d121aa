"""How often an encoding is guessed right, on texts of the project's own in many languages."""

import random
import unicodedata
from pathlib import Path

import pytest

from tests.corpus.decoding import read
from tests.corpus.languages import PAIRS, as_html, encoded, shuffled, with_foreign_words
from textgen.corpus.detection import by_escapes, guess, wide
from textgen.errors import CorpusError


def is_read(text: str, content: bytes) -> bool:
    """Whether bytes are read as the text that they are; which of the encodings that read it so is all the same."""
    try:
        return unicodedata.normalize("NFC", read(content)[1]) == unicodedata.normalize("NFC", text)
    except CorpusError:
        return False


@pytest.mark.parametrize(("length", "html"), [(2_000, False), (2_000, True), (20_000, False)])
def test_texts_of_many_languages_are_read(length: int, html: bool) -> None:
    missed = []
    for language, encoding in PAIRS:
        text = shuffled(language, length, random.Random(f"{language} {length}"))
        text = as_html(text) if html else text
        if not is_read(text, encoded(text, encoding)):
            missed.append((language, encoding))
    assert len(PAIRS) > 50
    assert len(missed) <= 0.03 * len(PAIRS), missed


def test_a_long_text_is_read_from_the_lines_that_tell() -> None:
    rng = random.Random(1)
    for language, encoding in (("Russian", "koi8_r"), ("Hungarian", "iso8859_2"), ("Japanese", "euc_jp")):
        text = shuffled("English", 200_000, rng) + "\n" + shuffled(language, 2_000, rng)
        assert is_read(text, encoded(text, encoding)), (language, encoding)
        text = shuffled(language, 100_000, rng)
        assert is_read(text, encoded(text, encoding)), (language, encoding)


def test_english_with_a_few_words_that_are_not_ascii_is_read() -> None:
    rng = random.Random(2)
    texts = [with_foreign_words(rng.choice([300, 3_000, 20_000]), rng.randint(1, 10), rng) for _ in range(200)]
    missed = [text for text in texts if not is_read(text, text.encode("cp1252"))]
    assert len(missed) <= 2, missed


@pytest.mark.parametrize(
    "text",
    [
        "It cost £5.\n",
        "I don’t\n",
        "“No,” she said – twice.\n",
        "a café\n",
        "Zoë’s résumé…\n",
        "At 20 °C.\n",
        "“Élan”\n",
    ],
)
def test_a_few_lone_bytes_in_ascii_speak_for_no_other_alphabet(text: str) -> None:
    assert read(text.encode("cp1252"))[:2] == (read(text.encode("cp1252"))[0], text)


def test_lone_bytes_that_make_no_sense_in_cp1252_are_left_to_the_detector() -> None:
    text = shuffled("English", 3_000, random.Random(3)).replace("the ", "don’t ")
    assert is_read(text, text.encode("mac_roman"))


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp"])
def test_slices_of_japanese_are_read(encoding: str, texts: Path) -> None:
    whole = (texts / "neko_cp932.txt").read_bytes().decode("cp932")
    rng = random.Random(4)
    starts = [rng.randrange(len(whole) - 600) for _ in range(200)]
    slices = [whole[start : start + rng.randint(200, 600)] for start in starts]
    slices = [text.replace("－", "ー") for text in slices]  # which EUC-JP has not
    missed = [text for text in slices if not is_read(text.replace("\r\n", "\n"), text.encode(encoding))]
    assert len(missed) <= 2, missed


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp"])
def test_sentences_of_japanese_are_read(encoding: str) -> None:
    rng = random.Random(5)
    sentences = [shuffled("Japanese", rng.randint(200, 600), rng) for _ in range(100)]
    missed = [text for text in sentences if not is_read(text, text.encode(encoding))]
    assert len(missed) <= 1, missed


@pytest.mark.parametrize("encoding", ["utf_16_le", "utf_16_be"])
def test_utf_16_of_japanese_needs_no_zero_byte(encoding: str) -> None:
    content = "猫はどこで生れたかとんと見当がつかぬ。".encode(encoding)
    assert b"\0" not in content
    assert wide(content) == encoding


def test_utf_32_needs_no_mark() -> None:
    for encoding in ("utf_32_le", "utf_32_be", "utf_16_le", "utf_16_be"):
        assert wide("Plain text.\n".encode(encoding)) == encoding
    assert wide(b"An English text with\0a zero, and one more\0 in it.\n") is None
    assert wide(random.Random(6).randbytes(9_999)) is None
    assert wide(b"\x89PNG\r\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0" + bytes(99)) is None


def test_escape_sequences_decide() -> None:
    for encoding in ("iso2022_jp", "hz", "iso2022_kr"):
        language = {"iso2022_jp": "Japanese", "hz": "Simplified Chinese", "iso2022_kr": "Korean"}[encoding]
        text = shuffled("English", 90_000, random.Random(7)) + "\n" + shuffled(language, 500, random.Random(8))
        found, decoded, _ = read(text.encode(encoding), size=1000)
        assert (found.name, found.how, decoded) == (encoding, "escapes", text)
    assert by_escapes(b'(format t "~{~a~^, ~}" names)\n(format nil "~{~A~}~%" names)') is None
    assert by_escapes(b'(format t "~{is~} ~{no~}" names)\n') is None
    assert by_escapes(b"\x1b[1mbold\x1b[0m") is None
    assert by_escapes("半角カナ".encode("iso2022_jp") + "ｶﾅ".encode("iso2022_jp_ext")) == "iso2022_jp_ext"


def test_two_that_are_nearly_as_likely_are_told_as_a_choice() -> None:
    text = shuffled("Russian", 2_000, random.Random(9))
    encoding = read(encoded(text, "mac_cyrillic"))[0]
    assert (encoding.name, encoding.rival) == ("mac_cyrillic", "cp1251")
    assert encoding.line != encoding.rival_line
    assert encoding.told() == (
        f"read as mac_cyrillic (guessed): “{encoding.line}”; cp1251 would read “{encoding.rival_line}”"
    )


def test_a_control_character_hides_no_text() -> None:
    text = "Все счастливые семьи похожи друг на друга.\x1a\n"
    assert read(text.encode("koi8_r"))[1] == text


def test_nothing_is_guessed_of_what_is_no_text() -> None:
    assert guess(b"\xff\xfe\x00\x01\x02\x03\x80" * 99) is None


@pytest.mark.parametrize(
    "text",
    ["Ça, c’est l’été à Paris.", "Il a dit : « L’été, à Paris, c’était déjà ça. »", "Der Müller grüßt schöne Mädchen."],
)
def test_no_word_is_of_two_alphabets(text: str) -> None:
    """The detector by itself takes so short a text for Russian or Hebrew: “l’йtй”."""
    found = guess(text.encode("cp1252"))
    assert found is not None
    assert found.name == "cp1252"
