"""The kernel as shared libraries: built when textgen is installed, loaded when first needed.

They are built for Linux on x86-64 (AVX2, AVX-512, AVX-512's bfloat16) and on aarch64, and for macOS on Apple silicon,
by whatever C compiler is at hand. Without one, or elsewhere, textgen takes NumPy's and TensorFlow's steps; so it does
where the environment variable TEXTGEN_KERNEL says `off`. The installation imports this module before anything else is
installed.
"""

import ctypes
import functools
import hashlib
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from textgen.errors import TextgenError
from textgen.machine import bfloat16, processor_flags

FOLDER = Path(__file__).parent
CHECK_SUMS = "kernel.sha256"  # of the libraries beside it, a line each
VARIABLE = "TEXTGEN_KERNEL"  # `off`, or the level to take instead of the fastest
ABI = 3  # of the functions and structures; vectors.h has the same number, and both change with any of them


class Level(NamedTuple):
    """An instruction set that a library is built for.

    Attributes:
        places: the systems and processors, by Python's names, on which it is built.
        flags: the CPU features that it needs, by Linux's names.
        options: of the compiler.
    """

    places: frozenset[tuple[str, str]]
    flags: frozenset[str] = frozenset()
    options: tuple[str, ...] = ()


_X86 = frozenset({("linux", "x86_64")})
_ARM = frozenset({("linux", "aarch64"), ("darwin", "arm64")})
_AVX2, _AVX512 = ("-mavx2", "-mfma"), ("-mavx512f", "-mavx512vl")
LEVELS = {  # the fastest first
    "avx512bf16": Level(
        _X86,
        frozenset({"avx2", "fma", "avx512f", "avx512vl", "avx512_bf16"}),
        (*_AVX2, *_AVX512, "-mavx512bf16"),
    ),
    "avx512": Level(_X86, frozenset({"avx2", "fma", "avx512f", "avx512vl"}), (*_AVX2, *_AVX512)),
    "avx2": Level(_X86, frozenset({"avx2", "fma"}), _AVX2),
    "neon": Level(_ARM),  # which every such processor has
}

_ADDRESS = ctypes.c_void_p
FUNCTIONS = {  # name → types of its arguments
    "textgen_step": (_ADDRESS, _ADDRESS, ctypes.c_int),
    "textgen_forward": (_ADDRESS,),
    "textgen_backward": (_ADDRESS,),
}


def levels() -> list[str]:
    """The levels that are built on this system, fastest first."""
    place = (sys.platform, platform.machine())
    return [name for name, level in LEVELS.items() if place in level.places]


def path(level: str) -> Path:
    """Where the library for a level is."""
    return FOLDER / f"kernel-{level}.so"


def build() -> list[Path]:
    """Compile the kernel for every level that this system has and the compiler knows, in the place of older libraries.

    Returns:
        The files made, the libraries and their checksums; none on a system that they are not written for.

    Raises:
        OSError: there is no C compiler.
        subprocess.CalledProcessError: it cannot compile the kernel for any level; `stderr` says why.
    """
    libraries, failures = [], []
    for level in levels():
        try:
            libraries.append(compile_for(level, path(level)))
        except subprocess.CalledProcessError as error:
            failures.append(error)
    if failures and not libraries:
        raise failures[-1]
    for old in set(FOLDER.glob("kernel-*.so")) - set(libraries):
        old.unlink(missing_ok=True)
    if not libraries:
        return []
    sums = FOLDER / CHECK_SUMS
    sums.write_text("".join(f"{_check_sum(library)}  {library.name}\n" for library in libraries), encoding="ascii")
    return [*libraries, sums]


def compile_for(level: str, target: Path, *options: str) -> Path:
    """Compile the kernel for one level with `CC`, or else `cc`."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    command = [*compiler, "-std=gnu11", "-O3", *LEVELS[level].options, "-shared", "-fPIC", *options]
    unfinished = target.with_name(f"{target.stem}-{os.getpid()}.tmp")
    try:
        sources = map(str, sorted(FOLDER.glob("*.c")))
        subprocess.run([*command, *sources, "-o", str(unfinished)], check=True, capture_output=True, text=True)
        unfinished.replace(target)  # a library that a process has loaded must not change under it
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def best_level() -> str | None:
    """The level of the library that is used, or None.

    Raises:
        TextgenError: TEXTGEN_KERNEL names a level that does not run here.
    """
    best = _best()
    return best[0] if best else None


def library() -> ctypes.CDLL | None:
    """The fastest library that runs on this machine, or the one that TEXTGEN_KERNEL names; None if there is none.

    Raises:
        TextgenError: TEXTGEN_KERNEL names a level that does not run here.
    """
    best = _best()
    return best[1] if best else None


@functools.cache
def _best() -> tuple[str, ctypes.CDLL] | None:
    wanted = os.environ.get(VARIABLE)
    if wanted == "off":
        return None
    for level in [wanted] if wanted else levels():
        if runs(level) and (loaded := load(level)):
            return level, loaded
    if wanted:
        raise TextgenError(
            f"{VARIABLE} is {wanted!r}, but no such kernel runs here; unset it, or set it to off or one of "
            f"{', '.join(filter(runs, LEVELS)) or 'none'}"
        )
    return None


def runs(level: str) -> bool:
    """Whether this CPU supports a level."""
    allowed = level != "avx512bf16" or bfloat16()  # one switch for the kernel's loops and TensorFlow's products
    return level in levels() and LEVELS[level].flags <= processor_flags() and allowed


def load(level: str) -> ctypes.CDLL | None:
    """The library for a level; None if it was not built, or was changed since."""
    try:
        if not _is_as_built(path(level)):
            return None
        loaded = ctypes.CDLL(str(path(level)))
        if ctypes.c_int.in_dll(loaded, "textgen_abi").value != ABI:
            return None
        for name, types in FUNCTIONS.items():
            function = getattr(loaded, name)
            function.argtypes, function.restype = types, None
    except (OSError, ValueError, AttributeError):  # it is missing, or lacks a number or a function
        return None
    return loaded


def _is_as_built(library: Path) -> bool:
    """Whether a library has the checksum that it was built with: one cut short would end the process."""
    sums = (library.parent / CHECK_SUMS).read_text(encoding="ascii").splitlines()
    return f"{_check_sum(library)}  {library.name}" in sums


def _check_sum(library: Path) -> str:
    return hashlib.sha256(library.read_bytes()).hexdigest()
