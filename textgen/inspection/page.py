"""The page of an inspection: the text tinted by cells and gates, of which the reader chooses, and what was found."""

from collections.abc import Sequence

import numpy as np

from textgen.errors import CorpusError
from textgen.evaluation.subject import Subject
from textgen.evaluation.tinting import runs
from textgen.inspection.views import View, viewed
from textgen.keras_archive import Array
from textgen.page.tinted import Mark, Scale, Scatter, Table, Tint, Tinted
from textgen.wording import counted

MOST = 200_000  # characters: with twenty tints a file of some 12 MB
UNREAD = "not in the model's vocabulary"


def tinted(subject: Subject, views: Sequence[View], title: str, panels: Sequence[Table | Scatter] = ()) -> Tinted:
    """What the page of an inspection shows.

    Args:
        subject: the text and the model.
        views: what the text can be tinted by; the first one is chosen at first.
        title: the page's title.
        panels: what was found in the text; the tints of their rows are places in `views`.

    Raises:
        CorpusError: the text has more than 200,000 characters.
    """
    check_size(subject)
    pieces = list(viewed(subject, views))
    text, values = "".join([piece.text for piece in pieces]), np.concatenate([piece.values for piece in pieces])
    tints = [_tint(view, column) for view, column in zip(views, values.T, strict=True)]
    unread = np.isnan(values).all(axis=1)
    return Tinted(
        title,
        text,
        tints[0].values,
        tints[0].scale,
        f"{counted(len(text), 'character')} ({subject.part})",
        marks=[Mark(start, end, UNREAD) for start, end in runs(unread)],
        marks_name="Unknown characters",
        line=pieces[0].place.line,
        column=pieces[0].place.column,
        tints=tints[1:],
        panels=panels,
    )


def check_size(subject: Subject) -> None:
    """Raise `CorpusError` if the text has more than 200,000 characters."""
    size = len(subject.corpus) - subject.first
    if size > MOST:
        raise CorpusError(
            f"the text is too long for a page of cells and gates, which holds {MOST:,} characters, not {size:,}; "
            "give a part of it"
        )


def _tint(view: View, values: Array) -> Tint:
    shown, top, middle = view.difference(values)
    if view.unit is None:
        mean = f"its mean of {middle:.2f}"
        lines = "Lines where it is most open"
        return Tint(shown, Scale(view.name, "", top, f"below {mean}", f"above {mean}", True, lines=lines, digits=3))
    name = f"{'tanh' if view.quantity == 'cell' else 'output'} of {view.name}"
    return Tint(shown, Scale(name, "", top, diverging=True, lines="Lines where it is highest"))
