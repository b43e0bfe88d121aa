"""What was found about cells and gates, as the page of an inspection shows it beside the text."""

from collections.abc import Iterator, Sequence

from textgen.errors import CorpusError
from textgen.evaluation.subject import Subject
from textgen.inspection.analyses import Remembered, saturation_of
from textgen.inspection.around import GatesAt
from textgen.inspection.features import NAMED
from textgen.inspection.finding import FoundCells
from textgen.inspection.saturation import Saturation
from textgen.inspection.similar import SimilarPassages
from textgen.inspection.views import View
from textgen.page.tinted import Row, Scatter, Table
from textgen.wording import counted

Found = FoundCells | Saturation | GatesAt | SimilarPassages
MOST_CELLS = 3  # of a feature
EXCERPT = 40  # characters of a passage
OVERVIEW = len(NAMED) + 1  # things that are looked for


def overview(subject: Subject) -> Iterator[Found | None]:
    """What is looked for where nothing is asked for, `OVERVIEW` times; None where it cannot be found in the text."""
    remembered = Remembered(subject)
    for name in NAMED:
        try:
            yield remembered.telling(name)
        except CorpusError:  # it does not occur, or the text is too short
            yield None
    try:
        yield saturation_of(subject)
    except ValueError:  # there are no gates
        yield None


def cells_found(subject: Subject, found: Sequence[Found]) -> list[View]:
    """The views of the cells that tell something, the best of each feature."""
    memory = subject.model.weights.cell.memory[-1]
    cells = [cell for one in found if isinstance(one, FoundCells) for cell in one.telling[:MOST_CELLS]]
    return [*dict.fromkeys(View(memory, cell.layer, cell.unit) for cell in cells)]


def panels(subject: Subject, found: Sequence[Found], views: Sequence[View]) -> list[Table | Scatter]:
    """What was found, as panels whose rows tint by one of the views, or go to a place of the text."""
    made: list[Table | Scatter] = []
    if features := [one for one in found if isinstance(one, FoundCells)]:
        made.append(_of_cells(features, views))
    for one in found:
        match one:
            case Saturation():
                made.append(_of_saturation(one))
            case GatesAt():
                made.append(_of_gates(one))
            case SimilarPassages():
                made.append(_of_passages(one, subject.first))
    return made


def _of_cells(features: Sequence[FoundCells], views: Sequence[View]) -> Table:
    rows = []
    for found in features:
        for cell in found.telling[:MOST_CELLS]:
            tint = [(view.layer, view.unit) for view in views].index((cell.layer, cell.unit))
            figures = [f"{found.measure} {cell.told:.3f}", f"{found.shuffled_most:.3f}"]
            rows.append(Row([f"{cell.layer}.{cell.unit}", found.feature.what, *figures], tint=tint))
        if not found.telling:
            rows.append(Row(["none", found.feature.what, "", f"{found.shuffled_most:.3f}"]))
    note = "chosen on the first half of the text, judged on the other; by chance: the most for a shuffled feature"
    return Table("Cells that tell", ["cell", "what", "how well", "by chance"], rows, note)


def _of_saturation(found: Saturation) -> Scatter:
    groups = [
        (f"{gate}, layer {layer}", found.is_open[g, n], found.is_shut[g, n])
        for n, layer in enumerate(found.layers)
        for g, gate in enumerate(found.gates)
    ]
    note = "a point for each unit: to the right, the share of the time its gate is open; upwards, shut"
    return Scatter("Saturation", "open", "shut", groups, note)


def _of_gates(found: GatesAt) -> Table:
    rows = []
    at = found.offsets.tolist().index(0)
    for n, layer in enumerate(found.layers):
        for q, name in enumerate(found.quantities):
            figures = [
                found.means[n, q, at - 1],
                found.means[n, q, at],
                found.means[n, q, at + 1],
                found.elsewhere[n, q],
            ]
            rows.append(Row([f"{name}, layer {layer}", *(f"{figure:.2f}" for figure in figures)]))
    note = f"{counted(found.places, 'place')}; of gates the mean, of what has either sign the mean size"
    return Table(f"At {found.pattern}", ["gate", "before", "at", "after", "elsewhere"], rows, note)


def _of_passages(found: SimilarPassages, first: int) -> Table:
    rows = [
        Row([passage.text[:EXCERPT], f"{passage.likeness:.2f}"], start=passage.start - first)
        for passage in found.passages
    ]
    note = f"to “{found.text[:EXCERPT]}”, by {len(found.cells):,} cells; the median passage has {found.typical:.2f}"
    return Table("Similar passages", ["passage", "likeness"], rows, note)
