"""The lessons in docs/lessons/ run from the first cell to the last, and are stored without output."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from tests.conftest import PROJECT

FOLDER = PROJECT / "docs" / "lessons"
LESSONS = sorted(FOLDER.glob("*.ipynb"))
LONG, SHORT = "QUICK = False", "QUICK = True"

each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


@each_lesson
def test_it_is_stored_without_output(path: Path) -> None:
    lesson = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(lesson)
    assert (lesson.nbformat, lesson.nbformat_minor) == (4, 5)
    for cell in lesson.cells:
        assert not cell.metadata, cell.id
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None), cell.id


@each_lesson
def test_the_contents_name_it(path: Path) -> None:
    title = re.match(r"# (.*)\n", nbformat.read(path, as_version=4).cells[0].source)[1]  # type: ignore[index]
    assert f"[{title}]({path.name})" in (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def kernel() -> Iterator[KernelManager]:
    """One process for all lessons, since TensorFlow takes seconds to start; each lesson begins without names."""
    manager = KernelManager(kernel_name="python3")
    yield manager
    if manager.has_kernel:
        manager.shutdown_kernel(now=True)


@pytest.mark.slow
@each_lesson
def test_it_runs(path: Path, kernel: KernelManager) -> None:
    lesson = nbformat.read(path, as_version=4)
    settings = next(cell for cell in lesson.cells if cell.cell_type == "code")
    assert settings.source.startswith(LONG)
    settings.source = f"%reset -f\n{settings.source.replace(LONG, SHORT)}"
    client = NotebookClient(lesson, km=kernel, timeout=300, resources={"metadata": {"path": str(FOLDER)}})
    client.execute()
    client.kc.stop_channels()
    outputs = [output for cell in lesson.cells if cell.cell_type == "code" for output in cell.outputs]
    printed = "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert "Warning" not in printed
    assert len(re.findall(r"\d\.\d", printed)) > 10
