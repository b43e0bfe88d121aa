"""docs/images/time-to-quality.png: held-out loss against wall-clock time."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.quality_report import unique
from benchmarks.results import Run

COLOURS = {"textgen": "#1f5fa8", "PyTorch": "#d9730d", "article": "#777777"}


def draw(runs: Sequence[Run], path: Path) -> None:
    """Draw a panel for each text and a line for each training; the end of a budget is marked."""
    from matplotlib.figure import Figure

    texts = unique(run.text for run in runs)
    figure = Figure(figsize=(5.5 * len(texts), 4.5), layout="constrained")
    panels = figure.subplots(1, len(texts), squeeze=False)[0]
    for axes, text in zip(panels, texts, strict=True):
        for run in (run for run in runs if run.text == text and run.curve):
            seconds, nats = zip(*run.curve, strict=True)
            colour = COLOURS[run.peer]
            axes.plot(seconds, nats, color=colour, linewidth=0.8, alpha=0.6)
            axes.plot(seconds[-1], nats[-1], color=colour, marker="o", linestyle="none", label=run.peer)
        labels = {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        axes.legend(labels.values(), labels.keys())
        axes.set_title(text)
        axes.set_xscale("log")
        axes.set_xlabel("seconds from process start")
        axes.set_ylabel("held-out nats a character")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.grid(alpha=0.3, which="both")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
