"""Steps that several devices or workers take together have the result of one that takes them alone."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import COMMAND, TEXT
from textgen import Corpus, ModelConfig, TrainingConfig
from textgen.model_file import read_model

ON_TWO_DEVICES = """
import numpy as np
from textgen.config import Shape
from textgen.training.backend import tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from textgen.training.network import build
from textgen.training.replicas import alone, together
from textgen.training.step import compile_step, make_optimizer

B, T, V = 7, 12, 20
codes = np.random.default_rng(1).integers(0, V, (2, B, T)).astype(np.int32)
results = []
for how in (alone, together(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))):
    network = build(Shape(2, 16, 0.3, 8, "lstm"), V, 1)
    step = compile_step(network, make_optimizer(network), dropout=0.3, streams=B, rng_seed=1, together=how)
    states = [[tf.zeros((B, 16))] * 2] * 2
    for number in range(5):
        loss, states = step(*codes, states, tf.constant(number), tf.constant(0.01))
    results.append([np.array(loss), *map(np.array, tf.nest.flatten(states)), *network.weights()])
for one, other in zip(*results, strict=True):
    np.testing.assert_allclose(one, other, atol=2e-5)
"""


def test_devices_of_one_machine_take_a_step_together() -> None:
    pytest.importorskip("textgen.training.backend")
    environment = {"TF_ENABLE_ONEDNN_OPTS": "0", "TEXTGEN_KERNEL": "off", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", ON_TWO_DEVICES],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_two_workers_come_to_the_weights_of_one_with_two_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit for bit: with dropout, and with the kernel's loops where there are some; for 24 steps and an evaluation."""
    pytest.importorskip("textgen.training.backend")
    text = tmp_path / "fox.txt"
    text.write_text(TEXT * 80)
    options = "--epochs 2 --units 24 --dropout 0.3 --batch-size 8 --rng-seed 1 --local-workers 2".split()
    done = subprocess.run(
        [*COMMAND, "train", str(text), "-o", str(tmp_path / "two"), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    monkeypatch.setattr("textgen.training.speed.cores", lambda: 2)  # so that a shard is what a worker computes
    textgen.train(
        Corpus.from_files(text),
        output=tmp_path / "one",
        epochs=2,
        model=ModelConfig(units=24, dropout=0.3),
        training=TrainingConfig(batch_size=8, rng_seed=1),
    )
    for one, two in zip(*(read_model(tmp_path / name).weights.arrays for name in ("one", "two")), strict=True):
        np.testing.assert_array_equal(one, two)
    log = (tmp_path / "two" / "worker-1.log").read_text()
    assert log.rstrip().endswith(f"model on the chief: {tmp_path / 'two' / 'model.keras'}")
