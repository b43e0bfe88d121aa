"""How far a text is from each author's texts by the measures of stylometry and of compression, as yardsticks.

They know no network: Cosine Delta of the most frequent words and of character n-grams, and the distance by xz.
"""

import lzma
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textgen.evaluation.words import words

MOST_WORDS = 150  # the most frequent ones: as many as Burrows took (2002)
NGRAM, MOST_NGRAMS = 4, 1000  # characters, and how many of the most frequent n-grams


@dataclass(frozen=True)
class Distances:
    """The distance of a text from each author's texts.

    Attributes:
        method: by which it was computed.
        distances: by author; of Cosine Delta 0 to 2, of xz about 0 to 1.
    """

    method: str
    distances: dict[str, float]

    @property
    def nearest(self) -> str:
        """The author at the least distance."""
        return min(self.distances, key=self.distances.__getitem__)


class Stylometry:
    """The texts of several authors, to which others are compared."""

    def __init__(self, known: Mapping[str, Sequence[str]]) -> None:
        """Count and compress the texts.

        Args:
            known: by author; equal amounts, normalised alike.
        """
        self._deltas = {}
        if all(words(text) is not None for texts in known.values() for text in texts):
            self._deltas[f"Cosine Delta, {MOST_WORDS} words"] = CosineDelta(known, _words, MOST_WORDS)
        self._deltas[f"Cosine Delta, {MOST_NGRAMS:,} {NGRAM}-grams"] = CosineDelta(known, _ngrams, MOST_NGRAMS)
        self._joined = {name: "\n".join(texts).encode() for name, texts in known.items()}
        self._sizes = {name: xz_size(joined) for name, joined in self._joined.items()}

    def distances(self, text: str) -> tuple[Distances, ...]:
        """The distances of a text, normalised as the known ones, by each method that applies to its script."""
        found = [
            Distances(method, delta.distances(text))
            for method, delta in self._deltas.items()
            if delta.count is not _words or words(text)
        ]
        encoded = text.encode()
        alone = xz_size(encoded)
        compressed = {
            name: compression_distance(self._sizes[name], alone, xz_size(joined + encoded))
            for name, joined in self._joined.items()
        }
        return (*found, Distances("xz", compressed))


class CosineDelta:
    """Burrows's Delta with the cosine distance (Burrows, 2002; Smith and Aldridge, 2011; Evert et al., 2017).

    Of the features that are most frequent in all known texts, the relative frequency in each text is standardised: the
    mean over the known texts is subtracted, and the difference divided by their standard deviation. An author is the
    vector of all of the author's texts together, and the distance is one minus the cosine of the angle to that of the
    text. Texts count by their length, so that a fragment does not widen the deviation.
    """

    def __init__(self, known: Mapping[str, Sequence[str]], count: Callable[[str], Iterable[str]], most: int) -> None:
        """Fit it.

        Args:
            known: texts by author.
            count: gives the features of a text, each as often as it occurs.
            most: how many of the most frequent features are used.
        """
        self.count = count
        counts = {name: [Counter(count(text)) for text in texts] for name, texts in known.items()}
        every = [counter for counters in counts.values() for counter in counters]
        total = sum(every, Counter[str]())
        self._features = sorted(total, key=lambda feature: (-total[feature], feature))[:most]
        sizes = np.array([counter.total() for counter in every], float)
        shares = np.array([self._shares(counter) for counter in every])
        self._mean = np.average(shares, axis=0, weights=sizes)
        self._deviation = np.sqrt(np.average((shares - self._mean) ** 2, axis=0, weights=sizes))
        self._authors = {name: self._standardised(sum(found, Counter[str]())) for name, found in counts.items()}

    def distances(self, text: str) -> dict[str, float]:
        """The distance of a text from each author."""
        vector = self._standardised(Counter(self.count(text)))
        return {name: _cosine_distance(vector, author) for name, author in self._authors.items()}

    def _shares(self, counter: Counter[str]) -> NDArray[np.float64]:
        return np.array([counter[feature] for feature in self._features], float) / max(1, counter.total())

    def _standardised(self, counter: Counter[str]) -> NDArray[np.float64]:
        varied = self._deviation > 0
        return np.asarray((self._shares(counter) - self._mean)[varied] / self._deviation[varied])


def _cosine_distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """One minus the cosine of an angle; 1, as of a right angle, where a vector is zero."""
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    return 1 - float(first @ second) / lengths if lengths else 1.0


def compression_distance(first: int, second: int, both: int) -> float:
    """The normalised compression distance of two texts (Cilibrasi and Vitányi, 2005), from their compressed sizes."""
    return (both - min(first, second)) / max(first, second)


def xz_size(content: bytes) -> int:
    """The number of bytes that xz makes of a text."""
    return len(lzma.compress(content))


def _words(text: str) -> list[str]:
    return words(text) or []


def _ngrams(text: str) -> list[str]:
    lowered = " ".join(text.lower().split())
    return [lowered[place : place + NGRAM] for place in range(len(lowered) - NGRAM + 1)]
