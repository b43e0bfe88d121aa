"""Firefox, as the system has it, driven by WebDriver BiDi: the few calls of Playwright's that the tests need of it.

Playwright's own client needs commands that long-term releases of Firefox do not have.
"""

import base64
import json
import re
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "intl.accept_languages": "en-GB",
    "security.fileuri.strict_origin_policy": True,  # as it is where no program drives it
    "network.proxy.type": 1,  # nothing leaves the machine: all goes to a proxy that is not there
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
}
PATIENCE = 60  # seconds


@contextmanager
def firefox_at(program: str, profile: Path) -> Iterator["Firefox"]:
    """A browser of its own, with an empty folder for its profile."""
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines))
    words = [program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0"]
    log = profile / "log"
    with log.open("w") as told, subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=told) as process:
        try:
            ends = time.monotonic() + PATIENCE
            while not (found := re.search(r"listening on (ws://\S+)\n", log.read_text())):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < ends, log.read_text()
                time.sleep(0.05)
            with closing(Socket(found[1] + "/session")) as connection:
                yield Firefox(connection)
        finally:
            process.terminate()


class Firefox:
    """A browser with one tab.

    Attributes:
        complaints: what the browser complained of in the tab, and what the tab asked for beside its file.
    """

    def __init__(self, connection: "Socket") -> None:
        self.complaints: list[str] = []
        self._socket, self._count = connection, 0
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self._tab = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command."""
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": parameters}))
        while (told := json.loads(self._socket.receive())).get("id") != self._count:
            self._note(told)
        assert told["type"] == "success", told
        return told["result"]

    def _note(self, event: dict[str, Any]) -> None:
        about = event["params"]
        if event["method"] == "log.entryAdded":
            self.complaints.append(str(about["text"]))
        elif not about["request"]["url"].startswith(("file:", "data:", "blob:")):
            self.complaints.append(about["request"]["url"])

    def goto(self, address: str, width: int = 390) -> None:
        """Open an address in a window as wide as a phone's."""
        self.ask("browsingContext.setViewport", context=self._tab, viewport={"width": width, "height": 800})
        self.ask("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, by JSON."""
        called = f"Promise.resolve({expression}).then((value) => JSON.stringify(value ?? null))"
        found = self.ask("script.evaluate", expression=called, target={"context": self._tab}, awaitPromise=True)
        assert found["type"] == "success", found
        return json.loads(found["result"]["value"])

    def press(self, role: str, name: str) -> None:
        """Click on what has a role and a name."""
        wanted = {"type": "accessibility", "value": {"role": role, "name": name}}
        (node,) = self.ask("browsingContext.locateNodes", context=self._tab, locator=wanted)["nodes"]
        shared = {"sharedId": node["sharedId"]}
        scroll = {"functionDeclaration": "(node) => node.scrollIntoView({block: 'center'})", "arguments": [shared]}
        self.ask("script.callFunction", target={"context": self._tab}, awaitPromise=False, **scroll)
        target = {"type": "element", "element": shared}
        moves = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": target},
            *({"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")),
        ]
        actions = [{"type": "pointer", "id": "mouse", "actions": moves}]
        self.ask("input.performActions", context=self._tab, actions=actions)


class Socket:
    """A client's end of a WebSocket (RFC 6455), for messages of text."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._socket = socket.create_connection((parts.hostname, parts.port), PATIENCE)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = [f"GET {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        self._file = self._socket.makefile("rb")
        assert b" 101 " in self._file.readline()
        while self._file.readline().strip():
            pass

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def send(self, message: str) -> None:
        content, mask = message.encode(), b"mask"
        size = len(content)
        told = bytes([0x80 + size]) if size < 126 else bytes([0xFE]) + size.to_bytes(2, "big")
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(content))
        self._socket.sendall(b"\x81" + told + mask + masked)

    def receive(self) -> str:
        content, last = b"", False
        while not last:
            first, size = self._file.read(2)
            if size >= 126:
                size = int.from_bytes(self._file.read(2 if size == 126 else 8), "big")
            part = self._file.read(size)
            if first & 0x0F < 8:  # no ping
                content, last = content + part, bool(first & 0x80)
        return content.decode()
