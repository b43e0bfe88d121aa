"""The routes of the texts to train on: uploads, the catalog, and what is found in them."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from textgen.corpus.catalog import CatalogText, find, read_catalog
from textgen.corpus.download import cached
from textgen.errors import CorpusError
from textgen.serving.body import pieces
from textgen.serving.refusal import RefusalError
from textgen.serving.service import Service

LOOKS = 2  # texts that are looked at, at once
OFTEN = 2**24  # bytes between two looks at what is left of the disk


def router(service: Service) -> APIRouter:
    """The routes; they are not part of the API."""
    made = APIRouter(include_in_schema=False)
    looks = asyncio.Semaphore(LOOKS)

    async def looked(source: str, name: str) -> dict[str, Any]:
        async with looks:
            return await asyncio.to_thread(service.uploads.report, source, name)

    @made.get("/app/catalog")
    async def catalog() -> list[dict[str, Any]]:
        service.trainings()
        return await asyncio.to_thread(lambda: [_listed(text) for text in _catalog().values()])

    @made.get("/app/catalog/{name}")
    async def one(name: str) -> dict[str, Any]:
        service.trainings()
        text = await asyncio.to_thread(catalogued, name)
        return {"catalog": text.name} | await looked(text.name, text.title)

    @made.post("/app/texts")
    async def upload(request: Request, name: str = "text.txt") -> dict[str, Any]:
        service.trainings()
        uploads = service.uploads
        most = service.limits.max_upload * 10**6
        with uploads.receiving(name) as (number, path, file):
            uploads.check_disk()
            unlooked = 0
            async for piece in pieces(request, most):
                await asyncio.to_thread(file.write, piece)
                unlooked += len(piece)
                if unlooked > OFTEN:
                    await asyncio.to_thread(uploads.check_disk)
                    unlooked = 0
            file.flush()
            return {"upload": number} | await looked(str(path), path.name)

    return made


def _catalog() -> dict[str, CatalogText]:
    try:
        return read_catalog()
    except CorpusError as error:
        raise RefusalError(500, str(error), code="no_catalog") from error


def catalogued(name: str) -> CatalogText:
    """The text of the catalog with a name; `RefusalError` if there is none."""
    try:
        return find(_catalog(), name[:100])
    except CorpusError as error:
        raise RefusalError(404, str(error), param="texts", code="text_not_found") from error


def _listed(text: CatalogText) -> dict[str, Any]:
    told = {name: getattr(text, name) for name in ("name", "title", "author", "language", "licence", "characters")}
    return told | {"here": cached(text) is not None}
