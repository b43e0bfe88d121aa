"""Properties of this machine: cores, processor features, available memory."""

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC, CONTROL_GROUPS = Path("/proc"), Path("/sys/fs/cgroup")
CPU_INFO = PROC / "cpuinfo"


def cores() -> int:
    """The number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_flags() -> frozenset[str]:
    """The CPU features that Linux lists (`avx2`, …); empty on other systems."""
    return frozenset(_text(CPU_INFO).split())


def bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 and TensorFlow uses it, which is twice as fast."""
    return "avx512_bf16" in processor_flags() and os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "0"


def memory() -> int | None:
    """The bytes that are still available to this process, given RAM and swap, its control groups and `ulimit -d`.

    None if the system does not report them.
    """
    found = [*_free_of_machine(), *_free_of_control_groups(), *_free_of_limit(resource.RLIMIT_DATA, "VmData")]
    return max(0, min(found)) if found else None


def address_space() -> int | None:
    """The bytes of address space that `ulimit -v` leaves to this process; None without a limit."""
    found = list(_free_of_limit(resource.RLIMIT_AS, "VmSize"))
    return max(0, *found) if found else None


def _free_of_machine() -> Iterator[int]:
    """What the machine has free, its cache of files counted in; where it does not say so, all of its RAM."""
    told = _numbers(PROC / "meminfo")
    if "MemAvailable" in told:
        yield 1024 * (told["MemAvailable"] + told.get("SwapFree", 0))
        return
    with suppress(ValueError, OSError):  # another system, or one that does not tell
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _free_of_limit(limit: int, used: str) -> Iterator[int]:
    """What a limit leaves of which the process uses so much, by Linux's name; nothing where none is set."""
    allowed = resource.getrlimit(limit)[0]
    if allowed != resource.RLIM_INFINITY:
        yield allowed - 1024 * _numbers(PROC / "self" / "status").get(used, 0)


def _free_of_control_groups() -> Iterator[int]:
    """What each of the control groups that this process is in leaves, of either version, its cache of files counted in.

    In a container their paths can be those outside it: then the groups that it sees are its own.
    """
    for line in _text(PROC / "self" / "cgroup").splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0":
            root, limit, used, prefix = CONTROL_GROUPS, "memory.max", "memory.current", ""
        elif "memory" in controllers.split(","):
            root, limit, used, prefix = (
                CONTROL_GROUPS / "memory",
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_",
            )
        else:
            continue
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            allowed, taken = _text(folder / limit).strip(), _text(folder / used).strip()
            if allowed.isdecimal() and taken.isdecimal():
                told = _numbers(folder / "memory.stat")
                files = told.get(f"{prefix}inactive_file", 0) + told.get(f"{prefix}active_file", 0)
                yield int(allowed) - int(taken) + files
            if folder == root:
                break


def _numbers(path: Path) -> dict[str, int]:
    """The lines `name number` or `name: number unit` of a file of the system's; none where there is no such file."""
    words = (line.replace(":", " ").split() for line in _text(path).splitlines())
    return {line[0]: int(line[1]) for line in words if len(line) > 1 and line[1].isdecimal()}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
