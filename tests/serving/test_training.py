"""Trainings over HTTP: uploads, what is found in texts, the queue, and run folders that are the truth."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.conftest import QUICK_COMMAND, TEXT
from tests.serving.conftest import error_of, serving
from textgen.serving import child, uploads
from textgen.serving.jobs import Jobs
from textgen.serving.names import file_name
from textgen.serving.service import Service

SHORT, LONG = 0.01, 5.0  # minutes
FOX = TEXT * 60
Pair = tuple[TestClient, Jobs]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "COMMAND", QUICK_COMMAND)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], Pair]]:
    """Opens servers on one folder of runs; their trainings are ended in the end."""
    made: list[Any] = []

    def start(**options: Any) -> Pair:
        context = serving(folder=tmp_path / "models", **options)
        client, service = context.__enter__()
        made.append((context, service))
        return client, jobs_of(service)

    yield start
    for context, service in reversed(made):
        service.jobs.end()
        if service.jobs._child is not None:
            service.jobs._child.wait(60)
        context.__exit__(None, None, None)


@pytest.fixture
def both(opened: Callable[[], Pair]) -> Pair:
    return opened()


def jobs_of(service: Service) -> Jobs:
    assert service.jobs is not None
    return service.jobs


def uploaded(client: TestClient, content: str | bytes = FOX, name: str = "fox.txt") -> str:
    answer = client.post("/app/texts", params={"name": name}, content=content)
    assert answer.status_code == 200, answer.text
    return answer.json()["upload"]


def begun(client: TestClient, minutes: float = SHORT, **fields: Any) -> str:
    """Order a training on the fox; return its name."""
    order = {"texts": [{"upload": uploaded(client)}], "minutes": minutes, "units": 8} | fields
    answer = client.post("/app/runs", json=order)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "queued"
    return answer.json()["id"]


def until(both: Pair, name: str, wanted: Callable[[dict[str, Any]], bool] | str) -> dict[str, Any]:
    """Let the server look after its trainings until a run is as wanted."""
    client, trainings = both
    end = time.monotonic() + 120
    while time.monotonic() < end:
        trainings.tick()
        run = client.get(f"/app/runs/{name}").json()
        if run["state"] == wanted if isinstance(wanted, str) else wanted(run):
            return run
        time.sleep(0.05)
    raise AssertionError(run)


def has_learnt(run: dict[str, Any]) -> bool:
    return run["state"] == "running" and run["step"] is not None and run["model"]


def test_a_text_is_trained_on_and_its_model_writes(both: Pair, tmp_path: Path) -> None:
    client, _ = both
    name = begun(client)
    assert name == "fox"
    run = until(both, name, "finished")
    assert (run["problem"], run["texts"], run["minutes"]) == (None, ["fox.txt"], SHORT)
    assert run["started"]["characters"] == len(FOX)
    assert [item["name"].split()[0] for item in run["baselines"]] == ["n-gram", "xz"]
    assert run["samples"][-1]["sample"]
    assert run["rows"][-1][3] == pytest.approx(run["samples"][-1]["validation_nats"])
    assert (run["seconds_left"], run["stopped_by"]) == (None, "budget")
    assert (tmp_path / "models/fox/training/texts/1/fox.txt").read_text() == FOX
    assert not list((tmp_path / "models/.uploads").iterdir())
    time.sleep(0.6)  # for which the list of models is remembered
    written = client.post("/v1/completions", json={"model": "fox", "prompt": "The", "max_tokens": 5})
    assert len(written.json()["choices"][0]["text"]) == 5


def test_a_training_is_stopped_and_resumed(both: Pair) -> None:
    client, trainings = both
    name = begun(client, LONG)
    assert until(both, name, has_learnt)["seconds_left"] > 0
    for _ in range(2):  # a second signal would end it before it has stored anything
        assert client.post(f"/app/runs/{name}/stop").json()["state"] in ("stopping", "stopped")
    run = until(both, name, "stopped")
    assert (run["problem"], run["stopped_by"], run["seconds_left"]) == (None, "SIGTERM", None)
    rows = run["rows"]
    assert rows
    assert client.post(f"/app/runs/{name}/resume").json()["state"] == "queued"
    resumed = until(both, name, lambda run: run["state"] == "running" and run["started"] is not None)
    assert resumed["started"]["resumed_at"] > 0
    assert resumed["rows"][: len(rows)] == rows
    assert error_of(client.delete(f"/app/runs/{name}"))["code"] == "running"
    client.post(f"/app/runs/{name}/stop")
    until(both, name, "stopped")
    trainings.tick()
    assert client.delete(f"/app/runs/{name}").json() == {"id": "fox", "deleted": True}
    assert client.get(f"/app/runs/{name}").status_code == 404
    assert not (trainings.folder / name).exists()


def test_one_trains_at_a_time_whichever_server_starts_it(opened: Callable[[], Pair]) -> None:
    first, second = opened(), opened()
    a, b = begun(first[0], LONG), begun(second[0], SHORT)
    assert (a, b) == ("fox", "fox-2")
    assert [run["place"] for run in sorted(first[0].get("/app/runs").json()["runs"], key=lambda run: run["id"])] == [
        1,
        2,
    ]
    until(first, a, has_learnt)
    second[1].tick()
    assert until(second, b, "queued")["place"] == 1
    taken = second[0].post("/app/runs", json={"texts": [{"upload": uploaded(second[0])}], "minutes": 1, "name": a})
    assert (taken.status_code, error_of(taken)["code"]) == (409, "exists")
    refused = second[0].post(f"/app/runs/{a}/resume")
    assert (refused.status_code, error_of(refused)["message"]) == (409, "fox is running; there is nothing to resume")
    assert second[0].post(f"/app/runs/{a}/stop").json()["state"] in ("stopping", "stopped")
    until(first, a, "stopped")
    until(second, b, "finished")


def test_a_training_outlives_its_server_and_is_found_again(opened: Callable[[], Pair]) -> None:
    client, trainings = opened()
    name = begun(client, LONG)
    until((client, trainings), name, has_learnt)
    child, trainings._child = trainings._child, None  # as if the server had been killed
    assert child is not None
    other = opened()
    assert until(other, name, has_learnt)["samples"]
    waiting = begun(other[0])
    other[1].tick()
    assert until(other, waiting, "queued")["place"] == 1
    other[0].post(f"/app/runs/{name}/stop")
    child.wait(60)
    assert until(other, name, "stopped")["rows"]
    until(other, waiting, "finished")


def test_what_a_server_stops_at_its_end_goes_on_under_the_next(opened: Callable[[], Pair]) -> None:
    client, trainings = opened()
    name = begun(client, LONG)
    until((client, trainings), name, has_learnt)
    trainings.end()
    assert trainings._child is not None
    trainings._child.wait(60)
    trainings.tick()  # must not begin again
    assert trainings._child is None
    assert client.get(f"/app/runs/{name}").json()["state"] == "queued"
    assert client.post(f"/app/runs/{name}/resume").status_code == 503
    other = opened()
    assert until(other, name, has_learnt)["started"]["resumed_at"] > 0


def test_a_training_that_is_killed_says_so_and_can_be_resumed(both: Pair) -> None:
    client, trainings = both
    name = begun(client, LONG)
    until(both, name, has_learnt)
    assert trainings._child is not None
    os.kill(trainings._child.pid, signal.SIGKILL)
    trainings._child.wait(60)
    with (trainings.folder / name / "training/events.jsonl").open("ab") as events:
        events.write(b'{"event": "stepp')  # cut off
    run = until(both, name, lambda run: run["state"] != "running")
    assert (run["state"], run["problem"]) == ("failed", "interrupted")
    client.post(f"/app/runs/{name}/resume")
    until(both, name, has_learnt)


def test_a_training_that_fails_says_why(both: Pair) -> None:
    client, _ = both
    order = {"texts": [{"upload": uploaded(client, "too short", "こころ.txt")}], "minutes": SHORT}
    name = client.post("/app/runs", json=order).json()["id"]
    assert name == "こころ"
    run = until(both, name, lambda run: run["state"] not in ("queued", "running"))
    assert run["state"] == "failed"
    assert run["problem"].startswith("こころ.txt: the text has 9 characters; expected at least 101")


def test_a_queued_training_leaves_the_queue(both: Pair) -> None:
    client, _ = both
    name = begun(client)
    assert client.post(f"/app/runs/{name}/stop").json()["state"] == "stopped"
    stop = client.post(f"/app/runs/{name}/stop")
    assert (stop.status_code, error_of(stop)["code"]) == (409, "not_running")
    client.post(f"/app/runs/{name}/resume")
    until(both, name, "finished")
    assert error_of(client.post(f"/app/runs/{name}/resume"))["message"].startswith("fox is finished")


def test_the_report_of_a_text_says_what_a_person_must_know(both: Pair) -> None:
    client, _ = both
    aozora = "吾輩《わがはい》は猫である。名前はまだ無い。\n［＃３字下げ］一［＃「一」は中見出し］\n" * 40
    head = (
        "吾輩は猫である\n夏目漱石\n\n"
        + "-" * 55
        + "\n【テキスト中に現れる記号について】\n\n《》：ルビ\n"
        + "-" * 55
        + "\n"
    )
    answer = client.post("/app/texts", params={"name": "猫.txt"}, content=(head + aozora).encode("cp932"))
    found = answer.json()
    source = found["sources"][0]
    assert "/" not in source["name"]
    assert (found["name"], source["encoding"], source["how"]) == ("猫.txt", "cp932", "guessed")
    assert (source["removed"]["library"], source["removed"]["readings"]) == ("Aozora Bunko", 40)
    assert "猫" in source["line"]
    assert found["characters"] == len(head + aozora)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0", "x.txt: has a NUL at offset 8"),
        (b"", "x.txt: is empty"),
        (bytes(range(1, 32)) * 20, "x.txt: 560 control characters; expected a text"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"a" * 100, "x.txt: "),
    ],
)
def test_an_upload_that_is_no_text_is_refused_and_removed(
    both: Pair, tmp_path: Path, content: bytes, says: str
) -> None:
    answer = both[0].post("/app/texts", params={"name": "x.txt"}, content=content)
    assert answer.status_code == 422
    error = error_of(answer)
    assert error["code"] == "no_text"
    assert error["message"].startswith(says)
    assert str(tmp_path) not in error["message"]
    assert not list((tmp_path / "models/.uploads").iterdir())


def test_an_upload_that_is_too_large_is_refused_and_removed(opened: Callable[..., Pair], tmp_path: Path) -> None:
    client, _ = opened(max_upload=1)
    assert client.post("/app/texts", content=b"a" * 1_000_001).status_code == 413
    pieces = (b"a" * 100_000 for _ in range(11))  # whose sum nobody has announced
    assert error_of(client.post("/app/texts", content=pieces))["code"] == "too_large"
    assert not list((tmp_path / "models/.uploads").iterdir())


def test_a_full_disk_is_told(both: Pair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(uploads, "SPARE", 10**18)
    answer = both[0].post("/app/texts", content=b"a text")
    assert (answer.status_code, error_of(answer)["code"]) == (507, "disk_full")
    assert not list((tmp_path / "models/.uploads").iterdir())


HOSTILE = [
    *("../../etc/passwd", "..\\..\\x.txt", "/etc/passwd", ".", "..", "", " ", "...", "\0", "a\0b.txt", "-o.txt"),
    *("\x1b[31m.txt", "a\nb.txt", "\u202etxt.exe", "x" * 5000, "猫" * 3000 + ".txt", "model.keras", "<b>.txt"),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_the_name_of_an_upload_leads_nowhere(name: str, tmp_path: Path) -> None:
    found = file_name(name)
    assert "/" not in found
    assert found not in ("", ".", "..")
    assert found.isprintable()
    (tmp_path / found).write_text("it can be one")
    assert (tmp_path / found).resolve().parent == tmp_path.resolve()


@pytest.mark.parametrize("name", [*HOSTILE, "a.keras", ".hidden", "a/b", "a.", "x" * 61, "a\u200bb"])
def test_no_run_has_a_hostile_name(both: Pair, name: str) -> None:
    client, trainings = both
    order = {"texts": [{"catalog": "macbeth"}], "minutes": 1, "name": name}
    answer = client.post("/app/runs", json=order)
    assert answer.status_code == 400
    assert error_of(answer)["param"] == "name"
    assert [path.name for path in trainings.folder.parent.rglob("*")] in ([], ["models"])


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..", ".uploads", "nothing", "a%00b", "x" * 3000, "%2fetc"])
def test_no_run_is_found_outside_of_the_folder(both: Pair, name: str) -> None:
    client, trainings = both
    trainings.folder.mkdir()
    (trainings.folder.parent / "model.keras").touch()  # makes a run of it
    (trainings.folder / ".uploads").mkdir()
    (trainings.folder / ".uploads/model.keras").touch()
    for answer in (client.get(f"/app/runs/{name}"), client.delete(f"/app/runs/{name}")):
        assert answer.status_code in (404, 405)
        error_of(answer)
    assert (trainings.folder.parent / "model.keras").exists()


@pytest.mark.parametrize(
    "change",
    [
        *({"texts": []}, {"texts": [{}]}, {"texts": [{"upload": "a", "catalog": "b"}]}, {"texts": "fox"}),
        *({"minutes": 0}, {"minutes": -1}, {"minutes": 1e9}, {"minutes": "1"}, {"minutes": None}, {"units": 0}),
        *({"strip": "yes"}, {"more": 1}, {"texts": [{"catalog": "macbeth"}] * 51}),
    ],
)
def test_wrong_orders_are_refused(both: Pair, change: dict[str, Any]) -> None:
    answer = both[0].post("/app/runs", json={"texts": [{"catalog": "macbeth"}], "minutes": 1} | change)
    assert answer.status_code == 400
    error_of(answer)
    assert not both[1].folder.exists()


@pytest.mark.parametrize("text", [{"upload": "../fox"}, {"upload": "0" * 16}, {"catalog": "../x"}, {"catalog": "no"}])
def test_texts_that_are_not_there_are_refused(both: Pair, text: dict[str, str]) -> None:
    answer = both[0].post("/app/runs", json={"texts": [text], "minutes": 1})
    assert (answer.status_code, error_of(answer)["code"]) == (404, "text_not_found")


def test_deleting_leaves_what_is_not_the_runs_own(both: Pair) -> None:
    client, trainings = both
    folder = trainings.folder / "mine"
    folder.mkdir(parents=True)
    for name in ("model.keras", "history.csv", "notes.txt"):
        (folder / name).touch()
    assert client.delete("/app/runs/mine").status_code == 200
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_an_order_that_someone_has_written_by_hand_reads_no_other_file(both: Pair) -> None:
    client, trainings = both
    folder = trainings.folder / "evil/training"
    folder.mkdir(parents=True)
    order = {"texts": [{"file": "1/../../../secret"}], "minutes": 1, "queued": 1.0}
    (folder / "order.json").write_text(json.dumps(order))
    trainings.tick()
    assert trainings._child is None
    assert client.get("/app/runs").json()["runs"][0]["state"] == "stopped"


def test_what_has_not_changed_is_not_sent_again(both: Pair) -> None:
    client, _ = both
    answer = client.get("/app/runs")
    assert answer.json() == {"runs": []}
    again = client.get("/app/runs", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_catalog_says_what_is_here(both: Pair) -> None:
    found = both[0].get("/app/catalog").json()
    assert {text["name"]: text["here"] for text in found} == {"macbeth": False, "tinyshakespeare": False}
    assert both[0].get("/app/catalog/nothing").status_code == 404


@pytest.mark.parametrize("named", [True, False])
def test_trainings_can_be_switched_off(run_folder: Path, tmp_path: Path, named: bool) -> None:
    options: dict[str, Any] = {} if named else {"folder": tmp_path, "training": False}
    with serving(*([run_folder] if named else []), **options) as (client, _):
        assert client.get("/app/settings").json()["training"] is False
        for method, path in (
            *(("GET", "/app/runs"), ("POST", "/app/runs"), ("POST", "/app/texts"), ("GET", "/app/catalog")),
            *(("POST", "/app/runs/a/stop"), ("DELETE", "/app/runs/a"), ("GET", "/app/catalog/macbeth")),
        ):
            answer = client.request(method, path)
            assert (answer.status_code, error_of(answer)["code"]) == (403, "training_off")
    assert not list(tmp_path.iterdir())


def test_host_origin_and_token_are_checked_here_too(opened: Callable[..., Pair]) -> None:
    client, trainings = opened(token="secret")
    assert client.post("/app/texts", content=b"a").status_code == 401
    bearer = {"Authorization": "Bearer secret"}
    assert client.get("/app/runs", headers=bearer).status_code == 200
    answer = client.post("/app/texts", content=b"a", headers=bearer | {"Origin": "https://evil.example"})
    assert (answer.status_code, error_of(answer)["code"]) == (403, "wrong_origin")
    assert not trainings.folder.exists()
