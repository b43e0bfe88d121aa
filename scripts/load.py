"""Starts servers on loopback, loads them, and prints what came of it as a Markdown table, beside the library's speed in
the same run. It takes some minutes, or with --quick one; each part is bounded in requests and seconds. Client and
server share the cores. Every text is compared with the library's."""

import argparse
import asyncio
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import textgen
from textgen import Generator
from textgen.generation.batch import Batch

PROMPT = "ROMEO:"
TEMPERATURE = 0.7
END = b"0\r\n\r\n"  # of an answer in chunks
PATIENCE = 300.0  # seconds for a part
STATUS = re.compile(rb"HTTP/1.1 (\d+)")


class Sizes(NamedTuple):
    """How much is asked for."""

    streams: int = 64
    characters: int = 2_000
    alone: int = 20_000  # characters of one stream
    rounds: int = 5  # of library and server in turn
    requests: int = 10_000
    connections: int = 200
    over: int = 500  # connections beyond the limit
    idle: int = 100  # readers that never read


QUICK = Sizes(characters=500, alone=5_000, rounds=2, requests=1_000, connections=50, over=100, idle=20)
ROWS: list[tuple[str, str, str]] = []


def row(what: str, found: str, target: str) -> None:
    """Keep a row of the table, and show how far it is."""
    ROWS.append((what, found, target))
    print(f"{what}: {found}", file=sys.stderr, flush=True)


@dataclass
class Server:
    """A server in a process of its own."""

    process: subprocess.Popen[bytes]
    port: int
    seconds: float  # from its start to its first answer

    def memory(self) -> float:
        """Resident megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else float("nan")


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """Start a server at a free port, and end it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    began = time.perf_counter()
    command = [sys.executable, "-m", "textgen", "serve", "--port", str(port), *options]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while time.perf_counter() - began < PATIENCE:
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as connection:
                    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    if connection.recv(100).startswith(b"HTTP/1.1 200"):
                        break
            except OSError:
                time.sleep(0.005)
        yield Server(process, port, time.perf_counter() - began)
        process.terminate()
        if process.wait(30):
            raise SystemExit("the server did not end well")
    finally:
        process.kill()
        process.wait()


class Answer(NamedTuple):
    """What came of a request."""

    status: int
    content: bytes
    first: float  # seconds to the first character
    seconds: float

    @property
    def text(self) -> str:
        """The text, from a stream or a whole answer."""
        head, _, body = self.content.partition(b"\r\n\r\n")
        if b"chunked" not in head:
            return json.loads(body)["choices"][0]["text"]
        parts = re.findall(rb"^data: (\{.*\})\r?$", body, re.MULTILINE)
        choices = [choice for part in parts for choice in json.loads(part)["choices"]]
        return "".join(choice["text"] for choice in choices)


class Client:
    """A connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Use a connection's two ends."""
        self.reader, self.writer = reader, writer

    @classmethod
    async def of(cls, server: Server) -> "Client":
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", server.port, limit=2**20))

    def send(self, **fields: object) -> None:
        """Send a request."""
        asked = {"model": "shakespeare", "prompt": PROMPT, "temperature": TEMPERATURE} | fields
        body = json.dumps(asked).encode()
        head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)

    async def ask(self, **fields: object) -> Answer:
        """Send a request, and read the answer."""
        began = time.perf_counter()
        self.send(**fields)
        content, first, length = bytearray(), 0.0, -1
        while True:
            part = await self.reader.read(2**16)
            if not part:
                break
            content += part
            if not first and b'"text":"' in content:
                first = time.perf_counter() - began
            if length < 0 and (end := content.find(b"\r\n\r\n")) > 0:
                found = re.search(rb"content-length: (\d+)", content[:end].lower())
                length = end + 4 + int(found[1]) if found else 0
            if (length > 0 and len(content) >= length) or (length == 0 and content.endswith(END)):
                break
        status = STATUS.match(content)
        return Answer(int(status[1]) if status else 0, bytes(content), first, time.perf_counter() - began)

    def close(self) -> None:
        """Close it."""
        self.writer.close()


def library(writer: Generator, seeds: Sequence[int], characters: int) -> tuple[list[str], float]:
    """The texts of some random seeds, written together, and their characters a second."""
    streams = [
        next(writer.streams(PROMPT, rng_seed=seed, length=characters, temperature=TEMPERATURE)) for seed in seeds
    ]
    began = time.perf_counter()
    with Batch(writer.network, len(seeds)) as batch:
        for stream in streams:
            batch.join(stream)
        while len(batch):
            batch.step()
    return [stream.take() for stream in streams], len(seeds) * characters / (time.perf_counter() - began)


async def streamed(server: Server, seeds: Sequence[int], characters: int) -> tuple[list[Answer], float]:
    """The same, asked of the server over a connection each."""
    clients = [await Client.of(server) for _ in seeds]
    began = time.perf_counter()
    asking = [
        client.ask(seed=seed, max_tokens=characters, stream=True) for client, seed in zip(clients, seeds, strict=True)
    ]
    answers = await asyncio.gather(*asking)
    rate = len(seeds) * characters / (time.perf_counter() - began)
    for client in clients:
        client.close()
    return answers, rate


def check(answers: Sequence[Answer], texts: Sequence[str]) -> None:
    """Stop unless all texts are the library's."""
    for number, (answer, text) in enumerate(zip(answers, texts, strict=True)):
        if answer.status != 200 or answer.text != text:
            raise SystemExit(f"answer {number} has status {answer.status} and another text than the library's")


async def side_by_side(server: Server, writer: Generator, sizes: Sizes) -> float:
    """Many streams, and one, of the library and of the server in turn; return the server's rate with many."""
    seeds = range(sizes.streams)
    ratios, rates, firsts = [], [], []
    texts, _ = library(writer, seeds, sizes.characters)
    check((await streamed(server, seeds, sizes.characters))[0], texts)  # both are warm now
    for _ in range(sizes.rounds):
        _, before = library(writer, seeds, sizes.characters)
        answers, rate = await streamed(server, seeds, sizes.characters)
        _, after = library(writer, seeds, sizes.characters)
        check(answers, texts)
        ratios.append(2 * rate / (before + after))
        rates.append(rate)
        firsts += [answer.first * 1000 for answer in answers]
    what = f"{sizes.streams} streams of {sizes.characters:,} characters"
    rate = statistics.median(rates)
    row(what, f"{rate:,.0f} characters a second, {statistics.median(ratios):.0%} of the library's", "at least 50 %")
    firsts.sort()
    late = firsts[min(len(firsts) - 1, int(len(firsts) * 0.99))]
    shown = f"{statistics.median(firsts):.0f} ms median, {late:.0f} ms p99"
    row("their first characters after", shown, "60 ms, 250 ms")
    ratios = []
    for seed in range(sizes.rounds):
        texts, before = library(writer, [seed], sizes.alone)
        answers, alone = await streamed(server, [seed], sizes.alone)
        check(answers, texts)
        ratios.append(alone / before)
    shown = f"{alone:,.0f} characters a second, {statistics.median(ratios):.0%} of the library's"
    row(f"one stream of {sizes.alone:,} characters", shown, "at least 60 %")
    return rate


async def many_requests(server: Server, writer: Generator, sizes: Sizes) -> None:
    """Many short requests over some connections: none lost, none wrong, and what they leave in memory."""
    texts, _ = library(writer, range(100), 200)
    left = iter(range(sizes.requests))

    async def work(numbers: Iterator[int]) -> int:
        client, done = await Client.of(server), 0
        for number in numbers:
            answer = await client.ask(seed=number % 100, max_tokens=200)
            check([answer], [texts[number % 100]])
            done += 1
        client.close()
        return done

    await asyncio.gather(*(work(iter(range(number, number + 5))) for number in range(sizes.connections)))  # warm
    before, began = server.memory(), time.perf_counter()
    done = sum(await asyncio.gather(*(work(left) for _ in range(sizes.connections))))
    seconds = time.perf_counter() - began
    what = f"{sizes.requests:,} requests of 200 characters over {sizes.connections} connections"
    row(what, f"{done:,} right, {done / seconds:,.0f} a second", "none lost, none wrong")
    row("memory growth meanwhile", f"{server.memory() - before:.1f} MB of {before:.0f} MB", "under 20 MB")


async def over_the_limit(sizes: Sizes, writer: Generator) -> None:
    """More connections than there are places, while all places are taken."""
    seeds, characters = range(sizes.streams), 3 * sizes.characters
    texts, _ = library(writer, seeds, characters)
    with serving("--streams", str(sizes.streams), "--queue", "0") as server:
        check((await streamed(server, seeds, characters))[0], texts)
        _, alone = await streamed(server, seeds, characters)
        admitted = asyncio.create_task(streamed(server, seeds, characters))
        await asyncio.sleep(0.2)

        async def refused() -> Answer:
            client = await Client.of(server)
            answer = await client.ask(max_tokens=100)
            client.close()
            return answer

        answers = await asyncio.gather(*(refused() for _ in range(sizes.over)))
        busy = admitted.done()
        found, rate = await admitted
        check(found, texts)
    statuses = {answer.status for answer in answers}
    slowest = max(answer.seconds for answer in answers)
    shown = (
        f"answered {sorted(statuses)} within {slowest * 1000:.0f} ms{' (when the others had ended)' if busy else ''}"
    )
    row(f"{sizes.over} connections over the limit", shown, "429 or 503 at once")
    row("rate of the admitted meanwhile", f"{rate / alone:.0%} of that without them", "kept")


async def idle_readers(sizes: Sizes, writer: Generator) -> None:
    """Readers that never read, and one beside them."""
    texts, _ = library(writer, [1], 2000)
    with serving("--streams", str(2 * sizes.idle)) as server:
        sleeping = []
        for number in range(sizes.idle):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            connection.setblocking(False)
            reader, writing = await asyncio.open_connection(sock=connection, limit=1)
            writing.transport.pause_reading()
            client = Client(reader, writing)
            client.send(seed=number, max_tokens=2000, stream=True, logprobs=5)
            sleeping.append(client)
        awake = await Client.of(server)
        answer = await awake.ask(seed=1, max_tokens=2000, stream=True)
        check([answer], texts)
        awake.close()
        for client in sleeping:
            client.writer.transport.abort()
    what = f"one stream beside {sizes.idle} readers that never read"
    row(what, f"whole and right after {answer.seconds:.1f} s", "stop nobody")


async def bounded(part: Callable[..., Awaitable[object]], *arguments: object) -> None:
    """Run a part for at most some minutes."""
    async with asyncio.timeout(PATIENCE):
        await part(*arguments)


def main() -> None:
    """Load, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="ask for less; the figures then vary more")
    sizes = QUICK if parser.parse_args().quick else Sizes()
    writer = textgen.load()
    with serving() as server:
        row("start-up", f"{server.seconds:.2f} s to the first answer", "under 1 s")
        asyncio.run(bounded(side_by_side, server, writer, sizes))
        asyncio.run(bounded(many_requests, server, writer, sizes))
    asyncio.run(bounded(over_the_limit, sizes, writer))
    asyncio.run(bounded(idle_readers, sizes, writer))
    print(f"\n| {len(os.sched_getaffinity(0))} cores, client and server | measured | target |\n|---|---|---|")
    for cells in ROWS:
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
