"""The kernel is built where it can be, and found."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from textgen.errors import TextgenError
from textgen.kernel import library as kernel

FOR_THIS_SYSTEM = bool(kernel.levels())
HAS_COMPILER = shutil.which("cc") is not None

needs_compiler = pytest.mark.skipif(
    not (FOR_THIS_SYSTEM and HAS_COMPILER), reason="no C compiler, or a system without kernels"
)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the kernel's sources, whose libraries come beside them."""
    for source in kernel.FOLDER.glob("*.[ch]"):
        shutil.copy(source, tmp_path)
    monkeypatch.setattr(kernel, "FOLDER", tmp_path)
    monkeypatch.delenv("CC", raising=False)
    return tmp_path


@pytest.fixture(scope="module")
def all_levels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All that a build makes, which takes seconds, in a folder where there is an older library."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("built")
        for source in kernel.FOLDER.glob("*.[ch]"):
            shutil.copy(source, folder)
        patch.setattr(kernel, "FOLDER", folder)
        patch.delenv("CC", raising=False)
        (folder / "kernel-of-an-older-textgen.so").touch()
        return kernel.build()


@pytest.fixture
def built(elsewhere: Path, all_levels: list[Path]) -> Path:
    """A copy of the kernel's sources with the libraries beside them."""
    for file in all_levels:
        shutil.copy(file, elsewhere)
    return elsewhere


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
    monkeypatch.setattr(kernel, "processor_flags", lambda: frozenset(kernel.LEVELS[level].flags | {"sse2"}))
    monkeypatch.setattr(kernel, "bfloat16", lambda: True)


@needs_compiler
@pytest.mark.skipif(not any(map(kernel.runs, kernel.LEVELS)), reason="the processor has no level")
def test_the_installation_has_built_it() -> None:
    assert kernel.library() is not None, "install textgen again: ./scripts/test does when its sources have changed"


@needs_compiler
@pytest.mark.parametrize("level", kernel.levels())
def test_the_compiler_has_nothing_to_complain_of(level: str, tmp_path: Path) -> None:
    kernel.compile_for(level, tmp_path / "kernel.so", "-Wall", "-Wextra", "-Wpedantic", "-Werror")


@needs_compiler
def test_a_build_takes_the_place_of_older_ones(all_levels: list[Path]) -> None:
    assert [file.name for file in all_levels] == [
        *(kernel.path(level).name for level in kernel.levels()),
        "kernel.sha256",
    ]
    assert libraries(all_levels[0].parent) == set(all_levels)


@needs_compiler
@pytest.mark.parametrize("level", kernel.levels())
def test_the_fastest_that_the_processor_runs_is_loaded(
    level: str, built: Path, anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    real = ctypes.CDLL
    monkeypatch.setattr(ctypes, "CDLL", lambda path: loaded.append(path) or real(path))
    pretend(level, monkeypatch)
    assert kernel.library() is not None
    assert loaded == [str(kernel.path(level))]
    assert kernel.best_level() == level


@needs_compiler
def test_who_does_without_bfloat16_gets_a_kernel_without_it(
    built: Path, anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    assert kernel.build() == [kernel.path("avx2"), elsewhere / kernel.CHECK_SUMS]
    pretend("avx512bf16", monkeypatch)
    assert kernel.best_level() == "avx2"


def test_a_processor_without_avx2_gets_none(anew: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "processor_flags", lambda: frozenset({"avx", "sse2"}))
    assert kernel.best_level() is None
    assert kernel.library() is None


@needs_compiler
@pytest.mark.parametrize("damage", ["cut short", "of another text", "of another program", "without checksums"])
def test_a_library_that_is_not_what_was_built_is_passed_over(
    damage: str, built: Path, anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    level = kernel.levels()[-1]
    pretend(level, monkeypatch)
    file, sums = kernel.path(level), built / kernel.CHECK_SUMS
    content = file.read_bytes()
    if damage == "without checksums":
        file.write_bytes(content)
        sums.unlink()
    elif damage == "cut short":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "of another text":
        file.write_bytes(b"no library")
        sums.write_text(f"{kernel._check_sum(file)}  {file.name}\n")
    else:
        (built / "other.c").write_text("int other;\n")
        subprocess.run(["cc", "-shared", "-fPIC", str(built / "other.c"), "-o", str(file)], check=True)
        sums.write_text(f"{kernel._check_sum(file)}  {file.name}\n")
    assert kernel.load(level) is None


@needs_compiler
def test_a_library_with_another_interface_is_not_loaded(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernel.load(kernel.levels()[-1]) is not None
    monkeypatch.setattr(kernel, "ABI", kernel.ABI + 1)
    assert kernel.load(kernel.levels()[-1]) is None


@needs_compiler
def test_the_environment_chooses_a_level_or_none(anew: None, monkeypatch: pytest.MonkeyPatch) -> None:
    slowest = [level for level in kernel.levels() if kernel.runs(level)][-1]
    for wanted, best in {slowest: slowest, "off": None}.items():
        monkeypatch.setenv(kernel.VARIABLE, wanted)
        kernel._best.cache_clear()
        assert kernel.best_level() == best
        assert (kernel.library() is None) == (best is None)


@pytest.mark.parametrize("wanted", ["avx3", "avx512"])
def test_a_level_that_does_not_run_here_is_refused(wanted: str, anew: None, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend("avx2", monkeypatch)
    monkeypatch.setenv(kernel.VARIABLE, wanted)
    with pytest.raises(TextgenError, match=f"TEXTGEN_KERNEL is '{wanted}', but no such kernel runs here; unset it, or"):
        kernel.library()


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
    (elsewhere / "training.c").unlink()
    (elsewhere / "writing.c").write_text("this is not C\n", encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        kernel.build()
    assert "writing.c" in failed.value.stderr


def test_other_systems_build_nothing(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel.platform, "machine", lambda: "riscv64")
    assert kernel.build() == []


@pytest.mark.parametrize(("system", "processor"), [("linux", "aarch64"), ("darwin", "arm64")])
def test_arm_has_a_level_of_its_own(system: str, processor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel.sys, "platform", system)
    monkeypatch.setattr(kernel.platform, "machine", lambda: processor)
    assert kernel.levels() == ["neon"]
    assert kernel.runs("neon")
    assert not kernel.runs("avx2")
