import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from textgen.corpus import cache, encodings, reading, sources
from textgen.corpus import corpus as corpus_module
from textgen.corpus.corpus import Corpus

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


def test_what_killed_processes_left_is_removed_in_time(play: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, age in ((".a.1.tmp.codes", 2 * cache.ABANDONED), (".b.1.tmp.codes", 10)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age,) * 2)
    text_of(play)
    assert [path.name for path in folder.glob(".*")] == [".b.1.tmp.codes"]


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
