import os
import subprocess
from pathlib import Path

import pytest

from textgen.wording import counted, quoted


def test_one_is_singular() -> None:
    assert [counted(number, "byte") for number in (0, 1, 1.0, 1.5, 2)] == [
        "0 bytes", "1 byte", "1 byte", "1.5 bytes", "2 bytes",
    ]  # fmt: skip
    assert counted(12_345_678_901, "byte") == "12,345,678,901 bytes"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("models/play", "models/play"),
        ("models/my play", "'models/my play'"),
        ("漢字", "漢字"),
        ("-x", "-x"),
        (os.fsdecode(b"caf\xe9's"), r"$'caf\xe9\'s'"),
        ("a\nb\t\\\x1b[31m\x7f漢", r"$'a\x0ab\x09\\\x1b[31m\x7f\xe6\xbc\xa2'"),
    ],
)
def test_a_quoted_word_is_printable_and_what_a_shell_reads(word: str, expected: str) -> None:
    assert quoted(word).replace("'漢字'", "漢字") == expected
    assert quoted(word).isprintable()
    read = subprocess.run(["bash", "-c", f"printf %s {quoted(Path(word))}"], capture_output=True, check=True)
    assert read.stdout == os.fsencode(word)
