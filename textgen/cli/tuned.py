"""What `textgen tune` shows: on stderr what is tried, and at the end a table and a verdict."""

import math
from contextlib import AbstractContextManager

from tqdm import tqdm

from textgen.cli.options import as_options
from textgen.cli.progress import loss
from textgen.cli.table import aligned
from textgen.cli.terminal import bar, tell
from textgen.training.bar import ProgressBar
from textgen.training.confirmation import SEEDS, STUDENT, Confirmation, Confirming
from textgen.training.search import Tried, Trying
from textgen.training.space import USUAL, told
from textgen.training.tuning import Planned, Tuning, TuningEvent
from textgen.wording import counted, quoted

HEADS = ("layers", "units", "cell", "dropout", "rate", "batch", "window", "decay")  # of the columns of `USUAL`


class TuningDisplay(AbstractContextManager["TuningDisplay"]):
    """Shows on stderr what is tried."""

    def __init__(self) -> None:
        """Nothing is shown yet."""
        self._bar = ProgressBar(bar)
        self._best = math.inf
        self._place = ""

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, event: TuningEvent) -> None:
        """Show one event."""
        if isinstance(event, Planned):
            _tell_plan(event)
        elif isinstance(event, Trying):
            self._place = f"{event.place:,}" if event.trials is None else f"{event.place:,} of {event.trials:,}"
        elif isinstance(event, Confirming):
            self._bar.close()
            tell(
                f"confirming, {event.number} of {event.trainings}: {event.side} settings, random seed {event.rng_seed}"
            )
        elif isinstance(event, Tried):
            self._bar.close()
            self._tried(event)
        else:
            self._bar(event)

    def _tried(self, trial: Tried) -> None:
        if trial.state == "failed":
            found = f"failed: {trial.error}"
        elif trial.state == "pruned" or trial.nats is None:
            found = "ended early"
        else:
            found = loss(trial.nats) + (", best so far" if trial.nats < self._best else "")
            self._best = min(self._best, trial.nats)
        shape = "default settings" if trial.default else ", ".join(map(" ".join, _named(trial)))
        tell(f"trial {trial.number + 1} ({self._place}): {as_options(found)}; {shape}")


def _named(trial: Tried) -> list[tuple[str, str]]:
    return [(head, told(trial.settings[name])) for head, name in zip(HEADS, USUAL, strict=True)]


def _tell_plan(event: Planned) -> None:
    for note in event.reading:
        tell(as_options(note))
    for note in event.notes:
        tell(f"Note: {as_options(note)}")
    each = counted(event.minutes, "minute")
    many = "as many trials as the time allows" if event.trials is None else counted(event.trials, "trial")
    done = f", {event.done:,} of them done" if event.done else ""
    seconds = 60 * event.minutes * (2 * SEEDS + (event.trials or 0) - event.done)
    most = "" if event.trials is None else f" At most {tqdm.format_interval(max(0, seconds))} in all."
    tell(
        f"{event.study}: {many} of {each} each{done}; then at most {2 * SEEDS} trainings that confirm.{most} "
        "Ctrl-C stops the search, and the same command goes on."
    )
    tell("searched: " + ", ".join(f"{name.replace('_', ' ')} {within}" for name, within in event.space.items()))


def lines(result: Tuning) -> list[str]:
    """The result as a table and a verdict, for a person."""
    rows = [["trial", "nats", "bpc", *HEADS, ""]]
    for trial in result.trials:
        known = ["", ""] if trial.nats is None else [f"{trial.nats:.4f}", f"{trial.nats / math.log(2):.3f}"]
        shape = [told(trial.settings[name]) if name in trial.settings else "" for name in USUAL]
        note = "default" if trial.default else "" if trial.state == "complete" else trial.state
        rows.append([str(trial.number + 1), *known, *shape, note])
    right = frozenset(range(len(rows[0]) - 1)) - {3 + HEADS.index("cell")}
    return [*aligned(rows, right=right), "", *_verdict(result), " ".join(map(quoted, result.command))]


def _verdict(result: Tuning) -> list[str]:
    found = result.confirmation
    if found is None:
        return ["The default is as good: no trial was better. It is:"]
    rows = [["random seed", "default", f"trial {result.best.number + 1}", "difference"]]
    for seed, default, best in zip(found.seeds, found.default, found.best, strict=True):
        both = default is not None and best is not None
        rows.append([str(seed), *map(_nats, (default, best)), f"{default - best:+.4f}" if both else ""])  # type: ignore[operator]
    return [*aligned(rows, right=frozenset(range(4))), "", _recommended(result, found)]


def _recommended(result: Tuning, found: Confirmation) -> str:
    name = f"trial {result.best.number + 1}"
    if found.mean is None or found.standard_error is None:
        if found.holds:
            return f"Recommended: the settings of {name}; the default failed with another random seed. They are:"
        return f"Recommended: the default; the settings of {name} failed with another random seed. It is:"
    numbers = (
        f"a mean difference of {found.mean:+.4f} nats, {'more' if found.holds else 'not more'} than {STUDENT:g} "
        f"standard errors of {found.standard_error:.4f}"
    )
    if found.holds:
        return f"Recommended: the settings of {name}: {numbers}. They are:"
    return f"The default is as good: {numbers}. It is:"


def _nats(value: float | None) -> str:
    return "failed" if value is None else f"{value:.4f}"
