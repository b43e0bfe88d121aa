import lzma
import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from textgen import Corpus
from textgen.corpus import codes as codes_module
from textgen.corpus.vocabulary import Vocabulary
from textgen.evaluation import baselines as baselines_module
from textgen.evaluation.baselines import baselines, best_order, ngram_losses, ngram_nats, xz_loss


def naive(training: list[int], text: list[int], order: int, symbols: int) -> float:
    """Witten–Bell by dictionaries, as the formula reads."""
    counts: list[dict] = [defaultdict(Counter) for _ in range(order + 1)]
    for n in range(1, order + 1):
        for place in range(n - 1, len(training)):
            counts[n][tuple(training[place - n + 1 : place])][training[place]] += 1
    whole, nats = training + text, []
    for place in range(len(training), len(whole)):
        p = 1 / symbols
        for n in range(1, order + 1):
            followers = counts[n].get(tuple(whole[place - n + 1 : place]))
            if followers:
                p = (followers[whole[place]] + len(followers) * p) / (followers.total() + len(followers))
        nats.append(-math.log(p))
    return sum(nats) / len(nats)


@pytest.mark.parametrize("learnt", [8, 30, 500])
def test_n_grams_follow_the_formula(learnt: int) -> None:
    rng = np.random.default_rng(learnt)
    codes = (rng.random(learnt + 200) ** 3 * 5).astype(np.uint8)
    codes[::3] = codes[1::3][0]
    found = ngram_losses(codes[:learnt], codes[learnt:], 6)
    expected = [naive(codes[:learnt].tolist(), codes[learnt:].tolist(), order, 6) for order in range(1, 9)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_long_text_is_taken_in_parts_with_the_same_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = (np.random.default_rng(1).random(700) ** 3 * 5).astype(np.uint8)
    whole = ngram_losses(codes[:300], codes[300:], 5)
    monkeypatch.setattr(baselines_module, "MOST_CHARACTERS", 37)
    np.testing.assert_allclose(ngram_losses(codes[:300], codes[300:], 5), whole, rtol=1e-12)


def test_xz_counts_what_the_text_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    training, text = "to be or not to be " * 50, "that is the question あ"
    added = len(lzma.compress((training + text).encode())) - len(lzma.compress(training.encode()))
    vocabulary = Vocabulary.of(training + text)
    found = xz_loss(vocabulary.encode(training), vocabulary.encode(text), vocabulary)
    assert found == pytest.approx(added * 8 / len(text) * math.log(2))
    monkeypatch.setattr(codes_module, "PART", 7)
    assert xz_loss(vocabulary.encode(training), vocabulary.encode(text), vocabulary) == found


def test_the_best_order_is_named() -> None:
    corpus = Corpus.from_text("abcabcabd" * 100)
    found = baselines(corpus.codes[:800], corpus.codes[800:], corpus.vocabulary)
    losses = ngram_losses(corpus.codes[:800], corpus.codes[800:], 4)
    assert [item.name for item in found] == [f"n-gram ({int(np.argmin(losses)) + 1})", "xz"]
    assert found[0].nats == min(losses)


def test_the_reference_on_tinyshakespeare_is_met(texts: Path) -> None:
    corpus = Corpus.from_files(texts / "tinyshakespeare.txt")
    split = len(corpus) - corpus.hold_out()
    assert split == 1_003_854
    assert ngram_losses(corpus.codes[:split], corpus.codes[split:], 65)[4] == pytest.approx(1.669, abs=5e-4)


def test_each_character_has_its_loss_under_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = (np.random.default_rng(1).random(700) ** 3 * 5).astype(np.uint8)
    training, text = codes[:300], codes[300:]
    expected = ngram_losses(training, text, 5)
    assert best_order(training, text, 5) == int(np.argmin(expected)) + 1
    whole = [np.concatenate([*ngram_nats(training, text, 5, order)]) for order in range(1, 9)]
    np.testing.assert_allclose([losses.mean() for losses in whole], expected, rtol=1e-12)
    last = [naive(training.tolist(), text[:1].tolist(), order, 5) for order in range(1, 9)]
    np.testing.assert_allclose([losses[0] for losses in whole], last, rtol=1e-12)
    monkeypatch.setattr(baselines_module, "MOST_CHARACTERS", 370)
    blocks = [*ngram_nats(training, text, 5, 4)]
    assert [len(block) for block in blocks] == [370, 30]
    np.testing.assert_allclose(np.concatenate(blocks), whole[3], rtol=1e-12)
