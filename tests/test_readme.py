"""Every command and program of the README runs, with training cut to seconds; its translation has the same ones."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT

README, TRANSLATION = ((PROJECT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ja.md"))
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
COMMENT = r"(?m) +# .*$"  # those of a translation are translated
SECONDS = "0.1"  # the minutes that a training gets here
LEFT_OUT = ("./scripts/demo", "./scripts/test")  # they set up an environment; this is run by one of them


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line]
    return [line for line in lines if not line.startswith(LEFT_OUT)]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(PROJECT / "corpora", folder / "corpora")
    return folder


def execute(arguments: list[str] | str, clone: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        arguments,
        shell=isinstance(arguments, str),
        cwd=clone,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_commands_run_in_their_order(clone: Path) -> None:
    found = commands()
    assert sum(line.startswith("textgen train") for line in found) >= 1
    assert len(found) >= 5
    for line in found:
        output = execute(re.sub(r"--minutes \S+", f"--minutes {SECONDS}", line), clone)
        if line.startswith("textgen train"):
            continue
        written = re.search(r" -o (\S+)", line)
        assert (clone / written[1]).stat().st_size if written else output, line


@pytest.mark.slow
def test_the_programs_run(clone: Path) -> None:
    for program in blocks("python"):
        short = re.sub(r"minutes=[\d.]+", f"minutes={SECONDS}", program)
        assert short != program
        assert len(execute([sys.executable, "-c", short], clone)) > 300


def test_the_translation_has_the_same_commands_programs_and_sample() -> None:
    ours, theirs = (re.sub(COMMENT, "", "".join(re.findall(FENCED, text))) for text in (README, TRANSLATION))
    assert len(ours) > 2500
    assert theirs == ours


def test_the_translation_names_the_same_options_pictures_and_documents() -> None:
    for pattern in (r"(?<![\w-])--[a-z][\w-]*", r"docs/images/\w+\.png", r"\]\((?!README)([^)]+)\)"):
        assert set(re.findall(pattern, TRANSLATION)) == set(re.findall(pattern, README))


@pytest.mark.parametrize("text", [README, TRANSLATION], ids=["English", "Japanese"])
def test_links_lead_to_files(text: str) -> None:
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert {"README.md", "README.ja.md"} & set(links)
    for target in links:
        assert target.startswith("http") or (PROJECT / target).exists(), target
