"""The page: its files, what only it asks, and its login where a token is needed."""

import asyncio
import logging
import mimetypes
import re
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from textgen.bundled import PACKAGE
from textgen.errors import ModelFileError
from textgen.html_file import html
from textgen.model_file import read_model
from textgen.serving.access import COOKIE, same, session
from textgen.serving.body import read
from textgen.serving.models import Entry, unreadable
from textgen.serving.refusal import RefusalError
from textgen.serving.service import Service

PAGE = PACKAGE / "page"
SERVED = {".html", ".js", ".css", ".svg", ".png", ".ico", ".woff2", ".json", ".txt"}
KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
NAME = re.compile(r"\w[\w-]{0,100}\.\w{1,10}", re.ASCII)  # of a file of the page, which has no folders
PAUSE = 0.5  # seconds after a wrong token
SHIPPED_SEED = "ROMEO:"
LOGIN = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>textgen</title>
<h1>textgen</h1>
{problem}<form method="post" action="/login">
<label>Token / トークン <input type="password" name="token" autocomplete="current-password" required autofocus></label>
<button>Log in / ログイン</button>
</form></html>
"""
log = logging.getLogger(__name__)
WRONG = '<p role="alert">That is not the token. / トークンが違います。</p>\n'


def router(service: Service) -> APIRouter:
    """The routes; they are not part of the API."""
    made = APIRouter(include_in_schema=False)

    @made.get("/")
    async def index(request: Request) -> Response:
        return await asyncio.to_thread(_file, "index.html", request.headers.get("if-none-match"))

    @made.get("/page/{name:path}")
    async def file(name: str, request: Request) -> Response:
        return await asyncio.to_thread(_file, name, request.headers.get("if-none-match"))

    @made.get("/app/models")
    async def models() -> list[dict[str, Any]]:
        return [_shown(entry) for entry in (await asyncio.to_thread(service.models.list)).values()]

    @made.get("/app/models/{name}/file")
    async def model_file(name: str, language: Literal["en", "ja"] = "en") -> Response:
        pieces = await asyncio.to_thread(_exported, await asyncio.to_thread(service.models.entry, name), language)
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name, errors='replace')}.html"}
        return StreamingResponse(pieces, media_type="text/html", headers=headers)

    @made.get("/app/settings")
    async def settings() -> dict[str, Any]:
        limits = service.limits
        told = {"max_tokens": limits.max_tokens, "max_prompt": limits.max_prompt}
        return told | {"training": service.jobs is not None, "login": service.settings.token is not None}

    @made.get("/login")
    async def login() -> Response:
        return HTMLResponse(LOGIN.format(problem=""))

    @made.post("/login")
    async def log_in(request: Request) -> Response:
        token = service.settings.token
        fields = parse_qs((await read(request, 4096)).decode("utf-8", "replace"))
        if token is not None and not same(fields.get("token", [""])[0], token):
            await asyncio.sleep(PAUSE)
            return HTMLResponse(LOGIN.format(problem=WRONG), 401)
        answer = RedirectResponse("/", 303)
        if token is not None:
            secure = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
            answer.set_cookie(
                COOKIE, session(token), httponly=True, samesite="strict", secure=secure, max_age=30 * 86400
            )
        return answer

    return made


def _file(name: str, known: str | None) -> Response:
    """A file of the page, which browsers ask for again each time, and get if it has changed."""
    path = PAGE / name
    if NAME.fullmatch(name) is None or path.suffix not in SERVED or not path.is_file():
        raise RefusalError(404, "the page has no such file", code="not_found")
    stat = path.stat()
    tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if known == tag:
        return Response(status_code=304, headers=headers)
    kind = KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Response(path.read_bytes(), headers=headers, media_type=kind)


def _exported(entry: Entry, language: str) -> Iterator[str]:
    """The pieces of a model as one HTML file; they are made in a thread as they are asked for."""
    try:
        return html(read_model(entry.path), language=language, force=True)
    except ModelFileError as error:
        log.warning("%s", error)
        raise unreadable(entry.id) from error


def _shown(entry: Entry) -> dict[str, Any]:
    """What the page says of a model."""
    description = entry.description
    return {
        "id": entry.id,
        "kind": entry.kind,
        "title": description.text.name,
        "symbols": len(description.vocabulary),
        "language": description.vocabulary.language,
        "validation_nats": description.training.validation_nats,
        "date": description.training.date,
        "seed": SHIPPED_SEED if entry.kind == "shipped" else "",
    }
