import itertools
import math
import re
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT, describe, random_weights
from textgen.config import ModelConfig, SamplingConfig
from textgen.corpus.corpus import Corpus
from textgen.corpus.vocabulary import Vocabulary
from textgen.description import Description
from textgen.errors import SeedError
from textgen.generation.generator import Generator
from textgen.generation.recurrent import Recurrent
from textgen.generation.stream import Seed
from textgen.kernel import library
from textgen.model_file import Weights


@pytest.fixture(params=["kernel", "NumPy"])
def writer(
    small: tuple[Description, Weights], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Generator:
    if request.param == "NumPy":
        monkeypatch.setattr(library, "library", lambda: None)
    elif library.library() is None:
        pytest.skip("textgen was installed without a C compiler, or not on Linux on x86-64")
    return Generator(*small)


def test_a_text_has_the_length_asked_for_and_known_characters(writer: Generator) -> None:
    for length in (0, 1, 2, 33, 200):
        text = writer.generate("The ", length=length)
        assert len(text) == length
        assert set(text) <= set(TEXT)


def test_a_seed_of_the_generator_fixes_the_text(writer: Generator) -> None:
    texts = [writer.generate("The ", length=100, rng_seed=seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert writer.generate(length=100) != writer.generate(length=100)


def test_argmax_follows_the_network_step_by_step(small: tuple[Description, Weights], writer: Generator) -> None:
    network = Recurrent(small[1])
    state, text = network.start(), "The "
    for code in small[0].vocabulary.encode(text):
        logits = network.step(np.array([code]), state)
    for _ in range(50):
        code = int(logits[0].argmax())
        text += small[0].vocabulary.symbols[code]
        logits = network.step(np.array([code]), state)
    assert "The " + writer.generate("The ", length=50, temperature=0) == text


def test_a_stream_is_the_text_in_pieces_as_they_are_written(writer: Generator) -> None:
    pieces = list(writer.stream("The ", length=100, rng_seed=1))
    assert "".join(pieces) == writer.generate("The ", length=100, rng_seed=1)
    assert len(pieces[0]) < max(map(len, pieces)) <= 64


def test_calls_run_side_by_side_do_not_disturb_each_other(writer: Generator) -> None:
    alone = [writer.generate(seed, length=80, rng_seed=3) for seed in ("The ", "dog")]
    streams = [writer.stream(seed, length=80, rng_seed=3) for seed in ("The ", "dog")]
    woven = list(itertools.zip_longest(*streams, fillvalue=""))
    assert ["".join(pieces) for pieces in zip(*woven, strict=True)] == alone


def test_text_ends_before_a_stop_string(writer: Generator) -> None:
    whole = writer.generate("The ", length=300, rng_seed=5)
    stop = whole[100:103]
    assert writer.generate("The ", length=300, rng_seed=5, stop=stop) == whole[: whole.index(stop)]
    assert writer.generate("The ", length=300, rng_seed=5, stop=["nowhere", stop]) == whole[: whole.index(stop)]


def test_several_texts_are_written_side_by_side(writer: Generator) -> None:
    texts = list(writer.texts("The ", count=5, temperature=1.0, length=60, stop="e", rng_seed=7))
    assert [text.number for text in texts] == [0, 1, 2, 3, 4]
    assert len({text.text for text in texts}) == 5
    for text in texts:
        assert "e" not in text.text
        assert (text.stopped_by, len(text.text) < 60) in (("stop", True), ("length", False))
        assert text.stop == ("e" if text.stopped_by == "stop" else None)
        assert (text.seed, text.rng_seed) == ("The ", 7)


def test_a_text_is_the_same_whatever_else_is_written(writer: Generator) -> None:
    options = {"length": 60, "rng_seed": 7, "temperature": 1.2}
    alone = writer.generate("The ", **options)
    for count in (1, 3, 70):
        texts = [text.text for text in writer.texts("The ", count=count, **options)]
        assert texts[0] == alone
        assert texts[:3] == [text.text for text in writer.texts("The ", count=3, **options)][:count]
    both = list(writer.texts(["dog", "The "], count=2, **options))
    assert [text.seed for text in both] == ["dog", "dog", "The ", "The "]
    assert both[2].text == alone
    pieces: dict[int, str] = {}
    for stream, piece in writer.write("The ", count=3, **options):
        pieces[stream.number] = pieces.get(stream.number, "") + piece
    assert list(pieces.values()) == [text.text for text in writer.texts("The ", count=3, **options)]


def test_streams_differ_but_for_argmax(writer: Generator) -> None:
    assert len({text.text for text in writer.texts("The ", count=70, length=40, temperature=1.0)}) == 70
    texts = {text.text for text in writer.texts("The ", count=70, length=40, temperature=0)}
    assert texts == {writer.generate("The ", length=40, temperature=0)}


def test_the_next_character_has_probabilities(small: tuple[Description, Weights], writer: Generator) -> None:
    network = Recurrent(small[1])
    state = network.start()
    for code in small[0].vocabulary.encode("The "):
        logits = network.step(np.array([code]), state)[0].astype(np.float64)
    expected = np.exp(logits) / np.exp(logits).sum()
    shares = writer.predict("The ")
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert shares == pytest.approx(dict(zip(small[0].vocabulary.symbols, expected, strict=True)), abs=1e-5)
    assert next(iter(shares)) == writer.generate("The ", length=1, temperature=0)
    assert writer.predict() == writer.predict("\n")
    assert list(rare_writer().predict("ab")) != []
    assert "\ufffd" not in rare_writer().predict("ab")


def test_any_number_of_threads_may_use_a_generator(writer: Generator) -> None:
    def texts(seed: int) -> list[str]:
        return [text.text for text in writer.texts("The ", count=5, length=50, rng_seed=seed)]

    expected = [texts(seed) for seed in range(20)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(texts, range(20))) == expected


def test_threads_share_the_shipped_model_and_write_what_one_thread_does() -> None:
    writer = textgen.load()
    calls = [
        {"seed": seed, "length": 40 + 9 * number, "rng_seed": number, "temperature": temperature}
        for number in range(4)
        for seed in ("ROMEO:", "To be")
        for temperature in (0, 0.7)
    ]
    expected = [writer.generate(**call) for call in calls]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda call: writer.generate(**call), calls)) == expected


def test_a_sampling_config_is_taken_as_it_is(writer: Generator) -> None:
    config = SamplingConfig(temperature=0.5, top_k=4)
    text = writer.generate("The ", length=50, rng_seed=1, temperature=0.5, top_k=4)
    assert writer.generate("The ", length=50, rng_seed=1, sampling=config) == text
    with pytest.raises(ValueError, match=r"^`sampling` and `top_k` exclude each other; give only one$"):
        writer.stream(sampling=config, top_k=4)
    with pytest.raises(TypeError, match=r"^`sampling` must be textgen\.SamplingConfig, not dict$"):
        writer.generate(sampling={"top_k": 4})  # type: ignore[arg-type]


def test_an_empty_seed_starts_as_after_a_newline(writer: Generator) -> None:
    assert writer.generate("", length=50, rng_seed=1) == writer.generate("\n", length=50, rng_seed=1)


def test_an_empty_seed_starts_after_a_random_symbol_where_there_is_no_newline() -> None:
    vocabulary, config = Vocabulary.of("abcdefgh"), ModelConfig(1, 8, 0.0, 4)
    writer = Generator(describe(vocabulary, config), Weights.from_list(random_weights(config, 8, scale=2)))
    starts = {writer.generate(length=8, temperature=0, rng_seed=seed) for seed in range(30)}
    assert starts <= {writer.generate(symbol, length=8, temperature=0) for symbol in "abcdefgh"}
    assert len(starts) > 1


def test_a_lowercase_model_takes_any_case() -> None:
    vocabulary, config = Vocabulary.of("abc "), ModelConfig(1, 8, 0.0, 4)
    weights = Weights.from_list(random_weights(config, 4))
    writer = Generator(describe(vocabulary, config, lowercase=True), weights)
    assert writer.generate("AB", rng_seed=1) == writer.generate("ab", rng_seed=1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"length": -1}, "`length` must be a whole number from 0 to 1,000,000,000, not -1"),
        ({"length": 1.5}, "`length` must be a whole number"),
        ({"temperature": -0.1}, "`temperature` must be a number from 0 to 100, not -0.1"),
        ({"temperature": float("nan")}, "`temperature` must be"),
        ({"top_k": 0}, "`top_k` must be"),
        ({"top_p": 0.0}, "`top_p` must be a number above 0, at most 1, not 0.0"),
        ({"min_p": 1.1}, "`min_p` must be"),
        ({"rng_seed": -1}, "`rng_seed` must be"),
        ({"stop": [""]}, "a stop string must have"),
        ({"unknown": "x"}, "`unknown` must be one of"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_written(writer: Generator, wrong: dict, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        writer.stream("The ", **wrong)


def test_an_unknown_character_is_refused_when_called(writer: Generator) -> None:
    with pytest.raises(SeedError, match="'Ω'"):
        writer.stream("Ω")


def rare_writer(text: str = "abc \ufffd") -> Generator:
    """A writer whose network would write the replacement above all else."""
    vocabulary, config = Vocabulary.of(text), ModelConfig(1, 8, 0.0, 4)
    arrays = random_weights(config, len(vocabulary))
    arrays[-1][vocabulary.codes["\ufffd"]] = 50
    return Generator(describe(vocabulary, config, replacement="\ufffd"), Weights.from_list(arrays))


@pytest.mark.parametrize("options", [{}, {"temperature": 0}, {"temperature": 100}, {"top_k": 2}, {"top_p": 0.5}])
def test_the_replacement_of_rare_symbols_is_never_written(options: dict) -> None:
    writer = rare_writer()
    assert set(writer.generate("ab", length=500, **options)) <= set("abc ")
    assert {writer.generate(length=1, temperature=0, rng_seed=seed) for seed in range(20)} <= set("abc ")


def test_the_replacement_stands_for_what_a_seed_has_and_the_model_does_not_know() -> None:
    writer = rare_writer()
    for unknown in ("error", "nearest"):
        text = writer.generate("a漢b", rng_seed=1, unknown=unknown)
        assert text == writer.generate("a\ufffdb", rng_seed=1)
    assert writer.generate("aÇb", rng_seed=1, unknown="nearest") == writer.generate("acb", rng_seed=1)
    assert writer.generate("a漢b", rng_seed=1, unknown="skip") == writer.generate("ab", rng_seed=1)


def test_seeds_and_stop_strings_are_composed_as_the_text_was() -> None:
    vocabulary, config = Vocabulary.of("é 漢"), ModelConfig(1, 8, 0.0, 4)
    weights = Weights.from_list(random_weights(config, 3))
    writer = Generator(describe(vocabulary, config, unicode="nfc"), weights)
    assert writer.generate("e\u0301", rng_seed=1) == writer.generate("é", rng_seed=1)
    assert writer.generate("é", rng_seed=1, stop="e\u0301") == writer.generate("é", rng_seed=1, stop="é")
    with pytest.raises(SeedError):
        Generator(describe(vocabulary, config, unicode="none"), weights).generate("e\u0301")


def test_marks_without_end_are_no_text_to_stop_at(writer: Generator) -> None:
    with pytest.raises(SeedError, match="the text to stop at has more than 1,000 combining marks in a row"):
        writer.generate(stop="\u0315\u0316" * 10**5)


def test_it_is_shown_in_a_short_line(writer: Generator) -> None:
    assert repr(writer) == "<Generator of 2 × LSTM(8), 31 symbols, from 'play'>"


def test_constraints_hold_in_every_text(writer: Generator) -> None:
    known = {
        "only": ({"only": "The quickbrown"}, lambda text: set(text) <= set("The quickbrown")),
        "without": ({"without": "e "}, lambda text: not set(text) & set("e ")),
        "ban": ({"ban": ["e", "th"]}, lambda text: "e" not in text and "th" not in text),
        "no_repeat": ({"no_repeat": 3}, lambda text: repeated("The " + text, 3) is None),
        "match": ({"match": "[a-z]{3,9} [a-z]+[.]", "length": 25}, re.compile("[a-z]{3,9} [a-z]+[.]").fullmatch),
    }
    for name, (options, holds) in known.items():
        for sampling in ({}, {"temperature": 0}, {"temperature": 2, "top_k": 5}):
            for text in writer.texts("The ", count=3, rng_seed=1, **{"length": 60} | options | sampling):
                assert holds(text.text), (name, text)
                assert text.stopped_by in ("length", "match")
    every = dict[str, Any](only="bcdefghij ", without="z", ban="cd", no_repeat=4, match="[a-h ]{20,30}", length=30)
    for text in writer.texts("The ", count=20, rng_seed=2, temperature=1.5, **every):
        assert re.fullmatch("[b-h ]{20,30}", text.text)
        assert "cd" not in text.text
        assert repeated(text.text, 4) is None


def repeated(text: str, n: int) -> str | None:
    """What stands twice in a text, of n characters."""
    runs = [text[start : start + n] for start in range(len(text) - n + 1)]
    return next((run for run in runs if runs.count(run) > 1), None)


def test_a_text_is_not_copied_from_others(writer: Generator) -> None:
    corpus = Corpus.from_text("The quick brown fox. " * 9, unicode="none")
    for text in writer.texts("The qui", count=20, length=60, temperature=1.5, no_copy=3, against=corpus):
        written = "The qui" + text.text
        assert not any(written[at : at + 3] in "The quick brown fox. The" for at in range(5, len(written) - 2))


def test_what_leaves_nothing_to_write_ends_the_text_and_is_named(writer: Generator) -> None:
    (text,) = writer.texts("The ", only="ab", no_repeat=2, length=60)
    assert text.stopped_by == "no_repeat"
    assert 0 < len(text.text) < 6
    (text,) = writer.texts("The ", only="ab", no_repeat=2, match="[ab]*", length=60)
    assert text.stopped_by == "match"  # every text of these matches, so that it is no early end
    (text,) = writer.texts("The ", only="ab", no_repeat=2, match="[ab]{40}", length=60)
    assert text.stopped_by == "no_repeat"
    (text,) = writer.texts("The ", match="(a|b){3}", length=60)
    assert (text.stopped_by, len(text.text)) == ("match", 3)


def test_what_the_seed_is_empty_for_is_no_part_of_the_text() -> None:
    vocabulary, config = Vocabulary.of("\nab"), ModelConfig(1, 8, 0.0, 4)
    writer = Generator(describe(vocabulary, config), Weights.from_list(random_weights(config, 3)))
    texts = {writer.generate("", length=1, only="\na", ban="\n\n", rng_seed=seed) for seed in range(40)}
    assert texts == {"\n", "a"}


def test_predictions_are_told_where_they_are_asked_for(writer: Generator) -> None:
    (text,) = writer.texts("The ", length=30, logprobs=3, temperature=2, top_k=9, rng_seed=1)
    assert text.logprobs is not None
    assert "".join(item.symbol for item in text.logprobs) == text.text
    for place, item in enumerate(text.logprobs):
        shares = writer.predict("The " + text.text[:place])
        assert math.exp(item.logprob) == pytest.approx(shares[item.symbol], abs=1e-5)
        assert list(item.likeliest) == list(shares)[:3]
        assert list(map(math.exp, item.likeliest.values())) == pytest.approx(list(shares.values())[:3], abs=1e-5)
    (plain,) = writer.texts("The ", length=30, temperature=2, top_k=9, rng_seed=1)
    assert (plain.text, plain.logprobs) == (text.text, None)
    stop = text.text[9:11]
    (stopped,) = writer.texts("The ", length=30, logprobs=0, temperature=2, top_k=9, rng_seed=1, stop=stop)
    assert stopped.logprobs is not None
    assert len(stopped.logprobs) == len(stopped.text) < 12
    (whole,) = rare_writer().texts("ab", length=5, logprobs=1000)
    assert whole.logprobs is not None
    assert all(len(item.likeliest) == 4 and item.logprob > -math.inf for item in whole.logprobs)


def test_a_text_goes_on_to_its_end(writer: Generator) -> None:
    """The small network has every character about as often as any other."""
    plain = writer.generate("The ", length=700, rng_seed=3, temperature=1)
    for length in (0, 1, 50, 200):
        (text,) = writer.texts("The ", length=length, end="sentence", rng_seed=3, temperature=1)
        assert plain.startswith(text.text)
        more = text.text[length:]
        assert text.stopped_by == ("end" if len(more) < 500 else "length")
        assert re.search("[.!?]$", text.text) or len(more) == 500
        pieces = "".join(writer.stream("The ", length=length, end="sentence", rng_seed=3, temperature=1))
        assert pieces == text.text
    (text,) = writer.texts("The ", length=30, end="line", rng_seed=3, without="\n")
    assert (len(text.text), text.stopped_by) == (530, "length")
    stop = plain[40:42]
    (text,) = writer.texts("The ", length=30, end="paragraph", rng_seed=3, temperature=1, stop=stop)
    assert (text.text, text.stopped_by, text.stop) == (plain[: plain.index(stop)], "stop", stop)
    (text,) = writer.texts("The ", length=9, end="line", match="[a-z]{5}", rng_seed=3)
    assert (len(text.text), text.stopped_by) == (5, "match")
    with pytest.raises(ValueError, match=r"^`end` must be one of line, sentence, paragraph, not 'word'$"):
        writer.generate(end="word")  # type: ignore[arg-type]


def test_an_end_inside_what_was_held_back_for_a_stop_string_is_an_end(writer: Generator) -> None:
    """The stop string begins with the last characters that may be written, and what is held back has an end in it."""
    plain = writer.generate("The ", length=500, rng_seed=3, temperature=1)
    (text,) = writer.texts("The ", length=0, end="line", stop=plain + "!", rng_seed=3, temperature=1)
    assert (text.text, text.stopped_by, text.stop) == (plain.lstrip("\n").partition("\n")[0], "end", None)


def test_of_a_seed_without_known_characters_nothing_counts_as_read(writer: Generator) -> None:
    """It goes on as an empty one does, from a newline that is no part of the text."""
    options = {"length": 12, "only": "\n", "no_repeat": 3, "unknown": "skip"}
    assert writer.generate("☃", **options) == writer.generate("", **options) == "\n\n\n"


def test_what_is_remembered_of_a_seed_lasts_as_long_as_its_texts(writer: Generator) -> None:
    phrases = [f"{TEXT}{symbol}" for symbol in "abcdefghij"]
    seeds: list[weakref.ref[Seed]] = []
    for stream, _ in writer.write(phrases, count=3, length=2):
        if not seeds or seeds[-1]() is not stream.seed:
            seeds.append(weakref.ref(stream.seed))
    del stream
    assert len(seeds) == len(phrases)
    assert [seed() for seed in seeds] == [None] * len(phrases)


def test_a_loop_that_is_broken_off_leaves_no_thread_behind(writer: Generator) -> None:
    before = threading.active_count()
    for number, _ in enumerate(writer.write("The ", count=20, length=1000)):
        if number == 3:
            break
    for _ in writer.stream("The ", length=1000):
        break
    assert threading.active_count() == before


@pytest.mark.parametrize("options", [{}, {"temperature": 0}, {"top_p": 0.5, "top_k": 3}])
def test_constraints_that_leave_the_replacement_alone_leave_nothing(options: dict) -> None:
    (text,) = rare_writer().texts("ab", ban=["a", "b", "c", " "], **options)
    assert (text.text, text.stopped_by) == ("", "ban")
    (text,) = rare_writer().texts("ab", only="ab", no_repeat=2, **options)
    assert text.stopped_by == "no_repeat"
