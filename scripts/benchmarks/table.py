"""Markdown's tables."""

from collections.abc import Sequence
from statistics import median


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table of rows under a head."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def spread(values: Sequence[float], form: str) -> str:
    """The median of values, and their range where there are several."""
    told = form.format(median(values))
    return told if len(values) == 1 else f"{told} ({form.format(min(values))}–{form.format(max(values))})"
