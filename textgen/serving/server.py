"""The process: its socket, its event loop, and how it ends."""

import asyncio
import json
import logging
import math
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from textgen.errors import RunError, reason
from textgen.serving.access import ALWAYS
from textgen.serving.app import create_app
from textgen.serving.limits import STALLED
from textgen.serving.refusal import RefusalError
from textgen.serving.service import Service

BACKLOG = 2048
SPARE = 128  # files that are open beside connections
PATIENCE = 20.0  # seconds for a new connection to send a request's head
SWITCH = 0.0005  # seconds after which a thread that needs Python gets it: the engine needs it often, and briefly
TICK = 0.5  # seconds between two looks at the queue of trainings
LEAST = 2.0  # seconds, beyond the grace, for the ends of texts to be sent
log = logging.getLogger(__name__)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens at an address; port 0 takes a free one.

    Raises:
        RunError: it cannot.
    """
    where = f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
            found.listen(BACKLOG)
        except OSError:
            found.close()
            raise
    except (OSError, UnicodeError) as error:
        raise RunError(
            f"{where}: cannot be served ({reason(error).lower()}); choose another `port` or `host`"
        ) from error
    return found


def _as_bytes(refusal: RefusalError) -> bytes:
    """A refusal as it goes out where no request has been read: no origin is known then, to which it could be opened."""
    body = json.dumps(refusal.content).encode()
    status = HTTPStatus(refusal.status)
    headers = {**ALWAYS, **refusal.headers, "Content-Type": "application/json", "Content-Length": str(len(body))}
    head = [f"{name}: {value}" for name, value in {**headers, "Connection": "close"}.items()]
    return "\r\n".join([f"HTTP/1.1 {status.value} {status.phrase}", *head, "", ""]).encode() + body


TOO_MANY = _as_bytes(
    RefusalError(
        503, "there are too many connections; try again soon", code="too_many_connections", headers={"Retry-After": "1"}
    )
)
NO_REQUEST = _as_bytes(RefusalError(400, "this is no HTTP request", code="no_request"))


class _Protocol(H11Protocol):
    """A connection that can be ended whatever its reader does, and is if it asks for nothing."""

    most = 0
    _expected: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse it if there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.write(TOO_MANY)
            transport.close()
            return
        self.app_state = self.app_state | {"abort": transport.abort}
        if sys.platform == "linux":  # else what a reader never takes of a whole answer is kept for ever
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(STALLED * 1000))
        self._expect_request()

    def send_400_response(self, msg: str) -> None:
        """Say that what has come is no request; in the API's shape, which uvicorn's own answer has not."""
        self.transport.write(NO_REQUEST)
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Take some of a request, whose head must soon be complete."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect_request()

    def _expect_request(self) -> None:
        if self._expected is None:
            self._expected = self.loop.call_later(PATIENCE, self._end_unless_asked, self.cycle)

    def _end_unless_asked(self, last: object) -> None:
        self._expected = None
        if self.conn.their_state is not h11.IDLE or self.timeout_keep_alive_task is not None:
            return
        if self.cycle is last:
            self.transport.abort()
        else:
            self._expect_request()


class _Server(uvicorn.Server):
    """A server that ends with success when it is told to."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `serve`."""
        yield


def serve(service: Service, listening: socket.socket, on_ready: Callable[[], None]) -> None:
    """Answer requests until SIGINT or SIGTERM, then finish what is being written, within the grace."""
    _Protocol.most = max(SPARE, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE)
    sys.setswitchinterval(SWITCH)
    config = uvicorn.Config(
        create_app(service),
        loop="asyncio",
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=math.ceil(service.limits.grace + LEAST),
        h11_max_incomplete_event_size=2**16,
    )
    asyncio.run(_serve(service, _Server(config), listening, on_ready))


async def _serve(
    service: Service, server: uvicorn.Server, listening: socket.socket, on_ready: Callable[[], None]
) -> None:
    loop = asyncio.get_running_loop()
    ending: list[asyncio.Task[Any]] = []

    def end() -> None:
        if ending:
            server.force_exit = True
            return
        service.stopping = server.should_exit = True
        ending.append(loop.create_task(_end(service)))
        if service.jobs is not None:
            ending.append(loop.create_task(asyncio.to_thread(service.jobs.end)))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    service.engine.start()
    preloading = asyncio.create_task(_preload(service))
    training = asyncio.create_task(_train(service))
    loop.call_soon(on_ready)
    try:
        await server.serve(sockets=[listening])
    finally:
        await _await_training(service, server)
        service.uploads.end()
        for task in (preloading, training, *ending):
            task.cancel()
        await asyncio.to_thread(service.engine.stop)


async def _preload(service: Service) -> None:
    """Load the first model, so that its first request need not wait for it."""
    for name in service.models.list():
        with suppress(RefusalError):
            await service.models.get(name)
        return


async def _train(service: Service) -> None:
    """Start the trainings that wait, one after the other."""
    while service.jobs is not None:
        try:
            await asyncio.to_thread(service.jobs.tick)
        except (OSError, RefusalError) as error:
            log.error("no training can be started: %s", reason(error) if isinstance(error, OSError) else error)
            await asyncio.sleep(TICK * 60)
        await asyncio.sleep(TICK)


async def _await_training(service: Service, server: uvicorn.Server) -> None:
    """Let the training that was told to stop write its checkpoint, within the grace."""
    loop = asyncio.get_running_loop()
    until = loop.time() + service.limits.grace
    while service.jobs is not None and service.jobs.busy and loop.time() < until and not server.force_exit:
        await asyncio.sleep(0.05)


async def _end(service: Service) -> None:
    """Cut off what is still being written when the grace is over."""
    await asyncio.sleep(service.limits.grace)
    await asyncio.to_thread(service.engine.stop)
