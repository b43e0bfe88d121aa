"""Sends what is written for a request, whole or as events, and gives it up when nobody reads it any more."""

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from textgen.serving.choices import ALIVE, DONE, Choice, Shape, encoded
from textgen.serving.engine import Order
from textgen.serving.limits import PAUSE, STALLED
from textgen.serving.planning import Plan
from textgen.serving.refusal import RefusalError, stopping
from textgen.serving.service import Service


class Answer(Response):
    """An answer that is made while it is sent."""

    def __init__(self, service: Service, order: Order, headers: Mapping[str, str], kind: str) -> None:
        """Prepare to send what comes of an order, as a type of content."""
        super().__init__(headers=dict(headers), media_type=f"{kind}; charset=utf-8")
        del self.headers["content-length"]
        self._service, self._order = service, order
        self._gone = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the texts written, and send them."""
        self._order.abort = scope.get("state", {}).get("abort")
        watching = asyncio.ensure_future(receive())  # the request has been read: what comes is its end
        watching.add_done_callback(self._on_gone)
        self._service.engine.submit(self._order)
        try:
            async with asyncio.timeout(self._service.limits.timeout):
                await self._send(send)
        except TimeoutError:
            await self._give_up(send, "late")
        finally:
            watching.cancel()
            self._service.engine.leave(self._order)
            if written := self._written():
                scope.get("state", {}).get("told", {})["written"] = written

    @abstractmethod
    async def _send(self, send: Send) -> None:
        """Send everything."""

    @abstractmethod
    async def _give_up(self, send: Send, why: str) -> None:
        """End the answer before its end."""

    def _written(self) -> int:
        return 0

    def _on_gone(self, watching: asyncio.Future[Any]) -> None:
        if not watching.cancelled():
            self._gone = True
            self._service.engine.leave(self._order)  # at once, even if a write still waits
            self._order.changed.set()

    async def _changed(self) -> bool:
        """Wait until something has changed; False if nothing does for a while."""
        try:
            async with asyncio.timeout(PAUSE):
                await self._order.changed.wait()
        except TimeoutError:
            return False
        self._order.changed.clear()
        return True

    def _failure(self) -> str | None:
        return next((writing.failure for writing in self._order.writings if writing.failure), None)

    def _failed(self, why: str) -> RefusalError:
        if why == "stopping":
            return stopping()
        if why == "late":
            seconds = self._service.limits.timeout
            return RefusalError(503, f"the text was not finished in {seconds:g} seconds; ask for less", code="timeout")
        return RefusalError(500, "writing failed; the log says why", code="internal_error")


class Whole(Answer):
    """An answer in JSON, made when all texts have ended."""

    def __init__(
        self,
        service: Service,
        order: Order,
        content: Callable[[], Mapping[str, Any]],
        headers: Mapping[str, str],
        *,
        large: bool = False,
    ) -> None:
        """Prepare to send what `content` makes; `large` if that takes so long that others should not wait for it."""
        super().__init__(service, order, headers, "application/json")
        self._content, self._large = content, large

    async def _send(self, send: Send) -> None:
        while not all(writing.ended for writing in self._order.writings):
            await self._changed()
            if self._gone:
                return
        if why := self._failure():
            await self._give_up(send, why)
        content = await asyncio.to_thread(self._made) if self._large else self._made()
        self.headers["content-length"] = str(len(content))
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": content})

    def _made(self) -> bytes:
        return encoded(self._content()).encode()

    async def _give_up(self, send: Send, why: str) -> None:
        raise self._failed(why)


class Events(Answer):
    """Server-sent events, while the texts are written."""

    def __init__(self, service: Service, order: Order, planned: Plan, shape: Shape, headers: Mapping[str, str]) -> None:
        """Prepare to send the texts of a plan."""
        super().__init__(service, order, headers, "text/event-stream")
        self.headers["x-accel-buffering"] = "no"  # nginx would hold events back
        self._plan, self._shape = planned, shape
        self._began = time.monotonic()
        self._first = False

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        going = list(self._plan.choices)
        while going:
            if why := self._failure():
                return await self._give_up(send, why)
            events, going = self._taken(going)
            if events:
                await self._write(send, events.encode())
            if going and not await self._changed():
                await self._write(send, ALIVE)
            if self._gone:
                return None
        last = self._shape.usage(self._plan.choices, self._plan.read).encode() + DONE
        await send({"type": "http.response.body", "body": last})
        return None

    def _taken(self, going: Sequence[Choice]) -> tuple[str, list[Choice]]:
        """The events for what has come, and the texts of which more will come."""
        parts: list[str] = []
        still: list[Choice] = []
        for choice in going:
            ended, before = choice.writing.ended, choice.written  # asked first: nothing comes after the end
            if portion := choice.take():
                parts.append(self._shape.events(choice, portion))
                self._count(choice.written - before)
            if ended:
                parts.append(self._shape.last(choice))
            else:
                still.append(choice)
        return "".join(parts), still

    async def _write(self, send: Send, content: bytes) -> None:
        """Send a part; a reader that takes nothing for long is cut off."""
        try:
            async with asyncio.timeout(STALLED):
                await send({"type": "http.response.body", "body": content, "more_body": True})
        except TimeoutError:
            self._order.cut()
            self._gone = True

    async def _give_up(self, send: Send, why: str) -> None:
        if why == "slow":
            self._service.metrics.errors.labels("slow_reader").inc()
            return self._order.cut()
        failed = self._failed(why)
        self._service.metrics.errors.labels(failed.code).inc()
        content = f"data: {encoded(failed.content)}\n\n".encode()
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await send({"type": "http.response.body", "body": content})
        return None

    def _count(self, characters: int) -> None:
        if characters and not self._first:
            self._first = True
            self._service.metrics.first.observe(time.monotonic() - self._began)
        self._service.metrics.written.inc(characters)

    def _written(self) -> int:
        return sum(choice.written for choice in self._plan.choices)
