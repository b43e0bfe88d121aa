"""Sends the texts of a request, whole or as events, and gives them up when nobody reads them any more."""

import asyncio
import time
from collections.abc import Mapping, Sequence
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
    """The answer to a request for texts."""

    def __init__(
        self,
        service: Service,
        order: Order,
        planned: Plan,
        shape: Shape,
        headers: Mapping[str, str],
        *,
        live: bool,
    ) -> None:
        """Prepare to send; `live` for events while the texts are written."""
        kind = "text/event-stream" if live else "application/json"
        super().__init__(headers=dict(headers), media_type=f"{kind}; charset=utf-8")
        del self.headers["content-length"]
        self._service, self._order, self._plan, self._shape, self._live = service, order, planned, shape, live
        self._began = time.monotonic()
        self._first = False
        self._gone = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the texts written, and send them."""
        self._order.abort = scope.get("state", {}).get("abort")
        watching = asyncio.ensure_future(receive())  # the request has been read: what comes is its end
        watching.add_done_callback(self._on_gone)
        self._service.engine.submit(self._order)
        try:
            async with asyncio.timeout(self._service.limits.timeout):
                await (self._events(send) if self._live else self._whole(send))
        except TimeoutError:
            if not self._live:
                raise self._failed("late") from None
            await self._cut(send, "late")
        finally:
            watching.cancel()
            self._service.engine.leave(self._order)
            scope.get("state", {}).get("told", {})["written"] = sum(choice.written for choice in self._plan.choices)

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

    async def _whole(self, send: Send) -> None:
        choices = self._plan.choices
        while not all(choice.writing.ended for choice in choices):
            await self._changed()
            if self._gone:
                return
        if why := self._failure():
            raise self._failed(why)
        portions = [[portion] if (portion := choice.take()) else [] for choice in choices]
        self._count(sum(choice.written for choice in choices))
        content = encoded(self._shape.whole(choices, portions, self._plan.read)).encode()
        self.headers["content-length"] = str(len(content))
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": content})

    async def _events(self, send: Send) -> None:
        self.headers["cache-control"] = "no-store"
        self.headers["x-accel-buffering"] = "no"  # nginx would hold events back
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        going = list(self._plan.choices)
        while going:
            if why := self._failure():
                return await self._cut(send, why)
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

    async def _cut(self, send: Send, why: str) -> None:
        """End events before their end, and say why."""
        if why == "slow":
            return self._order.cut()
        content = f"data: {encoded(self._failed(why).content)}\n\n".encode()
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await send({"type": "http.response.body", "body": content})
        return None

    def _count(self, characters: int) -> None:
        if characters and not self._first:
            self._first = True
            self._service.metrics.first.observe(time.monotonic() - self._began)
        self._service.metrics.written.inc(characters)
