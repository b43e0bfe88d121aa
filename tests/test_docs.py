"""docs/commands.md shows what --help prints."""

import re

import pytest

from tests.conftest import PROJECT, run
from textgen.cli import COMMANDS
from textgen.cli.corpora import command as corpora

PAGE = (PROJECT / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["", *COMMANDS, *(f"corpora {name}" for name in corpora.commands)])
def test_the_page_shows_the_real_help(command: str) -> None:
    words = [*command.split(), "--help"]
    shown = re.search(rf"^```\n\$ textgen {' '.join(words)}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shown, f"docs/commands.md lacks textgen {command}"
    assert shown[1] == run(*words, COLUMNS="80").stdout
