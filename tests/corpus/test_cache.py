import io
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from textgen.corpus import cache, encodings, reading, sources
from textgen.corpus import corpus as corpus_module
from textgen.corpus.corpus import Corpus
from textgen.corpus.vocabulary import Vocabulary
from textgen.errors import CorpusError

OLD = time.time() - 1000


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache" / "codes"


@pytest.fixture
def play(tmp_path: Path) -> Path:
    path = tmp_path / "play.txt"
    path.write_text("To be, or not to be.\n" * 100)
    return path


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file counts as one that has been left alone for long."""
    monkeypatch.setattr(sources, "SETTLED", -(10**12))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, settled: None) -> dict[str, int]:
    """How often files are examined and texts encoded."""
    counts = {"examined": 0, "encoded": 0}

    def counting(name: str, function):
        def call(*words, **options):
            counts[name] += 1
            return function(*words, **options)

        return call

    monkeypatch.setattr(reading, "examine", counting("examined", encodings.examine))
    monkeypatch.setattr(corpus_module, "encode", counting("encoded", corpus_module.encode))
    return counts


def text_of(path: Path, **options) -> str:
    corpus = Corpus.from_files(path, **options)
    return corpus.vocabulary.decode(corpus.codes)


def test_a_second_reading_reads_nothing(play: Path, counted: dict[str, int]) -> None:
    first, second = Corpus.from_files(play), Corpus.from_files(play)
    assert counted == {"examined": 1, "encoded": 1}
    np.testing.assert_array_equal(first.codes, second.codes)
    assert (first.sha256, first.notes, first.vocabulary) == (second.sha256, second.notes, second.vocabulary)
    assert isinstance(second.codes, np.memmap)
    assert not second.codes.flags.writeable


def test_other_options_make_another_entry_and_look_at_the_file_no_more(play: Path, counted: dict[str, int]) -> None:
    for options in ({}, {"lowercase": True}, {"unicode": "none"}, {"min_count": 200}, {"strip": True}):
        text_of(play, **options)
        text_of(play, **options)
    assert counted == {"examined": 1, "encoded": 5}


def test_the_same_content_elsewhere_is_not_encoded_again(play: Path, tmp_path: Path, counted: dict[str, int]) -> None:
    text_of(play)
    copy = tmp_path / "copy.txt"
    copy.write_bytes(play.read_bytes())
    assert Corpus.from_files(copy).notes == (f"{copy}: 2,100 characters",)
    assert counted == {"examined": 2, "encoded": 1}


def test_a_changed_file_is_never_served_stale(play: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even with the size and the time of change that it had."""
    monkeypatch.setattr(sources, "SETTLED", cache.TICK * 10**9)
    time.sleep(2 * cache.TICK)
    before = text_of(play)
    status = play.stat()
    for word in ("me", "us"):
        play.write_text(before.replace("be", word))
        os.utime(play, ns=(status.st_atime_ns, status.st_mtime_ns))
        time.sleep(2 * cache.TICK)
        assert text_of(play) == before.replace("be", word)


def test_a_file_changed_within_one_tick_of_the_clock_is_never_served_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns()
    monkeypatch.setattr(sources, "stamp_of", lambda status: (status.st_size, now, now, 1))
    path = tmp_path / "quick.txt"
    for number in range(3):
        path.write_text(f"{number:02}" * 100)
        assert text_of(path) == f"{number:02}" * 100


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("keep_times", [False, True])
@pytest.mark.parametrize("suffix", [".codes", ".json", ".memory"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: b"",
        lambda content: content[:-9] + bytes(9),
        lambda content: bytes([content[0] ^ 1]) + content[1:],
        lambda content: content + b"x",
        lambda content: b"[]",
        lambda content: b"{}",
    ],
)
def test_a_file_damaged_by_hand_is_made_anew(play: Path, folder: Path, suffix: str, damage, keep_times: bool) -> None:
    before = text_of(play)
    (path,) = folder.glob(f"*{suffix}")
    status = path.stat()
    path.write_bytes(damage(path.read_bytes()))
    if keep_times:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert text_of(play) == before
    assert text_of(play) == before


def test_a_copied_cache_is_believed_after_its_check_sum(play: Path, folder: Path, counted: dict[str, int]) -> None:
    before = text_of(play)
    for path in folder.glob("*.codes"):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    assert text_of(play) == before
    assert counted["encoded"] == 1


def test_the_least_recently_used_go_first(play: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def entries() -> set[str]:
        return {path.stem for path in folder.glob("*.codes")}

    text_of(play)
    first = entries()
    text_of(play, lowercase=True)
    second = entries() - first
    for path in folder.iterdir():
        os.utime(path, (OLD, OLD))
    text_of(play)  # used again
    size = sum(path.stat().st_size for path in folder.iterdir())
    monkeypatch.setattr(cache, "MOST_BYTES", size + 100)
    text_of(play, min_count=200)
    assert entries() >= first
    assert not entries() & second
    monkeypatch.setattr(cache, "MOST_BYTES", 1)
    corpus = Corpus.from_files(play, min_count=300)
    assert len(entries()) == 1
    assert len(corpus) == 2100


def test_cleaning_frees_all(play: Path, folder: Path) -> None:
    assert cache.clean() == 0
    text_of(play)
    text_of(play, lowercase=True)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert cache.clean() == size > 4200
    assert list(folder.iterdir()) == []
    assert text_of(play).startswith("To be")


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(("suffix", "flips"), [(".codes", 30), (".json", 200), (".memory", 200)])
def test_no_flipped_bit_gives_another_text(
    play: Path, folder: Path, suffix: str, flips: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if suffix != ".codes":
        monkeypatch.setattr(cache, "TICK", 0)
    options = {"lowercase": True, "strip": True, "min_count": 101}
    before, notes = text_of(play, **options), Corpus.from_files(play, **options).notes
    (path,) = folder.glob(f"*{suffix}")
    content = path.read_bytes()
    rng = np.random.default_rng(1)
    for place in rng.integers(0, 8 * len(content), flips).tolist():
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        corpus = Corpus.from_files(play, **options)
        assert (corpus.vocabulary.decode(corpus.codes), corpus.notes) == (before, notes)
        path.write_bytes(content)


def test_a_description_without_a_check_sum_is_made_anew(play: Path, folder: Path) -> None:
    text_of(play)
    (path,) = folder.glob("*.json")
    path.write_text(path.read_text().split("\n")[1])
    assert cache.load(path.stem) is None
    assert text_of(play).startswith("To be")
    assert path.read_text().index("\n") == 64


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("existed", [False, True])
def test_nobody_else_can_read_the_codes_of_a_text(play: Path, folder: Path, existed: bool) -> None:
    before = os.umask(0o022)
    try:
        if existed:
            folder.mkdir(parents=True)
        text_of(play)
        text_of(play, lowercase=True)
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == (0o755 if existed else 0o700)
    files = list(folder.iterdir())
    assert {path.suffix for path in files} == {".codes", ".json", ".memory"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


UNREAD = "the text could not be cached, and will be read and encoded again the next time: "


@pytest.mark.parametrize(
    ("place", "problem"),
    [("/proc/textgen", "No such file or directory"), ("/dev/null", "Not a directory"), ("play.txt", "Not a directory")],
)
def test_a_cache_that_cannot_be_written_is_told_and_stops_nothing(
    play: Path, monkeypatch: pytest.MonkeyPatch, place: str, problem: str
) -> None:
    expected = Corpus.from_files(play)
    place = str(play.parent / place)
    monkeypatch.setenv(cache.VARIABLE, place)
    corpus = Corpus.from_files(play)
    assert corpus.notes == (*expected.notes, f"{UNREAD}{place}/codes cannot be written ({problem})")
    assert corpus.codes.tobytes() == expected.codes.tobytes()
    assert isinstance(corpus.codes, np.memmap)
    larger = Vocabulary([*corpus.vocabulary.symbols, "\u6f22"])
    assert larger.decode(corpus.recoded(larger).codes) == play.read_text()


def no_room(folder: Path, monkeypatch: pytest.MonkeyPatch, *, anywhere: bool = False) -> None:
    """The disk of the cache folder, or every disk, is full."""
    real = tempfile.TemporaryFile

    class Full(io.BytesIO):
        def write(self, block: object) -> int:
            raise OSError(28, "No space left on device")

    def temporary(**options: object) -> object:
        return Full() if anywhere or options.get("dir") == folder else real()

    monkeypatch.setattr(tempfile, "TemporaryFile", temporary)


def test_a_cache_that_becomes_full_is_told_and_stops_nothing(
    play: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Corpus.from_files(play)
    no_room(folder, monkeypatch)
    corpus = Corpus.from_files(play, lowercase=True)
    assert corpus.notes[-1] == f"{UNREAD}{folder} cannot be written (No space left on device)"
    assert corpus.vocabulary.decode(corpus.codes) == play.read_text().lower()
    larger = Vocabulary([*other.vocabulary.symbols, "\u6f22"])
    assert larger.decode(other.recoded(larger).codes) == play.read_text()
    assert len(list(folder.glob("*.codes"))) == 1


def test_where_no_place_takes_the_codes_both_are_told(
    play: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_room(folder, monkeypatch, anywhere=True)
    with pytest.raises(CorpusError) as error:
        Corpus.from_files(play)
    assert str(error.value) == (
        f"{folder} cannot be written (No space left on device), nor can the folder for temporary files "
        "(No space left on device); free some space there, or set TEXTGEN_CACHE to another folder"
    )
    assert list(folder.glob("*.codes")) == []


def test_a_cache_that_can_only_be_read_is_made_use_of(
    play: Path, counted: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    first = Corpus.from_files(play)
    for name in ("utime", "mkdir", "chmod"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(cache, "replacing", refuse)
    monkeypatch.setattr(cache, "stamp_of", lambda status: [status.st_size, 0, 0, 0])  # as after a copy
    assert Corpus.from_files(play).notes == first.notes
    assert counted["encoded"] == 1


def test_a_description_that_finds_no_room_takes_its_codes_along(
    play: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "_describe", refuse)
    assert Corpus.from_files(play).notes[-1].startswith(UNREAD)
    assert list(folder.iterdir()) == []


def build(path: str, options: dict) -> str:
    corpus = Corpus.from_files(path, **options)
    return corpus.sha256 + str(int(corpus.codes.sum()))


def test_processes_that_build_one_entry_at_once_do_not_disturb_each_other(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "large.txt"
    path.write_text("".join(f"line {number}\n" for number in range(200_000)))
    expected = Corpus.from_text(path.read_text())
    with ProcessPoolExecutor(4) as pool:
        found = set(pool.map(build, [str(path)] * 8, [{}] * 8))
    assert found == {expected.sha256 + str(int(expected.codes.sum()))}
    assert sorted(path.suffix for path in folder.iterdir()) in ([".codes", ".json"], [".codes", ".json", ".memory"])


def test_the_folder_is_the_user_s_or_the_one_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache.cache_folder() == tmp_path / "cache"
    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_folder().name == "textgen"


def test_a_guess_does_not_outlive_what_made_it(
    tmp_path: Path, counted: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("Все счастливые семьи похожи друг на друга.\n".encode("cp1251"))
    for _ in range(2):
        text_of(path)
    assert counted["examined"] == 1
    monkeypatch.setattr(reading, "guesser", lambda: "another")
    assert text_of(path).startswith("Все")
    assert counted["examined"] == 2


def test_what_was_repaired_once_is_refused_without(tmp_path: Path, settled: None) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xe2\x80\x9cI\xe2\x80\x9d don\x92t\n")
    assert text_of(path, repair=True) == "“I” don’t\n"
    with pytest.raises(CorpusError, match="UTF-8 with 1 invalid byte"):
        text_of(path)
