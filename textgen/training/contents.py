"""Checks that the contents of a checkpoint are those of a run, which a correct checksum alone does not ensure."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from textgen.arguments import Range, expect, listed
from textgen.cells import CELLS
from textgen.config import EPOCHS, MINUTES, Hyperparameters, Reading, Shape
from textgen.corpus.vocabulary import Vocabulary
from textgen.description import AMOUNT, TextInfo
from textgen.model_file import layout
from textgen.training.learner import Arrays
from textgen.training.teachers import Teacher

STEPS = Range(int, 0, 10**15)
POSITION = {"states", "planned_steps", "step", "loss_sum", "loss_count", "best", "scorings_since_best"}
LATER: dict[str, dict[str, Any]] = {  # what older checkpoints lack, and what they mean without it
    "reading": {"markup": False, "repair": False},
    "model": {"cell": "lstm"},
    "training": {"weight_decay": 0.1},
}
COLUMNS = 8  # of a row of the history; the last two may be empty


def check_contents(meta: Mapping[str, Any], arrays: Arrays) -> None:
    """Raise `ValueError`, `TypeError` or `LookupError` for the first value that no run writes.

    Args:
        meta: everything but the arrays, as JSON values.
        arrays: lists of arrays by name.
    """
    reading, training = Reading.from_dict(meta["reading"]), Hyperparameters.from_dict(meta["training"])
    vocabulary = Vocabulary(meta["vocabulary"])
    _check_text(meta["text"], reading, vocabulary)
    if (meta["epochs"] is None) == (meta["minutes"] is None):
        raise ValueError("expected either epochs or minutes")
    for name, allowed in (("epochs", EPOCHS), ("minutes", MINUTES)):
        if meta[name] is not None:
            allowed.check(name, meta[name])
    expect("teachers", meta["teachers"], list)
    for teacher in meta["teachers"]:
        Teacher.from_dict(teacher)
    _check_progress(meta)
    _check_arrays(arrays, Shape.from_dict(meta["model"]), len(vocabulary), training.batch_size)


def _check_text(text: Mapping[str, Any], reading: Reading, vocabulary: Vocabulary) -> None:
    TextInfo(text["name"], text["sha256"], 0, reading.unicode, reading.lowercase, text["replacement"])
    if text["replacement"] not in (None, *vocabulary.symbols):
        raise ValueError("its replacement is not in its vocabulary")
    expect("sources", text["sources"], list)
    for source in text["sources"]:
        expect("source", source, str)


def _check_progress(meta: Mapping[str, Any]) -> None:
    position = meta["position"]
    if set(position) != POSITION:
        raise ValueError(f"its position has missing or unknown keys: {listed(POSITION ^ set(position))}")
    for name in ("step", "planned_steps", "loss_count", "scorings_since_best"):
        STEPS.check(name, position[name])
    AMOUNT.check("loss_sum", position["loss_sum"])
    if position["best"] is not None:
        AMOUNT.check("best", position["best"])
    AMOUNT.check("elapsed", meta["elapsed"])
    STEPS.check("workers", meta.get("workers", 1))
    for row in meta["history"]:
        if len(row) != COLUMNS:
            raise ValueError(f"a row of its history has {len(row)} columns, not {COLUMNS}")
        for place, value in enumerate(row):
            if value is not None or place < COLUMNS - 2:
                AMOUNT.check("history", value)


def _check_arrays(arrays: Arrays, model: Shape, symbols: int, streams: int) -> None:
    weights = list(layout(model, symbols).values())
    states = [(streams, model.units)] * (CELLS[model.cell].states * model.layers)
    for name, shapes in (("weights", weights), ("averages", weights), ("states", states)):
        if [array.shape for array in arrays[name]] != shapes:
            raise ValueError(f"its {name} have other shapes than its configuration asks for")
        if any(array.dtype != np.float32 for array in arrays[name]):
            raise ValueError(f"its {name} are not float32")
    # Two numbers, its own and the learning rate, and two means of each weight; how they are ordered is Keras's choice.
    if sorted(array.shape for array in arrays["optimizer"]) != sorted([(), (), *weights, *weights]):
        raise ValueError("its optimizer has other shapes than its configuration asks for")
    if any(array.dtype.kind not in "if" for array in arrays["optimizer"]):
        raise ValueError("its optimizer has values that are not numbers")
