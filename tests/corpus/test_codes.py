"""Codes that are mapped do not fill the memory, however long the text."""

import re
from pathlib import Path

import numpy as np
import pytest

from textgen.corpus.codes import mapped, parts
from textgen.corpus.windows import Windows

STATUS = Path("/proc/self/status")
SIZE = 2**26


@pytest.fixture
def codes(tmp_path: Path) -> np.ndarray:
    with (tmp_path / "codes").open("wb") as file:
        file.truncate(SIZE)
    return mapped((tmp_path / "codes").open("rb"), np.dtype(np.uint8))


def resident() -> int:
    """The bytes of mapped files that count as this process's."""
    found = re.search(r"RssFile:\s*(\d+) kB", STATUS.read_text()) if STATUS.exists() else None
    if not found:
        pytest.skip("this system does not tell")
    return 1024 * int(found[1])


def test_windows_are_read_a_few_megabytes_at_a_time(codes: np.ndarray) -> None:
    windows, before, most = Windows(codes, 16, 1000, 1), resident(), 0
    for step in range(0, windows.per_epoch):
        windows.window(step)
        most = max(most, resident() - before) if step % 100 == 99 else most
    assert 0 < most < SIZE / 4


def test_parts_are_read_a_megabyte_at_a_time(codes: np.ndarray) -> None:
    before = resident()
    assert sum(int(part.sum()) for part in parts(codes)) == 0
    assert resident() - before < SIZE / 4
