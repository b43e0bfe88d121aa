"""Measurements as JSON: one file a machine, its parts measured together or one by one."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine

FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks"


@dataclass(frozen=True)
class Figure:
    """One thing measured several times.

    Attributes:
        peer: who was measured.
        what: what was, with its unit.
        at: under which condition: a batch, a number of streams, a shape.
        values: one of each round; the peers' values of one round were measured one after the other.
    """

    peer: str
    what: str
    at: int | str
    values: list[float]


@dataclass(frozen=True)
class Run:
    """One training, watched from outside.

    Attributes:
        peer: who trained.
        text: on what.
        minutes: its budget.
        rng_seed: its seed.
        curve: held-out nats as they fell: pairs of seconds since the process was started, and nats.
        seconds: until the process ended.
        peak_mb: its peak memory.
    """

    peer: str
    text: str
    minutes: float
    rng_seed: int
    curve: list[tuple[float, float]]
    seconds: float
    peak_mb: float


KINDS = {"roofline": Figure, "training": Figure, "quality": Run, "generation": Figure}  # what each part consists of


@dataclass(frozen=True)
class Part:
    """One part of the benchmark, measured in one sitting."""

    date: str
    quick: bool
    load_before: float
    versions: dict[str, str]
    results: list[Any]  # of Figure, or of Run

    @classmethod
    def begin(cls, *, quick: bool) -> "Part":
        """A part about to be measured."""
        date = datetime.now(UTC).isoformat(timespec="minutes")
        return cls(date, quick, machine.load(), machine.versions(), [])


@dataclass(frozen=True)
class Results:
    """What is known of a machine."""

    machine: dict[str, str]
    parts: dict[str, Part]


def read(path: Path) -> Results:
    """The results in a file; none where there is no file."""
    if not path.exists():
        return Results(machine.describe(), {})
    stored = json.loads(path.read_text(encoding="utf-8"))
    parts = {}
    for name, part in stored["parts"].items():
        parts[name] = Part(**part | {"results": [KINDS[name](**item) for item in part["results"]]})
    return Results(stored["machine"], parts)


def read_own(path: Path) -> Results:
    """The results in a file, to which more of the same machine's will be added."""
    stored = read(path)
    if stored.machine != machine.describe():
        raise SystemExit(f"{path} was measured on another machine: {stored.machine}; choose another name")
    return stored


def write(path: Path, results: Results) -> None:
    """Write results, one measurement a line, so that a new one is a small difference."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = ",\n".join(f"{json.dumps(name)}: {_part(part)}" for name, part in sorted(results.parts.items()))
    path.write_text(f'{{"machine": {json.dumps(results.machine)},\n"parts": {{\n{parts}\n}}}}\n', encoding="utf-8")


def _part(part: Part) -> str:
    head = {name: value for name, value in asdict(part).items() if name != "results"}
    lines = ",\n".join(json.dumps(_rounded(asdict(item)), ensure_ascii=False) for item in part.results)
    return f'{json.dumps(head)[:-1]}, "results": [\n{lines}\n]}}'


def _rounded(value: Any) -> Any:
    """The same with five significant digits, more than any measurement has."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value


def select(figures: Iterable[Figure], what: str) -> list[Figure]:
    """The figures of one kind, in their order."""
    return [figure for figure in figures if figure.what == what]
