"""`textgen inspect --npz`: the values of cells and gates in a file for NumPy."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textgen.cli.options import as_options
from textgen.cli.terminal import tell

if TYPE_CHECKING:
    from textgen.evaluation.subject import Subject
    from textgen.inspection.views import View


def write_arrays(path: str, subject: "Subject", views: Sequence["View"]) -> None:
    """Write the file, whole or not at all: all quantities of named cells, named gates of all units, or everything."""
    from textgen.atomic_file import replacing
    from textgen.errors import CorpusError, RunError, reason
    from textgen.inspection.arrays import save
    from textgen.inspection.blocks import Choice

    weights = subject.model.weights
    cells = [view for view in views if view.unit is not None]
    choice = Choice.of(
        weights,
        sorted({view.layer for view in views}) or None,
        None if cells or not views else [*dict.fromkeys(view.quantity for view in views)],
        sorted({view.unit for view in cells if view.unit is not None}) if len(cells) == len(views) > 0 else None,
    )
    try:
        with replacing(Path(os.path.realpath(path)), keep_links=True) as temporary:
            save(temporary, subject, choice)
    except ValueError as error:
        raise CorpusError(as_options(str(error))) from error
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({reason(error)}); name another file with --npz") from error
    tell(f"arrays: {path}")
