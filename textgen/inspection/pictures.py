"""Analyses as pictures."""

from pathlib import Path
from typing import Any

import numpy as np

from textgen.evaluation.fonts import drawable
from textgen.inspection.around import GatesAt
from textgen.inspection.finding import FoundCells
from textgen.inspection.saturation import Saturation
from textgen.inspection.similar import SimilarPassages

Analysis = FoundCells | GatesAt | Saturation | SimilarPassages
BLUE, ORANGE, GREY = "#1f5fa8", "#d9730d", "#777777"
# Okabe and Ito's colours (2008), which colour-blind people can tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
BINS = 60
SHOWN = 0.99  # of the numbers of a feature: those above are too few for a mean
LABEL = 60  # characters of a passage


def draw(analysis: Analysis, path: Path, kind: str) -> None:
    """Draw a picture of an analysis.

    Args:
        analysis: what to draw.
        path: where to write the picture.
        kind: of picture: `png`, `svg` or `pdf`.
    """
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    if isinstance(analysis, FoundCells):
        _draw_found(analysis, figure)
    elif isinstance(analysis, GatesAt):
        _draw_at(analysis, figure)
    elif isinstance(analysis, Saturation):
        _draw_saturation(analysis, figure)
    else:
        _draw_similar(analysis, figure)
    figure.savefig(path, dpi=120, format=kind)


def _draw_found(found: FoundCells, figure: Any) -> None:
    """What the ten best cells tell on either half, beside the shuffled feature; and what the best of them does."""
    figure.set_size_inches(11, 5)
    bars, best = figure.subplots(1, 2)
    names = [f"{cell.layer}.{cell.unit}" for cell in found.cells]
    told = [cell.told for cell in found.cells]
    telling = set(found.telling)
    chance = 0.0 if found.feature.graded else 0.5
    places = np.arange(len(names))
    bars.barh(
        places,
        np.array(told) - chance,
        left=chance,
        color=[BLUE if cell in telling else GREY for cell in found.cells],
        label="second half, on which they are judged",
    )
    learnt = [cell.learnt for cell in found.cells]
    bars.plot(learnt, places, color=ORANGE, marker="|", markersize=14, linestyle="none", label="first half")
    bars.axvline(found.shuffled, color=GREY, linestyle=":", label="the best for a shuffled feature, mean of 99")
    bars.axvline(found.shuffled_most, color=GREY, linestyle="--", label="the most for any of them")
    bars.set_yticks(places, names)
    bars.invert_yaxis()
    low = min(chance, found.shuffled, *told)
    bars.set_xlim(low - 0.05, max(1.0, *told) + 0.02)
    bars.set_xlabel(found.measure)
    bars.set_ylabel("cell")
    _title(bars, f"{found.feature.what}: cells chosen on the first half of {len(found.best):,} characters")
    bars.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12))
    (_draw_line if found.feature.graded else _draw_shares)(found, best)
    best.set_title(f"cell {names[0]}")
    best.grid(alpha=0.3)


def _draw_shares(found: FoundCells, axes: Any) -> None:
    """How often the best cell holds what, where the feature is, and elsewhere."""
    values, is_one = found.best.astype(np.float32), found.feature.values > 0
    low, high = np.quantile(values, [0.002, 0.998]).tolist()
    edges = np.linspace(low, high, BINS)
    for chosen, colour, label in ((is_one, BLUE, found.feature.what), (~is_one, GREY, "elsewhere")):
        weights = np.full(int(chosen.sum()), 1 / chosen.sum())
        name, families = drawable(label)
        axes.hist(values[chosen].clip(edges[0], edges[-1]), edges, weights=weights, color=colour, alpha=0.6, label=name)
    axes.set_xlabel("value of the cell")
    axes.set_ylabel("share of the characters")
    axes.legend(prop={"family": families, "size": 9})


def _draw_line(found: FoundCells, axes: Any) -> None:
    """The mean of the best cell at each number of the feature, with the tenths on either side."""
    values, numbers = found.best.astype(np.float32), found.feature.values
    steps = np.unique(numbers[numbers <= np.quantile(numbers, SHOWN)])
    parts = [values[numbers == step] for step in steps.tolist()]
    low, middle, high = (np.array([np.quantile(part, share) for part in parts]) for share in (0.1, 0.5, 0.9))
    axes.plot(steps, middle, color=BLUE, label="median")
    axes.fill_between(steps, low, high, color=BLUE, alpha=0.2, label="from the lowest tenth to the highest")
    axes.set_xlabel(found.feature.what)
    axes.set_ylabel("value of the cell")
    axes.legend(fontsize=9)


def _draw_saturation(found: Saturation, figure: Any) -> None:
    """One point a unit, one panel a gate and layer, as in Karpathy, Johnson and Fei-Fei, 2015."""
    rows, columns = len(found.layers), len(found.gates)
    figure.set_size_inches(3.2 * columns + 0.6, 3.2 * rows + 0.6)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for row, layer in enumerate(found.layers):
        for column, gate in enumerate(found.gates):
            axes = panels[row, column]
            axes.plot([0, 1], [1, 0], color=GREY, linewidth=0.8)
            axes.scatter(
                found.is_shut[column, row], found.is_open[column, row], s=14, color=BLUE, alpha=0.4, linewidths=0
            )
            axes.set_title(f"{gate} gates of layer {layer}")
            axes.set_aspect("equal")
            axes.set_xlim(-0.03, 1.03)
            axes.set_ylim(-0.03, 1.03)
            axes.grid(alpha=0.3)
    figure.supxlabel("share of the time at which a gate is shut, below 0.1 (left-saturated)")
    figure.supylabel("open, above 0.9 (right-saturated)")


def _draw_at(found: GatesAt, figure: Any) -> None:
    """The gates, and what is remembered, before and after a match; one column a layer."""
    is_gate = [name not in ("cell", "hidden") for name in found.quantities]
    kinds = [kind for kind in (True, False) if kind in is_gate]
    figure.set_size_inches(5.2 * len(found.layers), 3.6 * len(kinds) + 0.5)
    panels = figure.subplots(len(kinds), len(found.layers), squeeze=False, sharex=True, sharey="row")
    for row, kind in enumerate(kinds):
        names = [number for number, gate in enumerate(is_gate) if gate == kind]
        for column, layer in enumerate(found.layers):
            axes = panels[row, column]
            for number, colour in zip(names, COLOURS, strict=False):
                middle, margin = found.means[column, number], found.margins[column, number]
                axes.plot(found.offsets, middle, color=colour, marker=".", label=found.quantities[number])
                if np.isfinite(margin).all():
                    axes.fill_between(found.offsets, middle - margin, middle + margin, color=colour, alpha=0.2)
                axes.axhline(found.elsewhere[column, number], color=colour, linestyle=":")
            axes.axvline(0, color=GREY, linewidth=0.8)
            axes.set_title(f"layer {layer}")
            axes.grid(alpha=0.3)
        panels[row, 0].set_ylabel("mean of the gates" if kind else "mean size")
        panels[row, -1].legend(fontsize=9)
    figure.supxlabel("characters after the end of the match", fontsize=10)
    name, families = drawable(f"around {found.places:,} matches of {found.pattern}; dotted: elsewhere")
    figure.suptitle(name, family=families, fontsize=11, parse_math=False)


def _draw_similar(found: SimilarPassages, figure: Any) -> None:
    """How alike the likest passages are, beside the median passage."""
    figure.set_size_inches(10, 0.45 * max(2, len(found.passages)) + 1.8)
    axes = figure.subplots()
    places = np.arange(len(found.passages))
    axes.barh(places, [passage.likeness for passage in found.passages], color=BLUE)
    axes.axvline(found.typical, color=GREY, linestyle="--", label="the median passage")
    names = [drawable(in_a_line(passage.before, passage.text)) for passage in found.passages]
    axes.set_yticks(places, [name for name, _ in names], family=names[0][1] if names else None, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"likeness of what the {len(found.cells)} active cells and others do")
    _title(axes, f"most like {in_a_line(found.before, found.text)}")
    axes.grid(alpha=0.3, axis="x")
    axes.legend(fontsize=9, loc="lower right")


def in_a_line(before: str, passage: str) -> str:
    """What is before a passage, a bar, and the passage without the middle of a long one, with signs for line breaks."""
    shown = passage if len(passage) <= LABEL else f"{passage[: LABEL - 20]}…{passage[-19:]}"
    return f"{before} | {shown}".replace("\n", "↵").replace("\t", "→")


def _title(axes: Any, text: str) -> None:
    name, families = drawable(text)
    axes.set_title(name, family=families, fontsize=10, parse_math=False)
