"""`textgen inspect --find`, `--saturation`, `--at` and `--similar`: analyses as tables for a person."""

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from textgen.arguments import shown
from textgen.cli.options import as_options
from textgen.cli.table import aligned
from textgen.cli.terminal import tell, write_json, write_line
from textgen.wording import counted

if TYPE_CHECKING:
    from textgen.evaluation.subject import Subject
    from textgen.inspection.around import GatesAt
    from textgen.inspection.finding import FoundCells
    from textgen.inspection.pictures import Analysis
    from textgen.inspection.saturation import Saturation
    from textgen.inspection.similar import SimilarPassages

GAP = " " * 7  # as wide as what follows the mean elsewhere
CELLS = 12  # that are named


class Span(click.ParamType[tuple[int, int]]):
    """Two places of a text, `START:END`."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Turn a word into numbers, or fail."""
        found = re.fullmatch("([0-9]{1,15}):([0-9]{1,15})", str(value))
        if found is None:
            self.fail(f"expected START:END, such as 120:135, not {shown(value)}.", param, ctx)
        return int(found[1]), int(found[2])


def analysed(
    subject: "Subject", *, find: str | None, saturation: bool, at: str | None, similar: tuple[int, int] | None
) -> list["Analysis"]:
    """What was asked, found."""
    from textgen.inspection import analyses

    found: list[Analysis] = []
    try:
        if find is not None:
            found.append(analyses.cells_that_tell(subject, find))
        if saturation:
            found.append(analyses.saturation_of(subject))
        if at is not None:
            found.append(analyses.gates_where(subject, at))
        if similar is not None:
            found.append(analyses.similar_to(subject, *similar))
    except ValueError as error:
        raise click.UsageError(f"{as_options(str(error))}.") from error
    return found


def answer(subject: "Subject", found: "Analysis", *, as_json: bool, plot: str | None) -> None:
    """Print what was found, and draw it."""
    if as_json:
        write_json(found.to_dict())
    else:
        for line in _lines(found):
            write_line(line)
    read = len(subject.known) - subject.known_first
    characters = found.to_dict()["characters"]
    if characters < read:
        tell(f"of {counted(read, 'character')}, the first {characters:,} count")
    if plot is not None:
        _draw(found, plot)


def _lines(found: "Analysis") -> Iterator[str]:
    """The lines for a person."""
    from textgen.inspection.around import GatesAt
    from textgen.inspection.finding import FoundCells
    from textgen.inspection.saturation import Saturation

    match found:
        case FoundCells():
            return _of_cells(found)
        case Saturation():
            return _of_saturation(found)
        case GatesAt():
            return _of_gates(found)
    return _of_passages(found)


def _draw(found: "Analysis", plot: str) -> None:
    from textgen.cli.pictures import save_picture
    from textgen.inspection.pictures import draw

    save_picture(plot, lambda path, kind: draw(found, path, kind))
    tell(f"picture: {plot}")


def _of_cells(found: "FoundCells") -> Iterator[str]:
    share = "" if found.feature.graded else f", {found.feature.values.mean():.2%} of them"
    yield f"{found.feature.what}: {counted(len(found.best), 'character')}{share}"
    if found.feature.graded:
        yield "R²: the share of its variance that a line through the cell's values accounts for; 0 or less for chance"
    else:
        yield "AUC: how often a cell is higher (or lower) there than elsewhere; 0.5 for chance"
    yield ""
    if not found.telling:
        first = found.cells[0]
        yield (
            f"nothing found: cell {first.layer}.{first.unit}, the best on the first half, tells {first.told:.3f} "
            f"on the second, and cells tell up to {found.shuffled_most:.3f} of a shuffled feature"
        )
        return
    way = {1: "higher", -1: "lower"}
    rows = [["cell", "is then", "chosen on", "judged on"], ["", "", "first half", "second half"]]
    rows += [
        [f"{cell.layer}.{cell.unit}", way[cell.sign], f"{cell.learnt:.3f}", f"{cell.told:.3f}"]
        for cell in found.telling
    ]
    yield from aligned(rows, right=frozenset({2, 3}))
    yield ""
    yield f"shuffled: the best cell tells {found.shuffled:.3f} on the second half, at most {found.shuffled_most:.3f}"


def _of_saturation(found: "Saturation") -> Iterator[str]:
    from textgen.inspection.saturation import MOSTLY, OPEN, SHUT

    yield f"{counted(found.characters, 'character')}: open is above {OPEN}, shut is below {SHUT}"
    yield ""
    rows = [["layer", "gate", "open", "shut", "units mostly open", "mostly shut"]]
    for number, layer in enumerate(found.layers):
        for gate, is_open, is_shut in zip(found.gates, found.is_open[:, number], found.is_shut[:, number], strict=True):
            mostly = [f"{int((part > MOSTLY).sum())} of {len(part)}" for part in (is_open, is_shut)]
            rows.append([str(layer), gate, f"{is_open.mean():.1%}", f"{is_shut.mean():.1%}", *mostly])
    yield from aligned(rows, right=frozenset({2, 3, 4, 5}))
    yield ""
    yield f"open, shut: mean share of the time; mostly: more than {MOSTLY:.0%} of it"


def _of_gates(found: "GatesAt") -> Iterator[str]:
    from textgen.inspection.features import called

    size = counted(found.characters, "character")
    yield f"{counted(found.places, 'place')} where {called(found.pattern)} matches, in {size}"
    for number, layer in enumerate(found.layers):
        rows = [["", *found.quantities]]
        for place, offset in enumerate(found.offsets.tolist()):
            pairs = zip(found.means[number, :, place], found.margins[number, :, place], strict=True)
            rows.append([f"{offset:+d}" if offset else "0", *(_with_margin(*pair) for pair in pairs)])
        rows.append(["elsewhere", *(f"{mean:.3f}{GAP}" for mean in found.elsewhere[number])])
        yield ""
        yield f"layer {layer}"
        yield from aligned(rows, right=frozenset(range(len(rows[0]))))
    yield ""
    yield "0: the last character of a match, once it has been read; ±: half of a 95 % interval of the mean"
    yield "gates: mean over the units, from 0 (shut) to 1 (open); cell and hidden: mean size"


def _with_margin(mean: float, margin: float) -> str:
    return f"{mean:.3f} ±{margin:.3f}" if math.isfinite(margin) else f"{mean:.3f}{GAP}"


def _of_passages(found: "SimilarPassages") -> Iterator[str]:
    from textgen.inspection.pictures import in_a_line

    yield f"{in_a_line(found.before, found.text)}"
    cells = ", ".join(f"{layer}.{unit}" for layer, unit in found.cells[:CELLS])
    more = f" and {len(found.cells) - CELLS:,} more" if len(found.cells) > CELLS else ""
    yield f"active throughout it: {counted(len(found.cells), 'cell')}: {cells}{more}"
    yield ""
    if not found.passages:
        yield "in no other passage of this length is one of them active throughout"
        return
    rows = [["likeness", "shared", "others", "position", "passage"]]
    for passage in found.passages:
        numbers = [f"{passage.likeness:.3f}", str(passage.shared), str(passage.others), str(passage.start)]
        rows.append([*numbers, in_a_line(passage.before, passage.text)])
    yield from aligned(rows, right=frozenset({0, 1, 2, 3}))
    yield ""
    yield f"likeness of the median passage: {found.typical:.3f}"
