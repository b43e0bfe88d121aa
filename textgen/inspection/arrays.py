"""A trace as a file of NumPy's, `.npz`, for one's own analysis."""

from pathlib import Path

import numpy as np

from textgen.evaluation.subject import Subject
from textgen.inspection.blocks import Choice
from textgen.inspection.trace import whole


def save(path: Path, subject: Subject, choice: Choice) -> None:
    """Write what was traced in the evaluated part of a subject.

    The file has these arrays, for N characters, V symbols of the model, L layers and U units of each:

    - `text`, a string of the characters;
    - `codes`, int32 `(N,)`: the model's code of each, -1 where it is not read;
    - `symbols`, `<U1` `(V,)`, by code;
    - `layers` `(L,)` and `units` `(U,)`, int64, counted from 1;
    - for each quantity an array of its name, float32 `(N, L, U)`: see `Trace`.

    Args:
        path: of the file.
        subject: the text and the model.
        choice: what is traced.

    Raises:
        ValueError: there are more than 2²⁸ numbers.
        OSError: the file cannot be written.
    """
    trace = whole(subject, choice)
    arrays = {
        "text": np.array(trace.text),
        "codes": subject.table[np.asarray(subject.corpus.codes[subject.first :])].astype(np.int32),
        "symbols": np.array(subject.model.description.vocabulary.symbols),
        "layers": np.array(trace.layers, np.int64),
        "units": np.array(trace.units, np.int64),
    }
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays, **trace.values)
