"""`history.csv`, in which a training tells its held-out loss: textgen's own, and what its peers write likewise."""

import csv
from pathlib import Path

NATS, PAUSED = "validation_nats", "paused"


def begin(path: Path) -> None:
    """Start a peer's history."""
    path.write_text(f"{NATS},{PAUSED}\n", encoding="utf-8")


def record(path: Path, nats: float, paused: float = 0.0) -> None:
    """Add a scoring, and the seconds up to now that shall not count."""
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{nats},{paused}\n")


def read(path: Path) -> list[tuple[float, float]]:
    """The scorings so far: nats, and the seconds that shall not count."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row[NATS]]
    return [(float(row[NATS]), float(row.get(PAUSED) or 0)) for row in rows]
