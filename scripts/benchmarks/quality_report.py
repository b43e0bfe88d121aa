"""Time to quality as Markdown."""

from collections.abc import Hashable, Iterable, Sequence
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
    rows = []
    for text in unique(run.text for run in runs):
        found = [run for run in runs if run.text == text]
        article = [nats for run in found if run.peer == "article" for _, nats in run.curve]
        for goal in [*([min(article)] if article else []), *GOALS.get(text, ())]:
            cells = [reached([run for run in found if run.peer == peer], goal) for peer in peers]
            rows.append([text, f"{goal:.3f}", *cells])
    return table(["text", "held-out nats", *(f"{peer}, seconds" for peer in peers)], rows)


def reached(runs: Sequence[Run], goal: float) -> str:
    """The seconds after which runs have first reached a goal, a value for each seed."""
    seconds = []
    for rng_seed in unique(run.rng_seed for run in runs):
        times = [when for run in runs if run.rng_seed == rng_seed for when, nats in run.curve if nats <= goal]
        seconds += [min(times)] if times else []
    seeds = len(unique(run.rng_seed for run in runs))
    if not seconds:
        return "–"
    return spread(seconds, "{:.1f}") + (f", {len(seconds)} of {seeds} seeds" if len(seconds) < seeds else "")


def unique(items: Iterable[Item]) -> list[Item]:
    """The different ones, in their order."""
    return list(dict.fromkeys(items))
