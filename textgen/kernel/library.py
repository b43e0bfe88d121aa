"""`kernel.c` as shared libraries: built when textgen is installed, loaded when it writes.

They are built on Linux, for x86-64 processors with AVX2 and with AVX-512, by whatever C compiler is at hand. Without
one, or elsewhere, textgen writes with NumPy. The installation imports this module before anything else is installed.
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

SOURCE = Path(__file__).with_name("kernel.c")
_AVX2 = frozenset(["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"])
_AVX512 = frozenset(["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"])
LEVELS = {"x86-64-v4": _AVX2 | _AVX512, "x86-64-v3": _AVX2}  # of the x86-64 psABI, the fastest first, by Linux's names


def path(level: str) -> Path:
    """Where the library for a level is; a hash of the source is in the name, so that no other version is loaded."""
    return SOURCE.with_name(f"kernel-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}-{level}.so")


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
    for old in set(SOURCE.parent.glob("kernel-*.so")) - set(libraries):
        old.unlink()
    return libraries


def compile_for(level: str, target: Path, *options: str) -> Path:
    """Compile the kernel for one level with `CC`, or else `cc`."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    command = [*compiler, "-std=gnu11", "-O3", f"-march={level}", "-shared", "-fPIC", *options]
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    subprocess.run([*command, str(SOURCE), "-o", str(unfinished)], check=True, capture_output=True)
    unfinished.replace(target)  # a library that a process has loaded must not change under it
    return target


@functools.cache
def library() -> ctypes.CDLL | None:
    """The fastest library that this machine can run, or None."""
    flags = processor_flags()
    for level, needed in LEVELS.items():
        if needed <= flags:
            try:
                loaded = ctypes.CDLL(str(path(level)))
            except OSError:  # it was not built
                continue
            loaded.textgen_step.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
            loaded.textgen_step.restype = None
            return loaded
    return None
