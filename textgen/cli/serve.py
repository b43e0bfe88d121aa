"""`textgen serve`: a page to write with, and an API, over HTTP."""

import ipaddress
import json
import logging
import logging.handlers
import queue
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from textgen.arguments import Range
from textgen.cli.options import field_option, number_option
from textgen.cli.terminal import tell
from textgen.errors import TextgenError
from textgen.serving.limits import Limits

if TYPE_CHECKING:
    from textgen.serving.service import Settings

MODELS = Path("models")  # where runs are, as `textgen train` leaves them
PORT = Range(int, 0, 65535)
LONGEST_LINE = 4000  # characters of a line of the log


def _origins(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if value != "null" and not _is_origin(value):
            raise click.BadParameter(f"expected an origin such as https://example.org, or null, not {value[:100]!r}.")
    return values


def _is_origin(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:  # half an IPv6 address
        return False
    return parts.scheme in ("http", "https") and value == f"{parts.scheme}://{parts.netloc}"


def _token(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch("[!-~]{1,500}", value):
        raise click.BadParameter("expected 1 to 500 printable ASCII characters without spaces.")
    return value


@click.command("serve", short_help="Serve a page to write with, and an API.")
@click.argument("models", nargs=-1, type=click.Path(), metavar="[MODEL]...")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen at.")
@number_option("--port", allowed=PORT, summary="Port to listen at; 0 takes a free one.", default=8000)
@click.option("--open", "open_page", is_flag=True, help="Open the page in the browser.")
@click.option(
    "--token",
    envvar="TEXTGEN_TOKEN",
    show_envvar=True,
    callback=_token,
    metavar="SECRET",
    help="What clients must know: programs send it as a bearer token, the page asks for it.",
)
@click.option("--insecure", is_flag=True, help="Allow another --host without --token: everyone there may use it.")
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    callback=_origins,
    metavar="ORIGIN",
    help="Origin of another page that may use the API, such as https://example.org, or null. Repeat the option for "
    "several.",
)
@click.option("--no-training", is_flag=True, help="Refuse trainings and uploads of texts.")
@click.option("--strict", is_flag=True, help="Refuse fields that OpenAI's reference and textgen do not know.")
@field_option("--streams", config=Limits, summary="Texts that are written at once.")
@field_option("--queue", config=Limits, summary="Texts that may wait for that.")
@field_option("--max-tokens", config=Limits, summary="Longest text, in characters.")
@field_option("--max-prompt", config=Limits, summary="Longest prompt, in characters.")
@field_option("--timeout", config=Limits, summary="Seconds for a request.")
@field_option("--max-upload", config=Limits, summary="Largest text to train on, in megabytes.")
@field_option("--grace", config=Limits, summary="Seconds to finish texts in when the server is ended.")
@click.option("--log-json", is_flag=True, help="Write the log as JSON, one object a line.")
def command(
    models: tuple[str, ...], host: str, port: int, open_page: bool, log_json: bool, insecure: bool, **options: Any
) -> None:
    """Serve a page to write with, and an API that programs for OpenAI's completions can use.

    Without MODEL, the bundled model and all runs in models/ are served, also those that end later. The log, without
    anyone's texts, goes to stderr. Ctrl-C or SIGTERM ends the server.
    """
    local = _is_local(host)
    if not local and options["token"] is None and not insecure:
        raise click.UsageError(
            f"--host {host} lets other machines in: give a --token (or TEXTGEN_TOKEN), or --insecure to let all in."
        )
    try:
        from textgen.serving.models import Models
        from textgen.serving.server import bound, serve
        from textgen.serving.service import Service
    except ModuleNotFoundError as error:
        raise TextgenError(
            f"textgen serve needs {error.name}, which is not installed; run pip install 'textgen-lstm[serve]', or in a "
            "clone pip install '.[serve]'"
        ) from error
    found = Models(models, None if models else MODELS)
    service = Service(found, _settings(host, options))
    listening = bound(host, port)
    address = f"http://{_shown(host)}:{listening.getsockname()[1]}/"

    def ready() -> None:
        names = list(found.list())
        tell(f"serving {', '.join(names[:10]) or 'no model yet'} at {address} (Ctrl-C ends it)")
        if open_page:
            _open(address)

    with _logged(as_json=log_json):
        serve(service, listening, ready)


def _settings(host: str, options: dict[str, Any]) -> "Settings":
    from textgen.serving.service import LOCAL, Settings

    names = () if options["token"] is not None else (*LOCAL, host.lower(), socket.gethostname().lower())
    return Settings(
        limits=Limits(**{item.name: options[item.name] for item in fields(Limits)}),
        strict=options["strict"],
        token=options["token"],
        origins=options["origins"],
        hosts=names,
        training=not options["no_training"],
    )


def _is_local(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(host: str) -> str:
    """An address as a browser takes it."""
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _open(address: str) -> None:
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


class _Lines(logging.Handler):
    """Writes what the server logs to stderr, a line each."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def emit(self, record: logging.LogRecord) -> None:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.created))
        told: dict[str, Any] = getattr(record, "fields", {})
        if self._as_json:
            words = {"time": moment, "level": record.levelname.lower(), "message": record.getMessage()[:1000]}
            tell(json.dumps(words | told), most=LONGEST_LINE)
            return
        shown = " ".join(f"{name}={value}" for name, value in told.items())
        tell(f"{moment} {record.getMessage()} {shown}".rstrip())


class _Queue(logging.handlers.QueueHandler):
    """Hands lines to a thread; while nobody reads the log, what does not fit is lost, and nothing waits."""

    def enqueue(self, record: logging.LogRecord) -> None:
        with suppress(queue.Full):
            self.queue.put_nowait(record)


@contextmanager
def _logged(*, as_json: bool) -> Iterator[None]:
    """Write the server's log while it runs."""
    lines: queue.Queue[Any] = queue.Queue(10_000)
    handler, listener = _Queue(lines), logging.handlers.QueueListener(lines, _Lines(as_json=as_json))
    ours, theirs = logging.getLogger("textgen.serving"), logging.getLogger("uvicorn.error")
    for logger, level in ((ours, logging.INFO), (theirs, logging.WARNING)):
        logger.setLevel(level)
        logger.addHandler(handler)
        logger.propagate = False
    listener.start()
    try:
        yield
    finally:
        listener.stop()
        for logger in (ours, theirs):
            logger.removeHandler(handler)
            logger.propagate = True
