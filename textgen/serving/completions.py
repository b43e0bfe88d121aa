"""`POST /v1/completions`: a request is checked, planned in a thread, written by the engine, sent as it is written."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import Response

from textgen.serving.answer import Answer
from textgen.serving.asking import Completion, check, parsed
from textgen.serving.body import read, schema_of
from textgen.serving.choices import Shape
from textgen.serving.engine import Order
from textgen.serving.planning import plan
from textgen.serving.service import Service

IGNORED, SEED = "textgen-ignored", "textgen-seed"  # headers of the answer
MOST_NAMED = 20


def router(service: Service) -> APIRouter:
    """The route."""
    made = APIRouter()

    @made.post(
        "/v1/completions",
        summary="Continue texts",
        description="As OpenAI's reference describes it, where a token is a character.",
        openapi_extra=schema_of(Completion),
        response_class=Response,
        responses={200: {"content": {"application/json": {}, "text/event-stream": {}}}},
    )
    async def complete(request: Request) -> Response:
        service.check_room(1)  # before the body is read
        asked = parsed(Completion, await read(request, service.limits.body))
        ignored = check(asked, strict=service.strict)
        service.tell_ignored(ignored)
        model = await service.models.get(asked.model)
        planned = await asyncio.to_thread(plan, asked, model, service.limits)
        service.check_room(len(planned.choices))
        headers = {SEED: str(planned.rng_seed)}
        if ignored:
            headers[IGNORED] = ", ".join(map(_shown, ignored[:MOST_NAMED]))
        usage = asked.stream_options is not None and bool(asked.stream_options.include_usage)
        shape = Shape(asked.model, model.fingerprint, usage=usage)
        order = Order([choice.writing for choice in planned.choices])
        request.state.told = {"model": asked.model, "texts": len(planned.choices), "read": planned.read}
        service.metrics.read.inc(planned.read)
        return Answer(service, order, planned, shape, headers, live=bool(asked.stream))

    return made


def _shown(name: str) -> str:
    """A name as a header can hold it."""
    return name[:40] if name.isascii() and name.isidentifier() else "(another)"
