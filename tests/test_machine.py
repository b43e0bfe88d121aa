import os
import resource
from pathlib import Path

import pytest

from textgen.machine import address_space, bfloat16, memory


@pytest.mark.parametrize(
    ("flags", "one_dnn", "expected"),
    [
        ("avx2 avx512f avx512_bf16", None, True),
        ("avx2 avx512f avx512_bf16", "1", True),
        ("avx2 avx512f avx512_bf16", "0", False),
        ("avx2 avx512f", None, False),
    ],
)
def test_bfloat16_is_used_where_processor_and_tensorflow_have_it(
    flags: str, one_dnn: str | None, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = tmp_path / "cpuinfo"
    described.write_text(f"model name : any\nflags\t: fpu {flags}\n\n", encoding="utf-8")
    monkeypatch.setattr("textgen.machine.CPU_INFO", described)
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    if one_dnn:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", one_dnn)
    assert bfloat16() is expected


def test_a_machine_that_does_not_describe_itself_uses_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textgen.machine.CPU_INFO", tmp_path / "none")
    assert not bfloat16()


GB = 10**9


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files in which Linux tells of memory: 8 GB are free, and 1 GB of swap; no limit is set."""
    monkeypatch.setattr("textgen.machine.PROC", tmp_path / "proc")
    monkeypatch.setattr("textgen.machine.CONTROL_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    write(tmp_path, "proc/meminfo", f"MemTotal: 9 kB\nMemAvailable: {8 * GB // 1024} kB\nSwapFree: {GB // 1024} kB\n")
    write(tmp_path, "proc/self/status", "Name:\tpython\nVmSize:\t  1000 kB\nVmData:\t  500 kB\n")
    return tmp_path


def write(system: Path, name: str, text: object) -> None:
    (system / name).parent.mkdir(parents=True, exist_ok=True)
    (system / name).write_text(f"{text}\n", encoding="utf-8")


def test_what_is_free_of_ram_and_swap_can_be_had(system: Path) -> None:
    assert memory() == pytest.approx(9 * GB, abs=2048)
    assert address_space() is None


@pytest.mark.parametrize("told", ["/a/b", "/outside/the/container"])
def test_what_a_control_group_leaves_can_be_had_its_cache_of_files_counted_in(system: Path, told: str) -> None:
    write(system, "proc/self/cgroup", f"0::{told}")
    write(system, "groups/memory.max", 6 * GB)
    write(system, "groups/memory.current", 5 * GB)
    write(system, "groups/memory.stat", f"anon {3 * GB}\nactive_file {GB}\ninactive_file {GB}")
    assert memory() == 3 * GB
    write(system, "groups/a/b/memory.max", "max")
    write(system, "groups/a/memory.max", 2 * GB)
    write(system, "groups/a/memory.current", GB)
    assert memory() == (GB if told == "/a/b" else 3 * GB)


def test_what_a_control_group_of_the_first_version_leaves_can_be_had(system: Path) -> None:
    write(system, "proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/a\n1:name=systemd:/\n0::/")
    write(system, "groups/memory/memory.limit_in_bytes", 2**63 - 4096)
    write(system, "groups/memory/memory.usage_in_bytes", GB)
    write(system, "groups/memory/a/memory.limit_in_bytes", 4 * GB)
    write(system, "groups/memory/a/memory.usage_in_bytes", 3 * GB)
    write(system, "groups/memory/a/memory.stat", f"active_file 7\ntotal_inactive_file {GB}")
    assert memory() == 2 * GB


def test_what_limits_leave_can_be_had(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {resource.RLIMIT_DATA: 2 * GB, resource.RLIMIT_AS: 3 * GB}
    monkeypatch.setattr(resource, "getrlimit", lambda limit: (limits[limit], limits[limit]))
    assert memory() == 2 * GB - 500 * 1024
    assert address_space() == 3 * GB - 1000 * 1024
    limits[resource.RLIMIT_AS] = 1
    assert address_space() == 0


def test_a_system_that_tells_nothing_has_its_ram(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (system / "proc" / "meminfo").unlink()
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}.__getitem__)
    assert memory() == 4_096_000
    monkeypatch.setattr(os, "sysconf", lambda _: int("not known"))
    assert memory() is None


def test_this_machine_has_some_memory() -> None:
    assert (memory() or 0) > 10**8
