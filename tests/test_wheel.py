"""What is installed elsewhere writes at once: the wheel carries the shipped model, and the kernel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT, TEXT
from tests.kernel.test_library import needs_compiler
from textgen.corpus.catalog import catalog_path, read_catalog
from textgen.kernel import library
from textgen.model_file import SHIPPED


def installation(place: Path, **environment: str) -> Path:
    """A folder with the content of a wheel, which is built in a copy of the project."""
    source = place / "source"
    for name in ("textgen", "corpora", "scripts"):
        shutil.copytree(PROJECT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "kernel[-.]*"))
    for name in ("pyproject.toml", "README.md", "LICENSE", f"models/{SHIPPED}"):
        (source / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, source / name)
    (source / "textgen" / "kernel" / "kernel-of-an-older-textgen.so").touch()
    build = ["hatchling", "build", "--target", "wheel", "--directory", str(place)]
    subprocess.run(
        [sys.executable, "-m", *build], cwd=source, env=os.environ | environment, check=True, capture_output=True
    )
    (wheel,) = place.glob("*.whl")
    install = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(place / "installed"), str(wheel)]
    subprocess.run([sys.executable, "-m", *install], check=True, capture_output=True)
    return place / "installed"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a machine with a C compiler installs, if this is one."""
    return installation(tmp_path_factory.mktemp("wheel"))


def run(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, *words], cwd=installed, env=environment, capture_output=True, text=True, check=True
    )


@pytest.mark.slow
def test_the_installed_wheel_writes_with_its_own_model(installed: Path) -> None:
    done = run(installed, "-m", "textgen", "generate", "--seed", "ROMEO:", "--length", "200", "--rng-seed", "1")
    assert done.stdout.startswith("ROMEO:")
    assert len(done.stdout) == len("ROMEO:") + 200 + 1
    assert done.stderr == f"model {installed / 'textgen' / 'models' / SHIPPED}, --rng-seed 1\n"


@pytest.mark.slow
def test_the_library_loads_the_shipped_model(installed: Path) -> None:
    program = "import textgen; print(textgen.__file__); print(textgen.load().description.text.name)"
    file, name = run(installed, "-c", program).stdout.splitlines()
    assert Path(file) == installed / "textgen" / "__init__.py"
    assert name == "tinyshakespeare"
    assert (installed / "textgen" / "py.typed").is_file()  # so that a type checker believes the annotations


@pytest.mark.slow
def test_the_wheel_carries_the_catalog_where_it_is_looked_for(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textgen.bundled.PACKAGE", installed / "textgen")
    assert catalog_path() == installed / "textgen" / "corpora" / "catalog.toml"
    assert list(read_catalog()) == ["macbeth", "tinyshakespeare"]


@pytest.mark.slow
def test_the_wheel_carries_the_parts_of_its_pages(installed: Path) -> None:
    names = {path.name for path in (PROJECT / "textgen" / "page").iterdir() if path.suffix in {".html", ".css", ".js"}}
    assert names
    assert names <= {path.name for path in (installed / "textgen" / "page").iterdir()}
    program = "from textgen.page.tinted import Tinted, page; print(page(Tinted('a title', 'a text')))"
    assert "<title>a title</title>" in run(installed, "-c", program).stdout


@needs_compiler
@pytest.mark.slow
def test_the_wheel_carries_the_kernel_and_no_older_one(installed: Path) -> None:
    folder = installed / "textgen" / "kernel"
    carried = {file.name for file in folder.iterdir()} - {file.name for file in library.FOLDER.glob("*.[pch]*")}
    assert carried - {"__pycache__"} == {*(library.path(level).name for level in library.levels()), library.CHECK_SUMS}
    assert run(installed, "-m", "textgen", "--version").stdout == run(PROJECT, "-m", "textgen", "--version").stdout


@pytest.mark.slow
def test_without_a_compiler_everything_works_and_training_says_that_it_is_slower(tmp_path: Path) -> None:
    installed = installation(tmp_path, CC="false")
    assert [wheel.name.endswith("-py3-none-any.whl") for wheel in tmp_path.glob("*.whl")] == [True]
    assert "kernel: none" in run(installed, "-m", "textgen", "--version").stdout
    (installed / "fox.txt").write_text(TEXT * 20)
    words = "train fox.txt -o fox --epochs 1 --units 8 --batch-size 4".split()
    done = run(installed, "-m", "textgen", *words)
    assert done.stderr.count("no compiled kernel") == 1
    assert run(installed, "-m", "textgen", "generate", "fox", "--seed", "The ", "--length", "9").stdout[:4] == "The "
