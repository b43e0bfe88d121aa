"""What a user must be told of how texts were read: few lines also for many texts."""

from collections.abc import Sequence

from textgen.corpus.finding import Skipped

SHOWN = 3  # of what was passed over for one reason; more are counted


def passed_over(skipped: Sequence[Skipped]) -> list[str]:
    """What was passed over: each by name, or, where there is much, a line for each reason with the first names."""
    of_reason: dict[str, list[Skipped]] = {}
    for item in skipped:
        of_reason.setdefault(item.why, []).append(item)
    lines = []
    for why, items in of_reason.items():
        if len(items) <= SHOWN:
            lines += [f"passed over: {item}" for item in items]
        else:
            names = ", ".join(item.name for item in items[:SHOWN])
            lines.append(f"passed over: {len(items):,} ({why}), such as {names}")
    return lines
