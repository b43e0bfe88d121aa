"""The pages of docs/ agree with the program."""

import re
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from tests.conftest import PROJECT, in_process, run
from textgen.cli import COMMANDS
from textgen.cli.corpora import command as corpora
from textgen.cli.progress import NAMES

UNATTENDED = (PROJECT / "docs" / "unattended.md").read_text(encoding="utf-8")
COMING_FROM = (PROJECT / "docs" / "coming-from.md").read_text(encoding="utf-8")
PAGE = (PROJECT / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["", *COMMANDS, *(f"corpora {name}" for name in corpora.commands)])
def test_the_page_shows_the_real_help(command: str) -> None:
    words = [*command.split(), "--help"]
    shown = re.search(rf"^```\n\$ textgen {' '.join(words)}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shown, f"docs/commands.md lacks textgen {command}"
    assert shown[1] == run(*words, COLUMNS="80").stdout


@pytest.mark.parametrize(
    "term",
    [
        *("batch", "epochs", "wall-clock", "early stopping", "validation loss", "held out", "hidden units", "dropout"),
        *("sequence length", "embedding dimension", "learning rate", "fine-tune", "checkpoint", "random seed"),
        *("seed phrase", "temperature", "nucleus", "greedy", "log-probability", "cross-entropy", "perplexity"),
    ],
)
def test_the_field_s_terms_are_found_in_the_help(term: str) -> None:
    assert term in " ".join(PAGE.lower().split())


def test_the_events_have_the_fields_that_are_listed() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (`.*) \|$", UNATTENDED, re.MULTILINE)
    assert {name: re.findall(r"`(\w+)`", names) for name, names in rows} == {
        name: [field.name for field in fields(kind)] for kind, name in NAMES.items()
    }


def test_options_on_the_pages_are_options() -> None:
    known = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", PAGE))
    ours = [row.split(" | ")[-1] for row in re.findall(r"^\| (.+) \|$", COMING_FROM, re.MULTILINE)]
    commands = re.findall(r"^ *(?:exec )?(?:\S*/)?textgen .*$", UNATTENDED, re.MULTILINE)
    assert len(ours) > 60
    assert len(commands) > 3
    for line in [*ours, *commands]:
        found = re.findall(r"(?<![\w-])--[a-z][\w-]*", line.split(" | grep")[0])
        assert set(found) <= known, line


def test_a_name_of_another_program_is_told_as_the_page_says() -> None:
    typed, told = re.search(r"`textgen (.*)`: \"(.*)\"", COMING_FROM).groups()  # type: ignore[union-attr]
    assert told in in_process(*typed.split())[2]


@pytest.mark.parametrize(
    ("left", "called"),
    [
        ([], "train texts/play.txt -o models/play --epochs 50 --quiet\n"),
        (["checkpoint"], "train --resume -o models/play --quiet\n"),
        (["checkpoint.previous", "model.keras"], "train --resume -o models/play --quiet\n"),
        (["model.keras"], ""),
    ],
)
def test_the_script_that_is_run_again_and_again(tmp_path: Path, left: list[str], called: str) -> None:
    (script,) = re.findall(r"^```sh\n(#!/bin/sh.*?)^```$", UNATTENDED, re.MULTILINE | re.DOTALL)
    (tmp_path / "models" / "play").mkdir(parents=True)
    for name in left:
        (tmp_path / "models" / "play" / name).touch()
    textgen = tmp_path / "textgen"
    textgen.write_text('#!/bin/sh\necho "$@"\n')
    textgen.chmod(0o755)
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    assert subprocess.check_output(["sh", "-c", script], cwd=tmp_path, env=path, text=True) == called
