"""Firefox, as the system has it, driven by WebDriver BiDi: the few calls of Playwright's that the tests need of it.

Playwright's own client needs commands that long-term releases of Firefox do not have.
"""

import base64
import json
import re
import secrets
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self
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


class Firefox:
    """A browser with one tab.

    Attributes:
        complaints: what the browser complained of in the tab, and what the tab asked for beside its file.
    """

    def __init__(self, program: str, profile: Path) -> None:
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
        (profile / "user.js").write_text("".join(lines))
        words = [program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0"]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.complaints: list[str] = []
        self._count = 0

    def __enter__(self) -> Self:
        assert self._process.stderr is not None
        told = next(line for line in self._process.stderr if "listening on" in line)
        self._socket = Socket(re.search(r"ws://\S+", told)[0] + "/session")  # type: ignore[index]
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self._tab = self.ask("browsingContext.getTree")["contexts"][0]["context"]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.communicate()

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

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.ask("browsingContext.captureScreenshot", context=self._tab)["data"]))


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
