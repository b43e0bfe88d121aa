"""Measurements as Markdown: medians with the range of all rounds in brackets, and textgen's ratio to each peer."""

from collections.abc import Callable, Sequence
from statistics import median

from benchmarks import roofline
from benchmarks.network import ARTICLE_FLOPS, FLOPS, STEP_BYTES
from benchmarks.quality_report import quality
from benchmarks.results import Figure, Part, Results, select
from benchmarks.table import spread, table

OWN = "textgen"


def tables(results: Results, name: str) -> str:
    """A part's tables, with what they were measured on; or how to measure them."""
    part = results.parts.get(name)
    if part is None:
        return f"Not measured yet: `./scripts/benchmark --only {name} --save NAME`, then `--write-docs`."
    return f"{provenance(results, part)}\n\n{PARTS[name](results, part)}"


def provenance(results: Results, part: Part) -> str:
    """Date, hardware and versions."""
    hardware = "; ".join(f"{name} {value}" for name, value in results.machine.items() if value)
    versions = ", ".join(f"{name} {value}" for name, value in part.versions.items())
    quick = "A **quick** run" if part.quick else "Measured"
    return (
        f"{quick} on {part.date}, the load before it {part.load_before:g}. Hardware: {hardware}. Versions: {versions}. "
        f"Each peer is a process of its own that may use {results.machine['cores']} threads."
    )


def roofline_tables(_: Results, part: Part) -> str:
    """Products, and bytes read."""
    products = [figure for figure in part.results if "FLOP/s" in figure.what]
    read = [figure for figure in part.results if "bytes/s" in figure.what]
    rates = [
        [figure.at, figure.what.split()[0], figure.peer, spread([value / 1e9 for value in figure.values], "{:.0f}")]
        for figure in sorted(products, key=lambda figure: str(figure.at))
    ]
    bandwidths = [
        [
            figure.at,
            figure.what.removeprefix("bytes/s, "),
            spread([value / 1e9 for value in figure.values], "{:.1f}"),
            f"{median(figure.values) / STEP_BYTES:,.0f}" if "step" in str(figure.at) else "",
        ]
        for figure in read
    ]
    return "\n\n".join(
        [
            table(["rows × inner × columns", "type", "library", "GFLOP/s"], rates),
            table(["vector × matrix in NumPy: reads", "threads", "GB/s", "steps/s if no more were to do"], bandwidths),
        ]
    )


def training_table(results: Results, part: Part) -> str:
    """Throughput of all batches."""
    known = results.parts.get("roofline")
    roof = roofline.best_float32(known.results) if known else None
    rows = []
    for figure in sorted(part.results, key=lambda figure: int(figure.at)):
        flops = median(figure.values) * (ARTICLE_FLOPS if figure.peer == "article" else FLOPS)
        share = f"{flops / roof:.0%}" if roof else "not measured"
        rows.append(
            [
                figure.at,
                figure.peer,
                spread(figure.values, "{:,.0f}"),
                f"{flops / 1e9:.0f}",
                share,
                against(figure, part.results),
            ]
        )
    return table(["batch", "", "targets/s", "GFLOP/s", "share of the float32 roofline", "textgen is"], rows)


def generation_tables(_: Results, part: Part) -> str:
    """Start-up and memory, speeds, and the command's own figures."""
    figures = part.results
    peaks = {figure.peer: figure for figure in select(figures, "peak memory, MB")}
    starts = [
        [figure.peer, spread(figure.values, "{:.2f}"), spread(peaks[figure.peer].values, "{:.0f}")]
        for figure in select(figures, "seconds to the first character")
    ]
    speeds = select(figures, "characters/s")
    rates = [
        [figure.at, figure.peer, spread(figure.values, "{:,.1f}" if figure.peer == "article" else "{:,.0f}"), ratio]
        for figure, ratio in ((figure, against(figure, speeds)) for figure in speeds)
    ]
    command = [
        [figure.what, spread(figure.values, "{:.3f}" if "seconds" in figure.what else "{:,.0f}")]
        for figure in figures
        if figure.peer == "textgen command"
    ]
    return "\n\n".join(
        [
            table(["", "seconds from process start to the first character", "peak memory, MB"], starts),
            table(["streams", "", "characters/s in all", "textgen is"], rates),
            table(["`textgen` command", "measured"], command),
        ]
    )


def against(figure: Figure, figures: Sequence[Figure]) -> str:
    """How many times textgen's figure is this one, the median of the rounds' ratios; of the nearest batch it has."""
    own = [other for other in figures if other.peer == OWN]
    if figure.peer == OWN or not own:
        return ""
    nearest = min(own, key=lambda other: abs(int(other.at) - int(figure.at)))
    return f"{median(mine / its for mine, its in zip(nearest.values, figure.values, strict=True)):,.2f} ×"


PARTS: dict[str, Callable[[Results, Part], str]] = {
    "roofline": roofline_tables,
    "training": training_table,
    "quality": lambda _, part: quality(part.results),
    "generation": generation_tables,
}
