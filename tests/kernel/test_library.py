"""The kernel is built where it can be, and found."""

import ctypes
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from textgen.kernel import library as kernel

FOR_THIS_SYSTEM = sys.platform == "linux" and platform.machine() == "x86_64"
HAS_COMPILER = shutil.which("cc") is not None

needs_compiler = pytest.mark.skipif(
    not (FOR_THIS_SYSTEM and HAS_COMPILER), reason="no C compiler, or not Linux on x86-64"
)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the kernel's sources, whose libraries come beside them."""
    for source in kernel.FOLDER.glob("*.[ch]"):
        shutil.copy(source, tmp_path)
    monkeypatch.setattr(kernel, "FOLDER", tmp_path)
    monkeypatch.delenv("CC", raising=False)
    return tmp_path


def libraries(folder: Path) -> set[Path]:
    return {file for file in folder.iterdir() if file.suffix not in (".c", ".h")}


@pytest.fixture
def anew() -> None:
    """`library` looks again, now and afterwards."""
    kernel.library.cache_clear()
    yield
    kernel.library.cache_clear()


@needs_compiler
@pytest.mark.skipif(not kernel.LEVELS["avx2"][0] <= kernel.processor_flags(), reason="the processor has no AVX2")
def test_the_installation_has_built_it() -> None:
    assert kernel.library() is not None, "remove .venv and run ./scripts/test again"


@needs_compiler
@pytest.mark.parametrize("level", kernel.LEVELS)
def test_the_compiler_has_nothing_to_complain_of(level: str, tmp_path: Path) -> None:
    kernel.compile_for(level, tmp_path / "kernel.so", "-Wall", "-Wextra", "-Wpedantic", "-Werror")


@needs_compiler
def test_a_build_takes_the_place_of_older_ones(elsewhere: Path) -> None:
    (elsewhere / "kernel-0123456789abcdef-avx2.so").touch()
    built = kernel.build()
    assert built == [kernel.path(level) for level in kernel.LEVELS]
    assert libraries(elsewhere) == set(built)


@needs_compiler
@pytest.mark.parametrize("level", kernel.LEVELS)
def test_the_fastest_that_the_processor_runs_is_loaded(
    level: str, elsewhere: Path, anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.build()
    loaded = []
    real = ctypes.CDLL
    monkeypatch.setattr(ctypes, "CDLL", lambda path: loaded.append(path) or real(path))
    monkeypatch.setattr(kernel, "processor_flags", lambda: kernel.LEVELS[level][0] | {"sse2"})
    assert kernel.library() is not None
    assert loaded == [str(kernel.path(level))]


def test_a_processor_without_avx2_gets_none(anew: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "processor_flags", lambda: frozenset({"avx", "sse2"}))
    assert kernel.best_level() is None
    assert kernel.library() is None


def test_a_library_of_another_source_is_not_loaded(elsewhere: Path, anew: None) -> None:
    for level in kernel.LEVELS:
        kernel.path(level).write_bytes(b"older")
    with (elsewhere / "vectors.h").open("a", encoding="utf-8") as header:
        header.write("/* changed */\n")
    assert kernel.library() is None


@pytest.mark.skipif(not FOR_THIS_SYSTEM, reason="not Linux on x86-64")
@pytest.mark.parametrize(
    ("compiler", "error"), [("no-such-compiler", OSError), ("false", subprocess.CalledProcessError)]
)
def test_a_build_without_a_working_compiler_says_so_and_leaves_nothing(
    compiler: str, error: type[Exception], elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", compiler)
    with pytest.raises(error):
        kernel.build()
    assert libraries(elsewhere) == set()


def test_other_systems_build_nothing(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel.platform, "machine", lambda: "arm64")
    assert kernel.build() == []
