"""What cells and gates do at each character of a text, asked over HTTP."""

import threading
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

import textgen
from tests.serving.conftest import error_of, serving
from textgen.serving import inspecting

TEXT = "The quick brown fox jumps over the lazy dog,\nand the dog sleeps on. "


def test_a_cell_or_a_gate_is_that_of_the_trace(client: TestClient, run_folder: Path) -> None:
    trace = textgen.trace(run_folder, text=f"{TEXT}Ω")
    for fields, word, values in (
        ({"cell": "2.5"}, {"cell": "2.5", "gate": None, "quantity": "cell"}, trace.of("cell", 2, 5)),
        ({"gate": "1.forget"}, {"cell": None, "gate": "1.forget"}, trace.values["forget"][:, 0].mean(axis=1)),
        ({}, {"cell": None, "gate": "1.input", "quantity": "input"}, trace.values["input"][:, 0].mean(axis=1)),
    ):
        answer = client.post("/v1/inspect", json={"model": "play", "text": f"{TEXT}Ω"} | fields)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found | word == found
        assert found["text"] == f"{TEXT}Ω"
        assert found["values"][-1] is None
        np.testing.assert_allclose(found["values"][:-1], values[:-1], atol=1e-4)
        assert (found["layers"], found["units"], found["gates"]) == (2, 32, ["input", "forget", "output"])
        middle = 0 if "cell" in fields else np.nanmean(values)
        assert found["middle"] == pytest.approx(middle, abs=1e-6)


def test_cells_that_tell_a_feature_are_those_that_the_library_finds(client: TestClient, run_folder: Path) -> None:
    answer = client.post("/v1/inspect", json={"model": "play", "text": TEXT * 20, "find": "word"}).json()
    expected = textgen.find_cells(run_folder, text=TEXT * 20, find="word")
    assert [one["cell"] for one in answer["cells"]] == [f"{one.layer}.{one.unit}" for one in expected.telling]
    assert len(answer["cells"]) > 0
    assert answer["shuffled_most"] == pytest.approx(expected.shuffled_most, abs=1e-3)


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"cell": "2.33"}, 400, "`cell` must be LAYER.UNIT, from 1.1 to 2.32 in this model"),
        ({"gate": "reset"}, 400, "`gate` must be one of input, forget, output, which LSTM layers have"),
        ({"cell": "1.1", "gate": "forget"}, 400, "`cell` and `gate` exclude each other; give only one of them"),
        (
            {"find": "(a+)+$"},
            400,
            "`find` must be one of quotes, line, word, sentence, speaker, brackets, indent, not ",
        ),
        ({"find": "word"}, 400, "to find cells takes at least 1,000"),
        ({"text": ""}, 400, "empty"),
        ({"text": "x" * 20_001}, 400, "`text`: string should have at most 20000 characters"),
        ({"model": "none"}, 404, "the model 'none' does not exist"),
    ],
)
def test_what_is_not_there_is_refused(client: TestClient, fields: dict[str, str], status: int, message: str) -> None:
    answer = client.post("/v1/inspect", json={"model": "play", "text": TEXT} | fields)
    assert answer.status_code == status
    assert message in error_of(answer)["message"]


def test_one_at_a_time_is_answered_and_others_wait_or_are_refused(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, running, most = threading.Event(), threading.Event(), [0], [0]
    real = inspecting._inspected

    def slow(*arguments):
        running[0] += 1
        most[0] = max(most[0], running[0])
        begun.set()
        go_on.wait(30)
        running[0] -= 1
        return real(*arguments)

    monkeypatch.setattr(inspecting, "_inspected", slow)
    monkeypatch.setattr(inspecting, "WAITING", 2)
    with serving(run_folder) as (client, _):
        codes: list[int] = []
        ask = lambda: codes.append(client.post("/v1/inspect", json={"model": "play", "text": TEXT}).status_code)  # noqa: E731
        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        begun.wait(30)
        while len(codes) < 3:
            threads[0].join(0.01)
        written = client.post("/v1/completions", json={"model": "play", "prompt": "T", "max_tokens": 5})
        assert written.status_code == 200, "texts are written meanwhile"
        go_on.set()
        for thread in threads:
            thread.join()
    assert (sorted(codes), most) == ([200, 200, 429, 429, 429], [1])
