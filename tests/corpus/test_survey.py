import gzip
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from textgen.config import LARGEST_HOLD_OUT, Reading
from textgen.corpus.survey import Symbol, survey
from textgen.errors import CorpusError

PLAIN = Reading()


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_text_is_counted(tmp_path: Path) -> None:
    text = "to be\r\nor not\r\nto be é e\u0301"
    found = survey([written(tmp_path / "a.txt", text)], PLAIN)
    read = "to be\nor not\nto be é é"
    assert (found.characters, found.lines, found.hold_out) == (len(read), 3, 3)
    assert {item.symbol: item.count for item in found.symbols} == Counter(read)
    assert list(found.symbols) == sorted(found.symbols, key=lambda item: (-item.count, item.symbol))
    assert [(item.symbol, item.count) for item in found.rare()[:3]] == [("n", 1), ("r", 1), ("\n", 2)]


@pytest.mark.parametrize(("text", "lines"), [("a", 1), ("a\n", 1), ("\n", 1), ("a\n\nb", 3)])
def test_a_last_line_counts_with_or_without_its_newline(tmp_path: Path, text: str, lines: int) -> None:
    assert survey([written(tmp_path / "a.txt", text)], PLAIN).lines == lines


def test_each_source_has_its_encoding_and_all_are_joined(tmp_path: Path) -> None:
    utf16 = written(tmp_path / "b.txt", "\ufeffcd".encode("utf-16-le"))
    packed = written(tmp_path / "c.gz", gzip.compress(b"e"))
    found = survey([written(tmp_path / "a.txt", "ab\n"), utf16, packed], PLAIN)
    assert [(source.name, source.encoding, source.how, source.characters) for source in found.sources] == [
        (str(tmp_path / "a.txt"), "utf-8", "valid", 3),
        (str(utf16), "utf-16-le", "mark", 2),
        (str(packed), "utf-8", "valid", 1),
    ]
    assert found.characters == len("ab\n" + "\n" + "cd" + "\n" + "e")
    assert [source.removed for source in found.sources] == [None] * 3


def test_what_is_passed_over_in_a_folder_is_named(tmp_path: Path) -> None:
    written(tmp_path / "a.txt", "abc")
    written(tmp_path / "b.txt", b"\0\1")
    assert [str(item) for item in survey([tmp_path], PLAIN).skipped] == [f"{tmp_path / 'b.txt'} (binary)"]


def test_options_of_reading_are_followed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "ＡA\xc5".encode("utf-16-be"))
    found = survey([path, path], Reading(encoding="utf-16-be", unicode="nfkc", lowercase=True, separator=""))
    assert [(item.symbol, item.count) for item in found.symbols] == [("a", 4), ("å", 2)]
    assert found.sources[0].how == "given"


def test_rare_is_what_min_count_would_replace(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "a" * 9 + "b" * 5 + "c" * 4 + "d")
    assert [item.symbol for item in survey([path], PLAIN).rare()] == ["d", "c"]
    assert [item.symbol for item in survey([path], Reading(min_count=6)).rare()] == ["d", "c", "b"]
    assert [item.count for item in survey([path], Reading(min_count=6)).symbols] == [9, 5, 4, 1]


def test_what_strip_takes_out_is_told_beforehand(tmp_path: Path) -> None:
    header = "A licence\n*** START OF THE PROJECT GUTENBERG EBOOK PLAY ***\n"
    path = written(tmp_path / "a.txt", header + "Enter GHOST\n*** END OF THE PROJECT GUTENBERG EBOOK PLAY ***\nMore")
    before, after = survey([path], PLAIN), survey([path], Reading(strip=True))
    assert before.sources[0].removed == after.sources[0].removed
    assert str(before.sources[0].removed).startswith(f"Project Gutenberg: a header of {len(header)} characters, ")
    assert (before.sources[0].stripped, after.sources[0].stripped) == (False, True)
    assert before.characters == len(path.read_text())
    assert after.characters == len("Enter GHOST\n")


@pytest.mark.parametrize(
    ("content", "reading", "message"),
    [
        (b"", PLAIN, "is empty"),
        (b"a+2AA-", Reading(encoding="utf-7"), "unpaired surrogate; expected valid Unicode text"),
    ],
)
def test_unfit_texts_are_told(tmp_path: Path, content: bytes, reading: Reading, message: str) -> None:
    path = written(tmp_path / "a.txt", content)
    with pytest.raises(CorpusError, match=message) as caught:
        survey([path], reading)
    assert "a.txt: " in str(caught.value)


def test_symbols_that_training_would_never_see_are_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "ab" * 450 + "aΩ†Ω" * 25)
    found = survey([path], PLAIN)
    assert [(item.symbol, item.count) for item in found.unseen] == [("Ω", 50), ("†", 25)]
    assert found.unseen_note() == (
        "only in the held-out part, so never trained on: 2 different characters, 75 times in all (75 % of that part): "
        "'Ω' (U+03A9 GREEK CAPITAL LETTER OMEGA), '†' (U+2020 DAGGER)"
    )
    assert [item["code_point"] for item in found.as_dict()["unseen"]] == ["U+03A9", "U+2020"]
    seen = survey([written(tmp_path / "b.txt", "Ω†ab" * 450 + "aΩ†Ω" * 25)], PLAIN)
    assert (seen.unseen, seen.unseen_note(), seen.as_dict()["unseen"]) == ((), None, [])


def test_a_long_text_s_hold_out_is_the_end_that_training_takes(tmp_path: Path) -> None:
    seen, held = "ab" * (5 * LARGEST_HOLD_OUT) + "Ω", "†" + "b" * (LARGEST_HOLD_OUT - 1)
    texts = [written(tmp_path / f"{number}.txt", part) for number, part in enumerate([seen, held])]
    found = survey(texts, Reading(separator=""))
    assert [(item.symbol, item.count) for item in found.unseen] == [("†", 1)]
    assert found.unseen_note() is not None
    assert " 1 different character, 1 time in all (0.0005 % of that part): " in str(found.unseen_note())


def test_a_text_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("w", encoding="utf-8") as file:
        for _ in range(64):
            file.write("吾輩は猫である。\n" * (2**20 // 25))
    survey([path], PLAIN)  # what is imported on the way is none of the text's
    tracemalloc.start()
    found = survey([path], PLAIN)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.characters == 64 * (2**20 // 25) * 9
    assert peak < 40e6 < path.stat().st_size


def test_a_symbol_is_told_by_code_point_and_name() -> None:
    assert (Symbol("の", 1).code_point, Symbol("の", 1).name) == ("U+306E", "HIRAGANA LETTER NO")
    assert (Symbol("🦇", 1).code_point, Symbol("🦇", 1).name) == ("U+1F987", "BAT")
    names = {
        "\n": "LF",
        "\t": "TAB",
        "\x7f": "DEL",
        "\x85": "NEL",
        "\ue000": "(private use)",
        "\u0378": "(not assigned)",
    }
    assert {symbol: Symbol(symbol, 1).name for symbol in names} == names
