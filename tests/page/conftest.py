import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

import textgen

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

FOLDER = Path(textgen.__file__).parent / "page"
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
ADDRESS = "http://localhost/"
MODELS = [
    {"id": "fox", "kind": "run", "title": "fox", "language": None, "seed": ""},
    {"id": "play", "kind": "shipped", "title": "a play", "language": None, "seed": "ROMEO:"},
]


class Home:
    """A server that answers from this process: what it answers to a request for a text can be exchanged.

    Attributes:
        asked: the requests for texts.
        complaints: what the browser complained of.
    """

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.complaints: list[str] = []
        self.write: Callable[[dict[str, Any]], dict[str, Any]] = lambda asked: streamed(f" fox {asked['seed']}.")
        self.score: Callable[[dict[str, Any]], dict[str, Any]] = scored

    def answer(self, route: "Route") -> None:
        path = urlsplit(route.request.url).path
        file = FOLDER / ("index.html" if path == "/" else path.removeprefix("/page/"))
        if path == "/app/models":
            route.fulfill(json=MODELS)
        elif path == "/v1/completions":
            self.asked.append(route.request.post_data_json)
            self._reply(route, self.write(self.asked[-1]))
        elif path == "/v1/score":
            self._reply(route, self.score(route.request.post_data_json))
        elif file.is_file():
            headers = {"Content-Type": KINDS[file.suffix] + "; charset=utf-8", "Content-Security-Policy": POLICY}
            route.fulfill(body=file.read_bytes(), headers=headers)
        else:
            route.fulfill(status=404)

    def _reply(self, route: "Route", answer: dict[str, Any]) -> None:
        route.fulfill(**answer) if answer else route.abort("connectionrefused")


def streamed(*texts: str, whole: bool = True) -> dict[str, Any]:
    """A text as server-sent events."""
    events = [json.dumps({"choices": [{"text": text, "index": 0, "finish_reason": None}]}) for text in texts]
    body = "".join(f"data: {event}\n\n" for event in [*events, *(["[DONE]"] if whole else [])])
    return {"body": body, "content_type": "text/event-stream; charset=utf-8"}


def refused(status: int, message: str, code: str | None = None) -> dict[str, Any]:
    """An error in OpenAI's shape."""
    return {"status": status, "json": {"error": {"message": message, "type": "", "param": None, "code": code}}}


def scored(asked: dict[str, Any]) -> dict[str, Any]:
    """The first character cannot be judged; a vowel has 1 bit, another character 6."""
    likeliest = [["e", 0.5], ["o", 0.25], ["<", 0.125], ["\n", 0.01], ["\u3042", 0.001]]
    characters = [
        {"symbol": symbol, "bits": 1.0 if symbol in "aeiou" else 6.0, "rank": 2, "entropy": 2.0, "likeliest": likeliest}
        for symbol in asked["text"]
    ]
    characters[0]["bits"] = None
    return {"json": {"characters": characters}}


@pytest.fixture
def home() -> Home:
    return Home()


@pytest.fixture
def context(browser: "Browser", home: Home) -> Iterator["BrowserContext"]:
    made = browser.new_context(locale="en-GB", viewport={"width": 1100, "height": 800})
    made.route(re.compile(".*"), home.answer)
    yield made
    made.close()
    assert not home.complaints


@pytest.fixture
def page(context: "BrowserContext", home: Home) -> "Page":
    """The page, opened; the test fails with any error or refusal that the browser reports."""
    return opened(context, home)


def opened(context: "BrowserContext", home: Home, address: str = ADDRESS) -> "Page":
    shown = context.new_page()
    shown.set_default_timeout(30_000)  # a busy machine is no failure
    shown.on("pageerror", lambda error: home.complaints.append(str(error)))
    shown.on("console", lambda message: _is_expected(message.text) or home.complaints.append(message.text))
    shown.goto(address)
    shown.get_by_role("button", name="Go on").or_(shown.get_by_role("button", name="続きを書く")).wait_for()
    return shown


def _is_expected(message: str) -> bool:
    """A browser reports every answer that is an error."""
    return message.startswith("Failed to load resource")
