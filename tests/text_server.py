"""A real HTTP server on loopback that serves texts well and badly, and catalogs that name it."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONTENT = "Ere the bat hath flown\r\nhis cloister’d flight,\r\n".encode() * 4000


class Answer:
    """What the server says to one request."""

    def __init__(self, content: bytes = CONTENT, *, status: int = 200, send: int | None = None) -> None:
        self.content, self.status = content, status
        self.send = len(content) if send is None else send  # fewer than announced: the connection is cut


class TextServer(ThreadingHTTPServer):
    """Gives the answers in their order, the last one again and again."""

    daemon_threads = True
    answers: list[Answer]
    requests = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/text"

    def next_answer(self) -> Answer:
        self.requests += 1
        return self.answers[min(self.requests, len(self.answers)) - 1]

    def catalog(self, folder: Path, *names: str, content: bytes = CONTENT, **changes: object) -> Path:
        return write_catalog(folder / "catalog.toml", self.url, *names, content=content, **changes)


class _Handler(BaseHTTPRequestHandler):
    server: TextServer

    def do_GET(self) -> None:
        answer = self.server.next_answer()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content[: answer.send])

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(*answers: Answer) -> Iterator[TextServer]:
    with TextServer(("127.0.0.1", 0), _Handler) as server:
        server.answers = list(answers) or [Answer()]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def write_catalog(path: Path, address: str, *names: str, content: bytes = CONTENT, **changes: object) -> Path:
    table = {
        "title": "A text",
        "author": "Anonymous",
        "language": "en",
        "licence": "public domain",
        "url": address,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "characters": len(content.decode().replace("\r\n", "\n")),
    } | changes
    lines = [f"{key} = {value!r}" for key, value in table.items()]
    path.write_text("\n".join(f"[{name}]\n" + "\n".join(lines) + "\n" for name in names), encoding="utf-8")
    return path
