"""Who may ask what, and the headers of every answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from tests.serving.conftest import ADDRESS, Serve, error_of, serving
from textgen.serving.access import session
from textgen.serving.app import create_app

TOKEN = "s3cret"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, x-stainless-os"}
BODY: dict[str, Any] = {"model": "play", "prompt": "The ", "max_tokens": 3}


@pytest.fixture
def guarded(serve: Serve) -> Iterator[TestClient]:
    return serve(token=TOKEN, hosts=())


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example", "a@localhost:b"]
)
def test_a_request_for_another_host_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/v1/models", headers={"Host": host})
    assert answer.status_code == 403
    assert error_of(answer)["code"] == "wrong_host"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST", "192.168.1.7:80"]
)
def test_names_of_this_machine_and_addresses_are_its_own(client: TestClient, host: str) -> None:
    assert client.get("/v1/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8000", "x", "http://["]
)
def test_pages_of_other_origins_are_refused(client: TestClient, origin: str) -> None:
    for answer in (
        client.post("/v1/completions", json=BODY, headers={"Origin": origin}),
        client.get("/v1/models", headers={"Origin": origin}),
        client.options("/v1/completions", headers={"Origin": origin} | PREFLIGHT),
    ):
        assert answer.status_code == 403
        assert error_of(answer)["code"] == "wrong_origin"
        assert "access-control-allow-origin" not in answer.headers


def test_the_page_s_own_origin_may_ask(client: TestClient) -> None:
    answer = client.post("/v1/completions", json=BODY, headers={"Origin": "http://127.0.0.1:8000"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("origin", ["https://write.example", "null"])
def test_origins_that_are_allowed_get_their_headers_on_every_answer(serve: Serve, origin: str) -> None:
    client = serve(token=TOKEN, hosts=(), origins=("https://write.example", "null"))
    ours = {"Origin": origin}
    preflight = client.options("/v1/completions", headers=ours | PREFLIGHT)  # comes without the token
    assert preflight.status_code == 204
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert "x-stainless-os" in preflight.headers["access-control-allow-headers"]
    assert "POST" in preflight.headers["access-control-allow-methods"]
    answers = [
        preflight,
        client.post("/v1/completions", json=BODY, headers=ours | BEARER),
        client.post("/v1/completions", json=BODY | {"stream": True}, headers=ours | BEARER),
        client.post("/v1/completions", json={}, headers=ours | BEARER),
        client.post("/v1/completions", json=BODY, headers=ours),
        client.get("/nothing", headers=ours | BEARER),
    ]
    assert [answer.status_code for answer in answers] == [204, 200, 200, 400, 401, 404]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == origin
        assert "Origin" in answer.headers["vary"]
        assert "access-control-allow-credentials" not in answer.headers
    assert client.get("/v1/models", headers=BEARER | {"Origin": "https://evil.example"}).status_code == 403


def test_the_host_of_an_allowed_origin_is_one_of_the_server_s(serve: Serve) -> None:
    client = serve(origins=("https://write.example",))
    ours = {"Host": "write.example", "Origin": "https://write.example"}
    assert client.get("/v1/models", headers=ours).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Cookie": f"textgen_session={TOKEN}"},
        {"Cookie": "textgen_session=\x01;;=,"},
    ],
)
def test_without_the_token_nothing_is_told(guarded: TestClient, headers: dict[str, str]) -> None:
    for path in (
        "/v1/models",
        "/v1/models/play",
        "/metrics",
        "/docs",
        "/openapi.json",
        "/app/models",
        "/page/x.js",
        "/no",
    ):
        answer = guarded.get(path, headers=headers)
        assert answer.status_code == 401
        assert error_of(answer)["code"] == "invalid_api_key"
        assert answer.headers["www-authenticate"] == "Bearer"
    assert guarded.post("/v1/completions", json=BODY, headers=headers).status_code == 401
    assert guarded.get("/healthz", headers=headers).json() == {"status": "ok"}
    assert guarded.get("/readyz", headers=headers).status_code == 200
    assert 'textgen_errors_total{code="invalid_api_key"} 9.0' in guarded.get("/metrics", headers=BEARER).text


def test_the_token_lets_in(guarded: TestClient) -> None:
    assert guarded.get("/v1/models", headers=BEARER).status_code == 200
    assert guarded.get("/v1/models", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_the_page_logs_in_and_gets_a_cookie_that_is_not_the_token(guarded: TestClient) -> None:
    answer = guarded.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert 'name="token"' in guarded.get("/login").text
    wrong = guarded.post("/login", data={"token": "guess"})
    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers
    answer = guarded.post("/login", data={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert guarded.get("/app/models").status_code == 200  # the client keeps the cookie
    assert guarded.get("/app/models", headers={"Cookie": "textgen_session=" + session("other")}).status_code == 401


def test_cookies_of_other_programs_do_not_hide_the_page_s(guarded: TestClient) -> None:
    cookies = f'other={{"a": [1, 2]}}; textgen_session={session(TOKEN)}; x y'
    assert guarded.get("/app/models", headers={"Cookie": cookies}).status_code == 200
    assert guarded.get("/app/models", headers={"Cookie": cookies.replace("session=", "session=0")}).status_code == 401


def test_a_login_with_many_fields_is_wrong(guarded: TestClient) -> None:
    assert guarded.post("/login", content="a=1&" * 10).status_code == 401


def test_a_login_of_another_site_is_refused(guarded: TestClient) -> None:
    answer = guarded.post("/login", data={"token": TOKEN}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert guarded.post("/login", data={"token": "x" * 5000}).status_code == 413


def test_every_answer_has_the_headers_that_keep_it_harmless(client: TestClient) -> None:
    for answer in (
        client.get("/v1/models"),
        client.get("/nothing"),
        client.post("/v1/completions", json=BODY | {"stream": True}),
        client.get("/docs"),
        client.get("/", headers={"Host": "evil.example"}),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_errors_of_the_application_have_the_shape_too(client: TestClient) -> None:
    for answer, status in ((client.get("/nothing<b>"), 404), (client.get("/v1/completions"), 405)):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/json"
        error_of(answer)
    assert "ask /v1/completions" in error_of(client.post("/v1/chat/completions", json={}))["message"]


def test_what_fails_is_told_without_the_text(serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("The secret prompt")

    client = serve()
    monkeypatch.setattr("textgen.serving.completions.plan", fail)
    answer = client.post("/v1/completions", json=BODY)
    assert answer.status_code == 500
    assert error_of(answer)["code"] == "internal_error"
    assert "RuntimeError at textgen.serving.completions" in caplog.text or "RuntimeError at tests" in caplog.text
    assert "secret" not in caplog.text
    assert "secret" not in answer.text


def test_lines_of_the_log_have_no_texts(client: TestClient, caplog: Any) -> None:
    with caplog.at_level("INFO", "textgen.serving"):
        client.post("/v1/completions?key=hidden", json=BODY | {"prompt": "The quick brown", "echo": True})
        client.post("/v1/completions", json=BODY | {"prompt": "日本"})
    fields = [record.fields for record in caplog.records if hasattr(record, "fields")]
    assert [line["status"] for line in fields] == [200, 400]
    assert fields[0] | {"seconds": 0} == {
        **{"method": "POST", "path": "/v1/completions", "status": 200, "seconds": 0},
        **{"model": "play", "texts": 1, "read": 15, "written": 3},
    }
    told = f"{caplog.text} {fields}"
    assert not any(word in told for word in ("quick", "日本", "hidden"))


def test_a_route_with_fields_of_its_own_refuses_them_in_the_shape_too(run_folder: Path) -> None:
    with serving(run_folder) as (_, service):
        app = create_app(service)
        made = APIRouter()

        @made.get("/app/fifth")
        async def fifth(number: int) -> int:
            return number

        app._app.include_router(made)  # type: ignore[attr-defined]
        with TestClient(app, ADDRESS) as client:
            assert client.get("/app/fifth?number=5").json() == 5
            answer = client.get("/app/fifth?number=five")
            assert answer.status_code == 400
            assert error_of(answer)["param"] == "number"
