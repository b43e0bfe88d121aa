import sys
from pathlib import Path

import pytest

from tests.conftest import run_here
from tests.serving.conftest import model_file


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["--host", "0.0.0.0"],
            "--host 0.0.0.0 lets other machines in: give a --token (or TEXTGEN_TOKEN), or --insecure",
        ),
        (["--host", "::"], "lets other machines in"),
        (["--host", "example.org"], "lets other machines in"),
        (["--host", ""], "lets other machines in"),
        (["--port", "65536"], "expected a whole number from 0 to 65,535, not '65536'."),
        (["--token", "two words"], "expected 1 to 500 printable ASCII characters without spaces."),
        (["--token", ""], "expected 1 to 500 printable ASCII characters"),
        (["--allow-origin", "*"], "expected an origin such as https://example.org, or null, not '*'."),
        (["--allow-origin", "https://example.org/"], "expected an origin"),
        (["--allow-origin", "http://["], "expected an origin"),
        (["--streams", "0"], "expected a whole number from 1 to 4,096"),
        (["--timeout", "nan"], "expected a number above 0"),
    ],
)
def test_wrong_usage(arguments: list[str], told: str) -> None:
    result = run_here("serve", *arguments)
    assert result.returncode == 2
    assert told in result.stderr


def test_models_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("no model")
    for path, told in (("text.txt", "is a text, not a model"), ("none", "no such model"), (".", "has no model.keras")):
        result = run_here("serve", path, cwd=tmp_path)
        assert result.returncode == 1
        assert told in result.stderr
        assert result.stderr.count("\n") == 1


def test_two_models_of_one_name(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "play").mkdir(parents=True)
        (tmp_path / name / "play" / "model.keras").write_bytes(model_file())
    result = run_here("serve", "a/play", "b/play", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr == (
        "textgen: error: b/play: another model is called play too; rename its folder or its file\n"
    )


def test_an_address_that_is_none() -> None:
    result = run_here("serve", "--host", "no.such.host.invalid", "--insecure")
    assert result.returncode == 1
    assert "no.such.host.invalid:8000: cannot be served" in result.stderr


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("fastapi", "textgen.serving."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)  # cannot be imported
    result = run_here("serve")
    assert result.returncode == 1
    assert result.stderr == (
        "textgen: error: textgen serve needs fastapi, which is not installed; run pip install 'textgen-lstm[serve]', "
        "or in a clone pip install '.[serve]'\n"
    )
