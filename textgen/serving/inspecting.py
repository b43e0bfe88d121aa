"""`POST /v1/inspect`: what cells and gates do at each character of a text, and which cells tell something of it."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from textgen.arguments import shown
from textgen.config import Reading
from textgen.errors import CorpusError, ModelFileError
from textgen.evaluation.score import plain, subject_of
from textgen.evaluation.subject import Subject
from textgen.inspection.analyses import cells_that_tell
from textgen.inspection.features import NAMED
from textgen.inspection.views import View, cell_view, default_views, gate_view, viewed
from textgen.model_file import Weights
from textgen.serving.asking import parsed
from textgen.serving.body import read, schema_of
from textgen.serving.refusal import RefusalError, busy
from textgen.serving.service import Service

MOST_INSPECTED = 20_000  # characters of a text: a second of one core
WAITING = 8  # requests; one at a time is answered, since each takes a core from what is being written


class Inspection(BaseModel):
    """A request for what a cell or a gate does at each character of a text."""

    model_config = ConfigDict(strict=True, extra="forbid")

    model: str = Field(description="The name of a model, from /v1/models.")
    text: str = Field(max_length=MOST_INSPECTED, description="The text.")
    cell: str | None = Field(None, max_length=20, description="A cell, LAYER.UNIT, both counted from 1.")
    gate: str | None = Field(
        None, max_length=40, description="A gate, LAYER.GATE, or GATE of the last layer: the mean over the units."
    )
    find: str | None = Field(
        None, max_length=200, description="A feature: quotes, line, word, sentence, speaker, brackets or indent."
    )


def router(service: Service) -> APIRouter:
    """The route."""
    made = APIRouter()
    one_at_a_time, waiting = asyncio.Lock(), [0]

    @made.post(
        "/v1/inspect",
        summary="Tell what a cell or a gate does at each character of a text",
        description="What a cell remembers after each character, or how far a layer's gate is open on average; null "
        "for characters that the model does not know, which it does not read. Without `cell` and `gate`, those of the "
        "model's first gate. Beside it: the text as it was read, the value of the deepest tint and the one of none, "
        "and which layers, units and gates the model has. With `find` instead, the cells that tell a feature of the "
        "text better than any cell tells a shuffled one, chosen on one half of it and judged on the other.",
        openapi_extra=schema_of(Inspection),
    )
    async def inspect(request: Request) -> dict[str, Any]:
        service.check_room(1)
        asked = parsed(Inspection, await read(request, service.limits.body))
        given = [name for name in ("cell", "gate", "find") if getattr(asked, name) is not None]
        if len(given) > 1:
            message = f"`{given[0]}` and `{given[1]}` exclude each other; give only one of them"
            raise RefusalError(400, message, param=given[1])
        entry = await asyncio.to_thread(service.models.entry, asked.model)
        if waiting[0] >= WAITING:
            raise busy(f"{waiting[0]} texts wait to be looked into; try again soon")
        waiting[0] += 1
        try:
            async with one_at_a_time:
                content = await asyncio.to_thread(_inspected, asked, entry.path)
        finally:
            waiting[0] -= 1
        request.state.told = {"model": asked.model, "read": len(asked.text)}
        return content

    return made


def _inspected(asked: Inspection, path: Any) -> dict[str, Any]:
    """The answer."""
    try:
        subject = subject_of(path, (), text=asked.text, everything=True, reading=Reading())
        return _viewed(asked, subject) if asked.find is None else _found(asked.find, asked.model, subject)
    except CorpusError as error:
        raise RefusalError(400, str(error), param="text") from None
    except ModelFileError:
        raise RefusalError(503, "the model cannot be read", param="model", code="model_unreadable") from None


def _found(name: str, model: str, subject: Subject) -> dict[str, Any]:
    """The cells that tell a feature."""
    if name not in NAMED:  # a regular expression of a stranger's could take for ever
        message = f"`find` must be one of {', '.join(NAMED)}, not {shown(name)}"
        raise RefusalError(400, message, param="find", code="invalid_value")
    found = cells_that_tell(subject, name)
    cells = [
        {"cell": f"{cell.layer}.{cell.unit}", "sign": cell.sign, "told": round(cell.told, 4)} for cell in found.telling
    ]
    return {
        "object": "inspection.cells",
        "model": model,
        "find": name,
        "measure": found.measure,
        "cells": cells,
        "shuffled_most": round(found.shuffled_most, 4),
    }


def _viewed(asked: Inspection, subject: Subject) -> dict[str, Any]:
    """What is looked at, at each character."""
    weights = subject.model.weights
    view = _view(asked, subject)
    pieces = list(viewed(subject, [view]))
    values = np.concatenate([piece.values[:, 0] for piece in pieces])
    _, top, middle = view.difference(values)
    return {
        "object": "inspection",
        "model": asked.model,
        "text": "".join([piece.text for piece in pieces]),
        "cell": None if view.unit is None else f"{view.layer}.{view.unit}",
        "gate": f"{view.layer}.{view.quantity}" if view.unit is None else None,
        "quantity": view.quantity,
        "values": plain(np.round(values.astype(np.float64), 4)),
        "top": top,
        "middle": middle,
        "layers": len(weights.layers),
        "units": len(weights.layers[0].recurrent),
        "gates": [*weights.cell.gate_names],
    }


def _view(asked: Inspection, subject: Subject) -> View:
    """What is looked at; `RefusalError` if the model does not have it."""
    ways: list[tuple[str, str | None, Callable[[str, Weights], View]]] = [
        ("cell", asked.cell, cell_view),
        ("gate", asked.gate, gate_view),
    ]
    for name, word, made in ways:
        if word is not None:
            try:
                return made(word, subject.model.weights)
            except ValueError as error:
                raise RefusalError(400, str(error), param=name, code="invalid_value") from None
    return default_views(subject.model.weights)[0]
