import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.corpus.vocabulary import UNKNOWN
from textgen.errors import CorpusError
from textgen.evaluation import copied
from textgen.evaluation.copied import RUNS, SHORTEST, compare, distinct, joined, yardstick
from textgen.evaluation.suffixes import blank
from textgen.generation.copying import Other

SYMBOLS = 40
SAME = np.arange(SYMBOLS, dtype=np.int32)


def random_codes(size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(SYMBOLS, size=size).astype(np.uint8)


def test_texts_are_joined_with_borders_and_what_is_unknown_is_none_of_the_symbols() -> None:
    table = np.array([1, UNKNOWN, 0], np.int32)
    codes = joined([Other(np.array([0, 1, 2], np.uint8), table), Other(np.array([2], np.uint8), table)], 2)
    assert codes.tolist() == [2, 0, 1, 0, 1]


def test_the_shares_are_those_of_what_was_copied() -> None:
    corpus, new = random_codes(3000, 1), random_codes(500, 2)
    pieces = [new[:70], corpus[100:115], new[70:170], corpus[200:220], new[170:300], corpus[40:200], new[300:]]
    text = np.concatenate(pieces)
    found = compare(joined([Other(text, SAME)], SYMBOLS), joined([Other(corpus, SAME)], SYMBOLS), SYMBOLS)
    size = len(text)
    chance = 6  # characters that may be the same by chance at either end of a passage
    for run, expected in zip(RUNS, (180, 160, 160), strict=True):
        assert 0 <= found.figures.copied[run] * size - expected <= chance
    assert 160 <= found.figures.longest <= 160 + chance
    assert found.figures.longest == found.longest.max() == found.passages.lengths.max()
    assert (found.figures.characters, found.times.tolist()) == (size, [1, 1])
    assert [abs(place - wanted) < chance for place, wanted in zip(found.places, (200, 40), strict=True)] == [True] * 2


def test_a_passage_does_not_cross_the_border_of_two_texts() -> None:
    corpus = random_codes(400, 3)
    whole = joined([Other(corpus, SAME)], SYMBOLS)
    halves = [Other(corpus[:200], SAME), Other(corpus[200:], SAME)]
    for text, other in ((joined(halves, SYMBOLS), whole), (whole.copy(), joined(halves, SYMBOLS))):
        padded = blank(len(text), SYMBOLS + 1)
        padded[:] = text
        found = compare(padded, other, SYMBOLS)
        assert found.passages.lengths.tolist() == [200, 200]
        assert found.figures.copied == dict.fromkeys(RUNS, 1.0)
        assert found.figures.characters == 400


def test_the_yardstick_is_the_end_of_the_corpus_compared_with_the_rest() -> None:
    corpus = random_codes(1000, 4)
    corpus[950:1000] = corpus[100:150]
    codes = joined([Other(corpus, SAME)], SYMBOLS)
    before = codes.copy()
    end = joined([Other(corpus[900:], SAME)], SYMBOLS)
    found = yardstick(codes, SYMBOLS, 60)
    assert found is not None
    assert (found.characters, found.distinct_of) == (100, 60)
    assert 0.5 <= found.copied[50] <= 0.56
    assert found.copied[100] == 0
    assert np.array_equal(codes, before)
    assert compare(end, joined([Other(corpus[:900], SAME)], SYMBOLS), SYMBOLS).figures.copied == found.copied
    assert compare(end, codes, SYMBOLS).figures.copied[100] == 1.0
    assert compare(end, codes, SYMBOLS).figures.distinct_of == 100


def test_what_stands_in_the_end_itself_does_not_count_for_it() -> None:
    corpus = random_codes(600, 5)
    corpus[-30:] = corpus[-60:-30]  # the end repeats itself, and the rest has none of it
    found = yardstick(joined([Other(corpus, SAME)], SYMBOLS), SYMBOLS, 60)
    assert found is not None
    assert found.copied[SHORTEST] == 0


def test_a_passage_from_the_rest_into_the_end_does_not_count_for_it() -> None:
    corpus = random_codes(600, 7)
    corpus[-30:] = corpus[525:555]  # 15 of the rest, and 15 of the end
    found = yardstick(joined([Other(corpus, SAME)], SYMBOLS), SYMBOLS, 60)
    assert found is not None
    assert 15 <= found.longest < SHORTEST


def test_a_corpus_too_short_to_hold_something_out_has_no_yardstick() -> None:
    assert yardstick(joined([Other(random_codes(199 - 9, 6), SAME)], SYMBOLS), SYMBOLS, 9) is None
    assert yardstick(joined([Other(random_codes(200, 6), SAME)], SYMBOLS), SYMBOLS, 9) is not None


@given(st.lists(st.integers(1, 4), max_size=40))
def test_distinct_n_counts_different_n_grams_without_borders(text: list[int]) -> None:
    found = distinct(np.array(text, np.uint8), border=4)
    for size, share in found.items():
        grams = [tuple(text[i : i + size]) for i in range(len(text) - size + 1)]
        grams = [gram for gram in grams if 4 not in gram]
        assert share == len(set(grams)) / len(grams) if grams else math.isnan(share)


def test_too_little_memory_is_told_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copied.machine, "memory", lambda: 10**6)
    message = (
        "^comparing 1,000,000 characters needs 0.005 GB of memory, and 0.001 GB is available; compare fewer texts$"
    )
    with pytest.raises(CorpusError, match=message):
        joined([Other(np.zeros(10**6, np.uint8), SAME)], SYMBOLS)


MEMORY = r"""
import re, sys
from pathlib import Path
import numpy as np
from textgen.evaluation.copied import compare, joined
from textgen.generation.copying import Other
symbols, size = map(int, sys.argv[1:])
def run(size):
    rng = np.random.default_rng(1)
    dtype = np.min_scalar_type(symbols - 1)
    codes = rng.integers(symbols, size=size, dtype=dtype)
    codes[-999:] = codes[:999]
    same = np.arange(symbols, dtype=np.int32)
    text = joined([Other(codes[5000:25_000], same)], symbols)
    return compare(text, joined([Other(codes, same)], symbols), symbols).figures.copied[100], codes.nbytes
def peak():  # not `ru_maxrss`, which begins with that of the process that has started this one
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
run(size)  # with a yardstick of the largest size, which needs as much whatever the corpus has
before = peak()
share, given = run(2 * size)
print(share, (peak() - before - given / 2) / size)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells it so")
@pytest.mark.parametrize(("symbols", "most"), [(90, 7), (3000, 12)])
def test_at_most_twelve_bytes_a_character_are_needed(symbols: int, most: int) -> None:
    size = 2_000_000
    at_once = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}  # what is freed is given back
    told = subprocess.check_output([sys.executable, "-c", MEMORY, str(symbols), str(size)], text=True, env=at_once)
    share, needed = map(float, told.split())
    assert share == 1.0
    assert needed < most
