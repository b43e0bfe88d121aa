"""Time to quality as Markdown."""

import math
from collections.abc import Hashable, Iterable, Sequence
from statistics import median
from typing import TypeVar

from benchmarks.results import Run
from benchmarks.table import spread, table

Item = TypeVar("Item", bound=Hashable)

GOALS = {"macbeth": (2.0, 1.6, 1.5, 1.45), "tinyshakespeare": (2.0, 1.6, 1.54, 1.5, 1.47)}  # nats to reach


def quality(runs: Sequence[Run]) -> str:
    """What a budget gives, and how long a loss takes."""
    return f"{budgets(runs)}\n\n{goals(runs)}"


def budgets(runs: Sequence[Run]) -> str:
    """The best held-out loss of each budget."""
    rows = []
    for text, minutes, peer in unique((run.text, run.minutes, run.peer) for run in runs):
        same = [run for run in runs if (run.text, run.minutes, run.peer) == (text, minutes, peer)]
        rows.append(
            [
                text,
                f"{60 * minutes:.0f} s",
                peer,
                spread([min((nats for _, nats in run.curve), default=float("nan")) for run in same], "{:.3f}"),
                spread([run.seconds for run in same], "{:.0f}"),
                spread([run.peak_mb for run in same], "{:.0f}"),
            ]
        )
    return table(["text", "budget", "", "held-out nats", "seconds in all", "peak memory, MB"], rows)


def goals(runs: Sequence[Run]) -> str:
    """Seconds from process start to a held-out loss, by whichever budget reaches it first; of all seeds."""
    peers = unique(run.peer for run in runs)
    others = [peer for peer in peers if peer != "textgen"]
    rows = []
    for text in unique(run.text for run in runs):
        found = [run for run in runs if run.text == text]
        article = [nats for run in found if run.peer == "article" for _, nats in run.curve]
        for goal in [*([min(article)] if article else []), *GOALS.get(text, ())]:
            times = {peer: reached([run for run in found if run.peer == peer], goal) for peer in peers}
            cells = [told(times[peer]) for peer in peers]
            ratios = [sooner(times.get("textgen", []), times[peer]) for peer in others]
            rows.append([text, f"{goal:.3f}", *cells, *ratios])
    heads = [*(f"{peer}, seconds" for peer in peers), *(f"textgen is sooner than {peer}" for peer in others)]
    return table(["text", "held-out nats", *heads], rows)


def reached(runs: Sequence[Run], goal: float) -> list[float]:
    """The seconds after which runs have first reached a goal, a value for each seed, infinite where none has."""
    return [
        min(
            (when for run in runs if run.rng_seed == rng_seed for when, nats in run.curve if nats <= goal),
            default=math.inf,
        )
        for rng_seed in unique(run.rng_seed for run in runs)
    ]


def told(seconds: Sequence[float]) -> str:
    """Those that were reached, and how many."""
    found = [value for value in seconds if math.isfinite(value)]
    if not found:
        return "not reached"
    return spread(found, "{:.1f}") + (f", {len(found)} of {len(seconds)} seeds" if len(found) < len(seconds) else "")


def sooner(own: Sequence[float], other: Sequence[float]) -> str:
    """How many times sooner, on the medians."""
    both = [median(seconds) if seconds else math.inf for seconds in (own, other)]
    return f"{both[1] / both[0]:.2f} ×" if all(map(math.isfinite, both)) else ""


def unique(items: Iterable[Item]) -> list[Item]:
    """The different ones, in their order."""
    return list(dict.fromkeys(items))
