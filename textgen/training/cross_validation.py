"""Counts how often each method names the author of a known text."""

from collections import Counter
from collections.abc import Mapping, Sequence

from textgen.evaluation.attribution import Accuracy, CrossValidation
from textgen.evaluation.judgement import Judgement
from textgen.evaluation.stylometry import Distances

LOWEST, VERDICT = "LSTM, fewest bits", "LSTM, verdict"


class Tally:
    """The judgements of known texts, as they come."""

    def __init__(self, texts: Mapping[str, int], folds: int) -> None:
        """Nothing is judged yet.

        Args:
            texts: the number of texts by each author.
            folds: the number of folds.
        """
        self._texts, self._folds = dict(texts), folds
        self._right: dict[str, Counter[str]] = {LOWEST: Counter(), VERDICT: Counter()}
        self._undecided: Counter[str] = Counter()

    def add(self, author: str, judgement: Judgement, distances: Sequence[Distances]) -> None:
        """Count what the methods say of a text by an author."""
        named = {LOWEST: judgement.candidates[0].name, VERDICT: judgement.best}
        named |= {item.method: item.nearest for item in distances}
        for method, name in named.items():
            self._right.setdefault(method, Counter())[author] += name == author
        self._undecided[author] += judgement.best is None

    def result(self) -> CrossValidation:
        """The counts."""
        accuracies = [
            Accuracy(
                method,
                {name: right[name] for name in self._texts},
                {name: self._undecided[name] if method == VERDICT else 0 for name in self._texts},
            )
            for method, right in self._right.items()
        ]
        return CrossValidation(self._folds, self._texts, tuple(accuracies))
