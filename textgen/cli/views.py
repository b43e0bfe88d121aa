"""A text tinted by what is looked at in it, or with signs below it, or as rows."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from textgen.cli import rows
from textgen.cli.terminal import colours, columns, on_terminal, write_blocks, write_line, write_tinted
from textgen.cli.tint import GAIN, Scale, legend, tinted, with_digits

if TYPE_CHECKING:
    from textgen.evaluation.subject import Subject
    from textgen.inspection.views import View, Viewed

FORCED = 256  # colours that --color prints to a pipe whose terminal says nothing
STEPS = (0.25, 0.5, 0.75, 0.95)  # of the deepest tint: where each of the four tints begins
MARKED = 0.5  # of the same: from where on a character is marked where there are no colours
WARM, COOL = ([colour for _, colour in stops] for stops in (GAIN.below, GAIN.stops))


def show(subject: "Subject", views: Sequence["View"], coloured: bool | None) -> None:
    """Print the text once for each view, tinted or with signs, and the legend."""
    from textgen.inspection.views import viewed

    pieces = list(viewed(subject, views))
    text = "".join([piece.text for piece in pieces])
    values = np.concatenate([piece.values for piece in pieces])
    shades = 0 if coloured is False else colours() or (FORCED if coloured else 0)
    for number, view in enumerate(views):
        shown, top, middle = view.difference(values[:, number])
        if number:
            write_line("")
        scale = _scale(view, top, middle)
        if shades:
            end = [("", "\n" if text.endswith("\n") else "\n\n")]
            write_tinted(chain(tinted(text, shown, scale, shades), end, legend(scale, shades), [("", "\n")]))
            continue
        for line in with_digits([(text, shown / np.float32(MARKED * top))], scale, columns()):
            write_line(line)
        write_line("")
        write_line(scale.marks)


def _scale(view: "View", top: float, middle: float) -> Scale:
    """The scale of a view: warm above, cool below, as on the page."""
    most = f"{MARKED * top:.2g}"
    if view.unit is None:
        name = f"{view.name}, from its mean of {middle:.2f}"
        marks = f"+ where the {view.name} is {most} or more above its mean of {middle:.2f}, - where it is as much below"
    else:
        name = f"{'tanh of' if view.quantity == 'cell' else 'output of'} {view.name}"
        marks = f"+ where the {name} is {most} or more, - where it is -{most} or less"
    above, below = (
        tuple((step * top, colour) for step, colour in zip(STEPS, side, strict=True)) for side in (WARM, COOL)
    )
    return Scale(name, above, below, "+-", f"below each character: {marks}")


def print_rows(subject: "Subject", views: Sequence["View"], *, as_json: bool) -> None:
    """Print a row for each character."""
    from textgen.inspection.views import viewed

    def columns_of(piece: "Viewed", quoted: Callable[[str], str], missing: str) -> dict[str, list[str]]:
        numbers = [rows.numbers(column, missing) for column in piece.values.T]
        return rows.beginning(piece, quoted) | dict(zip([view.word for view in views], numbers, strict=True))

    pieces = viewed(subject, views)
    write_blocks(
        rows.as_json(pieces, columns_of, ascii_only=on_terminal()) if as_json else rows.as_tsv(pieces, columns_of)
    )
