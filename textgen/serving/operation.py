"""What those who operate the server ask: is it alive, is it ready, how much does it do."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from textgen.serving.service import Service


def router(service: Service) -> APIRouter:
    """The routes."""
    made = APIRouter()

    @made.get("/healthz", summary="Tell whether the server is alive")
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @made.get("/readyz", summary="Tell whether the server takes requests")
    async def ready() -> JSONResponse:
        is_ready = service.engine.alive and not service.stopping
        return JSONResponse({"status": "ready" if is_ready else "stopping"}, 200 if is_ready else 503)

    @made.get("/metrics", summary="Count requests and characters, for Prometheus", response_class=Response)
    async def metrics() -> Response:
        return Response(service.metrics.shown(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return made
