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
    kernel._best.cache_clear()
    yield
    kernel._best.cache_clear()


def pretend(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor is of this level."""
    monkeypatch.setattr(kernel, "processor_flags", lambda: frozenset(kernel.LEVELS[level][0] | {"sse2"}))
    monkeypatch.setattr(kernel, "bfloat16", lambda: True)


@needs_compiler
@pytest.mark.skipif(not kernel.LEVELS["avx2"][0] <= kernel.processor_flags(), reason="the processor has no AVX2")
def test_the_installation_has_built_it() -> None:
    assert kernel.library() is not None, "install textgen again: ./scripts/test does when its sources have changed"


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
    pretend(level, monkeypatch)
    assert kernel.library() is not None
    assert loaded == [str(kernel.path(level))]
    assert kernel.best_level() == level


@needs_compiler
def test_who_does_without_bfloat16_gets_a_kernel_without_it(
    elsewhere: Path, anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.build()
    pretend("avx512bf16", monkeypatch)
    monkeypatch.setattr(kernel, "bfloat16", lambda: False)
    assert kernel.best_level() == "avx512"


@needs_compiler
def test_a_compiler_that_knows_no_avx512_still_gives_the_other_kernel(
    elsewhere: Path, anew: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old-cc"
    old.write_text(
        '#!/bin/sh\ncase "$*" in *avx512*) echo unknown >&2; exit 1;; esac\nexec cc "$@"\n', encoding="utf-8"
    )
    old.chmod(0o755)
    monkeypatch.setenv("CC", str(old))
    assert kernel.build() == [kernel.path("avx2")]
    pretend("avx512bf16", monkeypatch)
    assert kernel.best_level() == "avx2"


def test_a_processor_without_avx2_gets_none(anew: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "processor_flags", lambda: frozenset({"avx", "sse2"}))
    assert kernel.best_level() is None
    assert kernel.library() is None


@needs_compiler
def test_a_library_of_another_source_is_not_loaded(
    elsewhere: Path, anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.build()
    pretend("avx2", monkeypatch)
    assert kernel.best_level() == "avx2"
    kernel._best.cache_clear()
    with (elsewhere / "vectors.h").open("a", encoding="utf-8") as header:
        header.write("/* changed */\n")
    assert kernel.best_level() is None


def test_a_damaged_library_is_passed_over(elsewhere: Path, anew: None, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.path("avx2").write_bytes(b"no library")
    pretend("avx2", monkeypatch)
    assert kernel.best_level() is None


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


@needs_compiler
def test_a_failed_build_tells_what_the_compiler_said(elsewhere: Path) -> None:
    (elsewhere / "writing.c").write_text("this is not C\n", encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        kernel.build()
    assert "writing.c" in failed.value.stderr


def test_other_systems_build_nothing(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel.platform, "machine", lambda: "arm64")
    assert kernel.build() == []
