"""A network that does not fit is refused before TensorFlow is loaded; where memory runs out later, a line says so."""

import json
import re
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import textgen
from tests.conftest import TEXT
from textgen import Corpus, ModelConfig, TrainingConfig
from textgen.config import Shape
from textgen.errors import TrainingError
from textgen.training import memory, run_folder
from textgen.training.plan import Epochs, make_plan

CORPUS = Corpus.from_text(TEXT * 40, name="fox")
LARGE, _ = make_plan(CORPUS, until=Epochs(1), model=ModelConfig(8, 4096, 0.0, 64), training=TrainingConfig(rng_seed=1))
LARGE = replace(LARGE, training=replace(LARGE.training, batch_size=16))
GB = 10**9


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """One with 24 GB, on which TensorFlow is not loaded yet."""
    monkeypatch.setattr(memory, "memory", lambda: 24 * GB)
    monkeypatch.setattr(memory, "address_space", lambda: None)
    monkeypatch.setattr(memory, "_is_loaded", lambda: False)
    monkeypatch.setattr("textgen.training.speed.cores", lambda: 2)


def test_a_network_that_does_not_fit_is_refused_with_what_would() -> None:
    with pytest.raises(TrainingError) as error:
        memory.check_memory(LARGE, ("units", "batch_size"))
    assert str(error.value) == (
        "training this network needs about 37 GB of memory, and 24 GB is available; `units=3200` fits"
    )
    memory.check_memory(replace(LARGE, model=replace(LARGE.model, units=3200)), ())
    with pytest.raises(TrainingError, match="free some memory, or use a machine with more"):
        memory.check_memory(LARGE, ())
    with pytest.raises(TrainingError):
        memory.check_memory(replace(LARGE, model=replace(LARGE.model, units=3300)), ())


def test_windows_that_do_not_fit_are_refused_with_what_would() -> None:
    training = replace(LARGE.training, window=10_000, batch_size=4096)
    wide = replace(LARGE, model=Shape(2, 300, 0.0, 64), training=training)
    with pytest.raises(TrainingError, match=r"about 1\d{3} GB .*; `units=\d+` or `batch_size=\d\d` fits"):
        memory.check_memory(wide, ("units", "batch_size"))


def test_the_usual_network_fits_into_a_gigabyte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "memory", lambda: GB)
    memory.check_memory(replace(LARGE, model=Shape(2, 300, 0.0, 64)), ())


def test_a_system_that_tells_nothing_refuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "memory", lambda: None)
    memory.check_memory(LARGE, ())


def test_a_limit_of_addresses_counts_what_tensorflow_takes_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(LARGE, model=Shape(2, 32, 0.0, 64))
    monkeypatch.setattr(memory, "address_space", lambda: GB)
    with pytest.raises(TrainingError) as error:
        memory.check_memory(small, ("units", "batch_size"))
    assert str(error.value) == (
        "training this network needs about 1.9 GB of address space (ulimit -v), and 1.0 GB is available; "
        "free some memory, or use a machine with more"
    )
    monkeypatch.setattr(memory, "_is_loaded", lambda: True)
    memory.check_memory(small, ())


def test_the_library_refuses_too_and_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="needs about 36 GB"):
        textgen.train(CORPUS, output=tmp_path / "run", epochs=1, model=ModelConfig(layers=8, units=4096))
    assert not (tmp_path / "run").exists()


def test_a_limit_is_told_in_a_line_before_tensorflow_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "fox.txt").write_text(TEXT * 40)
    done = subprocess.run(
        [sys.executable, "-m", "textgen", "train", str(tmp_path / "fox.txt"), "-o", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (GB, GB)),
    )
    assert done.returncode == 1
    expected = (
        r"textgen: error: training this network needs about \d\.\d GB of address space \(ulimit -v\), and 0\.\d .*\n"
    )
    assert re.fullmatch(expected, done.stderr)


def exhausted() -> Exception:
    from textgen.training.backend import tf

    return tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")  # type: ignore[no-any-return]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("make", [MemoryError, exhausted, lambda: RuntimeError("can't start new thread")])
def test_memory_that_runs_out_in_a_checkpoint_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise make()

    monkeypatch.setattr(run_folder, "write_checkpoint", fail)
    with pytest.raises(TrainingError) as error:
        textgen.train(
            CORPUS,
            output=tmp_path / "run",
            epochs=1,
            model=ModelConfig(layers=1, units=8),
            training=TrainingConfig(window=20, batch_size=4),
        )
    assert str(error.value) == (
        f"there is not enough memory to train this network; the best model so far is kept in {tmp_path / 'run'}; "
        "free some memory, or make `units` or `batch_size` smaller"
    )
    assert textgen.load(tmp_path / "run").description.text.name == "fox"


@pytest.mark.slow
@pytest.mark.parametrize(("units", "window", "symbols"), [(512, 50, 40), (64, 300, 2000)])
def test_the_estimate_is_near_what_training_takes_and_not_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, units: int, window: int, symbols: int
) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("this system does not tell what a process has taken")
    script = f"""
import json, re, textgen
text = "".join(chr(0x4E00 + number * 7 % {symbols}) for number in range({70 * window}))
textgen.train(textgen.Corpus.from_text(text), output={str(tmp_path / "run")!r}, epochs=1,
              model=textgen.ModelConfig(layers=2, units={units}),
              training=textgen.TrainingConfig(window={window}, batch_size=32, validation=0.01))
print(json.dumps(1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    text = "".join(chr(0x4E00 + number) for number in range(symbols))
    training = replace(LARGE.training, window=window, batch_size=32)
    monkeypatch.undo()
    monkeypatch.setattr(memory, "_is_loaded", lambda: False)
    plan = replace(LARGE, corpus=Corpus.from_text(text), model=Shape(2, units, 0.0, 64), training=training)
    assert 0.6 * json.loads(done.stdout) < memory.needed(plan) < 1.05 * json.loads(done.stdout)
