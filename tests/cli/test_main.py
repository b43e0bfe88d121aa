import os
import signal
import subprocess
from pathlib import Path

import click
import pytest

from tests.conftest import COMMAND, run
from textgen.cli import group
from textgen.cli.corpora import command as corpora
from textgen.kernel.library import best_level


def test_help_lists_the_commands() -> None:
    result = run("--help")
    assert result.returncode == 0
    assert result.stdout.startswith("Usage: textgen ")
    for command in ("train", "generate", "info"):
        assert f"  {command} " in result.stdout


@pytest.mark.parametrize("command", [group, corpora])
def test_no_summary_of_a_command_is_cut(command: click.Group) -> None:
    shown = command.get_help(click.Context(command, terminal_width=50))
    assert "..." not in shown[shown.index("Commands:") :]


def test_an_unknown_command_is_wrong_usage() -> None:
    result = run("paint")
    assert result.returncode == 2
    assert "No such command 'paint'" in result.stderr


def test_the_version_is_told_and_the_kernel() -> None:
    import textgen

    version, kernel = run("--version").stdout.splitlines()
    assert version == f"textgen, version {textgen.__version__}"
    assert (
        kernel == f"kernel: {best_level() or 'none, so training and generating are slower; see Install in the README'}"
    )


def test_an_interruption_while_modules_are_imported_is_silent(tmp_path: Path) -> None:
    """The first import of what is not Python's own is made to interrupt the process, as Ctrl-C might."""
    (tmp_path / "click.py").write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(5)\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    ended = subprocess.run([*COMMAND, "--help"], env=environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, b"", b"")
