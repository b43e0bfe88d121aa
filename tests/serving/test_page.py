"""The page's files, and what only the page asks."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.serving.conftest import Serve, error_of, model_file, serving
from textgen.html_file import html
from textgen.model_file import read_model
from textgen.serving.page import PAGE


def test_the_page_and_its_files_are_served(client: TestClient) -> None:
    index = client.get("/")
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    assert "<!doctype html>" in index.text
    for path in PAGE.iterdir():
        answer = client.get(f"/page/{path.name}")
        if path.suffix in (".py", ""):
            assert answer.status_code == 404
            continue
        kind = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}[
            path.suffix
        ]
        assert answer.headers["content-type"].startswith(kind)
        assert answer.content == path.read_bytes()


def test_a_file_is_sent_again_only_if_it_has_changed(client: TestClient) -> None:
    answer = client.get("/page/main.js")
    assert answer.headers["cache-control"] == "no-cache"
    again = client.get("/page/main.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/page/main.js", headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../cli/serve.py",
            "%2e%2e/cli/serve.py",
            "..%2fcli%2fserve.py",
            "__init__.py",
            "document.py",
            "tinted.html/",
        ),
        *("", ".", "/etc/passwd", "none.js", "main.js%00", "a" * 5000, "a" * 5000 + ".js", "é.js"),
    ],
)
def test_nothing_else_is_served(client: TestClient, name: str) -> None:
    answer = client.get(f"/page/{name}")
    assert answer.status_code == 404
    error_of(answer)


def test_the_models_are_told_with_what_a_person_wants_to_know(tmp_path: Path) -> None:
    for name, text in (("b", "The fox \n"), ("a", "吾輩は猫である。")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.keras").write_bytes(model_file(text))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model.keras").write_bytes(b"no model")
    (tmp_path / "begun").mkdir()
    with serving(folder=tmp_path) as (client, _):
        first, *runs = client.get("/app/models").json()
        assert (first["id"], first["kind"], first["seed"]) == ("shakespeare", "shipped", "ROMEO:")
        assert [(run["id"], run["language"], run["symbols"]) for run in runs] == [("a", "ja", 8), ("b", None, 8)]
        assert runs[0] | {"id": "", "symbols": 0} == {
            **{"id": "", "kind": "run", "title": "play", "symbols": 0, "language": "ja", "validation_nats": 1.5},
            **{"date": "2026-01-01T00:00:00+00:00", "seed": ""},
        }
        assert client.get("/v1/models/broken").status_code == 404
        assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["shakespeare", "a", "b"]


def test_a_model_is_offered_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "猫 1").mkdir()
    path = tmp_path / "猫 1" / "model.keras"
    path.write_bytes(model_file("吾輩は猫である。"))
    with serving(folder=tmp_path) as (client, _):
        answer = client.get("/app/models/猫 1/file", params={"language": "ja"})
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''%E7%8C%AB%201.html"
        assert answer.text == "".join(html(read_model(path), language="ja"))
        assert client.get("/app/models/none/file").status_code == 404
        assert error_of(client.get("/app/models/猫 1/file?language=fr"))["param"] == "language"
        path.write_bytes(b"no model")
        assert error_of(client.get("/app/models/猫 1/file"))["code"] == "model_unreadable"
    with serving(token="secret") as (client, _):
        assert client.get("/app/models/shakespeare/file").status_code == 401


def test_the_settings_are_told(serve: Serve) -> None:
    assert serve(max_tokens=7, training=False).get("/app/settings").json() == {
        "max_tokens": 7,
        "max_prompt": 200_000,
        "training": False,
        "login": False,
    }


def test_the_reference_shows_all_fields_and_needs_nothing_from_elsewhere(client: TestClient) -> None:
    shown = client.get("/docs").text
    for word in ("/v1/completions", "/v1/score", "max_tokens", "no_repeat", "logit_bias"):
        assert f"{word}" in shown
    assert "http://" not in shown
    assert "https://" not in shown
    assert "<script" not in shown
