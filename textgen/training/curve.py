"""`curve.png`: how a run learnt."""

import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from textgen.evaluation.baselines import Baseline
from textgen.evaluation.fonts import drawable
from textgen.training.run_folder import Row

BLUE, ORANGE, GREY = "#1f5fa8", "#d9730d", "#777777"
STYLES = ("--", ":")  # of the lines of the baselines
NAME = 60  # characters of the text's name that are shown


def can_draw() -> bool:
    """Whether the `plot` extra is installed."""
    return find_spec("matplotlib") is not None


def draw_curve(name: str, dropout: float, rows: Sequence[Row], compared: Sequence[Baseline], path: Path) -> None:
    """Plot training and validation loss against the characters trained on, with the baselines as lines.

    Args:
        name: of the text, for the title.
        dropout: the dropout rate, which the note on the training loss mentions.
        rows: the run's history.
        compared: the baselines' losses on the held-out text.
        path: where to write the PNG.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    trained = [(row.characters, _bits(row.train_nats)) for row in rows if row.train_nats is not None]
    scored = [(row.characters, _bits(row.validation_nats)) for row in rows if row.validation_nats is not None]
    axes.plot(*zip(*trained, strict=True), color=ORANGE, marker=".", label="training loss")
    name, families = drawable(name if len(name) <= NAME else f"{name[: NAME - 1]}…")
    title = name
    if scored:
        best = min(scored, key=lambda point: point[1])
        title += f"\nbest validation loss: {best[1]:.3f} bits per character ({best[1] * math.log(2):.3f} nats)"
        axes.plot(*zip(*scored, strict=True), color=BLUE, marker=".", label="validation loss")
        axes.plot(*best, color=BLUE, marker="o", markersize=9, fillstyle="none", linestyle="none")
        axes.annotate(f"{best[1]:.3f}", best, xytext=(0, 9), textcoords="offset points", ha="center", color=BLUE)
        figure.supxlabel(_why_above(dropout), fontsize=8, color=GREY)
    for baseline, style in zip(compared, STYLES, strict=False):
        label = f"best {baseline.name}" if baseline.name.startswith("n-gram") else baseline.name
        axes.axhline(_bits(baseline.nats), color=GREY, linestyle=style, label=label)
    axes.set_title(title, family=families, parse_math=False)
    axes.set_xlabel("characters trained on")
    axes.set_ylabel("bits per character")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


def _bits(nats: float) -> float:
    return nats / math.log(2)


def _why_above(dropout: float) -> str:
    dropped = f"with dropout on ({dropout:g}) and " if dropout else ""
    return (
        f"The training loss is measured {dropped}as a mean since the previous evaluation, "
        "the validation loss afterwards,\nwithout dropout, on averaged weights: "
        "so the training loss may lie above the validation loss."
    )
