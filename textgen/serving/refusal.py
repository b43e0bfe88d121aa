"""What is answered when a request is refused: an error in OpenAI's shape, with the status that says why."""

from collections.abc import Mapping
from typing import Any

KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class RefusalError(Exception):
    """A request that is not done.

    Attributes:
        status: the HTTP status.
        message: what is wrong, in one line.
        param: the field that is wrong, if it is one.
        code: a word for programs.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Say why."""
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code
        self.headers = dict(headers or {})

    @property
    def content(self) -> dict[str, Any]:
        """The answer's JSON."""
        kind = "server_error" if self.status >= 500 else KINDS.get(self.status, "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def busy(message: str) -> RefusalError:
    """Too many texts are asked for at once."""
    return RefusalError(429, message, code="rate_limit_exceeded", headers={"Retry-After": "1"})


def stopping() -> RefusalError:
    """The server is about to end."""
    return RefusalError(503, "the server is stopping", code="stopping", headers={"Retry-After": "5"})
