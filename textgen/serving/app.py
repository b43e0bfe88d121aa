"""The application: its routes, and how what goes wrong in them is answered."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from textgen import __version__
from textgen.serving import completions, inspecting, listing, material, operation, page, reference, scoring, training
from textgen.serving.access import Access, answer, failed
from textgen.serving.asking import Completion, StreamOptions
from textgen.serving.inspecting import Inspection
from textgen.serving.refusal import RefusalError
from textgen.serving.scoring import Score
from textgen.serving.service import Service

ROUTERS = (
    completions.router,
    scoring.router,
    inspecting.router,
    listing.router,
    operation.router,
    page.router,
    material.router,
    training.router,
)


def create_app(service: Service) -> ASGIApp:
    """The application of a service."""
    app = FastAPI(
        title="textgen",
        version=__version__,
        description="Texts by character-level LSTMs, asked for as OpenAI's completions are; a token is a character.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for router in ROUTERS:
        app.include_router(router(service))

    @app.exception_handler(RefusalError)
    async def refused(request: Request, error: RefusalError) -> Response:
        service.metrics.errors.labels(error.code or "invalid_request").inc()
        return answer(error)

    @app.exception_handler(HTTPException)
    async def missing(request: Request, error: HTTPException) -> Response:
        path = request.url.path[:100]
        messages = {404: f"there is nothing at {path}", 405: "this method is not allowed here"}
        if path.startswith("/v1/chat"):
            messages[404] = "there is no chat here: these models continue a text; ask /v1/completions"
        refusal = RefusalError(error.status_code, messages.get(error.status_code, str(error.detail)), code="not_found")
        service.metrics.errors.labels(refusal.code).inc()
        return JSONResponse(refusal.content, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name = str(first["loc"][-1])[:40]
        service.metrics.errors.labels("invalid_value").inc()
        return answer(RefusalError(400, f"`{name}`: {first['msg']}", param=name, code="invalid_value"))

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return answer(failed())

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=499)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(reference.shown(app.openapi()))

    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return Access(app, service)


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the bodies that are read by hand."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for kind in (Completion, StreamOptions, Score, Inspection):
            schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
            schema.pop("$defs", None)
            schemas[kind.__name__] = schema
    return app.openapi_schema or {}
