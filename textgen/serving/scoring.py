"""`POST /v1/score`: what a model predicts at each character of a text."""

import asyncio
import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from textgen.corpus.normalisation import begins_anew
from textgen.errors import SeedError
from textgen.evaluation.details import Details
from textgen.generation.seed import normalised
from textgen.generation.stream import Seed, Stream
from textgen.serving.answer import Whole
from textgen.serving.asking import parsed
from textgen.serving.body import read, schema_of
from textgen.serving.engine import Order, Writing
from textgen.serving.models import Loaded
from textgen.serving.refusal import RefusalError
from textgen.serving.service import Service

MOST_SCORED = 20_000  # characters of a text: some megabytes of JSON
MOST_LIKELIEST = 20
BIT = math.log(2)


class Score(BaseModel):
    """A request for what a model predicts at each character of a text."""

    model_config = ConfigDict(strict=True, extra="forbid")

    model: str = Field(description="The name of a model, from /v1/models.")
    text: str = Field(max_length=MOST_SCORED, description="The text; its first character is predicted by nothing.")
    likeliest: int = Field(5, ge=0, le=MOST_LIKELIEST, description="How many of the likeliest characters to tell.")


def router(service: Service) -> APIRouter:
    """The route."""
    made = APIRouter()

    @made.post(
        "/v1/score",
        summary="Tell how surprising each character of a text is",
        description="For each character of the text: its surprisal in bits, its rank, the entropy of what was "
        "predicted, and the likeliest characters with their probabilities; null for the first character and for "
        "those that the model does not know, which it does not read.",
        openapi_extra=schema_of(Score),
        response_class=Response,
        responses={200: {"content": {"application/json": {}}}},
    )
    async def score(request: Request) -> Response:
        service.check_room(1)
        asked = parsed(Score, await read(request, service.limits.body))
        model = await service.models.get(asked.model)
        scored = await asyncio.to_thread(_Scored, asked, model)
        service.check_room(1)
        request.state.told = {"model": asked.model, "read": len(scored.codes)}
        service.metrics.read.inc(len(scored.codes))
        return Whole(service, Order([scored.writing]), scored.content, {})

    return made


class _Scored:
    """A text that is read by the engine, among those that it writes."""

    def __init__(self, asked: Score, model: Loaded) -> None:
        self._asked, self._model = asked, model
        vocabulary = model.entry.description.vocabulary
        self._places: list[list[int]] = []  # of each character, the codes' places that it is read as
        codes: list[int] = []
        for part in _parts(asked.text, model):
            found = [vocabulary.codes[symbol] for symbol in part if symbol in vocabulary]
            self._places.append(list(range(len(codes), len(codes) + len(found))))
            codes += found
        self.codes = np.array(codes, np.int32)
        self._details = Details(max(0, len(codes) - 1), min(asked.likeliest, len(vocabulary)))
        seed = Seed(self.codes if codes else np.zeros(1, np.int32))
        stream = Stream(seed, vocabulary.symbols, observer=self._details, observe_seed=True)
        self.writing = Writing(stream, model.generator.network, live=False)

    def content(self) -> Mapping[str, Any]:
        """The answer."""
        told = [self._told(symbol, places) for symbol, places in zip(self._asked.text, self._places, strict=True)]
        bits = [character["bits"] for character in told if character["bits"] is not None]
        return {
            "object": "score",
            "model": self._asked.model,
            "system_fingerprint": self._model.fingerprint,
            "characters": told,
            "bits_per_character": sum(bits) / len(bits) if bits else None,
        }

    def _told(self, symbol: str, places: list[int]) -> dict[str, Any]:
        """What was predicted at a character: at all that it is read as, its bits; at the first, the rest."""
        if not places or places[0] == 0:
            return {"symbol": symbol, "bits": None, "rank": None, "entropy": None, "likeliest": []}
        details, first = self._details, places[0] - 1
        symbols = self._model.entry.description.vocabulary.symbols
        likeliest = zip(details.likeliest[first].tolist(), details.likeliest_bits[first].tolist(), strict=True)
        bits = float(details.nats[first : first + len(places)].sum()) / BIT
        return {
            "symbol": symbol,
            "bits": bits if math.isfinite(bits) else None,
            "rank": int(details.rank[first]),
            "entropy": float(details.entropy[first]),
            "likeliest": [[symbols[code], 2.0**-value] for code, value in likeliest],
        }


def _parts(text: str, model: Loaded) -> Iterator[str]:
    """What each character of a text is read as: nothing, where it is composed with one before it."""
    try:
        whole = _read_as(text, model)
    except SeedError as error:
        raise RefusalError(400, str(error), param="text") from None
    if len(whole) == len(text) and all(map(begins_anew, text)):
        yield from whole
        return
    starts = [place for place, symbol in enumerate(text) if place == 0 or begins_anew(symbol)]
    for start, end in pairwise([*starts, len(text)]):
        part = _read_as(text[start:end], model)
        if len(part) == end - start:
            yield from part
        else:
            yield part
            yield from [""] * (end - start - 1)


def _read_as(text: str, model: Loaded) -> str:
    """What a text is read as: normalised, and its rare characters replaced."""
    info, known = model.entry.description.text, model.entry.description.vocabulary
    whole = normalised("the text", text, info.normalisation)
    if info.replacement is None:
        return whole
    return "".join([symbol if symbol in known else info.replacement for symbol in whole])
