"""What the figures were measured on."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from textgen.machine import cores

PACKAGES = ("tensorflow", "keras", "numpy", "torch")
EXTENSIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def describe() -> dict[str, str]:
    """The machine, by what makes it fast; stays the same from run to run."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": _cpuinfo("model name") or platform.processor() or platform.machine(),
        "cores": str(cores()),
        "vector extensions": ", ".join(name for name in EXTENSIONS if name in _cpuinfo("flags").split()),
        "caches of a core": ", ".join(_caches()),
        "memory": f"{memory:.0f} GiB",
        "system": platform.system(),
    }


def versions() -> dict[str, str]:
    """Python and the packages that are compared."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def load() -> float:
    """How many processes have wanted a core, on the mean of the last minute: 0 on a quiet machine."""
    return round(os.getloadavg()[0], 2)


def megabytes(maxrss: int) -> float:
    """A peak memory, which the operating system counts in kilobytes, or in bytes on macOS."""
    return maxrss / (1e6 if sys.platform == "darwin" else 1024)


def _cpuinfo(name: str) -> str:
    """A line of Linux's description of the first processor; empty elsewhere."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return ""
    lines = (line.partition(":") for line in info.read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def _caches() -> list[str]:
    """Level, kind and size of each, as Linux tells them."""
    folders = sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"))
    read = [[(folder / name).read_text().strip() for name in ("level", "type", "size")] for folder in folders]
    return [f"L{level} {size}" for level, kind, size in read if kind != "Instruction"]
