"""The real process on loopback, and the official client of OpenAI."""

import asyncio
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.conftest import COMMAND, PROJECT, run
from tests.serving.conftest import model_file
from tests.serving.process import Server, started
from textgen import Generator

PROMPT = "The fox "
# The command with little room for what a reader has not read.
IMPATIENT = (
    sys.executable,
    "-c",
    """
import socket, textgen.serving.engine, textgen.serving.server
from textgen.cli import main
textgen.serving.engine.BUFFER = 2000
bound = textgen.serving.server.bound
def small(*address):
    found = bound(*address)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return found
textgen.serving.server.bound = small
main()
""",
)
ENDLESS = {"model": "play", "prompt": PROMPT, "max_tokens": 100_000, "stream": True, "seed": 1}


@pytest.fixture(scope="module")
def server(run_folder: Path) -> Iterator[Server]:
    with started(str(run_folder), "--token", "s3cret", "--grace", "1") as found:
        yield found


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.address}v1", api_key="s3cret", max_retries=0) as found:
        yield found


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def metric(server: Server, name: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/metrics", headers={"Authorization": "Bearer s3cret"})
    content = connection.getresponse().read().decode()
    connection.close()
    return sum(float(line.split()[1]) for line in content.splitlines() if line.startswith(name))


def opened(server: Server, body: dict[str, Any], buffer: int | None = None) -> socket.socket:
    """A connection on which a completion has been asked for, and nothing is read."""
    found = socket.socket()
    found.settimeout(30)
    if buffer is not None:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    found.connect(("127.0.0.1", server.port))
    content = json.dumps(body).encode()
    head = ["POST /v1/completions HTTP/1.1", "Host: localhost", "Authorization: Bearer s3cret"]
    found.sendall("\r\n".join([*head, f"Content-Length: {len(content)}", "", ""]).encode() + content)
    return found


def test_the_official_client_gets_the_text_of_the_library(api: openai.OpenAI, writer: Generator) -> None:
    expected = writer.generate(PROMPT, rng_seed=3, length=300, temperature=0.7)
    found = api.completions.create(model="play", prompt=PROMPT, seed=3, max_tokens=300, temperature=0.7)
    assert found.choices[0].text == expected
    assert found.choices[0].finish_reason == "length"
    assert found.usage is not None
    assert found.usage.total_tokens == 308
    told = api.completions.create(model="play", prompt=PROMPT, seed=3, max_tokens=0, logprobs=2, echo=True)
    assert told.choices[0].logprobs is not None
    assert told.choices[0].logprobs.text_offset == list(range(8))
    assert [model.id for model in api.models.list()] == ["play"]
    assert api.models.retrieve("play").owned_by == "textgen"


def test_the_official_client_reads_a_stream(api: openai.OpenAI, writer: Generator) -> None:
    expected = writer.generate(PROMPT, rng_seed=3, length=3000, temperature=1.0)
    chunks = list(
        api.completions.create(
            model="play",
            prompt=PROMPT,
            seed=3,
            max_tokens=3000,
            stream=True,
            stream_options={"include_usage": True},
            extra_body={"top_k": 0},
        )
    )
    assert "".join(chunk.choices[0].text for chunk in chunks[:-1]) == expected
    assert chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 3000


def test_the_official_client_knows_the_errors(api: openai.OpenAI, server: Server) -> None:
    with pytest.raises(openai.NotFoundError, match="the model 'other' does not exist"):
        api.completions.create(model="other", prompt="")
    with pytest.raises(openai.BadRequestError, match="not in the model's vocabulary") as error:
        api.completions.create(model="play", prompt="日本")
    assert error.value.code == "unknown_characters"
    with pytest.raises(openai.BadRequestError):
        list(api.completions.create(model="play", prompt="日本", stream=True))
    with (
        openai.OpenAI(base_url=f"{server.address}v1", api_key="wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()


def test_many_streams_at_once_are_the_same_as_alone(server: Server, writer: Generator) -> None:
    async def read(api: openai.AsyncOpenAI, number: int) -> str:
        stream = await api.completions.create(
            model="play", prompt=PROMPT * (1 + number % 30), seed=number, max_tokens=50 + 7 * number, stream=True
        )
        return "".join([chunk.choices[0].text async for chunk in stream])

    async def read_all() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{server.address}v1", api_key="s3cret", max_retries=0) as api:
            return await asyncio.gather(*(read(api, number) for number in range(80)))  # more than there are places

    for number, text in enumerate(asyncio.run(read_all())):
        expected = writer.generate(PROMPT * (1 + number % 30), rng_seed=number, length=50 + 7 * number, temperature=1.0)
        assert text == expected, number


def test_a_reader_that_goes_frees_its_place_at_once(server: Server) -> None:
    for stream in (True, False):
        connection = opened(server, ENDLESS | {"stream": stream})
        until(lambda: metric(server, "textgen_streams_active") == 1)
        connection.close()
        began = time.monotonic()
        until(lambda: metric(server, "textgen_streams_active") == 0)
        assert time.monotonic() - began < 1


def test_readers_that_do_not_read_are_cut_and_stop_nobody(run_folder: Path) -> None:
    with started(str(run_folder), "--streams", "4", command=IMPATIENT) as server:
        idle = [opened(server, ENDLESS | {"logprobs": 5}, buffer=4096) for _ in range(3)]
        until(lambda: metric(server, "textgen_streams_active") == 3)
        with openai.OpenAI(base_url=f"{server.address}v1", api_key="s3cret", max_retries=0) as api:
            assert len(api.completions.create(model="play", prompt=PROMPT, max_tokens=200).choices[0].text) == 200
        until(lambda: metric(server, "textgen_streams_active") == 0)
        for connection in idle:  # what was sent before comes, then no more
            content = b""
            with suppress(ConnectionResetError), connection:
                while part := connection.recv(2**20):
                    content = part
            assert b"[DONE]" not in content


def test_heads_of_requests_that_never_end_are_cut_on_old_connections_too(run_folder: Path) -> None:
    hasty = "import textgen.serving.server as s; from textgen.cli import main; s.PATIENCE = 0.5; main()"
    with started(str(run_folder), command=(sys.executable, "-c", hasty)) as server:
        whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for before in (b"", whole):
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
                connection.sendall(before)
                while before and not connection.recv(2**16).endswith(b'{"status":"ok"}'):
                    pass
                connection.sendall(b"GET /hea")
                with suppress(ConnectionResetError):
                    assert connection.recv(2**16) == b""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        for _ in range(3):  # a connection that is only idle is kept
            connection.request("GET", "/healthz")
            assert connection.getresponse().read()
            time.sleep(0.7)
        assert connection.sock is not None
        connection.close()


def test_a_client_that_sends_far_too_much_is_told_so(server: Server) -> None:
    for length in (b"Content-Length: 10000000\r\n\r\n" + b"a" * 10**7, b"Content-Length: 99999999999\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            head = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\r\n"
            connection.sendall(head + length)
            assert connection.recv(2**16).startswith(b"HTTP/1.1 413 ")


def test_what_is_no_request_is_told_so_in_the_api_s_shape(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00 this is TLS\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        content = json.loads(answer.read())
    assert answer.status == 400
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert content["error"] == {
        "message": "this is no HTTP request",
        "type": "invalid_request_error",
        "param": None,
        "code": "no_request",
    }


def test_a_look_at_a_text_does_not_hold_up_the_end(tmp_path: Path) -> None:
    slow = (
        "import sys; from textgen.cli import main; from textgen.serving import child; "
        "child.COMMAND = (sys.executable, '-c', 'import time; time.sleep(100)'); main()"
    )
    with started("--grace", "0.5", cwd=tmp_path, command=(sys.executable, "-c", slow)) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("POST", "/app/texts?name=a.txt", b"a text")
        until(lambda: any((tmp_path / "models" / ".uploads").glob("*/a.txt")))
        assert server.end() == 0
        connection.close()


def test_no_tensorflow_and_no_text_in_the_log(server: Server, api: openai.OpenAI) -> None:
    api.completions.create(model="play", prompt="The quick brown", max_tokens=3)
    until(lambda: any("read=15" in line for line in server.lines))
    assert not any("quick" in line for line in server.lines)
    maps = Path(f"/proc/{server.process.pid}/maps").read_text(encoding="utf-8")
    assert "numpy" in maps
    assert "tensorflow" not in maps


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_what_is_short_be_finished_and_cuts_the_rest(run_folder: Path, number: int) -> None:
    with started(str(run_folder), "--grace", "1", "--log-json") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("POST", "/v1/completions", json.dumps(ENDLESS | {"n": 16}))
        answer = connection.getresponse()
        first = answer.readline()
        assert first.startswith(b"data: {")
        began = time.monotonic()
        server.process.send_signal(number)
        rest = answer.read()
        connection.close()
        assert server.process.wait(20) == 0
        assert time.monotonic() - began < 15
        assert b'"code":"stopping"' in rest.split(b"\n\n")[-2]
        assert all(isinstance(json.loads(line), dict) for line in server.lines[1:])


def test_a_stopped_server_finishes_what_is_nearly_done(run_folder: Path) -> None:
    with started(str(run_folder), "--grace", "60") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("POST", "/v1/completions", json.dumps(ENDLESS | {"max_tokens": 20_000}))
        answer = connection.getresponse()
        assert answer.readline()
        server.process.send_signal(signal.SIGTERM)
        assert answer.read().endswith(b"data: [DONE]\n\n")
        connection.close()
        assert server.process.wait(30) == 0


def test_a_model_file_that_is_replaced_is_taken_over_whole(tmp_path: Path) -> None:
    files = [model_file(seed=seed) for seed in (0, 1)]
    path = tmp_path / "play.keras"
    path.write_bytes(files[0])
    body = {"model": "play", "prompt": PROMPT, "seed": 1, "max_tokens": 40}
    with started(str(path), cwd=tmp_path) as server:
        found: dict[str, set[str]] = {}
        ended = threading.Event()

        def replace() -> None:
            for number in range(1, 30):
                if ended.wait(0.1):
                    return
                (tmp_path / "new").write_bytes(files[number % 2])
                (tmp_path / "new").replace(path)

        replacing = threading.Thread(target=replace)
        replacing.start()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            until(lambda: _ask(connection, body, found) > 60 and len(found) == 2)
        finally:
            ended.set()
            replacing.join()
        assert all(len(texts) == 1 for texts in found.values())  # a text of each fingerprint
        path.write_bytes(b"damaged")
        time.sleep(0.6)
        before = dict(found)
        _ask(connection, body, found)
        assert found == before
        connection.close()


def _ask(connection: http.client.HTTPConnection, body: dict[str, Any], found: dict[str, set[str]]) -> int:
    connection.request("POST", "/v1/completions", json.dumps(body))
    answer = connection.getresponse()
    content = json.load(answer)
    assert answer.status == 200, content
    found.setdefault(content["system_fingerprint"], set()).add(content["choices"][0]["text"])
    _ask.count = getattr(_ask, "count", 0) + 1  # type: ignore[attr-defined]
    return _ask.count  # type: ignore[attr-defined]


def test_a_run_that_ends_while_the_server_runs_appears(tmp_path: Path, run_folder: Path) -> None:
    with started(cwd=tmp_path) as server:
        with openai.OpenAI(base_url=f"{server.address}v1", api_key="none", max_retries=0) as api:
            assert [model.id for model in api.models.list()] == ["shakespeare"]
            shutil.copytree(run_folder, tmp_path / "models" / "neu und alt")
            until(lambda: [model.id for model in api.models.list()] == ["shakespeare", "neu und alt"])
            assert api.completions.create(model="neu und alt", prompt="The ").choices
            assert api.models.retrieve("neu und alt").id == "neu und alt"
        assert server.end() == 0


def test_the_examples_of_the_api_s_page_run(tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
    (shell,) = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (program,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    with started(cwd=tmp_path) as server:
        here = f"http://127.0.0.1:{server.port}"
        if shutil.which("curl"):
            options = "--silent --noproxy '*' --fail-with-body"
            command = shell.replace("http://127.0.0.1:8000", here).replace("curl", f"curl {options}", 1)
            assert len(json.loads(subprocess.check_output(["sh", "-c", command]))["choices"][0]["text"]) == 200
        printed = subprocess.check_output([sys.executable, "-c", program.replace("http://127.0.0.1:8000", here)])
        assert len(printed.decode()) == 200


def test_a_port_in_use_is_told_in_a_line(run_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", str(run_folder), "--port", str(port))
    assert result.returncode == 1
    why = "cannot be served (address already in use); choose another --port or --host"
    assert result.stderr == f"textgen: error: 127.0.0.1:{port}: {why}\n"


def test_a_log_that_nobody_reads_stops_nothing(run_folder: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "serve", str(run_folder), "--port", "0", "--log-json"],
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert process.stderr is not None
    try:
        port = int(process.stderr.readline().rsplit(b":", 1)[1].split(b"/")[0])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        path = "/" + "x" * 90
        for _ in range(400):  # more than a pipe holds
            connection.request("GET", path)
            connection.getresponse().read()
        connection.close()
        process.send_signal(signal.SIGTERM)
    finally:
        with process.stderr:
            process.stderr.read()
        assert process.wait(30) == 0
