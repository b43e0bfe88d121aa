"""The thread that steps: who gets a place, and what happens to texts that nobody waits for."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import error_of, model_file, serving
from textgen import Generator, load
from textgen.generation.batch import Batch
from textgen.generation.stream import Stream
from textgen.serving import engine as module
from textgen.serving.engine import Engine, Order, Writing

LONG: dict[str, Any] = {"model": "play", "prompt": "The ", "max_tokens": 100_000}


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def stream_of(writer: Generator, length: int = 10) -> Stream:
    return next(writer.streams("The ", rng_seed=1, length=length))


def test_a_reader_keeps_up_until_its_buffer_is_full(writer: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUFFER", 10)
    live, whole = (Writing(stream_of(writer), writer.network, live=live) for live in (True, False))
    assert live.put("abcdef")
    assert not live.put("ghijkl")
    assert live.take() == "abcdefghijkl"
    assert live.put("mnopqrstuv")
    assert whole.put("a" * 1000)


def test_a_step_that_fails_is_told_and_the_engine_goes_on(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step, failing = Batch.step, threading.Event()

    def fail(batch: Batch, most: int) -> Any:
        if failing.is_set():
            raise MemoryError("secret")
        return step(batch, most)

    monkeypatch.setattr(Batch, "step", fail)
    with serving(run_folder) as (client, service):
        failing.set()
        answer = client.post("/v1/completions", json=LONG)
        assert answer.status_code == 500
        assert error_of(answer)["code"] == "internal_error"
        streamed = client.post("/v1/completions", json=LONG | {"stream": True})
        assert '"code":"internal_error"' in streamed.text
        assert "[DONE]" not in streamed.text
        assert client.get("/nothing").status_code == 404
        counted = client.get("/metrics").text
        assert 'textgen_errors_total{code="internal_error"} 2.0' in counted
        assert 'textgen_errors_total{code="not_found"} 1.0' in counted
        assert service.engine.active == 0
        failing.clear()
        assert client.post("/v1/completions", json=LONG | {"max_tokens": 9}).status_code == 200


def test_a_stopped_engine_ends_texts_that_run_and_that_wait(run_folder: Path) -> None:
    with serving(run_folder, streams=1) as (client, service):
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(client.post("/v1/completions", json=LONG).status_code))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        until(lambda: service.engine.active == 1 and service.engine.waiting == 2)
        service.engine.stop()
        for thread in threads:
            thread.join()
        assert statuses == [503, 503, 503]
        assert not service.engine.alive
        assert client.post("/v1/completions", json=LONG).status_code == 503


def test_texts_that_nobody_waits_for_free_the_queue(writer: Generator) -> None:
    async def fill() -> None:
        orders = [Order([Writing(stream_of(writer, 100_000), writer.network, live=True)]) for _ in range(3)]
        for order in orders:
            engine.submit(order)
        await asyncio.to_thread(until, lambda: engine.active == 1 and engine.waiting == 2)
        assert not engine.has_room(1)
        engine.leave(orders[1])
        await asyncio.to_thread(until, lambda: engine.waiting == 1)
        assert engine.has_room(1)
        engine.leave(orders[0])
        await asyncio.to_thread(until, lambda: engine.active == 1 and engine.waiting == 0)

    engine = Engine(1, 2)
    engine.start()
    try:
        asyncio.run(fill())
    finally:
        engine.stop()


def test_a_text_that_cannot_begin_is_told_and_the_engine_goes_on(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(batch: Batch, stream: Stream) -> None:
        raise MemoryError("secret")

    with serving(run_folder) as (client, _):
        with monkeypatch.context() as patch:
            patch.setattr(Batch, "join", fail)
            assert client.post("/v1/completions", json=LONG).status_code == 500
        assert client.post("/v1/completions", json=LONG | {"max_tokens": 9}).status_code == 200
    assert "a text cannot begin: MemoryError at tests.serving.test_engine" in caplog.text
    assert "secret" not in caplog.text


def test_an_engine_that_was_never_started_can_be_stopped() -> None:
    engine = Engine(1, 1)
    assert not engine.alive
    engine.stop()


def test_a_model_that_is_not_used_is_dropped(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE", 0.05)
    with serving(run_folder) as (client, service):
        client.post("/v1/completions", json=LONG | {"max_tokens": 5})
        until(lambda: not service.engine._batches)
        assert client.post("/v1/completions", json=LONG | {"max_tokens": 5}).status_code == 200


def test_several_models_write_at_once(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.keras" for name in "abc"]
    for seed, path in enumerate(paths):
        path.write_bytes(model_file(seed=seed))
    with serving(*paths) as (client, _):
        texts: dict[str, str] = {}

        def ask(name: str) -> None:
            body = {"model": name, "prompt": "The ", "seed": 5, "max_tokens": 300}
            texts[name] = client.post("/v1/completions", json=body).json()["choices"][0]["text"]

        threads = [threading.Thread(target=ask, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for name, path in zip("abc", paths, strict=True):
        assert texts[name] == load(path).generate("The ", rng_seed=5, length=300, temperature=1.0)
    assert len(set(texts.values())) == 3
