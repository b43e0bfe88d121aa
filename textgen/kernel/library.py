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

from textgen.machine import processor_flags

FOLDER = Path(__file__).parent
_AVX2 = frozenset(["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"])
_AVX512 = frozenset(["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"])
LEVELS = {  # the fastest first; what the processor must have, by Linux's names, and what the compiler is told
    "avx512bf16": (_AVX2 | _AVX512 | {"avx512_bf16"}, ("-march=x86-64-v4", "-mavx512bf16")),
    "avx512": (_AVX2 | _AVX512, ("-march=x86-64-v4",)),
    "avx2": (_AVX2, ("-march=x86-64-v3",)),
}

_SIZE, _ADDRESS = ctypes.c_ssize_t, ctypes.c_void_p
FUNCTIONS = {  # name → types of its arguments
    "textgen_step": (_ADDRESS, _ADDRESS, ctypes.c_int),
    "textgen_forward": (_SIZE,) * 3 + (_ADDRESS,) * 8,
    "textgen_backward": (_SIZE,) * 3 + (_ADDRESS,) * 9,
}


def path(level: str) -> Path:
    """Where the library for a level is; a hash of the sources is in the name, so that no other version is loaded."""
    sources = b"".join(source.read_bytes() for source in sorted(FOLDER.glob("*.[ch]")))
    return FOLDER / f"kernel-{hashlib.sha256(sources).hexdigest()[:16]}-{level}.so"


def build() -> list[Path]:
    """Compile the kernel for every level, in the place of older libraries.

    Returns:
        The libraries; none on a system that they are not written for.

    Raises:
        OSError: there is no C compiler.
        subprocess.CalledProcessError: it cannot compile the kernel.
    """
    if not (sys.platform == "linux" and platform.machine() == "x86_64"):
        return []
    libraries = [compile_for(level, path(level)) for level in LEVELS]
    for old in set(FOLDER.glob("kernel-*.so")) - set(libraries):
        old.unlink()
    return libraries


def compile_for(level: str, target: Path, *options: str) -> Path:
    """Compile the kernel for one level with `CC`, or else `cc`."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    command = [*compiler, "-std=gnu11", "-O3", *LEVELS[level][1], "-shared", "-fPIC", *options]
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    sources = map(str, sorted(FOLDER.glob("*.c")))
    subprocess.run([*command, *sources, "-o", str(unfinished)], check=True, capture_output=True)
    unfinished.replace(target)  # a library that a process has loaded must not change under it
    return target


def best_level() -> str | None:
    """The fastest level that this machine can run and a library was built for, or None."""
    flags = processor_flags()
    return next((level for level, (needed, _) in LEVELS.items() if needed <= flags and path(level).is_file()), None)


@functools.cache
def library() -> ctypes.CDLL | None:
    """The library for the best level, or None."""
    level = best_level()
    return load(level) if level else None


def load(level: str) -> ctypes.CDLL | None:
    """The library for a level; None where the system does not load it, as from a folder that may not be run from."""
    try:
        loaded = ctypes.CDLL(str(path(level)))
    except OSError:
        return None
    for name, types in FUNCTIONS.items():
        function = getattr(loaded, name)
        function.argtypes, function.restype = types, None
    return loaded
