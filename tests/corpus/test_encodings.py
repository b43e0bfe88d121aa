import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus.decoding import read, told
from textgen.config import check_encoding
from textgen.corpus.evidence import ENOUGH, PIECE, Evidence
from textgen.errors import CorpusError

JAPANESE = "吾輩は猫である。名前はまだ無い。\nどこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所で。\n" * 3
TEXTS = {
    "cp932": JAPANESE,
    "euc_jis_2004": JAPANESE,
    "cp1252": "L'été dernier, à Paris, nous avons mangé des crêpes. «Où êtes-vous?» dit-elle.\n" * 5,
    "cp1251": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.\n" * 3,
    "koi8_r": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.\n" * 3,
    "cp1250": "Litwo! Ojczyzno moja! ty jesteś jak zdrowie; Ile cię trzeba cenić, ten tylko się dowie, Kto cię stracił "
    "Dziś piękność twą w całej ozdobie Widzę i opisuję, bo tęsknię po tobie.\n" * 5,
    "gb18030": "话说天下大势，分久必合，合久必分。周末七国分争，并入于秦。\n" * 5,
    "big5hkscs": "話說天下大勢，分久必合，合久必分。周末七國分爭，併入於秦。\n" * 5,
    "cp949": "모든 국민은 인간으로서의 존엄과 가치를 가지며, 행복을 추구할 권리를 가진다.\n" * 3,
    "utf_16_le": JAPANESE,
    "utf_16_be": "A text without a mark.\n" * 9,
}


def refused(content: bytes, given: str | None = None, size: int = 10**6) -> str:
    with pytest.raises(CorpusError) as error:
        read(content, given, size)
    return str(error.value)


@pytest.mark.parametrize("name", TEXTS)
def test_an_encoding_is_found_and_told(name: str) -> None:
    encoding, text, _ = read(TEXTS[name].encode(name))
    assert (encoding.name, encoding.how, text) == (name, "guessed", TEXTS[name])


def test_an_encoding_is_found_where_the_text_leaves_ascii_late() -> None:
    text = "All of it is plain at first.\n" * 20_000 + TEXTS["cp1252"]
    assert read(text.encode("cp1252"), size=1000)[0].name == "cp1252"


@pytest.mark.parametrize("name", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", [JAPANESE, "plain\n" * 50])
def test_a_byte_order_mark_is_respected_and_left_out(name: str, text: str) -> None:
    for size in (1, 3, 10**6):
        encoding, found, _ = read(("\ufeff" + text).encode(name), size=size)
        assert (encoding.name, encoding.how, found) == (name, "mark", text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            codecs.BOM_UTF8 + JAPANESE.encode("cp932"),
            "has the byte order mark of utf-8, but is not utf-8: byte 0x8c at",
        ),
        (codecs.BOM_UTF16_LE + b"Plain text.\n" * 9, "has the byte order mark of utf-16-le, but is not; give its"),
        (codecs.BOM_UTF16_LE + JAPANESE.encode(), "has the byte order mark of utf-16-le, but is not; give its"),
        (codecs.BOM_UTF16_BE + JAPANESE.encode("cp932"), "has the byte order mark of utf-16-be, but is not utf-16-be"),
        (codecs.BOM_UTF32_LE + b"Plain text.\n" * 9, "has the byte order mark of utf-32-le, but is not; give its"),
    ],
)
def test_a_mark_that_lies_is_an_error_with_a_remedy(content: bytes, message: str) -> None:
    error = refused(content)
    assert error.startswith(f"a.txt: {message}")
    assert "give its `encoding`" in error


@pytest.mark.parametrize("given", ["cp932", "CP932", "shift_jis"])
def test_what_the_user_says_overrides_the_bytes(given: str) -> None:
    assert read(JAPANESE.encode("cp932"), given)[1] == JAPANESE
    assert read(JAPANESE.encode("utf-16"), "utf-16")[1] == JAPANESE
    assert read(JAPANESE.encode("utf-8-sig"), "utf-8-sig")[1] == JAPANESE


@pytest.mark.parametrize(
    ("content", "given", "message"),
    [
        (
            JAPANESE.encode() + b"it\x92s",
            None,
            "a.txt: UTF-8 with 1 invalid byte, the first at offset 440, where cp1252 reads “it’s”; "
            "`repair=True` reads such bytes as cp1252",
        ),
        (b"abc\xe9def", "utf-8", "not utf-8: byte 0xe9 at offset 3; give its `encoding`, or save"),
        (b"ab\x81\n", "cp932", "not cp932: byte 0x81 at offset 2; give its"),
        (
            JAPANESE.encode("cp932") * 999 + b"\x81\n",
            None,
            "looks like cp932, but is not: byte 0x81 at offset 293,706;",
        ),
        (b"ab\0c", None, "has a NUL at offset 2; expected a text, not binary data; if it is UTF-16, say so with"),
        (b"a" * 70_000 + b"\0", None, "has a NUL at character 70,000; expected a text, not binary data"),
    ],
)
def test_what_cannot_be_decoded_is_an_error_with_offset_and_remedy(
    content: bytes, given: str | None, message: str
) -> None:
    assert message in refused(content, given)


@given(st.text(st.sampled_from("ab\r\nあ́é𝄞"), max_size=40), st.sampled_from(["utf-8", "utf-16-le"]), st.integers(1, 9))
def test_blocks_of_any_size_are_decoded_alike(text: str, name: str, size: int) -> None:
    found = read(text.encode(name), name, size)[1]
    assert found == text.replace("\r\n", "\n").replace("\r", "\n")


@given(
    st.binary(max_size=60), st.sampled_from(["utf-8", "cp932", "utf-16-le", "euc_jp", "iso2022_jp"]), st.integers(1, 7)
)
def test_an_undecodable_byte_has_the_same_offset_in_blocks_of_any_size(content: bytes, name: str, size: int) -> None:
    content = content.replace(b"\0", b"a")  # a NUL is an error of its own

    def outcome(size: int) -> str:
        try:
            return read(content, name, size)[1]
        except CorpusError as error:
            return str(error)

    assert outcome(size) == outcome(10**6)


@pytest.mark.parametrize(
    ("content", "given", "text"),
    [
        ("яю начало".encode("cp1251"), "cp1251", "яю начало"),
        ("ÿþ and þÿ".encode("cp1252"), "cp1252", "ÿþ and þÿ"),
        (codecs.BOM_UTF8 + JAPANESE.encode(), "utf-8", JAPANESE),
        (codecs.BOM_UTF8 + JAPANESE.encode(), "utf-8-sig", JAPANESE),
        (codecs.BOM_UTF8 + b"abc", "cp1252", "ï»¿abc"),
        (codecs.BOM_UTF16_LE + JAPANESE.encode("utf-16-le"), "utf-16-le", JAPANESE),
        (codecs.BOM_UTF16_BE + JAPANESE.encode("utf-16-be"), "utf-16", JAPANESE),
        (codecs.BOM_UTF32_BE + JAPANESE.encode("utf-32-be"), "utf-32-be", JAPANESE),
        (("\ufeff" + JAPANESE).encode("gb18030"), "gb18030", JAPANESE),
        (("\ufeff" + JAPANESE).encode("gb18030"), None, JAPANESE),
        (("\ufeffplain\n" * 2).encode("gb18030"), None, "plain\n\ufeffplain\n"),
        ("\ufeffplain\n".encode("gb18030"), None, "plain\n"),
    ],
)
def test_only_the_mark_of_the_encoding_itself_is_cut(content: bytes, given: str | None, text: str) -> None:
    for size in (1, 10**6):
        assert read(content, given, size)[1] == text


@pytest.mark.parametrize(
    "name",
    [
        "uu",
        "quopri",
        "hex",
        "nothing",
        "",
        "utf8\0",
        "utf-8\n" * 999,
        "zip",
        "punycode",
        "idna",
        "unicode_escape",
        "raw_unicode_escape",
        "undefined",
        "mbcs",
        "oem",
        "rot13",
        "base64",
    ],
)
def test_what_is_no_encoding_of_texts_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^`encoding` must be a text encoding that Python knows, such as") as error:
        check_encoding(name)
    assert len(str(error.value)) < 250


@pytest.mark.parametrize(
    "name", ["UTF8", "utf-16", "utf-7", "latin-1", "shift_jis_2004", "johab", "hz", "iso2022_kr", "cp037", "gb18030"]
)
def test_every_encoding_of_texts_is_taken(name: str) -> None:
    check_encoding(name)


MIXED = "The café is closed. “Why?” he said. It’s late, Zoë.\n"


def mixed(*places: int) -> bytes:
    """Ten lines of UTF-8, of which those at these places are cp1252."""
    return b"".join(MIXED.encode("cp1252" if line in places else "utf-8") for line in range(10))


@pytest.mark.parametrize("places", [(0,), (9,), (0, 9), (0, 1, 2, 3)])
def test_utf_8_with_foreign_bytes_is_never_read_as_something_else(places: tuple[int, ...]) -> None:
    content = mixed(*places)
    for size in (1, 7, 10**6):
        with pytest.raises(CorpusError) as error:
            read(content, size=size)
        count, first = 5 * len(places), len(MIXED.encode()) * places[0] + 7
        assert str(error.value).startswith(
            f"a.txt: UTF-8 with {count} invalid bytes, the first at offset {first:,}, "
            "where cp1252 reads “The café is closed. “Why?” he s"
        )
        assert str(error.value).endswith("; `repair=True` reads such bytes as cp1252")
        encoding, text, faults = read(content, size=size, repair=True)
        assert (encoding.how, text) == ("mixed", MIXED * 10)
        line = places[0] + 1
        assert told(faults, repair=True) == [
            f"with {count} invalid bytes (é “ ” ’ ë) read as cp1252, the first in line {line} at character 8"
        ]


def test_more_foreign_bytes_than_utf_8_are_no_utf_8_by_chance() -> None:
    text = MIXED.replace("é", "Ã©")
    encoding, found, faults = read(text.encode("cp1252"))
    assert (encoding.name, found) == ("cp1252", text)
    assert told(faults) == ["with 1 mojibake sequence (Ã©), the first in line 1 at character 8, which `repair` repairs"]


def test_a_mark_of_utf_8_speaks_for_utf_8_with_foreign_bytes() -> None:
    content = codecs.BOM_UTF8 + MIXED.encode() + b"it\x92s\n"
    assert refused(content).startswith("a.txt: UTF-8 with 1 invalid byte, the first at offset 65,")
    assert read(content, repair=True)[1] == MIXED + "it’s\n"
    assert read(content, "utf-8", repair=True)[1] == MIXED + "it’s\n"
    assert refused(content, "utf-8").startswith("a.txt: not utf-8: byte 0x92 at offset 65;")


@pytest.mark.parametrize("given", [None, "utf-8", "cp932", "euc_jp", "gb18030", "utf-16-le", "iso2022_jp"])
def test_a_text_cut_in_its_last_character_is_read_without_it_and_told(given: str | None) -> None:
    content = JAPANESE.rstrip().encode(given or "utf-8")
    content = content.removesuffix(b"\x1b(B")
    for size in (1, 10**6):
        _, text, faults = read(content[:-1], given, size)
        assert text == JAPANESE.rstrip()[:-1]
        left = "2 bytes" if given in (None, "utf-8") else "1 byte"
        assert told(faults) == [f"without its last character, which is cut off after {left}"]


def test_a_last_letter_is_no_cut_one() -> None:
    encoding, text, faults = read(b"un caf\xe9")
    assert (encoding.name, text, told(faults)) == ("cp1252", "un café", [])


@given(
    st.lists(st.sampled_from([b"a ", b"\n", "é".encode(), "猫".encode(), b"\x92", b"\xe9"]), max_size=60),
    st.integers(1, 7),
)
def test_what_is_found_does_not_depend_on_the_size_of_blocks(parts: list[bytes], size: int) -> None:
    def outcome(size: int) -> object:
        try:
            return read(b"".join(parts), size=size, repair=len(parts) % 2 == 0)
        except CorpusError as error:
            return str(error)

    assert outcome(size) == outcome(10**6)


def test_a_few_words_of_utf_8_among_as_many_foreign_ones_are_no_chance() -> None:
    content = b"caf\xe9, na\xefve, it\x92s, \x93no\x94. " + "Café, naïve, déjà vu.\n".encode()
    assert refused(content).startswith("a.txt: UTF-8 with 5 invalid bytes, the first at offset 3,")


def test_what_was_utf_8_for_long_is_so_to_the_end() -> None:
    content = MIXED.encode() * 10 + MIXED.encode("cp1252") * 3_000
    for size in (1_000, 10**6):
        assert refused(content, size=size).startswith("a.txt: UTF-8 with 15,000 invalid bytes, the first at offset")
    assert read(content, repair=True)[1] == MIXED * 3_010


def test_a_text_of_another_encoding_is_not_counted_to_its_end() -> None:
    seen = Evidence()
    for _ in range(10):
        seen.feed(TEXTS["koi8_r"].encode("koi8_r") * 300)
    seen.finish()
    assert seen.is_settled
    assert ENOUGH <= seen.foreign < 2 * PIECE
    assert not seen.is_utf8()


def test_bytes_that_are_utf_8_by_chance_are_not_enough() -> None:
    content = "ครูปิดหนังสือ มองออกไปนอกหน้าต".encode("cp874")
    seen = Evidence()
    seen.feed(content)
    seen.finish()
    assert seen.valid > seen.foreign > 0
    assert read(content)[1] == "ครูปิดหนังสือ มองออกไปนอกหน้าต"


def test_a_text_of_another_encoding_is_read_to_its_end() -> None:
    text = TEXTS["koi8_r"] * 300
    encoding, found, _ = read(text.encode("koi8_r"), size=2**17 + 1)
    assert (encoding.name, found) == ("koi8_r", text)
