"""`curve.png`: how a run learnt."""

import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from textgen.evaluation.baselines import Baseline
from textgen.training.run_folder import Row

BLUE, ORANGE, GREY = "#1f5fa8", "#d9730d", "#777777"


def can_draw() -> bool:
    """Whether the `plot` extra is installed."""
    return find_spec("matplotlib") is not None


def draw_curve(rows: Sequence[Row], compared: Sequence[Baseline], path: Path) -> None:
    """Draw training and held-out bits against the characters seen, the best marked, the n-gram as a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    trained = [(row.characters, row.train_nats / math.log(2)) for row in rows if row.train_nats is not None]
    scored = [(row.characters, row.validation_nats / math.log(2)) for row in rows if row.validation_nats is not None]
    axes.plot(*zip(*trained, strict=True), color=ORANGE, marker=".", label="training")
    if scored:
        best = min(scored, key=lambda point: point[1])
        axes.plot(*zip(*scored, strict=True), color=BLUE, marker=".", label="held out")
        axes.plot(*best, color=BLUE, marker="o", markersize=9, fillstyle="none", linestyle="none")
        axes.annotate(f"{best[1]:.3f}", best, xytext=(0, 9), textcoords="offset points", ha="center", color=BLUE)
    for baseline in compared:
        if baseline.name.startswith("n-gram"):
            axes.axhline(baseline.nats / math.log(2), color=GREY, linestyle="--", label=f"best {baseline.name}")
    axes.set_xlabel("characters seen")
    axes.set_ylabel("bits a character")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
