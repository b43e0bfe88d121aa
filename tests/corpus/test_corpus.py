import gzip
import hashlib
import io
import os
import resource
import subprocess
import sys
import unicodedata
import zipfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.config import Reading
from textgen.corpus import codes, sources
from textgen.corpus import corpus as corpus_module
from textgen.corpus.codes import translate
from textgen.corpus.corpus import Corpus, called, name_of
from textgen.corpus.survey import survey
from textgen.corpus.vocabulary import UNKNOWN
from textgen.errors import CorpusError
from textgen.wording import counted


def text_of(corpus: Corpus) -> str:
    return corpus.vocabulary.decode(corpus.codes)


def test_files_are_joined_in_order_with_a_newline(tmp_path: Path) -> None:
    for name, text in (("b.txt", "second\r\n"), ("a.txt", "First")):
        (tmp_path / name).write_text(text, newline="")
    corpus = Corpus.from_files(tmp_path / "a.txt", tmp_path / "b.txt", lowercase=True)
    text = "first\nsecond\n"
    assert text_of(corpus) == text
    assert corpus.name == "a"
    assert corpus.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert len(corpus) == len(text)
    assert corpus.notes == (f"{tmp_path / 'a.txt'}: 5 characters", f"{tmp_path / 'b.txt'}: 7 characters")
    assert corpus.sources == (str(tmp_path / "a.txt"), str(tmp_path / "b.txt"))


def test_messages_call_a_text_by_its_file_s_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.b.txt", "c.txt"):
        (tmp_path / name).write_text("abc")
    assert Corpus.from_files("a.b.txt").label == "a.b.txt"
    assert Corpus.from_files("c.txt", tmp_path, "a.b.txt").label == "c.txt and 2 more"
    assert Corpus.from_files(tmp_path).label == tmp_path.name
    assert Corpus.from_text("abc", name="verse").label == "verse"
    assert called(["-"]) == "standard input"
    with pytest.raises(CorpusError, match=r"^a\.b\.txt and 1 more: no character occurs 10 times"):
        Corpus.from_files("a.b.txt", "c.txt", min_count=10)


def test_symbols_that_the_hold_out_alone_has_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = Corpus.from_text("abc" * 300 + "bΩ†Ω" * 25)
    assert corpus.unseen() == {"Ω": 50, "†": 25}
    assert corpus.unseen(0.5) == {"Ω": 50, "†": 25}
    assert corpus.unseen(0.0) == {}
    assert Corpus.from_text("abΩ" * 10).unseen() == {}
    monkeypatch.setattr(codes, "PART", 7)
    for few in (0, 20):
        monkeypatch.setattr(corpus_module, "FEW", few)
        assert Corpus.from_text("Ω" + "ab" * 300 + "bΩ†Ω" * 2).unseen() == {"†": 2}
        assert Corpus.from_text("Ω†" + "ab" * 300 + "bΩ†Ω" * 2).unseen() == {}


def test_the_separator_stands_between_texts_and_the_whole_is_normalised(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("cafe", encoding="utf-8")
    (tmp_path / "b.txt").write_text("\u0301!", encoding="utf-8")
    paths = (tmp_path / "a.txt", tmp_path / "b.txt")
    assert text_of(Corpus.from_files(*paths, separator="")) == "café!"
    assert text_of(Corpus.from_files(*paths, separator="\r\n--\r\n")) == "cafe\n--\n\u0301!"
    assert text_of(Corpus.from_files(*paths, separator="", unicode="none")) == "cafe\u0301!"


def test_where_each_text_begins_is_known_unless_normalisation_changes_lengths(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("a.txt", "b.txt", "c.txt")]
    for name, text in zip(names, ("one\r\n", "two", "three"), strict=True):
        Path(name).write_bytes(text.encode())
    assert Corpus.from_files(tmp_path, separator="--").parts == ((names[0], 0), (names[1], 6), (names[2], 11))
    assert Corpus.from_files(tmp_path, separator="--").parts == ((names[0], 0), (names[1], 6), (names[2], 11))
    Path(names[1]).write_text("e\u0301", encoding="utf-8")
    assert Corpus.from_files(tmp_path).parts == ()
    assert Corpus.from_files(names[1]).parts == ((names[1], 0),)
    assert Corpus.from_text("a").parts == ()


def test_a_folder_of_mixed_encodings_is_read_and_each_is_told(tmp_path: Path) -> None:
    line = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。"
    for name, encoding in (("a.txt", "utf-8"), ("b.txt", "cp932"), ("c.txt", "utf-16")):
        (tmp_path / name).write_text(line, encoding=encoding)
    (tmp_path / "d.txt").write_bytes(b"\0binary")
    (tmp_path / "e.txt").write_bytes(b"")
    corpus = Corpus.from_files(tmp_path)
    assert text_of(corpus) == f"{line}\n{line}\n{line}\n"
    assert [note.removeprefix(f"{tmp_path}/") for note in corpus.notes] == [
        "a.txt: 33 characters",
        f"b.txt: 33 characters, read as cp932 (guessed): “{line}”",
        "c.txt: 33 characters, read as utf-16-le",
        "e.txt: 0 characters",
        f"skipped: {tmp_path}/d.txt (binary)",
    ]
    with pytest.raises(CorpusError, match=r"b\.txt: not utf-8: byte 0x8c at offset 0"):
        Corpus.from_files(tmp_path, encoding="utf-8")


pieces = st.lists(
    st.sampled_from(
        [
            "a",
            "B",
            "Σ",
            "e",
            "\u0301",
            "か",
            "\u3099",
            "\r",
            "\n",
            "\r\n",
            "漢《かん》",
            "｜か《かん》",
            "［＃［］",
            "］",
            "ﬁ",
        ]
    ),
    min_size=1,
    max_size=25,
)


@pytest.mark.parametrize("form", ["none", "nfc", "nfkc"])
@given(texts=st.lists(pieces, min_size=1, max_size=3), size=st.integers(1, 40), lowercase=st.booleans())
def test_reading_in_blocks_of_any_size_is_reading_the_whole(
    form: str, texts: list[list[str]], size: int, lowercase: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Combining marks, newlines and ruby across the edges of blocks, from bytes to codes."""
    folder = tmp_path_factory.getbasetemp() / "blocks"
    folder.mkdir(exist_ok=True)
    whole = []
    for number, parts in enumerate(texts):
        text = "漢《かん》" + "".join(parts)
        (folder / f"{number}.txt").write_bytes(text.encode())
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        whole.append(text.replace("｜", "").replace("《かん》", ""))
    expected: str | None = "\n".join(whole)
    if "［＃" in expected:
        expected = None  # the order of removals matters there; the other block size is the judge
    elif form != "none":
        expected = unicodedata.normalize(form.upper(), expected)
    paths = [folder / f"{number}.txt" for number in range(len(texts))]
    found = []
    for block in (size, 2**20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sources, "BLOCK", block)
            patch.setattr(corpus_module.cache, "load", lambda key: None)
            patch.setattr(corpus_module.cache, "TICK", 0)  # nothing is read from it
            corpus = Corpus.from_files(*paths, strip=True, unicode=form, lowercase=lowercase)
        found.append((text_of(corpus), corpus.sha256))
    assert found[0] == found[1]
    if expected is not None:
        assert found[0][0] == (expected.lower() if lowercase else expected)


@pytest.mark.parametrize(("count", "dtype"), [(1, "u1"), (256, "u1"), (257, "u2"), (65_536, "u2"), (65_537, "u4")])
def test_codes_have_the_smallest_sufficient_type(tmp_path: Path, count: int, dtype: str) -> None:
    symbols = [chr(point) for point in range(0x21, 0x21 + count + 4096) if not 0xD800 <= point < 0xE000][:count]
    text = "".join(reversed(symbols)) * 2
    (tmp_path / "a.txt").write_text(text, encoding="utf-8", newline="")
    for corpus in (Corpus.from_files(tmp_path / "a.txt", unicode="none"), Corpus.from_text(text, unicode="none")):
        assert corpus.codes.dtype == np.dtype(dtype)
        assert corpus.vocabulary.symbols == tuple(symbols)
        assert text_of(corpus) == text


@given(st.text(st.sampled_from("aaaaaabbbbcccdde漢"), min_size=8, max_size=60), st.integers(1, 5))
def test_rare_symbols_become_one(text: str, least: int) -> None:
    counts = Counter(text)
    if max(counts.values()) < least:
        with pytest.raises(CorpusError, match="no character occurs"):
            Corpus.from_text(text, min_count=least)
        return
    corpus = Corpus.from_text(text, min_count=least)
    rare = {symbol for symbol, count in counts.items() if count < least}
    assert text_of(corpus) == "".join("\ufffd" if symbol in rare else symbol for symbol in text)
    assert corpus.replacement == ("\ufffd" if rare else None)
    assert corpus.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert corpus.notes == (
        (f"replaced: {counted(len(rare), 'rare symbol')}, {''.join(sorted(rare))}",) if rare else ()
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "poem: the text is empty"),
        ("ab\0c", "poem: has a NUL at character 2; expected a text, not binary data"),
        ("ab\ud800c", "poem: has an unpaired surrogate (U+D800) at character 2; expected valid Unicode"),
    ],
)
def test_strings_that_are_no_text_are_refused(text: str, message: str) -> None:
    with pytest.raises(CorpusError) as error:
        Corpus.from_text(text, name="poem")
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(CorpusError, match=r"a\.txt: is empty; expected a text of at least one character"):
        Corpus.from_files(tmp_path / "a.txt")
    with pytest.raises(CorpusError, match="the text is empty"):
        Corpus.from_files(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"unicode": "nfd"}, "`unicode` must be one of none, nfc, nfkc, not 'nfd'"),
        (
            {"encoding": "klingon"},
            "`encoding` must be a text encoding that Python knows, such as utf-8, cp932 or latin-1",
        ),
        ({"encoding": "hex"}, "`encoding` must be a text encoding that Python knows"),
        ({"min_count": 0}, "`min_count` must be a whole number from 1"),
        ({"separator": "\0"}, "`separator` must not contain a NUL"),
    ],
)
def test_wrong_options_are_refused(tmp_path: Path, wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match="must") as error:
        Corpus.from_files(tmp_path, **wrong)
    assert message in str(error.value)
    with pytest.raises(ValueError, match="at least one text"):
        Corpus.from_files()


def test_a_text_is_called_after_its_file(tmp_path: Path) -> None:
    assert [name_of(path) for path in ("a/b.txt", "b.txt.gz", "c.zip", "folder/", "-", "d/e/..")] == [
        "b",
        "b",
        "c",
        "folder",
        "stdin",
        "d",
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("...txt", "text"),
        ("..txt", "text"),
        (".txt", "txt"),
        (". .txt", "text"),
        (" .txt", "text"),
        ("...zip", "text"),
        ("....gz", "text"),
        (".hidden.txt", "hidden"),
        ("to be....txt", "to be"),
        ("line\nbreak\x1b[31m.txt", "line_break_[31m"),
        (os.fsdecode(b"caf\xe9.txt"), "caf_"),
        (os.fsdecode(b"\xe9" * 251 + b".txt"), "_" * 251),
        ("吾輩\u3000猫.txt", "吾輩\u3000猫"),
        ("-x 'y' \"z\".txt", "-x 'y' \"z\""),
    ],
)
def test_a_text_s_name_is_fit_for_a_folder_and_a_model_file(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / name).write_text("abc")
    corpus = Corpus.from_files(tmp_path / name)
    assert name_of(tmp_path / name) == corpus.name == Corpus.from_text("abc", name=expected).name == expected
    assert corpus.sources == (str(tmp_path / name),)
    (tmp_path / "models" / expected).mkdir(parents=True)


MARKS = "\u0315\u0316" * 600


def test_marks_without_end_are_told_with_their_text_and_place(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("abc\n")
    (tmp_path / "b.txt").write_text(f"ab\r\ne{MARKS}")
    told = "has more than 1,000 combining marks in a row, from character 4 on; expected readable text"
    for read in (Corpus.from_files, lambda *paths: survey(paths, Reading())):
        with pytest.raises(CorpusError) as error:
            read(tmp_path / "a.txt", tmp_path / "b.txt")
        assert str(error.value) == f"{tmp_path / 'b.txt'}: {told}"
    with pytest.raises(CorpusError) as error:
        Corpus.from_text(f"ab\r\ne{MARKS}")
    assert str(error.value) == f"text: {told}"


def test_a_name_that_is_given_is_made_fit_too() -> None:
    assert Corpus.from_text("abc", name="a\udce9\n").name == "a__"


def test_codes_are_translated_where_they_lie(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("banana" * 9)
    table = np.array([300, UNKNOWN, 7])  # of a, b, n
    for corpus in (Corpus.from_files(tmp_path / "a.txt"), Corpus.from_text("banana" * 9)):
        new = translate(corpus.codes, table)
        assert isinstance(new, np.memmap) == isinstance(corpus.codes, np.memmap)
        assert new.dtype == np.uint16
        assert new.tolist() == [300, 7, 300, 7, 300] * 9
        assert len(translate(corpus.codes, np.array([UNKNOWN] * 3))) == 0


def test_the_same_text_comes_to_the_same_codes_from_every_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "吾輩は猫である。\n" * 30
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.txt").write_text(content, encoding="utf-8")
    (tmp_path / "a.gz").write_bytes(gzip.compress(content.encode()))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", content)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content.encode())))
    found = [Corpus.from_files(tmp_path / name) for name in ("d", "d/a.txt", "a.gz", "a.zip")]
    found.append(Corpus.from_files("-"))
    assert found[-1].sources == ("-",)
    assert found[-1].notes == ("standard input: 270 characters",)
    for corpus in found:
        assert text_of(corpus) == content
        assert corpus.codes.filename == found[0].codes.filename  # one entry of the cache for all


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
def test_codes_made_by_older_rules_of_stripping_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a text of no library, but once it was thought to be of one", encoding="utf-8")
    first, again = Corpus.from_files(path, strip=True), Corpus.from_files(path, strip=True)
    assert first.codes.filename == again.codes.filename
    assert first.notes[1] == f"nothing to strip was found in {path}"
    monkeypatch.setattr(corpus_module, "RULES", corpus_module.RULES - 1)
    assert Corpus.from_files(path, strip=True).codes.filename != first.codes.filename


def test_memory_does_not_grow_with_the_text(tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_bytes(("吾輩は猫である。名前はまだ無い。\n" * 1_500_000).encode())
    program = (
        "import sys; from textgen import Corpus\n"
        "corpus = Corpus.from_files(sys.argv[1], lowercase=True, min_count=2)\n"
        "lines = open('/proc/self/status').read().splitlines()\n"
        "print(len(corpus), next(line for line in lines if line.startswith('VmHWM')).split()[1])"
    )
    result = subprocess.run([sys.executable, "-c", program, str(tmp_path / "big.txt")], capture_output=True, check=True)
    characters, peak = map(int, result.stdout.split())
    assert characters == 25_500_000
    assert peak * 1024 < 120e6


def test_a_full_disk_ends_with_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0123456789\n" * 100_000)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    folder = tmp_path / "cache"
    result = subprocess.run(
        [sys.executable, "-m", "textgen", "train", "a.txt"],
        cwd=tmp_path,
        env=os.environ | {"TEXTGEN_CACHE": str(folder)},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr == (
        f"textgen: error: {folder / 'codes'} cannot be written (File too large), nor can the folder for temporary "
        "files (File too large); free some space there, or set TEXTGEN_CACHE to another folder\n"
    )
    assert not [path for path in (folder / "codes").iterdir() if path.suffix != ".memory"]


@pytest.mark.parametrize(
    ("characters", "share", "held_out"),
    [(111_661, 0.1, 11_167), (1_115_394, 0.1, 111_540), (5_000_000, 0.1, 200_000), (1000, 0.0, 0), (1000, 0.25, 250)],
)
def test_the_hold_out_is_a_share_of_the_text_with_a_limit(characters: int, share: float, held_out: int) -> None:
    assert Corpus.from_text("ab" * (characters // 2) + "c" * (characters % 2)).hold_out(share) == held_out


def test_it_is_shown_in_a_short_line() -> None:
    assert repr(Corpus.from_text("abc" * 1000, name="my text")) == "<Corpus 'my text': 3,000 characters, 3 symbols>"


def test_a_reading_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Hé hé", encoding="cp1252")
    options = {"encoding": "cp1252", "lowercase": True}
    whole = Corpus.from_files(tmp_path / "a.txt", reading=Reading(**options))
    assert whole.sha256 == Corpus.from_files(tmp_path / "a.txt", **options).sha256
    assert whole.reading == Reading(**options)
    with pytest.raises(ValueError, match=r"^`reading` and `lowercase` exclude each other; give only one$"):
        Corpus.from_files(tmp_path / "a.txt", reading=Reading(), lowercase=True)
