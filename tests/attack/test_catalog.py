"""Damaged catalogs: listed or refused, in printable lines."""

from pathlib import Path

import pytest

from tests.attack.harness import attempt, damaged
from tests.conftest import PROJECT

HOSTILE = [
    *("nan", "inf", "-1", "0", "9" * 309, "1e400", "true", '""', "[]", "{}", "1979-05-27", '"' + "x" * 10**6 + '"'),
    *(
        '"a\\u001b[2J\\n\\u202e"',
        '"\\u0000"',
        "[" * 2000 + "]" * 2000,
        "'''\n\x1b'''",
        '"https://127.0.0.1:1/\\n"',
        "@",
    ),
]


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "catalog.toml"
    monkeypatch.setenv("TEXTGEN_CATALOG", str(path))
    path.write_bytes((PROJECT / "corpora" / "catalog.toml").read_bytes())
    return path


def test_a_damaged_catalog_is_listed_or_refused(catalog: Path) -> None:
    for number, (case, content) in enumerate(damaged(catalog.read_bytes(), 120, seed=11)):
        catalog.write_bytes(content)
        attempt(case, "corpora", "list", *(["--json"] if number % 2 else []))


def test_hostile_values_of_a_catalog_are_listed_or_refused(catalog: Path) -> None:
    lines = catalog.read_text(encoding="utf-8").splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("["))
    for place in range(first, min(first + 12, len(lines))):
        key, equals, _ = lines[place].partition(" = ")
        for number, value in enumerate(HOSTILE):
            line = f"{key} = {value}" if equals else f"[{value}]"
            catalog.write_text("\n".join([*lines[:place], line, *lines[place + 1 :]]), encoding="utf-8")
            attempt(f"{key} is {value[:80]!r}", "corpora", "list", *(["--json"] if number % 2 else []))
