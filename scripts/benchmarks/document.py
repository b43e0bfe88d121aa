"""The tables of docs/performance.md, generated from the stored measurements between two markers.

`<!-- benchmark: NAME/PART -->` stands before the tables of a part of docs/benchmarks/NAME.json, `<!-- end -->` after.
"""

import re
from importlib.util import find_spec
from pathlib import Path

from benchmarks import plot, results
from benchmarks.report import tables

DOCS = results.FOLDER.parent
PAGE = DOCS / "performance.md"
IMAGE = DOCS / "images" / "time-to-quality.png"
PICTURE = f"![Held-out loss against time]({IMAGE.relative_to(DOCS)})"
BLOCK = re.compile(r"(<!-- benchmark: ([\w-]+)/(\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str, folder: Path = results.FOLDER) -> str:
    """A page, the tables between its markers made anew."""

    def block(found: re.Match[str]) -> str:
        stored = results.read(folder / f"{found[2]}.json")
        picture = f"{PICTURE}\n\n" if found[3] == "quality" and "quality" in stored.parts else ""
        return f"{found[1]}{picture}{tables(stored, found[3])}\n{found[4]}"

    return BLOCK.sub(block, page)


def write_docs() -> None:
    """Write the tables, and draw the plot of the first file that the page names."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(filled(page), encoding="utf-8")
    for _, name, part, _ in BLOCK.findall(page):
        stored = results.read(results.FOLDER / f"{name}.json").parts.get("quality")
        if part == "quality" and stored:
            if not find_spec("matplotlib"):
                raise SystemExit("the plot needs matplotlib: pip install 'matplotlib>=3.9,<4'")
            plot.draw(stored.results, IMAGE)
