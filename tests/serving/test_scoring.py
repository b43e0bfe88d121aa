"""What a model predicts at each character of a text."""

import math
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serving.conftest import error_of, model_file, serving
from textgen import Generator, score

TEXT = "The quick brown fox jumps over the lazy dog,\nand the dog sleeps on. "


def asked(client: TestClient, text: str, **fields: Any) -> list[dict[str, Any]]:
    answer = client.post("/v1/score", json={"model": "play", "text": text} | fields)
    assert answer.status_code == 200, answer.text
    return answer.json()["characters"]


def test_it_is_what_the_library_finds(client: TestClient, run_folder: Path, writer: Generator) -> None:
    expected = score(run_folder, text=TEXT, likeliest=3)
    found = asked(client, TEXT, likeliest=3)
    assert "".join(character["symbol"] for character in found) == TEXT
    assert found[0] == {"symbol": "T", "bits": None, "rank": None, "entropy": None, "likeliest": []}
    for place, character in enumerate(found[1:], 1):
        assert character["bits"] == pytest.approx(expected.bits[place], abs=1e-3)
        assert character["rank"] == expected.rank[place]
        assert character["entropy"] == pytest.approx(expected.entropy[place], abs=1e-3)
        assert [symbol for symbol, _ in character["likeliest"]] == expected.likeliest[place].tolist()
    shares = writer.predict(TEXT[:10])
    assert dict(found[10]["likeliest"]) == pytest.approx(dict(list(shares.items())[:3]), abs=1e-4)
    assert 2 ** -found[10]["bits"] == pytest.approx(shares[TEXT[10]], abs=1e-4)


def test_the_mean_is_told_and_a_long_text_read(client: TestClient) -> None:
    answer = client.post("/v1/score", json={"model": "play", "text": TEXT * 50}).json()
    bits = [character["bits"] for character in answer["characters"][1:]]
    assert answer["bits_per_character"] == pytest.approx(sum(bits) / len(bits))
    assert len(answer["characters"]) == 50 * len(TEXT)
    assert client.post("/v1/score", json={"model": "play", "text": "T"}).json()["bits_per_character"] is None
    assert asked(client, "") == []


def test_characters_that_the_model_does_not_know_are_not_read(client: TestClient) -> None:
    without = asked(client, "The fox")
    found = asked(client, "Tβhe日 fox")
    assert [character["bits"] for character in found if character["symbol"] in "β日"] == [None, None]
    assert [character for character in found if character["symbol"] not in "β日"] == without
    assert asked(client, "日本")[0]["bits"] is None


def test_each_character_of_the_text_is_told_even_if_they_are_read_as_one(tmp_path: Path) -> None:
    path = tmp_path / "play.keras"
    path.write_bytes(model_file("café \n", unicode="nfc"))
    with serving(path) as (client, _):
        found = asked(client, "cafe\u0301 f")
        assert [character["symbol"] for character in found] == [*"cafe\u0301 f"]
        composed = asked(client, "café f")
        assert found[3] | {"symbol": "é"} == composed[3]
        assert found[4]["bits"] is None
        assert found[6] == composed[5]


def test_one_character_that_is_read_as_several(tmp_path: Path) -> None:
    path = tmp_path / "play.keras"
    path.write_bytes(model_file("abc. \n", unicode="nfkc"))
    with serving(path) as (client, _):
        (_, dots, last), (_, *single, other) = asked(client, "a…b"), asked(client, "a...b")
        assert dots["bits"] == pytest.approx(sum(character["bits"] for character in single))
        assert dots["rank"] == single[0]["rank"]
        assert last == other


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"text": "a" * 20_001}, "text"),
        ({"text": None}, "text"),
        ({"text": "a", "likeliest": 21}, "likeliest"),
        ({"text": "e" + "\u0301" * 19_000}, "text"),
        ({}, "text"),
        ({"text": "a", "surprise": 1}, "surprise"),
    ],
)
def test_what_is_wrong_is_refused(client: TestClient, fields: dict[str, Any], param: str) -> None:
    answer = client.post("/v1/score", json={"model": "play"} | fields)
    assert answer.status_code == 400
    assert error_of(answer)["param"] == param


def test_what_can_never_come_has_no_bits(tmp_path: Path) -> None:
    path = tmp_path / "play.keras"
    path.write_bytes(model_file("ab\ufffd\n", replacement="\ufffd"))
    with serving(path) as (client, _):
        found = asked(client, "aßb")
        assert found[1]["bits"] is None
        assert math.isfinite(found[2]["bits"])


def test_what_replaces_rare_characters_is_read_whatever_else_is_normalised(tmp_path: Path) -> None:
    path = tmp_path / "play.keras"
    path.write_bytes(model_file("caféx\ufffd\n", unicode="nfc", replacement="\ufffd"))
    with serving(path) as (client, _):
        composed, found = asked(client, "éßxc"), asked(client, "e\u0301ßxc")
        assert found[3:] == composed[2:]
