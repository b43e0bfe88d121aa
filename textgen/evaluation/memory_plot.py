"""The memory curve as a picture."""

from pathlib import Path

import numpy as np

from textgen.evaluation.memory import MemoryCurve

BLUE, GREY = "#1f5fa8", "#777777"
FORMATS = ("png", "svg", "pdf")


def draw_memory(curve: MemoryCurve, path: Path, kind: str) -> None:
    """Plot the mean surprisal by context, with its 95 % intervals, and that of the n-gram.

    Args:
        curve: what to plot.
        path: where to write the picture.
        kind: of picture, one of `FORMATS`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.errorbar(curve.contexts, curve.bits, np.nan_to_num(curve.margins), color=BLUE, marker=".", label="model")
    if curve.ngram_bits is not None:
        axes.plot(curve.contexts, curve.ngram_bits, color=GREY, marker=".", linestyle="--", label="n-gram")
    axes.axhline(curve.all_bits, color=BLUE, linestyle=":", label="model, all of the text before as context")
    axes.set_title(f"{curve.part}: {curve.characters:,} characters")
    axes.set_xscale("log", base=2)
    axes.set_xticks(curve.contexts, [f"{context:,}" for context in curve.contexts])
    axes.minorticks_off()
    axes.set_xlabel("characters of context")
    axes.set_ylabel("bits per character")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120, format=kind)
