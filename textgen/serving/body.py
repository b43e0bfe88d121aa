"""Reads the bodies of requests, within limits of size and time, and describes them for the OpenAPI document."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from pydantic import BaseModel

from textgen.serving.refusal import RefusalError

SECONDS = 30.0  # for a body to arrive


async def read(request: Request, most: int) -> bytes:
    """The body of a request; `RefusalError` if it is larger than `most` bytes or too slow."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > most:
        raise _too_large(most)
    content = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for part in request.stream():
                content += part
                if len(content) > most:
                    raise _too_large(most)
    except TimeoutError:
        raise RefusalError(
            408, f"the request's body did not arrive within {SECONDS:g} seconds", code="timeout"
        ) from None
    return bytes(content)


async def pieces(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body of a request, piece by piece; `RefusalError` if it is larger than `most` bytes, or a piece is slow."""
    if (length := request.headers.get("content-length", "")).isdecimal() and int(length[:20]) > most:
        raise _too_large(most)
    received, stream = 0, request.stream()
    while True:
        try:
            piece = await asyncio.wait_for(anext(stream, None), SECONDS)
        except TimeoutError:
            raise RefusalError(408, f"nothing has arrived for {SECONDS:g} seconds", code="timeout") from None
        if piece is None:
            return
        received += len(piece)
        if received > most:
            raise _too_large(most)
        yield piece


def schema_of(kind: type[BaseModel]) -> dict[str, Any]:
    """What the OpenAPI document says of a body that is read by hand."""
    reference = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": reference}}}}


def _too_large(most: int) -> RefusalError:
    return RefusalError(
        413, f"the request's body is larger than {most:,} bytes", code="too_large", headers={"Connection": "close"}
    )
