"""Standard streams that are closed, full or have lost their reader: exit codes, and no traceback."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.attack.harness import check_line
from tests.attack.test_model_files import archive
from tests.conftest import TEXT

COMMANDS = [
    "--version",
    "generate model.keras --length 20",
    "generate model.keras --seed - --length 20 --json",
    "generate model.keras --length 20 -o out.txt",
    "evaluate model.keras text.txt",
    "evaluate model.keras -",
    "score model.keras text.txt",
    "score model.keras - --json",
    "info model.keras",
    "corpora show text.txt --json",
    "corpora show -",
    "corpora list",
    "train text.txt -o run --window 9999",
    "train -",
    "no-such-command",
]
STREAMS = ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full", "</dev/zero", "| head -c 1"]


def ended(command: str, streams: str, folder: Path) -> tuple[str, int, str]:
    """How a command ends whose streams a shell has arranged so, and what it tells."""
    script = f"set -o pipefail; {{ {sys.executable} -m textgen {command} {streams}; }}"
    words = ["bash", "-c", script]
    result = subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, cwd=folder, check=False, timeout=60)
    return f"{command} {streams}", result.returncode, result.stderr.decode(errors="replace")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_streams_that_are_closed_or_full_bring_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT * 5)
    (tmp_path / "model.keras").write_bytes(archive())
    cases = [(command, streams) for place, command in enumerate(COMMANDS) for streams in STREAMS[place % 4 :: 4]]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda case: ended(*case, tmp_path), cases))
    for case, code, stderr in results:
        assert code in (0, 1, 2), f"{case}: exit code {code}, {stderr}"
        for line in stderr.splitlines():
            check_line(case, line)
        assert "Traceback" not in stderr, f"{case}: {stderr}"
        assert "Exception ignored" not in stderr, f"{case}: {stderr}"
