import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus.decoding import told
from tests.corpus.languages import SENTENCES, shuffled
from textgen.corpus import faults as module
from textgen.corpus.faults import Faults, look

# What texts have in which nothing is wrong, although its first letters could begin mojibake.
SOUND = """
SÃO PAULO. «IRMÃ», «MANHÔ, MAÇÃ… MANHÃ—É TARDE. MANHÃ—disse ela. A MANHÃ… e a AVÓ…
« C’est là », dit-elle. « Fermé ! » Où ? Là… À « L’ÉCOLE » — « DÉJÀ »… « voilà…»
„Spaß“, „Fuß“… Größe™ STRASSE—MAẞ. ÜBER–ÄRGER. Ä, Ö, Ü.
ESPAÑA… «AÑO» ¿QUÉ? ¡SEÑOR! 3 × 5, 3 ×½, 20 Å, 5 Å², 3 Å³. Ångström.
Øre. «BLÅ» ØRKEN… Þat’s Ð.
С «Р» С… Р. СССР — РСФСР. Сёмга. «С»…
ÂGE, CHÂTEAU, «Â». ÎLE… ÏAMBE. Ð“
"""


def looked(text: str, size: int = 10**6, *, repair: bool = False) -> tuple[str, Faults]:
    faults = Faults()
    chunks = [text[start : start + size] for start in range(0, len(text), size)]
    return "".join(look(chunks, faults, repair=repair)), faults


def test_nothing_is_found_in_texts_that_are_sound() -> None:
    for language in SENTENCES:
        text = shuffled(language, 3_000, random.Random(language)) + SOUND
        for size in (1_000, 10**6):
            assert looked(text, size) == (text, Faults()), language
        assert looked(text.upper())[1] == Faults(), language
    assert looked("a\tb\n" * 9 + "é\t\n\n")[1] == Faults()


@pytest.mark.parametrize(
    ("text", "mended", "without", "with_repair"),
    [
        (
            "One\ufeff.\n\ufeffTwo.\n",
            "One.\nTwo.\n",
            "with 2 stray byte order marks (U+FEFF), the first in line 1 at character 4, which `repair` removes",
            "with 2 stray byte order marks (U+FEFF) removed, the first in line 1 at character 4",
        ),
        (
            "One.\nTwo.\x1a",
            "One.\nTwo.",
            "with 1 control character (U+001A), the first in line 2 at character 5, which `repair` removes",
            "with 1 control character (U+001A) removed, the first in line 2 at character 5",
        ),
        (
            "é\n\n a\x0cb\x0c\x7f\n",
            "é\n\n ab\n",
            "with 3 control characters (U+000C U+007F), the first in line 3 at character 3, which `repair` removes",
            "with 3 control characters (U+000C U+007F) removed, the first in line 3 at character 3",
        ),
        (
            "\x93Why?\x94\n",
            "“Why?”\n",
            "with 2 C1 controls (U+0093 U+0094), the first in line 1 at character 1, which `repair` reads as cp1252",
            "with 2 C1 controls (U+0093 U+0094) read as cp1252, the first in line 1 at character 1",
        ),
        (
            "Is it l\ufffdte?\n",
            "Is it l\ufffdte?\n",
            "with 1 replacement character (U+FFFD), the first in line 1 at character 8",
            "with 1 replacement character (U+FFFD), the first in line 1 at character 8",
        ),
    ],
)
def test_what_nobody_types_is_told_with_count_and_first_place(
    text: str, mended: str, without: str, with_repair: str
) -> None:
    for size in (1, 3, 10**6):
        found, faults = looked(text, size)
        assert (found, told(faults)) == (text, [without])
        found, faults = looked(text, size, repair=True)
        assert (found, told(faults, repair=True)) == (mended, [with_repair])


@pytest.mark.parametrize(
    "language", ["French", "Portuguese", "Czech", "Greek", "Russian", "Hebrew", "Arabic", "Japanese"]
)
def test_utf_8_read_as_cp1252_is_found_and_mended(language: str) -> None:
    text = "“Plain” text — it’s here.\n" + shuffled(language, 500, random.Random(1)).rpartition("\n")[0]
    wrong = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())
    found, faults = looked(wrong)
    assert found == wrong
    assert faults.of["mojibake"].count > 5
    assert (faults.of["mojibake"].line, faults.of["mojibake"].character) == (1, 1)
    mended, faults = looked(wrong, 7, repair=True)
    assert (mended, faults.of["mojibake"].left) == (text, 0)


def test_utf_8_read_as_cp1251_is_found_and_mended() -> None:
    text = shuffled("Russian", 500, random.Random(1)).replace("И", "и")
    wrong = text.encode().decode("cp1251")
    assert looked(wrong)[1].of["mojibake"].count > 5
    assert looked(wrong, repair=True)[0] == text


def test_mojibake_in_a_line_that_is_otherwise_right_is_mended_too() -> None:
    found, faults = looked("CafÃ© “Élan” – déjà vu.\n", repair=True)
    assert found == "Café “Élan” – déjà vu.\n"
    assert told(faults, repair=True) == [
        "with 1 mojibake sequence (Ã©) repaired, the first in line 1 at character 4",
    ]


def test_all_kinds_are_told_together_in_one_order() -> None:
    faults = looked("\ufffd Ã© \x0c \ufeff \x85 it\udc92s\n", repair=True)[1]
    assert list(faults.of) == ["lost", "mojibake", "control", "mark", "c1", "foreign"]
    assert [line.split(" (")[0] for line in told(faults, repair=True)] == [
        "with 1 invalid byte",
        "with 1 mojibake sequence",
        "with 1 C1 control",
        "with 1 stray byte order mark",
        "with 1 control character",
        "with 1 replacement character",
    ]
    assert Faults.from_dict({"cut": 0, "of": {}}) == Faults()


PARTS = ["a", "é ", "\n", "Ã©", "\udc92", "\x1a", "\ufeff", "猫", "â€", "™", "Ð¿Ñ€", "\ufffd", "\x93"]


@given(st.lists(st.sampled_from(PARTS), max_size=80).map("".join), st.integers(1, 9), st.booleans())
def test_chunks_of_any_size_give_the_same(text: str, size: int, repair: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LONGEST", 10)
        assert looked(text, size, repair=repair) == looked(text, repair=repair)


@given(st.lists(st.sampled_from([*PARTS, "é", "à »", "Я", "С", "\t"]), max_size=40).map("".join), st.integers(1, 9))
def test_a_glance_misses_nothing(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SLICE", size)
        is_clean, newlines = module._glance(text)
    if is_clean:
        assert looked(text) == (text, Faults())
        assert newlines == text.count("\n")


def test_a_line_of_any_length_is_looked_at() -> None:
    text = "x" * 200_000 + "\x1a" + "x" * 200_000
    for size in (1_000, 10**6):
        faults = looked(text, size)[1]
        assert told(faults)[0].startswith(
            "with 1 control character (U+001A), the first in line 1 at character 200,001,"
        )
