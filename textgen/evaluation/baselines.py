"""The baselines for a model: a character n-gram and xz, fitted on the training text only.

Losses are nats per character.
"""

import lzma
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from textgen.corpus.codes import parts
from textgen.corpus.vocabulary import Codes, Vocabulary

HIGHEST_ORDER = 8
MOST_CHARACTERS = 2_000_000  # of the training text, its last ones


@dataclass(frozen=True)
class Baseline:
    """The loss of a simpler predictor on the same text."""

    name: str
    nats: float


def baselines(training: Codes, text: Codes, vocabulary: Vocabulary) -> list[Baseline]:
    """The best n-gram and xz, on a text after a training text.

    Args:
        training: codes `(M,)`; the last 2,000,000 count.
        text: codes `(N,)`, at least one.
        vocabulary: of both.
    """
    training = training[-MOST_CHARACTERS:]
    losses = ngram_losses(training, text, len(vocabulary))
    order = int(np.argmin(losses)) + 1
    return [
        Baseline(f"n-gram ({order})", losses[order - 1]),
        Baseline("xz", xz_loss(training, text, vocabulary)),
    ]


def ngram_losses(training: Codes, text: Codes, symbols: int) -> list[float]:
    """The loss of character n-grams of order 1 to 8 on a text that follows the training text.

    Interpolated Witten–Bell smoothing (Witten and Bell, 1991): with the count c and the number T of different
    characters seen after a context h of n - 1 characters,
    p_n(w | h) = (c(hw) + T(h) p_{n-1}(w | h')) / (c(h) + T(h)), where h' is h without its first character; a context
    never seen passes p_{n-1} on; below order 1 stands 1 / symbols.

    Args:
        training: codes `(M,)`.
        text: codes `(N,)`, at least one; the first contexts reach back into the training text.
        symbols: V.

    Returns:
        Eight losses, order 1 first.
    """
    nats = np.zeros(HIGHEST_ORDER)
    for before, part in _text_parts(text):
        nats += [losses.sum() for losses in _orders(training, before, part, symbols)]
    return (nats / len(text)).tolist()


def best_order(training: Codes, text: Codes, symbols: int) -> int:
    """The order of the n-gram with the lowest loss; arguments are those of `ngram_losses`."""
    return int(np.argmin(ngram_losses(training[-MOST_CHARACTERS:], text, symbols))) + 1


def ngram_nats(training: Codes, text: Codes, symbols: int, order: int) -> Iterator[NDArray[np.float64]]:
    """The loss of each character of a text under an n-gram of one order, in blocks of at most 2,000,000.

    Args:
        training: codes `(M,)`; the last 2,000,000 count.
        text: codes `(N,)`; the first contexts reach back into the training text.
        symbols: V.
        order: 1 to 8.
    """
    for before, part in _text_parts(text):
        yield next(islice(_orders(training[-MOST_CHARACTERS:], before, part, symbols), order - 1, None))


def _text_parts(text: Codes) -> Iterator[tuple[Codes, Codes]]:
    """The parts of a text, each with what precedes it, as far as the longest context reaches."""
    for start in range(0, len(text), MOST_CHARACTERS):
        yield text[max(0, start - HIGHEST_ORDER + 1) : start], text[start : start + MOST_CHARACTERS]


def _orders(training: Codes, before: Codes, text: Codes, symbols: int) -> Iterator[NDArray[np.float64]]:
    """The losses of each order, 1 first, on a part of a text that has `before` in front of it, or the training text."""
    codes = np.concatenate([training, before, text])
    learnt, first = len(training), len(training) + len(before)
    probability = np.full(len(text), 1 / symbols)
    context = np.zeros(len(codes), np.int32)  # the id of the n - 1 characters before each place
    for length in range(HIGHEST_ORDER):  # of a context, which the first places do not have
        seen = slice(min(length, learnt), learnt)
        context[1:] = _raise_order(probability, context, codes, seen, first, symbols)[:-1]
        yield -np.log(probability)


def _raise_order(
    probability: NDArray[np.float64], context: NDArray[np.int32], codes: Codes, seen: slice, first: int, symbols: int
) -> NDArray[np.int32]:
    """Raise the probabilities of the places from `first` on by one order, in place.

    Returns:
        The id of each place's context and code together: the next place's longer context.
    """
    grams, gram = _numbered(context.astype(np.int64) * symbols + codes)
    gram_counts = np.bincount(gram[seen], minlength=len(grams))
    contexts = int(context.max()) + 1
    context_counts = np.bincount(context[seen], minlength=contexts)
    followers = np.bincount(grams[gram_counts > 0] // symbols, minlength=contexts)
    _interpolate(probability, gram_counts[gram[first:]], context_counts[context[first:]], followers[context[first:]])
    return gram


def _numbered(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The different keys, sorted, and each key's place among them: `np.unique` in half the memory."""
    order = np.argsort(keys)
    keys = keys[order]
    first = np.append(True, keys[1:] != keys[:-1])
    places = np.empty(len(keys), np.int32)
    places[order] = np.cumsum(first, dtype=np.int32) - 1
    return keys[first], places


def _interpolate(
    probability: NDArray[np.float64], count: NDArray[np.int64], total: NDArray[np.int64], followers: NDArray[np.int64]
) -> None:
    """Raise probabilities by one order, in place, where the context was seen."""
    seen = total > 0
    probability[seen] = (count[seen] + followers[seen] * probability[seen]) / (total[seen] + followers[seen])


def xz_loss(training: Codes, text: Codes, vocabulary: Vocabulary) -> float:
    """By how much a text makes the compressed training text longer, as nats per character of the text."""
    before = _xz_size(parts(training), vocabulary)
    both = _xz_size(chain(parts(training), parts(text)), vocabulary)
    return (both - before) * 8 * math.log(2) / len(text)


def _xz_size(pieces: Iterable[Codes], vocabulary: Vocabulary) -> int:
    xz = lzma.LZMACompressor()
    return sum([len(xz.compress(vocabulary.decode(piece).encode())) for piece in pieces]) + len(xz.flush())
