"""Whether the best settings of a search are better than the default: both are trained with the same other seeds.

The best of many trials is partly the luckiest, so its own loss proves nothing.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textgen.errors import TrainingError
from textgen.training.search import Search

SEEDS = 3  # with each of which both are trained
STUDENT = 2.92  # 95 % of Student's distribution with two degrees of freedom lie below
KEPT = "confirmation"  # attributes of the study begin with this
SIDES = ("default", "best")


@dataclass(frozen=True)
class Confirmation:
    """The losses of both settings with some seeds, nats per character; None where the training failed.

    Attributes:
        seeds: random seeds that no trial was trained with.
        default: the losses of the default, a value for each seed.
        best: those of the best settings.
    """

    seeds: tuple[int, ...]
    default: tuple[float | None, ...]
    best: tuple[float | None, ...]

    @property
    def differences(self) -> list[float]:
        """By how much the best settings are better, with each seed; empty if a training has failed."""
        pairs = list(zip(self.default, self.best, strict=True))
        known = [(one, other) for one, other in pairs if one is not None and other is not None]
        return [one - other for one, other in known] if len(known) == len(pairs) else []

    @property
    def mean(self) -> float | None:
        """The mean difference."""
        found = self.differences
        return sum(found) / len(found) if found else None

    @property
    def standard_error(self) -> float | None:
        """Of the mean difference."""
        found, mean = self.differences, self.mean
        if mean is None:
            return None
        return math.sqrt(sum((value - mean) ** 2 for value in found) / (len(found) - 1) / len(found))

    @property
    def holds(self) -> bool:
        """Whether the best settings are better: a one-sided paired t-test at 5 % (Student, 1908).

        Where a training has failed, those settings are better of which none has; the default if both have.
        """
        if self.mean is None or self.standard_error is None:
            return None not in self.best
        return self.mean > STUDENT * self.standard_error


@dataclass(frozen=True)
class Confirming:
    """A training of the confirmation starts."""

    number: int  # from 1
    trainings: int  # in all
    side: str  # `default` or `best`
    rng_seed: int


def confirm(search: Search, number: int, sides: Mapping[str, Mapping[str, Any]]) -> Confirmation:
    """Train the default and the best settings with seeds of their own, as far as that was not done before.

    Machines that share the study begin at different places, and each does what it finds undone.

    Args:
        search: with what trains.
        number: of the best trial.
        sides: the settings by `SIDES`.
    """
    seeds = [search.rng_seed + place for place in range(1, SEEDS + 1)]
    todo = [(seed, side) for seed in seeds for side in SIDES]
    start = zlib.crc32(search.worker.encode(errors="replace")) % len(todo)
    for place, (seed, side) in enumerate([*todo[start:], *todo[:start]], 1):
        name = _name(number, seed, side)
        if name in search.study.user_attrs:
            continue
        search.on_progress(Confirming(place, len(todo), side, seed))
        try:
            value: dict[str, Any] = {"nats": search.trained(sides[side], seed, search.on_progress).nats}
        except TrainingError as error:
            value = {"error": str(error)}
        search.study.set_user_attr(name, value)
    return Confirmation(tuple(seeds), *_losses(search.study, number, seeds))


def _losses(study: Any, number: int, seeds: Sequence[int]) -> list[tuple[float | None, ...]]:
    kept = study.user_attrs
    return [tuple(kept[_name(number, seed, side)].get("nats") for seed in seeds) for side in SIDES]


def _name(number: int, seed: int, side: str) -> str:
    return f"{KEPT} {number} {seed} {side}"
