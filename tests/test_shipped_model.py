"""The shipped model's card says what is true of the model beside it."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import PROJECT
from textgen.bfloat16 import holds
from textgen.config import Reading
from textgen.evaluation.score import subject_of
from textgen.inspection.analyses import Remembered
from textgen.model_file import SHIPPED, read_model

MODEL = PROJECT / "models" / SHIPPED
CARD = MODEL.with_suffix(".md").read_text(encoding="utf-8")
TEST = 55_770  # split B


def test_the_shipped_model_is_small() -> None:
    assert MODEL.stat().st_size <= 6_000_000
    assert f"{MODEL.stat().st_size:,} bytes" in CARD


def test_the_kernel_writes_with_it() -> None:
    weights = read_model(MODEL).weights
    assert all(holds(matrix) for layer in weights.layers for matrix in (layer.kernel, layer.recurrent))
    assert holds(weights.head)


def test_the_card_names_the_training_that_the_model_had() -> None:
    training = read_model(MODEL).description.training
    assert f"--batch-size {training.batch_size} --window {training.window}" in CARD
    assert f"--learning-rate {training.learning_rate} --rng-seed {training.rng_seed}" in CARD
    assert all(f"{name} {version}" in CARD for name, version in training.versions.items())
    assert training.validation_nats is not None
    assert training.validation_nats <= 1.37


@pytest.mark.slow
def test_the_card_s_losses_are_those_of_the_model(texts: Path, tmp_path: Path) -> None:
    whole, test = texts / "tinyshakespeare.txt", tmp_path / "test.txt"
    test.write_text(whole.read_text(encoding="utf-8")[-TEST:], encoding="utf-8")
    told = [float(loss) for row in re.findall(r"^\| split .*\| (\S+) \| (\S+) \|$", CARD, re.MULTILINE) for loss in row]
    assert len(told) == 4
    found = [textgen.evaluate(MODEL, whole).nats, textgen.evaluate(MODEL, test, protocol="cold").nats]
    assert found == pytest.approx([told[0], told[3]], abs=1e-4)  # each split once, and each protocol


@pytest.mark.slow
def test_the_cells_that_count_characters_and_know_speakers_are_named(texts: Path) -> None:
    text = (PROJECT / "docs" / "performance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `textgen inspect .* --find (\w+)` \| (.*) \|$", text, re.MULTILINE)
    assert [name for name, _ in rows] == ["line", "speaker"]
    remembered = Remembered(
        subject_of(MODEL, (texts / "tinyshakespeare.txt",), text=None, everything=False, reading=Reading())
    )
    for name, told in rows:
        found = remembered.telling(name)
        best, shuffled = found.cells[0], (found.shuffled, found.shuffled_most)
        cell, *figures = told.split(" | ")
        assert cell == f"{best.layer}.{best.unit}"
        assert all(figure.startswith(f"{found.measure} ") for figure in figures[:2])
        numbers = [float(figure.removeprefix(f"{found.measure} ")) for figure in figures]
        assert numbers == pytest.approx([best.learnt, best.told, *shuffled], abs=0.002)  # steps differ by processor


@pytest.mark.slow
def test_each_of_10_000_characters_has_the_bits_that_keras_gives_it(tmp_path: Path) -> None:
    symbols = read_model(MODEL).description.vocabulary.codes
    lamp = (PROJECT / "corpora" / "the_quenched_lamp.txt").read_text(encoding="utf-8")
    text = "".join([symbol for symbol in lamp if symbol in symbols])[:10_000]
    np.save(tmp_path / "codes.npy", [symbols[symbol] for symbol in text])
    script = (
        "import keras, numpy as np\n"
        f"codes = np.load({str(tmp_path / 'codes.npy')!r})\n"
        f"shares = keras.saving.load_model({str(MODEL)!r}).predict(codes[None, :-1], verbose=0)[0].astype(float)\n"
        f"np.save({str(tmp_path / 'bits.npy')!r}, -np.log2(shares[np.arange(len(codes) - 1), codes[1:]]))\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stderr=subprocess.DEVNULL)
    found = textgen.score(MODEL, text=text)
    np.testing.assert_allclose(found.bits[1:], np.load(tmp_path / "bits.npy"), atol=1e-4, rtol=0)
