"""`curve.png`: how a run learnt."""

import math
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from textgen.evaluation.baselines import Baseline
from textgen.training.run_folder import Row

BLUE, ORANGE, GREY = "#1f5fa8", "#d9730d", "#777777"
STYLES = ("--", ":")  # of the lines of the baselines
NAME = 60  # characters of the text's name that are shown
# The first has most alphabets; the others, if installed, add Chinese, Japanese and Korean.
FAMILIES = (
    *("DejaVu Sans", "Noto Sans CJK JP", "Source Han Sans", "Hiragino Sans", "Yu Gothic", "IPAexGothic", "IPAGothic"),
    *("TakaoPGothic", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Arial Unicode MS"),
)


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
    name, families = _drawable(name if len(name) <= NAME else f"{name[: NAME - 1]}…")
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


def _drawable(text: str) -> tuple[str, list[str]]:
    """The text with ? for each character that no installed font has, and the font families that have the others."""
    from matplotlib.font_manager import findfont, get_font, get_font_names

    families = [name for name in FAMILIES if name in get_font_names()]
    fonts = [get_font(findfont(name)) for name in families]
    return "".join(symbol if _has(fonts, symbol) else "?" for symbol in text), families


def _has(fonts: Iterable[Any], symbol: str) -> bool:
    return symbol.isprintable() and any(font.get_char_index(ord(symbol)) for font in fonts)
