"""`POST /v1/completions`: a request is checked, planned in a thread, written by the engine, sent as it is written."""

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from textgen.serving.answer import Events, Whole
from textgen.serving.asking import Completion, check, parsed
from textgen.serving.body import read, schema_of
from textgen.serving.choices import Shape
from textgen.serving.engine import Order
from textgen.serving.planning import is_light, plan
from textgen.serving.service import Service, named

IGNORED, SEED = "textgen-ignored", "textgen-seed"  # headers of the answer
LARGE = 100_000  # characters of an answer that a thread makes


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
        if is_light(asked):  # a thread would take longer
            planned = plan(asked, model, service.limits)
        else:
            planned = await asyncio.to_thread(plan, asked, model, service.limits)
        service.check_room(len(planned.choices))
        headers = {SEED: str(planned.rng_seed)}
        if ignored:
            headers[IGNORED] = named(ignored)
        usage = asked.stream_options is not None and bool(asked.stream_options.include_usage)
        shape = Shape(asked.model, model.fingerprint, usage=usage)
        order = Order([choice.writing for choice in planned.choices])
        request.state.told = {"model": asked.model, "texts": len(planned.choices), "read": planned.read}
        service.metrics.read.inc(planned.read)
        if asked.stream:
            return Events(service, order, planned, shape, headers)

        def content() -> Mapping[str, Any]:
            whole = shape.whole(planned.choices, planned.read)
            written = whole["usage"]["completion_tokens"]
            service.metrics.written.inc(written)
            request.state.told["written"] = written
            return whole

        large = asked.logprobs is not None or (asked.max_tokens or 0) * asked.texts > LARGE
        return Whole(service, order, content, headers, large=large)

    return made
