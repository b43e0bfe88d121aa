import re
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import describe
from textgen.config import ModelConfig
from textgen.corpus.corpus import Corpus
from textgen.corpus.vocabulary import Vocabulary
from textgen.description import Description
from textgen.errors import CorpusError
from textgen.generation.constraints import Rule
from textgen.generation.rules import rules

SYMBOLS = "\n abcdé"


def model(symbols: str = SYMBOLS, **text) -> Description:
    return describe(Vocabulary.of(symbols), ModelConfig(layers=1, units=2, dropout=0.0, embedding=2), **text)


def allowed(rule: Rule, read: str, symbols: str = SYMBOLS, length: int = 9) -> str:
    """What may follow a seed, of a vocabulary in its order."""
    vocabulary = Vocabulary.of(symbols)
    mask = rule.begin(vocabulary.encode(read), length).allowed()
    return "".join(symbol for code, symbol in enumerate(vocabulary.symbols) if mask is None or mask[code])


def test_nothing_asked_is_no_rule() -> None:
    assert rules(model(), 9) == []


def test_rules_come_in_one_order_and_are_called_as_their_arguments(tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text("abcd" * 9)
    found = rules(
        model(), 9, match="[ab]+", against=path, no_copy=3, no_repeat=4, ban=["ab", "c"], without="d", only="ab"
    )
    names = [rule.begin(np.zeros(1, np.int32), 9).name for rule in found]
    assert names == ["match", "only", "ban", "no_repeat", "no_copy"]
    (rule,) = rules(model(), 9, without="d")
    assert rule.begin(np.zeros(0, np.int32), 9).name == "without"


def test_each_rule_forbids_what_its_argument_says(tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text("a cab\nfor d")
    for options, read, kept in [
        ({"only": "abd"}, "ab", "abd"),
        ({"ban": "abc"}, "ab", "\n abdé"),
        ({"ban": ["abc", "a", "be\u0301"]}, "ab", "\n bd"),
        ({"ban": ["abxc", "x"]}, "abc", SYMBOLS),
        ({"no_repeat": 3}, "cabca", "\n acdé"),
        ({"no_copy": 4, "against": path}, "a ca", "\n acdé"),
        ({"no_copy": 4, "against": [str(path), Corpus.from_text("a cad" * 5)]}, "a ca", "\n acé"),
        ({"match": "[bcx].*"}, "a", "bc"),
        ({"match": "[b\u0063e\u0301].*", "without": "b"}, "a", "cé"),
    ]:
        assert allowed(rules(model(unicode="nfc"), 9, **options)[0], read) == kept, options


def test_arguments_are_normalised_as_the_models_text_was() -> None:
    lower = model(unicode="nfkc", lowercase=True)
    assert allowed(rules(lower, 9, ban="ＡＢc")[0], "ab") == "\n abdé"
    assert allowed(rules(lower, 9, only="ＡB")[0], "ab") == "ab"


def test_the_symbol_of_rare_ones_is_not_written_for_a_match() -> None:
    with pytest.raises(ValueError, match="no text of the allowed characters can match"):
        rules(model(SYMBOLS + "\ufffd", replacement="\ufffd"), 9, match="[\ufffdx]")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": ""}, "`only` must have at least one character"),
        ({"only": "ab", "without": "ab"}, "`only` and `without` contradict each other: both have 'a' (U+0061"),
        ({"ban": ["ab", ""]}, "`ban[1]` must have at least one character"),
        ({"ban": ""}, "`ban[0]` must have at least one character"),
        ({"no_repeat": 1}, "`no_repeat` must be a whole number from 2 to 1,000, not 1"),
        ({"no_copy": 0}, "`no_copy` must be a whole number from 2 to 100,000, not 0"),
        ({"no_copy": 10, "against": Corpus.from_text("abc")}, "`no_copy` must be at most the length of the text, 3 ch"),
        ({"against": "abc"}, "`against` needs `no_copy`, which says how many characters in a row may not be the same"),
        ({"match": ""}, "`match` must have at least one character"),
        ({"match": "a{10}"}, "the shortest text that matches `match` has 10 characters; `length` must be at least"),
        ({"match": "aa", "without": "a"}, "no text of the allowed characters can match `match`; among th"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        rules(model(unicode="nfc"), 9, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": 3}, "`only` must be str or None, not int"),
        ({"without": ["a"]}, "`without` must be str or None, not list"),
        ({"ban": [3]}, "`ban[0]` must be str, not int"),
        ({"no_repeat": "3"}, "`no_repeat` must be a whole number from 2 to 1,000, not '3'"),
        ({"no_copy": 2.5}, "`no_copy` must be a whole number from 2 to 100,000, not 2.5"),
        ({"no_copy": 3, "against": 3}, "`against` must be str, PathLike, textgen.Corpus or Sequence, not int"),
        ({"no_copy": 3, "against": ["a", 3]}, "`against[1]` must be str, PathLike or textgen.Corpus, not int"),
        ({"match": re.compile("a")}, "`match` must be str, not Pattern"),
    ],
)
def test_what_is_of_a_wrong_type_is_refused(options, message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        rules(model(), 9, **options)


def test_without_a_text_to_compare_with_the_argument_for_it_is_named(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(CorpusError, match="is not in the cache folder; name its files with `against`"):
        rules(model(), 9, no_copy=5)
    with pytest.raises(CorpusError, match="missing"):
        rules(model(), 9, no_copy=5, against=tmp_path / "missing.txt")
