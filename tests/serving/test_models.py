"""Which models there are, and that each is one file as it was at one time."""

import zipfile
from pathlib import Path

import pytest

from tests.serving.conftest import error_of, model_file, serving
from textgen.model_file import WEIGHTS
from textgen.serving import models as module
from textgen.serving.models import Models, named

BODY = {"prompt": "The ", "seed": 1, "max_tokens": 30}


def run_of(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).mkdir(exist_ok=True)
    path = folder / name / "model.keras"
    path.write_bytes(content)
    return path


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have files looked at for each request."""
    monkeypatch.setattr(module, "FRESH", 0.0)


def without_weights(folder: Path) -> bytes:
    """A model that says what it is, and has no weights."""
    path = folder / "whole.zip"
    path.write_bytes(model_file(seed=3))
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(folder / "part.zip", "w") as part:
        for name in whole.namelist():
            if name != WEIGHTS:
                part.writestr(name, whole.read(name))
    return (folder / "part.zip").read_bytes()


def test_a_file_that_is_replaced_is_another_model(tmp_path: Path) -> None:
    path = run_of(tmp_path, "play", model_file(seed=0))
    with serving(folder=tmp_path) as (client, _):
        first = client.post("/v1/completions", json=BODY | {"model": "play"}).json()
        path.write_bytes(model_file(seed=1))
        second = client.post("/v1/completions", json=BODY | {"model": "play"}).json()
        assert first["choices"][0]["text"] != second["choices"][0]["text"]
        if first["system_fingerprint"] is not None:
            assert first["system_fingerprint"] != second["system_fingerprint"]


def test_a_file_that_cannot_be_read_leaves_the_model_that_was_there(tmp_path: Path) -> None:
    path = run_of(tmp_path, "play", model_file(seed=0))
    with serving(folder=tmp_path) as (client, _):
        expected = client.post("/v1/completions", json=BODY | {"model": "play"}).json()["choices"]
        for content in (b"damaged", without_weights(tmp_path)):
            path.write_bytes(content)
            assert client.post("/v1/completions", json=BODY | {"model": "play"}).json()["choices"] == expected
        path.unlink()
        assert client.post("/v1/completions", json=BODY | {"model": "play"}).status_code == 404


def test_a_model_that_has_never_been_readable(tmp_path: Path) -> None:
    path = run_of(tmp_path, "play", without_weights(tmp_path))
    with serving(folder=tmp_path) as (client, _):
        for _ in range(2):
            answer = client.post("/v1/completions", json=BODY | {"model": "play"})
            assert answer.status_code == 503
            assert error_of(answer)["code"] == "model_unreadable"
            assert str(tmp_path) not in answer.text
        path.write_bytes(model_file())
        assert client.post("/v1/completions", json=BODY | {"model": "play"}).status_code == 200


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = run_of(tmp_path, "play", model_file(seed=0))
    read, times = module.read_model, []

    def replaced(name: Path) -> object:
        found = read(name)
        times.append(name)
        if len(times) == 1:
            path.write_bytes(model_file(seed=1))
        return found

    monkeypatch.setattr(module, "read_model", replaced)
    with serving(folder=tmp_path) as (client, _):
        text = client.post("/v1/completions", json=BODY | {"model": "play"}).json()["choices"][0]["text"]
        assert len(times) == 2
        assert client.post("/v1/completions", json=BODY | {"model": "play"}).json()["choices"][0]["text"] == text


def test_no_more_than_a_few_models_stay_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LOADED", 2)
    for name in "abc":
        run_of(tmp_path, name, model_file())
    with serving(folder=tmp_path) as (client, service):
        for name in "abc":
            assert client.post("/v1/completions", json=BODY | {"model": name}).status_code == 200
        assert list(service.models._loaded) == ["b", "c"]
        assert client.post("/v1/completions", json=BODY | {"model": "a"}).status_code == 200


def test_a_run_may_have_the_name_of_the_shipped_model(tmp_path: Path) -> None:
    run_of(tmp_path, "shakespeare", model_file())
    (entry,) = Models(folder=tmp_path).list().values()
    assert entry.kind == "run"
    assert entry.path == tmp_path / "shakespeare" / "model.keras"


def test_models_that_are_named_are_the_only_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_of(tmp_path, "play", model_file())
    (tmp_path / "other.keras").write_bytes(model_file())
    monkeypatch.chdir(tmp_path / "play")
    assert list(Models(["model.keras", tmp_path / "other.keras"]).list()) == ["play", "other"]
    assert named(Path("model.keras")) == "play"
