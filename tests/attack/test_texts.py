"""Bytes of every kind through `corpora show`: read or refused, in printable lines, at once and in little memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.attack.harness import attempt, check_line, damaged
from tests.conftest import TEXT

SENTENCES = {
    "de": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. – „Ja“, sagte er.\n",
    "ru": "Съешь ещё этих мягких французских булок, да выпей же чаю.\n",
    "ja": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n",
    "mixed": "naïve café – 吾輩は猫 Ω ß \U0001f987 e\u0301\n",
}
ENCODINGS = {
    "de": ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252", "cp1250", "mac_roman", "utf-7"],
    "ru": ["utf-8", "cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic", "utf-16-le"],
    "ja": ["utf-8", "cp932", "euc_jp", "iso2022_jp", "utf-16", "utf-16-le"],
    "mixed": ["utf-8", "gb18030", "utf-16"],
}
CRAFTED = {
    "nothing": b"",
    "a byte": b"\xff",
    "marks alone": b"\xff\xfe",
    "marks twice": b"\xef\xbb\xbf" * 1000,
    "mark of UTF-16 on UTF-8": b"\xff\xfe" + b"plain text\n" * 10,
    "mark of UTF-32": b"\xff\xfe\0\0" + b"abc",
    "half pairs in UTF-16": b"\xff\xfe" + b"\x00\xd8a\0" * 500,
    "half pairs in UTF-8": b"abc \xed\xa0\x80\n" * 100,
    "overlong UTF-8": b"abc \xc0\xaf\n" * 100,
    "beyond Unicode": b"abc \xf4\x90\x80\x80\n" * 100,
    "cut in a character": "猫".encode()[:2],
    "NULs": b"a\0" * 500 + b"abc",
    "controls": bytes(range(1, 32)) * 100 + b"\x7f\x1b[2J\x1b]0;title\x07",
    "C1 controls": b"abc \xc2\x9b2J \xc2\x85\n" * 100,
    "directions": "\u202eabc\u2066def\u2069\n".encode() * 100,
    "escapes": b"\x1b$B\x1b(B\x1b$B" * 500,
    "an escape cut": b"abc \x1b$B$",
    "HZ": b"~{VPND~} ~{" * 500,
    "newlines": b"\n" * 500_000,
    "carriage returns": b"\r" * 500_000,
    "a long line": b"x" * 900_000,
    "other newlines": "a\u2028b\u2029c\x0bd\x0ce\x85f\n".encode() * 100,
    "marks on one letter": ("a" + "\u0301" * 400_000).encode(),
    "marks in two classes": ("a" + "\u0301\u0323" * 200_000).encode(),
    "what nfkc makes long": "\ufdfa".encode() * 300_000,
    "capital sigmas": "Σ".encode() * 400_000,
    "jamo": "\u1100\u1161\u11a8".encode() * 100_000,
    "all of the first plane": "".join(map(chr, [*range(1, 0xD800), *range(0xE000, 0x10000)])).encode(),
    "what nobody assigned": "".join(map(chr, range(0x40000, 0x70000))).encode(),
    "mojibake": "cafÃ© â€™ Ã¼".encode() * 1000,
    "readings": ("《" * 300_000).encode(),
    "readings nested": "漢《かん《かん".encode() * 20_000,
    "notes": ("［＃" * 150_000).encode(),
    "bars": ("｜" * 300_000).encode(),
    "markers": b"*** START OF THE PROJECT GUTENBERG EBOOK X ***\n" * 10_000,
    "ends": b"*** END OF THE PROJECT GUTENBERG EBOOK X ***\nEnd of the Project Gutenberg EBook\n" * 6_000,
    "stars": b"*" * 900_000,
    "a marker without an end": b"*** START OF THE PROJECT GUTENBERG EBOOK " + b"x " * 400_000,
    "spaces": b" " * 900_000,
    "dashes": b"-------------------------------------------------------\n" * 15_000,
    "tags": b"<p>" * 250_000,
    "HTML": b"<!DOCTYPE html><html>" + b"<b>" * 200_000,
    "RTF": b"{\\rtf1" + b"{\\b " * 100_000,
    "PDF": b"%PDF-1.4\n" + b"1 0 obj <<>> endobj\n" * 10_000,
    "an old document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000),
}  # fmt: skip
OPTIONS = [["--strip"], ["--unicode", "nfkc", "--lowercase", "--min-count", "3", "--json"]]


def show(case: str, content: bytes, *options: str) -> None:
    Path("text.txt").write_bytes(content)
    _, stdout, _ = attempt(f"{case} {' '.join(options)}", "corpora", "show", "text.txt", *options)
    if "--json" not in options:
        for line in stdout.removesuffix("\n").split("\n"):
            check_line(case, line)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", list(CRAFTED))
def test_crafted_texts_are_read_or_refused(case: str) -> None:
    for options in OPTIONS:
        show(case, CRAFTED[case], *options)


@pytest.mark.parametrize("language", list(SENTENCES))
def test_damaged_texts_are_read_or_refused(language: str) -> None:
    for number, encoding in enumerate(ENCODINGS[language]):
        whole = (SENTENCES[language] * 4).encode(encoding)
        for case, content in damaged(whole, 8, seed=number):
            show(f"{encoding} {case}", content)


def noise(count: int) -> Iterator[tuple[str, bytes]]:
    """Random bytes, of all and of few values, some amid English."""
    rng = np.random.default_rng(4)
    for number in range(count):
        size = int(rng.integers(1, 2000))
        values = rng.integers(0, 256, size=int(rng.integers(1, 257)))
        content = rng.choice(values, size).astype(np.uint8).tobytes()
        yield f"noise {number}", content if number % 2 else (TEXT * 5).encode() + content


def test_noise_is_read_or_refused() -> None:
    for case, content in noise(60):
        show(case, content)
