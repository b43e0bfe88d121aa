"""Killed at random moments and resumed, a run ends as one never killed; `scripts/kill-test` does it fifty times."""

import subprocess
import sys

import pytest

from tests.conftest import PROJECT


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_bit_identical() -> None:
    script = PROJECT / "scripts" / "kill_test.py"
    done = subprocess.run([sys.executable, script, "--kills", "3"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "all ended bit-identical" in done.stdout
