"""What this machine has to compute with."""

import os
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")


def cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_flags() -> frozenset[str]:
    """What the processor can do, by Linux's names (`avx2`, …), among other words; elsewhere nothing is known of it."""
    try:
        return frozenset(CPU_INFO.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return frozenset()


def bfloat16() -> bool:
    """Whether the processor multiplies bfloat16, and TensorFlow makes use of it: then it does so at twice the speed."""
    return "avx512_bf16" in processor_flags() and os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "0"
