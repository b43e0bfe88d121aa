"""What is too much is refused, with the status and the error that say so."""

import threading
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serving.conftest import Serve, error_of, serving


def test_a_body_that_is_too_large(serve: Serve) -> None:
    client = serve(max_prompt=1000)
    most = 12 * 1000 + 2**18
    answer = client.post("/v1/completions", json={"model": "play", "prompt": "a" * most})
    assert answer.status_code == 413
    assert error_of(answer)["code"] == "too_large"

    def parts() -> Any:
        for _ in range(most // 1000 + 1):
            yield b" " * 1000

    answer = client.post("/v1/completions", content=parts())
    assert answer.status_code == 413


def test_ten_megabytes_are_refused_at_once(client: TestClient) -> None:
    began = time.monotonic()
    answer = client.post("/v1/completions", json={"model": "play", "prompt": "a" * 10_000_000})
    assert answer.status_code == 413
    assert time.monotonic() - began < 5


def test_prompts_that_are_too_long(serve: Serve) -> None:
    client = serve(max_prompt=1000)
    for prompt in ("a" * 1001, ["a" * 501, "b" * 500], [1] * 1001, [[1] * 501] * 2):
        answer = client.post("/v1/completions", json={"model": "play", "prompt": prompt})
        assert answer.status_code == 400
        error = error_of(answer)
        assert (error["param"], error["code"]) == ("prompt", "context_length_exceeded")
    assert client.post("/v1/completions", json={"model": "play", "prompt": "a" * 1000}).status_code == 200


def test_texts_that_are_too_long(serve: Serve) -> None:
    client = serve(max_tokens=50)
    assert client.post("/v1/completions", json={"model": "play", "max_tokens": 50}).status_code == 200
    assert error_of(client.post("/v1/completions", json={"model": "play", "max_tokens": 51}))["param"] == "max_tokens"


def test_more_texts_than_there_are_places(serve: Serve) -> None:
    client = serve(streams=2, queue=1)
    answer = client.post("/v1/completions", json={"model": "play", "n": 4})
    assert answer.status_code == 400
    assert error_of(answer)["message"] == "a request is for at most 3 texts here, not 4"
    assert len(client.post("/v1/completions", json={"model": "play", "n": 3}).json()["choices"]) == 3


def test_a_full_queue_says_when_to_come_again(run_folder: Any) -> None:
    with serving(run_folder, streams=1, queue=1, timeout=30.0) as (client, service):
        body = {"model": "play", "max_tokens": 30_000}
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(client.post("/v1/completions", json=body).status_code))
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
            deadline = time.monotonic() + 20
            while service.engine.active + service.engine.waiting < threads.index(thread) + 1:
                assert time.monotonic() < deadline
                time.sleep(0.001)
        answer = client.post("/v1/completions", json={"model": "play"})
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        assert error_of(answer)["type"] == "rate_limit_error"
        assert 'textgen_errors_total{code="rate_limit_exceeded"} 1.0' in client.get("/metrics").text
        for thread in threads:
            thread.join()
        assert statuses == [200, 200]
        assert client.post("/v1/completions", json={"model": "play"}).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_that_takes_too_long_is_ended(run_folder: Any, stream: bool) -> None:
    with serving(run_folder, timeout=0.2) as (client, service):
        body = {"model": "play", "max_tokens": 100_000, "no_repeat": 1000, "stream": stream, "logprobs": 5}
        answer = client.post("/v1/completions", json=body)
        if stream:
            assert answer.status_code == 200
            last = answer.text.split("\n\n")[-2]
            assert '"code":"timeout"' in last
            assert "[DONE]" not in answer.text
        else:
            assert answer.status_code == 503
            assert error_of(answer)["message"] == "the text was not finished in 0.2 seconds; ask for less"
        deadline = time.monotonic() + 5
        while service.engine.active:
            assert time.monotonic() < deadline
            time.sleep(0.001)


def test_a_server_that_is_stopping_takes_nothing(run_folder: Any) -> None:
    with serving(run_folder) as (client, service):
        assert client.get("/readyz").json() == {"status": "ready"}
        service.stopping = True
        assert client.get("/readyz").status_code == 503
        answer = client.post("/v1/completions", json={"model": "play"})
        assert answer.status_code == 503
        assert error_of(answer)["code"] == "stopping"
        assert client.get("/healthz").status_code == 200
