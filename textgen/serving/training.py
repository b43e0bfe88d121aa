"""The routes of the page's trainings."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from textgen.config import UNITS
from textgen.serving.asking import parsed
from textgen.serving.body import read
from textgen.serving.jobs import Jobs
from textgen.serving.material import catalogued
from textgen.serving.refusal import RefusalError
from textgen.serving.runs import LONGEST_MINUTES, MOST_TEXTS, Order, Stored
from textgen.serving.service import Service

BODY = 2**16


class Chosen(BaseModel):
    """A text to train on: an upload, or one of the catalog."""

    model_config = ConfigDict(strict=True, extra="forbid")

    upload: str | None = None
    catalog: str | None = None


class Asked(BaseModel):
    """A training to start."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    texts: list[Chosen] = Field(min_length=1, max_length=MOST_TEXTS)
    minutes: float = Field(gt=0, le=LONGEST_MINUTES)
    strip: bool = False
    name: str | None = None
    units: int | None = Field(None, ge=UNITS.low, le=UNITS.high)


def router(service: Service) -> APIRouter:
    """The routes; they are not part of the API."""
    made = APIRouter(include_in_schema=False)

    @made.post("/app/runs")
    async def start(request: Request) -> dict[str, Any]:
        jobs, uploads = service.trainings(), service.uploads
        asked = parsed(Asked, await read(request, BODY))

        def add() -> dict[str, Any]:
            texts, files = [], []
            for text in asked.texts:
                if (text.upload is None) == (text.catalog is None):
                    raise RefusalError(
                        400, "`texts`: each must have `upload` or `catalog`", param="texts", code="invalid_value"
                    )
                texts.append(Stored(catalog=text.catalog and catalogued(text.catalog).name, file=None))
                files += [uploads.find(text.upload)] if text.upload is not None else []
            order = Order(texts=texts, minutes=asked.minutes, strip=asked.strip, units=asked.units)
            name = jobs.add(asked.name, order, files)
            for text in asked.texts:
                uploads.remove(text.upload or "")
            return jobs.tell(name)

        return await asyncio.to_thread(add)

    @made.get("/app/runs")
    async def runs(request: Request) -> Response:
        jobs = service.trainings()
        return _told(request, {"runs": await asyncio.to_thread(jobs.all)})

    @made.get("/app/runs/{name}")
    async def run(name: str, request: Request) -> Response:
        jobs = service.trainings()
        return _told(request, await asyncio.to_thread(jobs.tell, name))

    def action(word: str, does: Callable[[Jobs, str], None]) -> None:
        async def act(name: str) -> dict[str, Any]:
            jobs = service.trainings()
            await asyncio.to_thread(does, jobs, name)
            return await asyncio.to_thread(jobs.tell, name)

        made.post(f"/app/runs/{{name}}/{word}")(act)

    action("stop", Jobs.stop)
    action("resume", Jobs.resume)

    @made.delete("/app/runs/{name}")
    async def delete(name: str) -> dict[str, Any]:
        jobs = service.trainings()
        await asyncio.to_thread(jobs.delete, name)
        return {"id": name, "deleted": True}

    return made


def _told(request: Request, content: dict[str, Any]) -> Response:
    """An answer that is sent again only if it has changed."""
    body = JSONResponse(content)
    tag = f'"{hashlib.sha256(body.body).hexdigest()[:24]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    body.headers.update(headers)
    return body
