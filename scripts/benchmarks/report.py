"""Measurements as Markdown: medians with the range of all rounds in brackets, and textgen's ratio to each peer.

docs/performance.md has `<!-- benchmark: NAME/PART -->` before the tables of a part of docs/benchmarks/NAME.json, and
`<!-- end -->` after them; what stands between is written by `write_docs`.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.results import FOLDER, Figure, Part, read

PAGE = FOLDER.parent / "performance.md"
BLOCK = re.compile(r"(<!-- benchmark: ([\w-]+)/(\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
OWN = "textgen"


def write_docs() -> None:
    """Write the tables of the page."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def filled(page: str, folder: Path = FOLDER) -> str:
    """A page, the tables between its markers made anew."""

    def block(found: re.Match[str]) -> str:
        _, name, part, end = found.groups()
        return f"{found[1]}{tables(part, read(folder / f'{name}.json')[part])}\n{end}"

    return BLOCK.sub(block, page)


def tables(name: str, part: Part) -> str:
    """A part's tables, with what they were measured on."""
    hardware = "; ".join(f"{name} {value}" for name, value in part.machine.items() if value)
    versions = ", ".join(f"{name} {value}" for name, value in part.versions.items())
    return (
        f"{'A **quick** run' if part.quick else 'Measured'} on {part.date}, the load before it {part.load_before:g}. "
        f"Hardware: {hardware}. Versions: {versions}.\n\n{PARTS[name](part)}"
    )


def rates(part: Part, what: str, size: str) -> str:
    """Speeds at all sizes."""
    figures = select(part, what)
    rows = [[its.at, its.peer, spread(its.values, "{:,.0f}"), ratio(its, figures)] for its in figures]
    return table([size, "", what, "textgen is"], rows)


def quality(part: Part) -> str:
    """Losses as they fell, and what a step and a training took."""
    steps = select(part, "processor seconds a step")
    taken = {(figure.at, figure.peer): ratio(figure, steps) for figure in steps}
    peaks = {(figure.at, figure.peer): f"{max(figure.values):.0f}" for figure in select(part, "peak memory, MB")}
    rows = []
    for figure in select(part, "held-out nats"):
        key = (figure.at, figure.peer)
        nats, best = ", ".join(f"{value:.3f}" for value in figure.values), f"{min(figure.values):.3f}"
        rows.append([*key, nats, best, taken.get(key, ""), peaks.get(key, "")])
    head = ["", "", "held-out nats, one after the other", "best", "textgen's processor time is", "peak memory, MB"]
    return table(head, rows)


def generation(part: Part) -> str:
    """Start-up and memory, and speeds."""
    peaks = {figure.peer: spread(figure.values, "{:.0f}") for figure in select(part, "peak memory, MB")}
    starts = [
        [figure.peer, spread(figure.values, "{:.2f}"), peaks[figure.peer]]
        for figure in select(part, "seconds to the first character")
    ]
    head = ["", "seconds from process start to the first character", "peak memory, MB"]
    return f"{table(head, starts)}\n\n{rates(part, 'characters/s', 'streams')}"


PARTS: dict[str, Callable[[Part], str]] = {
    "training": lambda part: rates(part, "targets/s", "batch"),
    "quality": quality,
    "generation": generation,
    "constraints": lambda part: rates(part, "characters/s", "streams"),
}


def select(part: Part, what: str) -> list[Figure]:
    """The figures of one kind, in their order."""
    return [figure for figure in part.results if figure.what == what]


def ratio(figure: Figure, figures: Sequence[Figure]) -> str:
    """How many times textgen's figure is this one, the median of the rounds' ratios; of the nearest batch it has."""
    own = [other for other in figures if other.peer == OWN]
    if figure.peer == OWN or not own:
        return ""
    same = [other for other in own if other.at == figure.at]
    nearest = same[0] if same else min(own, key=lambda other: abs(int(other.at) - int(figure.at)))
    return f"{median(mine / its for mine, its in zip(nearest.values, figure.values, strict=True)):,.2f} ×"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table of rows under a head."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def spread(values: Sequence[float], form: str) -> str:
    """The median of values, and their range."""
    return f"{form.format(median(values))} ({form.format(min(values))}–{form.format(max(values))})"
