import gc
import random
import re
import sys
import time
import weakref
from itertools import product
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textgen.generation import matching
from textgen.generation.automaton import MOST_STATES
from textgen.generation.matching import Match, Pattern

SYMBOLS = "aB\n"
NO_SEED = np.zeros(0, np.int32)
KANA = "".join(map(chr, range(0x3041, 0x3094)))
PRINTED = "\n" + "".join(map(chr, range(32, 127))) + KANA

atoms = st.sampled_from(
    ["a", "B", ".", "[^a]", r"\n", r"\s", r"\w", "(?i:A)", "(?s:.)", "(?a:\\w)", "^", r"\Z", "()", "[aB]"]
)
counts = st.sampled_from(["", "*", "+", "?", "*?", "{2}", "{1,3}", "{,2}", "{2,}", "{0}"])


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map("|".join),
        st.tuples(inner, counts).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    )


regexes = st.recursive(atoms, _larger, max_leaves=8)


def pattern(regex: str, symbols: str = PRINTED, without: str = "") -> Pattern:
    return Pattern(regex, symbols, np.array([symbol not in without for symbol in symbols]))


def write(regex: str, length: int, rng_seed: int = 0, symbols: str = PRINTED) -> tuple[str, Match]:
    """A text of characters drawn at random from those that are allowed."""
    rng = np.random.default_rng(rng_seed)
    match = pattern(regex, symbols).begin(NO_SEED, length)
    text = ""
    while len(codes := np.flatnonzero(match.allowed())):
        code = int(rng.choice(codes))
        text += symbols[code]
        match.advance(code)
    return text, match


@given(regexes, st.integers(0, 5), st.sampled_from(["", "a", "B"]))
@example(".(?s:.).", 3, "")
@example("^", 2, "")
def test_every_text_is_steered_as_pythons_own_matching_says(regex: str, length: int, without: str) -> None:
    letters = [symbol for symbol in SYMBOLS if symbol not in without]
    texts = ["".join(text) for size in range(length + 1) for text in product(letters, repeat=size)]
    matching = {text for text in texts if re.fullmatch(regex, text)}
    beginnings = {text[:end] for text in matching for end in range(len(text) + 1)}
    try:
        begun = pattern(regex, SYMBOLS, without)
        begun.begin(NO_SEED, length)
    except ValueError:
        assert not matching
        return
    assert begun.shortest == min(map(len, matching))
    for text in beginnings:
        match = begun.begin(NO_SEED, length)
        for symbol in text:
            match.advance(SYMBOLS.index(symbol))
        following = {symbol for symbol in SYMBOLS if text + symbol in beginnings}
        assert {SYMBOLS[code] for code in np.flatnonzero(match.allowed())} == following
        assert match.accepting == (text in matching)
        assert match.ended == (text in matching and not following)


@pytest.mark.parametrize(
    ("regex", "length"),
    [
        (r"\(\d{3}\) \d{3}-\d{4}", 14),
        (r"[ぁ-ん]{5}\n[ぁ-ん]{7}\n[ぁ-ん]{5}", 500),
        (r"\u3042[\u3041-\u3093]{3}", 9),
        (r"(.{20,45}\n){4}", 90),
        (r"R.{10,40}\nO.{10,40}\nM.{10,40}\nE.{10,40}", 100),
        (r"(?x) [ab]+  # letters", 30),
        (r"^The.*end\.$", 200),
        (r"(.*a.{20}){3}", 300),  # a deterministic automaton of all its states would have millions
        (r"(.{10,40}){4}", 160),
    ],
)
def test_a_text_always_ends_in_a_match_in_time(regex: str, length: int) -> None:
    for rng_seed in range(5):
        text, match = write(regex, length, rng_seed)
        assert len(text) <= length
        assert re.fullmatch(regex, text)
        assert match.ended


@pytest.mark.parametrize("regex", ["(.{1,30}){1,30}", "(.{0,30}){1,30}", "(a?b?c?d?e?f?g?h?){100}"])
def test_a_character_takes_no_more_work_where_a_text_is_in_many_states(regex: str) -> None:
    begun, lines = pattern(regex), 0
    match = begun.begin(NO_SEED, 300)

    def count(frame: FrameType, event: str, _: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before, most, written = sys.gettrace(), 0, 0
    sys.settrace(count)
    try:
        for code in map(PRINTED.index, "abcdefgh" * 37):
            assert match.allowed()[code]
            match.advance(code)
            most, written = max(most, len(match._node.states)), written + 1
    finally:
        sys.settrace(before)
    assert most > 500
    assert lines < 100 * written  # of Python


def test_a_text_goes_on_as_long_as_it_can_match() -> None:
    assert len(write("a*", 7)[0]) == 7
    assert write("ab(cdefg)?", 6)[0] == "ab"
    assert write("ab(cdefg)?", 7)[0] == "abcdefg"
    assert write("(abc)*", 8)[0] == "abcabc"


def test_a_text_that_has_left_the_pattern_may_not_go_on() -> None:
    match = pattern("ab+").begin(NO_SEED, 9)
    match.advance(PRINTED.index("x"))
    assert not match.allowed().any()
    assert not match.ended


@pytest.mark.parametrize(
    ("regex", "message"),
    [
        ("", "`match` must have at least one character$"),
        ("a(b", r"`match` is not a regular expression: missing \), unterminated subpattern at position 1$"),
        ("a{99999999999}", "`match` is not a regular expression: the repetition number is too large$"),
        ("(" * 5000 + ")" * 5000, "`match` has too many nested groups$"),
        ("a(?=b).", "`match` looks ahead or behind, which is not supported$"),
        ("a(?<!b).", "`match` looks ahead or behind, which"),
        (r"(a|b)\1", "`match` has a back-reference, which"),
        ("(a)?(?(1)b|c)", "`match` has a condition on a group, which"),
        ("(?>a)b", "`match` has an atomic group, which"),
        ("a++b", "`match` has a possessive repetition, which"),
        (r"a\b.", "`match` has a word boundary, which is not supported$"),
        ("(?m)a$", r"`match` has the flag \(\?m\), which is not supported; write newlines as \\n$"),
        ("(.{1000}){1000}", f"`match` has more than {MOST_STATES:,} states when its repetitions are written out; exp"),
        ("((a?){4000000}){4000000}", f"`match` has more than {MOST_STATES:,} states"),
        ("aÜb", r"no text of the allowed characters can match `match`; among those it needs are 'Ü' \(U"),
        ("[À-Ý]", "no text of the allowed characters can match `match`$"),
        ("a$b", "no text of the allowed characters can match `match`$"),
    ],
)
def test_what_cannot_be_steered_is_refused_at_once(regex: str, message: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(ValueError, match=message):
        pattern(regex)
    assert time.perf_counter() - begun < 5


def test_the_expression_is_a_string() -> None:
    with pytest.raises(TypeError, match="`match` must be str, not Pattern"):
        pattern(re.compile("a"))  # type: ignore[arg-type]


def test_a_length_below_the_shortest_match_is_refused() -> None:
    telephone = pattern(r"\(\d{3}\) \d{3}-\d{4}")
    message = "the shortest text that matches `match` has 14 characters; `length` must be at least that, not 13"
    with pytest.raises(ValueError, match=message):
        telephone.begin(NO_SEED, 13)


def test_nothing_to_repeat_takes_no_time() -> None:
    assert write("(a{0}){4000000000}b(){3,4000000000}", 5)[0] == "b"


def test_what_future_versions_may_read_otherwise_is_no_warning() -> None:
    assert write("[[a]{3}", 3)[1].ended


def test_texts_stay_right_when_what_is_remembered_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MOST_KEPT", 7_000)
    begun = pattern(r"(.{3,9}\n){4}")
    match = begun.begin(NO_SEED, 40)
    nodes = []
    for symbol in "abcdef\nghijkl\nmno\npqr\n":
        nodes.append(weakref.ref(match._node))
        assert match.allowed()[PRINTED.index(symbol)]
        match.advance(PRINTED.index(symbol))
    assert match.ended
    gc.collect()
    assert sum(node() is not None for node in nodes) < 15


def test_the_first_node_keeps_none_that_were_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MOST_KEPT", 7_000)
    begun, draw = pattern(r"(.{3,9}\n){4}"), random.Random(0)
    for _ in range(200):
        match = begun.begin(NO_SEED, 40)
        while not match.ended:
            match.advance(draw.choice(np.flatnonzero(match.allowed()).tolist()))
    reached, waiting = set(), [begun._start]
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting += node.after.values()
    assert len(reached) < 30
