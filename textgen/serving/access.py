"""Who may ask what: the checks that come before every route, and the headers that every answer has."""

import hashlib
import hmac
import ipaddress
import logging
import re
import time
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from textgen.serving.refusal import RefusalError
from textgen.serving.service import Service
from textgen.serving.trace import places

COOKIE = "textgen_session"
OPEN = ("/healthz", "/readyz", "/login")  # without a token
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # without one, browsers send the login from the origin "null"
}
HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?")
log = logging.getLogger(__name__)
requests = logging.getLogger("textgen.serving.requests")


class Access:
    """Wraps the application: checks host, origin and token, adds headers, counts, and logs a line without texts."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        """Take what to wrap."""
        self._app, self._service = app, service
        settings = service.settings
        self._origins = frozenset(settings.origins)
        self._hosts = frozenset([*settings.hosts, *(urlsplit(origin).hostname or "" for origin in settings.origins)])
        self._any_host = not settings.hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, and pass it on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began, status = time.monotonic(), 0
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        scope.setdefault("state", {}).setdefault("told", {})

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(MutableHeaders(scope=message), origin, scope)
            await send(message)

        try:
            app = self._answered(scope, headers, origin) or self._app
            await app(scope, receive, sending)
        except RefusalError as error:
            self._service.metrics.errors.labels(error.code).inc()
            await answer(error)(scope, receive, sending)
        except Exception as error:
            self._service.metrics.errors.labels("internal_error").inc()
            log.error("%s %s failed: %s at %s", scope["method"], _path(scope), type(error).__name__, places(error))
            if not status:
                await answer(failed())(scope, receive, sending)
        finally:
            self._count(scope, status, time.monotonic() - began)
        return None

    def _answered(self, scope: Scope, headers: Headers, origin: str | None) -> Response | None:
        """The answer to a request that goes no further; `RefusalError` if it is refused."""
        host = headers.get("host", "")
        name = _name(host)
        if not (self._any_host or name in self._hosts or _is_address(name)):
            raise RefusalError(403, "the request is for another host; see `--allow-origin`", code="wrong_host")
        if origin is not None and not self._allowed(origin, host):
            raise RefusalError(403, "pages of other origins may not ask; see `--allow-origin`", code="wrong_origin")
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            return Response(status_code=204, headers=_preflight(headers))
        if self.knows(headers) or scope["path"] in OPEN:
            return None
        if scope["method"] == "GET" and scope["path"] == "/":
            return RedirectResponse("/login", 303)
        raise RefusalError(
            401,
            "the token is missing or wrong; send it as `Authorization: Bearer TOKEN`",
            code="invalid_api_key",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def _allowed(self, origin: str, host: str) -> bool:
        _, separator, name = origin.partition("://")
        return origin in self._origins or (bool(separator) and name.lower() == host.lower())

    def knows(self, headers: Headers) -> bool:
        """Whether a client has the token, in its header or by the cookie of the page's login."""
        token = self._service.settings.token
        if token is None:
            return True
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and same(given.strip(), token):
            return True
        return same(_cookie(headers.get("cookie", "")), session(token))

    def _complete(self, headers: MutableHeaders, origin: str | None, scope: Scope) -> None:
        for name, value in ALWAYS.items():
            headers.setdefault(name, value)
        headers.setdefault("cache-control", "no-store")
        if self._origins:
            headers.add_vary_header("Origin")
        if origin is not None and origin in self._origins:
            headers["access-control-allow-origin"] = origin
            headers["access-control-expose-headers"] = "textgen-seed, textgen-ignored, retry-after"

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope.get("route")
        path = getattr(route, "path", "other")
        self._service.metrics.requests.labels(path, str(status)).inc()
        told: dict[str, Any] = scope["state"]["told"]
        line = {"method": scope["method"], "path": _path(scope), "status": status, "seconds": round(seconds, 3)}
        requests.info("request", extra={"fields": line | told})


def failed() -> RefusalError:
    """What is said of an error of the server's own."""
    return RefusalError(500, "something failed; the log says what", code="internal_error")


def answer(refusal: RefusalError) -> JSONResponse:
    """A refusal as an answer."""
    return JSONResponse(refusal.content, refusal.status, refusal.headers)


def same(given: str, expected: str) -> bool:
    """Whether two secrets are the same, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def session(token: str) -> str:
    """What the cookie of a page holds that has logged in: it shows that the token was known, and is not the token."""
    return hmac.new(token.encode(), b"textgen page", hashlib.sha256).hexdigest()


def _cookie(header: str) -> str:
    """The page's cookie; those of other programs at the same address may hold anything, and do not hide it."""
    return cookie_parser(header).get(COOKIE, "")


def _preflight(headers: Headers) -> dict[str, str]:
    return {
        "access-control-allow-methods": "GET, POST, PUT, DELETE",
        "access-control-allow-headers": headers.get("access-control-request-headers", "authorization, content-type"),
        "access-control-max-age": "600",
    }


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    found = HOST.fullmatch(host.lower())
    return (found[1] or found[2]) if found else ""


def _is_address(name: str) -> bool:
    """Whether a host is an IP address, which no other site's name can stand for."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _path(scope: Scope) -> str:
    return (scope.get("raw_path") or b"").decode("ascii", "replace")[:100]
