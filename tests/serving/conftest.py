import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import h5py
import pytest
from starlette.testclient import TestClient

from tests.conftest import TEXT, describe, random_weights
from textgen import Generator, load
from textgen.config import Shape
from textgen.corpus.vocabulary import Vocabulary
from textgen.model_file import DESCRIPTION, WEIGHTS, layout
from textgen.serving.app import create_app
from textgen.serving.limits import Limits
from textgen.serving.models import Models
from textgen.serving.service import Service, Settings

ADDRESS = "http://127.0.0.1:8000"
CONFIG = Shape(layers=2, units=32, dropout=0.0, embedding=8)


def model_file(text: str = TEXT, seed: int = 0, **described: Any) -> bytes:
    """A model of random weights."""
    vocabulary, weights, content = Vocabulary.of(text), io.BytesIO(), io.BytesIO()
    with h5py.File(weights, "w") as file:
        arrays = random_weights(CONFIG, len(vocabulary), seed)
        for (name, _), array in zip(layout(CONFIG, len(vocabulary)).items(), arrays, strict=True):
            file[name] = array
    with zipfile.ZipFile(content, "w") as opened:
        opened.writestr("config.json", "{}")
        opened.writestr(WEIGHTS, weights.getvalue())
        opened.writestr(DESCRIPTION, describe(vocabulary, CONFIG, **described).to_json())
    return content.getvalue()


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a model that is called `play`."""
    folder = tmp_path_factory.mktemp("models") / "play"
    folder.mkdir()
    (folder / "model.keras").write_bytes(model_file())
    return folder


@pytest.fixture(scope="session")
def writer(run_folder: Path) -> Generator:
    return load(run_folder)


@contextmanager
def serving(*paths: Path, folder: Path | None = None, **options: Any) -> Iterator[tuple[TestClient, Service]]:
    """A client of an application in this process, and what is behind it."""
    limits = Limits(**{name: options.pop(name) for name in tuple(options) if name in Limits.__dataclass_fields__})
    service = Service(Models(paths, folder), Settings(limits=limits, **options))
    service.engine.start()
    try:
        with TestClient(create_app(service), ADDRESS, follow_redirects=False) as client:
            yield client, service
    finally:
        service.engine.stop()


@pytest.fixture(scope="module")
def client(run_folder: Path) -> Iterator[TestClient]:
    with serving(run_folder) as (found, _):
        yield found


Serve = Callable[..., TestClient]


@pytest.fixture
def serve(run_folder: Path) -> Iterator[Serve]:
    """Makes clients of applications with other settings."""
    with ExitStack() as stack:

        def start(**options: Any) -> TestClient:
            return stack.enter_context(serving(run_folder, **options))[0]

        yield start


Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def ask(client: TestClient) -> Ask:
    """Asks for a completion of the model `play`; returns the answer's JSON, or a stream's events."""

    def asked(**fields: Any) -> Any:
        answer = client.post("/v1/completions", json={"model": "play"} | fields)
        assert answer.status_code == 200, answer.text
        if not fields.get("stream"):
            return answer.json()
        return events(answer.text)

    return asked


@pytest.fixture(scope="module")
def refused(client: TestClient) -> Callable[..., dict[str, Any]]:
    """Asks for what is refused with 400; returns the error."""

    def asked(**fields: Any) -> dict[str, Any]:
        answer = client.post("/v1/completions", json={"model": "play"} | fields)
        assert answer.status_code == 400, answer.text
        return error_of(answer)

    return asked


def events(content: str) -> list[dict[str, Any]]:
    """The objects of a stream, which must end as it should."""
    *parts, last, rest = content.split("\n\n")
    assert (last, rest) == ("data: [DONE]", "")
    assert all(part.startswith("data: {") and "\n" not in part for part in parts)
    return [json.loads(part.removeprefix("data: ")) for part in parts]


def error_of(answer: Any) -> dict[str, Any]:
    """The error in an answer, which must have OpenAI's shape."""
    content = answer.json()
    assert set(content) == {"error"}
    assert set(content["error"]) == {"message", "type", "param", "code"}
    assert "\n" not in content["error"]["message"]
    return content["error"]
