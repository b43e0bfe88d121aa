"""The steps in C as shared libraries: built when textgen is installed, loaded when they are first needed.

They are built on Linux, for x86-64 processors with AVX2, AVX-512 and AVX-512's bfloat16, by whatever C compiler is at
hand. Without one, or elsewhere, textgen takes NumPy's and TensorFlow's steps. The installation imports this module
before anything else is installed.
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

from textgen.machine import bfloat16, processor_flags

FOLDER = Path(__file__).parent
_AVX2, _AVX512 = ("-mavx2", "-mfma"), ("-mavx512f", "-mavx512vl")
LEVELS = {  # the fastest first; what the processor must have, by Linux's names, and what the compiler is told
    "avx512bf16": ({"avx2", "fma", "avx512f", "avx512vl", "avx512_bf16"}, (*_AVX2, *_AVX512, "-mavx512bf16")),
    "avx512": ({"avx2", "fma", "avx512f", "avx512vl"}, (*_AVX2, *_AVX512)),
    "avx2": ({"avx2", "fma"}, _AVX2),
}

_SIZE, _ADDRESS = ctypes.c_ssize_t, ctypes.c_void_p
FUNCTIONS = {  # name → types of its arguments
    "textgen_step": (_ADDRESS, _ADDRESS, ctypes.c_int),
    "textgen_forward": (_SIZE,) * 3 + (_ADDRESS,) * 8,
    "textgen_backward": (_SIZE,) * 3 + (_ADDRESS,) * 9,
}


def path(level: str) -> Path:
    """Where the library for a level is; its name has a hash of what it is made from, so that no other is loaded."""
    made_from = [source.read_bytes() for source in sorted(FOLDER.glob("*.[ch]"))] + [repr(LEVELS[level][1]).encode()]
    return FOLDER / f"kernel-{hashlib.sha256(b''.join(made_from)).hexdigest()[:16]}-{level}.so"


def build() -> list[Path]:
    """Compile the kernel for every level that the compiler knows, in the place of older libraries.

    Returns:
        The libraries; none on a system that they are not written for.

    Raises:
        OSError: there is no C compiler.
        subprocess.CalledProcessError: it cannot compile the kernel for any level; `stderr` says why.
    """
    if not (sys.platform == "linux" and platform.machine() == "x86_64"):
        return []
    libraries, failures = [], []
    for level in LEVELS:
        try:
            libraries.append(compile_for(level, path(level)))
        except subprocess.CalledProcessError as error:
            failures.append(error)
    if not libraries:
        raise failures[-1]
    for old in set(FOLDER.glob("kernel-*.so")) - set(libraries):
        old.unlink(missing_ok=True)
    return libraries


def compile_for(level: str, target: Path, *options: str) -> Path:
    """Compile the kernel for one level with `CC`, or else `cc`."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    command = [*compiler, "-std=gnu11", "-O3", *LEVELS[level][1], "-shared", "-fPIC", *options]
    unfinished = target.with_name(f"{target.stem}-{os.getpid()}.tmp")
    try:
        sources = map(str, sorted(FOLDER.glob("*.c")))
        subprocess.run([*command, *sources, "-o", str(unfinished)], check=True, capture_output=True, text=True)
        unfinished.replace(target)  # a library that a process has loaded must not change under it
    finally:
        unfinished.unlink(missing_ok=True)
    return target


@functools.cache
def _best() -> tuple[str, ctypes.CDLL] | None:
    flags = processor_flags()
    for level, (needed, _) in LEVELS.items():
        allowed = level != "avx512bf16" or bfloat16()  # one switch for the kernel's loops and TensorFlow's products
        if needed <= flags and allowed and (loaded := load(level)):
            return level, loaded
    return None


def best_level() -> str | None:
    """The level of the library that is used, or None."""
    best = _best()
    return best[0] if best else None


def library() -> ctypes.CDLL | None:
    """The fastest library that this machine can run, or None."""
    best = _best()
    return best[1] if best else None


def load(level: str) -> ctypes.CDLL | None:
    """The library for a level; None where it was not built, or the system does not let it be loaded."""
    try:
        loaded = ctypes.CDLL(str(path(level)))
    except OSError:
        return None
    for name, types in FUNCTIONS.items():
        function = getattr(loaded, name)
        function.argtypes, function.restype = types, None
    return loaded
