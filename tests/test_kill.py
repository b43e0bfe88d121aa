"""Killed at random moments and resumed, a run ends as one never killed."""

import sys

import kill_test
import pytest

from tests.conftest import QUICK_COMMAND


def test_a_run_killed_at_random_moments_ends_bit_identical(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without TensorFlow, whose start would take most of the time; `scripts/kill-test` kills it fifty times."""
    options = "--epochs 80 --units 8 --batch-size 8 --rng-seed 1 --checkpoint-every 0.01"
    monkeypatch.setattr(kill_test, "TRAIN", [*QUICK_COMMAND, "train"])
    monkeypatch.setattr(kill_test, "OPTIONS", options.split())
    monkeypatch.setattr(sys, "argv", ["kill-test", "--kills", "5"])
    kill_test.main()
    assert "5 kills in" in capsys.readouterr().out
