"""Finds stop strings in text that comes piece by piece."""

from collections.abc import Iterable, Sequence


class StopFinder:
    """Lets text through up to the first stop string, holding back only what may yet become one.

    Attributes:
        found: the stop string that was met, or None.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        """Take the stop strings; `ValueError` if one is empty."""
        if not all(stops):
            raise ValueError("a stop string must have at least one character")
        self.found: str | None = None
        self._stops = tuple(stops)
        self._held = ""

    def feed(self, symbols: Iterable[str]) -> str:
        """Take the next characters; return the text that is now certain not to belong to a stop string.

        What follows a stop string is dropped.
        """
        if not self._stops:
            return "".join(symbols)
        return "".join([self._feed_one(symbol) for symbol in symbols])

    def _feed_one(self, symbol: str) -> str:
        if self.found:
            return ""
        self._held += symbol
        ended = [stop for stop in self._stops if self._held.endswith(stop)]
        if ended:
            self.found = max(ended, key=len)  # the one that began first
            certain, self._held = self._held[: -len(self.found)], ""
            return certain
        start = next(place for place in range(len(self._held) + 1) if self._may_become_stop(place))
        certain, self._held = self._held[:start], self._held[start:]
        return certain

    def flush(self) -> str:
        """Return what was held back, when no more text comes."""
        held, self._held = self._held, ""
        return held

    def _may_become_stop(self, place: int) -> bool:
        rest = self._held[place:]
        return any(stop.startswith(rest) for stop in self._stops)
