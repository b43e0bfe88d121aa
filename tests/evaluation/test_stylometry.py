import lzma
import math
from collections import Counter

import numpy as np
import pytest

from textgen.evaluation.stylometry import (
    CosineDelta,
    Distances,
    Stylometry,
    compression_distance,
    xz_size,
)

KNOWN = {
    "A": ["the cat and the dog and the cow", "the cat of the farm"],
    "B": ["a cat of a farm of cows", "of a dog of a cow and a cat"],
}


def naive_delta(known: dict[str, list[str]], text: str, most: int) -> dict[str, float]:
    """The definition, number by number, for words between spaces."""
    every = [item.split() for texts in known.values() for item in texts]
    total = Counter(word for item in every for word in item)
    features = [word for _, word in sorted((-count, word) for word, count in total.items())][:most]
    weights = [len(item) / sum(map(len, every)) for item in every]

    def share(words: list[str], feature: str) -> float:
        return words.count(feature) / len(words)

    means = {f: sum(w * share(item, f) for w, item in zip(weights, every, strict=True)) for f in features}
    deviations = {
        f: math.sqrt(sum(w * (share(item, f) - means[f]) ** 2 for w, item in zip(weights, every, strict=True)))
        for f in features
    }

    def vector(words: list[str]) -> list[float]:
        return [(share(words, f) - means[f]) / deviations[f] for f in features if deviations[f] > 0]

    found = {}
    for name, texts in known.items():
        x, y = vector(text.split()), vector(" ".join(texts).split())
        dot = sum(a * b for a, b in zip(x, y, strict=True))
        found[name] = 1 - dot / math.sqrt(sum(a * a for a in x) * sum(b * b for b in y))
    return found


@pytest.mark.parametrize("most", [2, 5, 100])
@pytest.mark.parametrize("text", ["the cow and the cat", "a cow of a farm", "the of a"])
def test_cosine_delta_is_that_of_its_definition(text: str, most: int) -> None:
    assert CosineDelta(KNOWN, str.split, most).distances(text) == pytest.approx(naive_delta(KNOWN, text, most))


def test_a_computation_by_hand() -> None:
    known = {"A": ["x x x y"], "B": ["x y y y"]}  # shares of x: 3/4 and 1/4, so mean 1/2 and deviation 1/4
    found = CosineDelta(known, str.split, 2).distances("x x y y y y y y")  # (-1, 1), and A is (1, -1)
    assert found == pytest.approx({"A": 2, "B": 0})


def test_a_text_at_the_mean_is_as_far_from_all() -> None:
    known = {"A": ["x x x y"], "B": ["x y y y"]}
    assert CosineDelta(known, str.split, 2).distances("x y") == {"A": 1, "B": 1}


def test_a_feature_that_never_varies_does_not_count() -> None:
    known = {"A": ["z x x y"], "B": ["z y y x"]}
    assert CosineDelta(known, str.split, 3).distances("z z z x x y") == pytest.approx(
        {"A": 1 - 4 / math.sqrt(52), "B": 1 + 4 / math.sqrt(52)}
    )


def test_a_fragment_counts_by_its_length() -> None:
    whole = {"A": ["x x x y " * 50, "y"], "B": ["x y y y " * 50]}
    found = CosineDelta(whole, str.split, 2).distances("x x x y")
    assert found == pytest.approx({"A": 0, "B": 2}, abs=1e-3)


def test_compression_distance_by_hand() -> None:
    assert compression_distance(100, 80, 120) == pytest.approx((120 - 80) / 100)
    assert compression_distance(80, 100, 100) == pytest.approx(0.2)
    assert xz_size(b"abc" * 100) == len(lzma.compress(b"abc" * 100))


def random_text(seed: int, letters: str) -> str:
    rng = np.random.default_rng(seed)
    return " ".join("".join(rng.choice(list(letters), 4)) for _ in range(400))


def test_each_method_finds_the_author() -> None:
    authors = {"A": [random_text(1, "abcd"), random_text(2, "abcd")], "B": [random_text(3, "efgh")] * 2}
    found = Stylometry(authors).distances(authors["A"][0])
    assert [item.method for item in found] == ["Cosine Delta, 150 words", "Cosine Delta, 1,000 4-grams", "xz"]
    assert [item.nearest for item in found] == ["A", "A", "A"]
    assert found[2].distances["A"] < 0.6 < found[2].distances["B"]


def test_scripts_without_spaces_have_no_words_to_count() -> None:
    authors = {"A": ["吾輩は猫である。名前はまだ無い。" * 20], "B": ["私はその人を常に先生と呼んでいた。" * 20]}
    found = Stylometry(authors).distances("吾輩は猫である。")
    assert [item.method for item in found] == ["Cosine Delta, 1,000 4-grams", "xz"]
    assert found[0].nearest == "A"
    mixed = Stylometry(KNOWN).distances("吾輩は猫である。")
    assert [item.method for item in mixed] == ["Cosine Delta, 1,000 4-grams", "xz"]


def test_the_nearest_is_the_first_of_equals() -> None:
    assert Distances("xz", {"B": 0.5, "A": 0.5}).nearest == "B"
