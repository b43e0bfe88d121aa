"""What is installed elsewhere writes at once: the wheel carries the shipped model, and the kernel."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.kernel.test_library import needs_compiler
from textgen.kernel import library
from textgen.model_file import SHIPPED


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content."""
    (library.FOLDER / "kernel-0123456789abcdef-avx2.so").touch()  # of an older source
    wheels, folder = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("installed")
    build = ["hatchling", "build", "--target", "wheel", "--directory", str(wheels)]
    subprocess.run([sys.executable, "-m", *build], cwd=PROJECT, check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    install = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder), str(wheel)]
    subprocess.run([sys.executable, "-m", *install], check=True, capture_output=True)
    return folder


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
    assert done.stderr == f"{installed / 'textgen' / 'models' / SHIPPED}, --rng-seed 1\n"


@pytest.mark.slow
def test_the_library_loads_the_shipped_model(installed: Path) -> None:
    program = "import textgen; print(textgen.__file__); print(textgen.load().description.text.name)"
    file, name = run(installed, "-c", program).stdout.splitlines()
    assert Path(file) == installed / "textgen" / "__init__.py"
    assert name == "tinyshakespeare"
    assert (installed / "textgen" / "py.typed").is_file()  # so that a type checker believes the annotations


@needs_compiler
@pytest.mark.slow
def test_the_wheel_carries_the_kernel_and_no_older_one(installed: Path) -> None:
    folder = installed / "textgen" / "kernel"
    carried = {file.name for file in folder.glob("*.so")}
    assert carried == {library.path(level).name for level in library.LEVELS}
    assert run(installed, "-m", "textgen", "--version").stdout == run(PROJECT, "-m", "textgen", "--version").stdout
