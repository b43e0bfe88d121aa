"""`GET /v1/models`: the models at hand."""

import asyncio
from typing import Any

from fastapi import APIRouter

from textgen.serving.models import Entry
from textgen.serving.service import Service


def router(service: Service) -> APIRouter:
    """The routes."""
    made = APIRouter()

    @made.get("/v1/models", summary="List the models")
    async def models() -> dict[str, Any]:
        found = await asyncio.to_thread(service.models.list)
        return {"object": "list", "data": [_shown(entry) for entry in found.values()]}

    @made.get("/v1/models/{name:path}", summary="Tell of a model")
    async def model(name: str) -> dict[str, Any]:
        return _shown(await asyncio.to_thread(service.models.entry, name))

    return made


def _shown(entry: Entry) -> dict[str, Any]:
    return {"id": entry.id, "object": "model", "created": entry.created, "owned_by": "textgen"}
