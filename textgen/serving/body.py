"""Reads the bodies of requests, within limits of size and time, and describes them for the OpenAPI document."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from fastapi import Request
from pydantic import BaseModel

from textgen.serving.refusal import RefusalError

SECONDS = 30.0  # for a body to arrive
LINGER = 5.0  # seconds in which the rest of one that is too large is passed over


async def read(request: Request, most: int) -> bytes:
    """The body of a request; `RefusalError` if it is larger than `most` bytes or too slow."""
    content, stream = bytearray(), request.stream()
    try:
        async with asyncio.timeout(SECONDS):
            if _is_longer(request, most):
                raise await _too_large(stream, most)
            async for part in stream:
                content += part
                if len(content) > most:
                    raise await _too_large(stream, most)
    except TimeoutError:
        raise RefusalError(
            408, f"the request's body did not arrive within {SECONDS:g} seconds", code="timeout"
        ) from None
    return bytes(content)


async def pieces(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body of a request, piece by piece; `RefusalError` if it is larger than `most` bytes, or a piece is slow."""
    received, stream = 0, request.stream()
    if _is_longer(request, most):
        raise await _too_large(stream, most)
    while True:
        try:
            piece = await asyncio.wait_for(anext(stream, None), SECONDS)
        except TimeoutError:
            raise RefusalError(408, f"nothing has arrived for {SECONDS:g} seconds", code="timeout") from None
        if piece is None:
            return
        received += len(piece)
        if received > most:
            raise await _too_large(stream, most)
        yield piece


def schema_of(kind: type[BaseModel]) -> dict[str, Any]:
    """What the OpenAPI document says of a body that is read by hand."""
    reference = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": reference}}}}


def _is_longer(request: Request, most: int) -> bool:
    length = request.headers.get("content-length", "")
    return length.isdecimal() and int(length[:20]) > most


async def _too_large(stream: AsyncIterator[bytes], most: int) -> RefusalError:
    """The answer to a body that is too large; a client that still sends would find a broken connection instead."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            async for _ in stream:
                pass
    return RefusalError(
        413, f"the request's body is larger than {most:,} bytes", code="too_large", headers={"Connection": "close"}
    )
