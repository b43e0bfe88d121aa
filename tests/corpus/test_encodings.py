import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.corpus.encodings import Encoding, decode, examine
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


def read(content: bytes, given: str | None = None, size: int = 10**6) -> tuple[Encoding, str]:
    blocks = [content[start : start + size] for start in range(0, len(content), size)]
    encoding = examine("a.txt", blocks, given).encoding
    return encoding, "".join(decode("a.txt", blocks, encoding))


def refused(content: bytes, given: str | None = None) -> str:
    with pytest.raises(CorpusError) as error:
        read(content, given)
    return str(error.value)


@pytest.mark.parametrize("name", TEXTS)
def test_an_encoding_is_found_and_told(name: str) -> None:
    encoding, text = read(TEXTS[name].encode(name))
    assert (encoding.name, encoding.how, text) == (name, "guessed", TEXTS[name])


def test_an_encoding_is_found_where_the_text_leaves_ascii_late() -> None:
    text = "All of it is plain at first.\n" * 20_000 + TEXTS["cp1252"]
    assert read(text.encode("cp1252"), size=1000)[0].name == "cp1252"


@pytest.mark.parametrize("name", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", [JAPANESE, "plain\n" * 50])
def test_a_byte_order_mark_is_respected_and_left_out(name: str, text: str) -> None:
    for size in (1, 3, 10**6):
        encoding, found = read(("\ufeff" + text).encode(name), size=size)
        assert (encoding.name, encoding.how, found) == (name, "mark", text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            codecs.BOM_UTF8 + JAPANESE.encode("cp932"),
            "has the byte order mark of utf-8, but is not utf-8: byte 0x8c at",
        ),
        (codecs.BOM_UTF16_LE + b"Plain text.\n" * 9, "has the byte order mark of utf-16-le, and is not; give its"),
        (codecs.BOM_UTF16_LE + JAPANESE.encode(), "has the byte order mark of utf-16-le, and is not; give its"),
        (codecs.BOM_UTF16_BE + JAPANESE.encode("cp932"), "has the byte order mark of utf-16-be, but is not utf-16-be"),
        (codecs.BOM_UTF32_LE + b"Plain text.\n" * 9, "has the byte order mark of utf-32-le, and is not; give its"),
    ],
)
def test_a_mark_that_lies_is_an_error_with_a_remedy(content: bytes, message: str) -> None:
    error = refused(content)
    assert error.startswith(f"a.txt: {message}")
    assert "give its `encoding`" in error


@pytest.mark.parametrize("given", ["cp932", "CP932", "shift_jis"])
def test_what_the_user_says_overrides_the_bytes(given: str) -> None:
    assert read(JAPANESE.encode("cp932"), given)[1] == JAPANESE
    assert read(codecs.BOM_UTF8 + JAPANESE.encode("cp932"), given)[1] == JAPANESE
    assert read(JAPANESE.encode("utf-16"), "utf-16")[1] == JAPANESE
    assert read(JAPANESE.encode("utf-8-sig"), "utf-8-sig")[1] == JAPANESE


@pytest.mark.parametrize(
    ("content", "given", "message"),
    [
        (
            JAPANESE.encode() + b"\xff\xfe",
            None,
            "not UTF-8 at offset 438, although all before it is; give its `encoding`",
        ),
        (JAPANESE.encode()[:-2], None, "not UTF-8 at offset 434, although all before it is; give its `encoding`"),
        (b"abc\xe9def", "utf-8", "not utf-8: byte 0xe9 at offset 3; give its `encoding`, or save"),
        (b"abc\xe9", "utf-8", "not utf-8: byte 0xe9 at offset 3; give its"),
        (b"ab\x81", "cp932", "not cp932: byte 0x81 at offset 2; give its"),
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
