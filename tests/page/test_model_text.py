"""How a page that carries its model reads a prompt and ends a text, in Node: as the library does."""

import random
import re
from typing import Any

from tests.page.node import Node, node
from textgen.corpus.normalisation import Normalisation
from textgen.corpus.vocabulary import Vocabulary
from textgen.errors import SeedError
from textgen.generation.endings import Ending
from textgen.generation.seed import Unknown, encode_seed

__all__ = ["node"]

ENDED = """
import { endingOf } from "./ending.js";
answer(data.texts.map((text) => {
  const ending = endingOf(data.length);
  const pieces = [];
  for (const symbol of text) {
    pieces.push(ending.take(symbol));
    if (ending.found()) return pieces;
  }
  return [...pieces, ending.rest()];
}));
"""
CODES = """
import { codesOf } from "./encoding.js";
answer(data.asked.map(([seed, model, unknown]) => {
  try {
    return codesOf(seed, model, unknown);
  } catch (problem) {
    return `${problem.kind}: ${problem.message}`;
  }
}));
"""
SENTENCES = [
    "I go. You stay.",
    "It is 3.14 or so. No?",
    'He said "Go!" and went. "Why?" asked she.',
    "Dr. Who came. Mr.\nX went.",
    "My Lord. Go to Prof. X",
    "今日は。」と言った。\n「そうか」\n次",
    "何だ！？と言う。　次",
    "Ποῦ; Ἐκεῖ.  ναι. Ὄχι",
    "end.\n\n\nNext\x85 Part. \x1cX",
    "E. Lear … a. B (ok.) C",
    "„Ja.“ Nein.” 'x.' Y",
]
PARTS = [
    "a",
    "B",
    "é",
    " ",
    "\n",
    ".",
    "!",
    "?",
    "…",
    '"',
    "'",
    "”",
    "“",
    "。",
    "」",
    "』",
    "「",
    "3",
    "Mr",
    ";",
    "α",
    "\u3000",
    "𝒳",
]


def test_a_text_ends_where_it_does_in_python(node: Node) -> None:
    rng = random.Random(3)
    texts = SENTENCES + ["".join(rng.choices(PARTS, k=rng.randrange(1, 25))) for _ in range(3000)]
    for length in (1, 3):
        expected = []
        for text in texts:
            ending, pieces = Ending("sentence", length), []
            for symbol in text:
                pieces.append(ending.feed(symbol))
                if ending.found:
                    break
            expected.append(pieces if ending.found else [*pieces, ending.flush()])
        for text, ours, found in zip(texts, expected, node(ENDED, texts=texts, length=length), strict=True):
            assert found == ours, text


SIGNS = [
    *"aAeEzÀéäñÇǅﬁﬃ…—’“ςΣσΑαЙй가각힣ァｱｶﾞﾟガがＡａ１①㍻𝐀𝐀｢」～、。.,-~ \u00a0\u3000\t\n\r猫猫𝒳ß",
    *"\u0301\u0308\u3099\u309a\u0345\u0327\u1161\u11a8\u200b",
    "か\u3099", "e\u0301", "...", "ｶﾞ",
]  # fmt: skip
VOCABULARIES = [
    sorted("\n aAbez.,-'\"é"),
    sorted("\n 、。「」がかきガカキアァ猫"),
    sorted("\n a\u0301e\u0308nσςα.…~"),
    sorted("\n AＡ１가각ﬁß㍻abcdef"),
]


def test_a_prompt_is_read_as_in_python(node: Node) -> None:
    rng = random.Random(4)
    asked: list[list[Any]] = []
    for _ in range(4000):
        seed = "".join(rng.choices(SIGNS, k=rng.randrange(0, 5)))
        symbols = rng.choice(VOCABULARIES)
        replacement = rng.choice([None, None, "\ufffd"])
        model = {
            "vocabulary": [*symbols, replacement] if replacement else symbols,
            "replacement": replacement,
            "unicode": rng.choice(["none", "nfc", "nfkc"]),
            "lowercase": rng.random() < 0.3,
        }
        asked.append([seed, model, rng.choice(["nearest", "nearest", "skip", "error"])])
    for one, found in zip(asked, node(CODES, asked=asked), strict=True):
        assert (points_of(found) if isinstance(found, str) else found) == codes_or_points(*one), one


def codes_or_points(seed: str, model: dict[str, Any], unknown: Unknown) -> list[Any]:
    """The codes of a seed in Python, or the code points that the message of an error names."""
    normalisation = Normalisation(model["unicode"], model["lowercase"])
    vocabulary, replacement = Vocabulary(model["vocabulary"]), model["replacement"]
    try:
        codes = encode_seed(seed, vocabulary, normalisation=normalisation, replacement=replacement, unknown=unknown)
    except SeedError as error:
        return points_of(str(error))
    return codes.tolist()


def points_of(message: str) -> list[str]:
    assert "the seed phrase has characters that are not in the model's vocabulary: " in message
    return re.findall(r"\((U\+\w+)", message)


def test_a_prompt_that_a_mac_has_decomposed_is_composed(node: Node) -> None:
    model = {"vocabulary": ["\n", "が", "é"], "replacement": None, "unicode": "nfc", "lowercase": False}
    composed, unknown = node(CODES, asked=[["か\u3099e\u0301\r\n", model, "error"], ["猫か", model, "nearest"]])
    assert composed == [1, 2, 0]
    why = "the seed phrase has characters that are not in the model's vocabulary"
    assert unknown == f"unknown: {why}: '猫' (U+732B), 'か' (U+304B)"
