import json
import zipfile
from pathlib import Path

from tests.conftest import run


def test_info_tells_what_a_model_is(trained: Path) -> None:
    result = run("info", str(trained))
    assert result.returncode == 0
    rows = [line[:14].strip() for line in result.stdout.splitlines()]
    assert [row for row in rows if row] == [
        "file", "text", "vocabulary", "network", "parameters", "held-out loss", "training", "versions",
    ]  # fmt: skip
    assert "fox, 4,080 characters" in result.stdout
    assert r"31 symbols: \n ,.Tabcdefghijklmnopqrstuvwxyz" in result.stdout
    assert "2 × LSTM(48), embedding 64, dropout 0.0" in result.stdout
    assert " epochs in " in result.stdout


def test_json_is_the_description_as_stored(trained: Path) -> None:
    result = run("info", str(trained), "--json", LC_ALL="C", PYTHONUTF8="0")
    with zipfile.ZipFile(trained / "model.keras") as archive:
        assert json.loads(result.stdout) == json.loads(archive.read("textgen.json"))


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    result = run("info", str(tmp_path))
    assert result.returncode == 1
    assert "has no model.keras" in result.stderr
