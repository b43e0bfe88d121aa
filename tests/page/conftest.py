import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import textgen
from tests.conftest import COMMAND
from tests.serving.conftest import run_folder

__all__ = ["run_folder"]

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

FOLDER = Path(textgen.__file__).parent / "page"
API = re.compile(r"/(v1/\w+|app/models)$")
MODELS = [
    {"id": "fox", "kind": "run", "title": "fox", "language": None, "seed": ""},
    {"id": "play", "kind": "shipped", "title": "a play", "language": None, "seed": "ROMEO:"},
]


class Home:
    """Answers in the place of the API; what it answers to a request for a text can be exchanged.

    Attributes:
        address: of the server that the files of the page come from.
        asked: the requests for texts.
        complaints: what the browser complained of.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked: list[dict[str, Any]] = []
        self.complaints: list[str] = []
        self.write: Callable[[dict[str, Any]], dict[str, Any]] = lambda asked: streamed(f" fox {asked['seed']}.")
        self.score: Callable[[dict[str, Any]], dict[str, Any]] = scored
        self.inspect: Callable[[dict[str, Any]], dict[str, Any]] = inspected

    def answer(self, route: "Route") -> None:
        if route.request.url.endswith("/app/models"):
            route.fulfill(json=MODELS)
        elif route.request.url.endswith("/v1/score"):
            self._reply(route, self.score(route.request.post_data_json))
        elif route.request.url.endswith("/v1/inspect"):
            self._reply(route, self.inspect(route.request.post_data_json))
        else:
            self.asked.append(route.request.post_data_json)
            self._reply(route, self.write(self.asked[-1]))

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
    characters[0] |= {"bits": None, "rank": None, "entropy": None, "likeliest": []}
    return {"json": {"characters": characters}}


def inspected(asked: dict[str, Any]) -> dict[str, Any]:
    """An LSTM of 2 × 30 units: a cell holds 2 at vowels, else -2; a gate is open by 0.7 there, else by 0.5."""
    if "find" in asked:
        cells = [{"cell": "2.17", "sign": 1, "told": 0.93}, {"cell": "1.5", "sign": -1, "told": 0.81}]
        cells = [] if asked["find"] == "quotes" else cells
        return {"json": {"measure": "AUC", "cells": cells, "shuffled_most": 0.6}}
    cell = asked.get("cell")
    high, low = (2.0, -2.0) if cell else (0.7, 0.5)
    values = [high if symbol in "aeiou" else None if symbol == "Ω" else low for symbol in asked["text"]]
    gate = None if cell else asked.get("gate", "1.input")
    return {
        "json": {
            **{"text": asked["text"], "cell": cell, "gate": gate, "quantity": "cell" if cell else gate.split(".")[1]},
            **{"values": values, "top": 1.0 if cell else 0.1, "middle": 0.0 if cell else 0.6},
            **{"layers": 2, "units": 30, "gates": ["input", "forget", "output"]},
        }
    }


@contextmanager
def served(
    *arguments: str, port: int = 0, command: Sequence[str] = COMMAND, folder: Path | None = None
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server in a process of its own, and its address."""
    words = [*command, "serve", *arguments, "--port", str(port)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=folder) as process:
        assert process.stderr is not None
        told = process.stderr.readline()
        found = re.search(r"http://\S+", told)
        assert found, told
        reading = threading.Thread(target=process.stderr.read)  # lest it waits for a reader of its log
        reading.start()
        try:
            yield found[0], process
        finally:
            process.kill()
            reading.join()


@pytest.fixture(scope="module")
def address(run_folder: Path) -> Iterator[str]:
    with served(str(run_folder)) as (found, _):
        yield found


@pytest.fixture
def home(address: str) -> Home:
    return Home(address)


@pytest.fixture
def context(browser: "Browser", home: Home) -> Iterator["BrowserContext"]:
    with a_context(browser, home) as made:
        yield made
    assert not home.complaints


@contextmanager
def a_context(browser: "Browser", home: Home, **options: Any) -> Iterator["BrowserContext"]:
    """A browser of its own, whose requests to the API are answered by `home`."""
    options = {"locale": "en-GB", "viewport": {"width": 1100, "height": 800}} | options
    made = browser.new_context(**options)
    made.route(API, home.answer)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def page(context: "BrowserContext", home: Home) -> "Page":
    """The page, opened; the test fails with any error or refusal that the browser reports."""
    return opened(context, home)


def opened(context: "BrowserContext", home: Home, fragment: str = "") -> "Page":
    shown = context.new_page()
    shown.set_default_timeout(30_000)  # a busy machine is no failure
    shown.on("pageerror", lambda error: home.complaints.append(str(error)))
    shown.on("console", lambda message: _is_expected(message.text) or home.complaints.append(message.text))
    shown.goto(home.address + fragment)
    go_on = shown.get_by_role("button", name=re.compile("Go on|続きを書く"))
    go_on.and_(shown.locator(":enabled")).wait_for()  # when the models are known
    return shown


def _is_expected(message: str) -> bool:
    """A browser reports every answer that is an error."""
    return message.startswith("Failed to load resource")
