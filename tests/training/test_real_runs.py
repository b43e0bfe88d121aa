"""Real trainings, with Keras: few, since they take seconds; all else is tested with a learner of a few lines."""

import json
import os
import subprocess
import sys
import time
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT
from tests.training.test_resume import KilledError, outcome
from textgen import Corpus, ModelConfig, TrainingConfig
from textgen.bfloat16 import holds
from textgen.errors import RunError, TrainingError
from textgen.evaluation.surprisal import cross_entropy
from textgen.generation.recurrent import Recurrent
from textgen.model_file import read_model
from textgen.training.backend import keras
from textgen.training.checkpoint import NEWEST, Checkpoint, read_checkpoint, write_checkpoint
from textgen.training.progress import Evaluated, Started, Stepped

CORPUS = Corpus.from_text(TEXT * 40, name="fox")  # 2,720 characters, 272 held out
PER_EPOCH = 2448 // 4 // 20
TRAINING = TrainingConfig(window=20, batch_size=4, learning_rate=0.02, rng_seed=1)
MODEL = ModelConfig(layers=2, units=24, dropout=0.3, embedding=8)


class Watch(keras.callbacks.Callback):
    """Notes what it is told, and stops after so many epochs."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.last, self.seen = epochs - 1, []

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.seen.append("begin")

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.seen.append(f"epoch {epoch}")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.seen.append(f"end {epoch} {sorted(logs or {})} {type(self.model.optimizer).__name__}")
        self.model.stop_training = epoch == self.last

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.seen.append(batch)
        assert (logs or {})["loss"] > 0

    def on_train_end(self, logs: dict | None = None) -> None:
        self.seen.append("end")


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A run that learns a text by heart, watched by callbacks, one of which ends it."""
    folder = tmp_path_factory.mktemp("learnt")
    watch, events = Watch(20), []
    result = textgen.train(
        CORPUS,
        output=folder / "run",
        epochs=25,
        model=ModelConfig(2, 48, 0.0, 8),
        training=TRAINING,
        callbacks=[watch, keras.callbacks.CSVLogger(folder / "log.csv"), keras.callbacks.TensorBoard(folder / "logs")],
        on_progress=events.append,
    )
    return SimpleNamespace(folder=folder, result=result, watch=watch, events=events)


def test_a_text_is_learnt_by_heart(learnt: SimpleNamespace) -> None:
    assert learnt.result.validation_nats < 0.1
    assert textgen.load(learnt.result.model).generate("The quick ", length=300, temperature=0) in TEXT * 6
    started = [event for event in learnt.events if isinstance(event, Started)]
    assert [event.parameters for event in started] == [read_model(learnt.result.model).weights.parameters]
    assert [event.epochs for event in learnt.events if isinstance(event, Evaluated)] == list(range(1, 21))


def test_the_model_is_calibrated_in_the_archive_that_keras_has_written(learnt: SimpleNamespace) -> None:
    model, calibration = read_model(learnt.result.model), learnt.result.calibration
    scored = [event.validation_nats for event in learnt.events if isinstance(event, Evaluated)]
    assert learnt.result.validation_nats == calibration.nats < calibration.nats_before == min(scored)
    assert model.description.training.temperature == calibration.temperature
    assert cross_entropy(model.weights, CORPUS.codes, len(CORPUS) - CORPUS.hold_out()) == calibration.nats
    assert holds(model.weights.head)


def test_keras_callbacks_see_epochs_steps_and_losses_and_may_stop(learnt: SimpleNamespace) -> None:
    expected: list = ["begin"]
    for epoch in range(20):
        expected += [f"epoch {epoch}", *range(PER_EPOCH), f"end {epoch} ['loss', 'val_loss'] AdamW"]
    assert learnt.watch.seen == [*expected, "end"]
    assert learnt.result.stopped_by == "callback"
    table = (learnt.folder / "log.csv").read_text().splitlines()
    assert (table[0], len(table)) == ("epoch,loss,val_loss", 21)


@pytest.mark.parametrize("part", ["train", "validation"])
def test_tensorboard_shows_both_losses_of_each_epoch(learnt: SimpleNamespace, part: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

        (file,) = (learnt.folder / "logs" / part).iterdir()
        events = list(EventFileLoader(str(file)).Load())
    epochs = [event.step for event in events for value in event.summary.value if value.tag == "epoch_loss"]
    assert epochs == list(range(20))


def test_the_model_opens_in_plain_keras_and_predicts_the_same(learnt: SimpleNamespace) -> None:
    script = (
        "import sys; sys.modules['textgen'] = None\n"
        "import keras, numpy as np\n"
        f"model = keras.saving.load_model({str(learnt.result.model)!r})\n"
        "codes = np.arange(30)[None]\n"
        "np.save(sys.argv[1], model.predict(codes, verbose=0)[0])\n"
        "print(','.join(type(layer).__name__ for layer in model.layers), model.compiled)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(learnt.folder / "p.npy")],
        capture_output=True,
        text=True,
        env=os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=True,
        cwd=learnt.folder,
    )
    assert done.stdout.strip() == "InputLayer,Embedding,LSTM,Dropout,LSTM,Dropout,Dense,Softmax False"
    network = Recurrent(read_model(learnt.result.model).weights)
    state = network.start()
    logits = np.array([network.step(np.array([code]), state)[0].copy() for code in range(30)])
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, np.load(learnt.folder / "p.npy"), atol=1e-5)


def test_the_model_file_holds_no_optimizer(learnt: SimpleNamespace) -> None:
    with zipfile.ZipFile(learnt.result.model) as archive:
        assert sorted(archive.namelist()) == ["config.json", "metadata.json", "model.weights.h5", "textgen.json"]
        assert json.loads(archive.read("config.json"))["compile_config"] == {}
        assert archive.getinfo("model.weights.h5").file_size < 4 * learnt.events[0].parameters + 40_000


class Act(keras.callbacks.Callback):
    """Does something after so many steps of this process."""

    def __init__(self, steps: int, act: object) -> None:
        super().__init__()
        self.left, self.act = steps, act

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.left -= 1
        if self.left == 0:
            self.act(self.model)


def die(_: object) -> None:
    raise KilledError


def train(output: Path, **options: object) -> textgen.TrainingResult:
    given = {"model": MODEL, "training": TRAINING, "epochs": 2, "checkpoint_seconds": 0.0} | options
    return textgen.train(CORPUS, output=output, **given)  # type: ignore[arg-type]


def test_a_killed_run_ends_with_the_same_weights_and_history(tmp_path: Path) -> None:
    train(tmp_path / "whole")
    with pytest.raises(KilledError):
        train(tmp_path / "run", callbacks=[Act(17, die)])
    with pytest.raises(KilledError):
        train(tmp_path / "run", callbacks=[Act(20, die)], resume=True)  # past a scoring
    checkpoint = read_checkpoint(tmp_path / "run")[0]
    optimizer = checkpoint.arrays["optimizer"]
    other = {**checkpoint.arrays, "optimizer": [optimizer[-1], *optimizer[:-1]]}
    content = (tmp_path / "run" / NEWEST).read_bytes()
    write_checkpoint(tmp_path / "run", Checkpoint(checkpoint.meta, other))
    with pytest.raises(RunError, match=r"run: Keras [\d.]+ stores its optimizer in another order than the version"):
        train(tmp_path / "run", resume=True)
    (tmp_path / "run" / NEWEST).write_bytes(content)
    train(tmp_path / "run", resume=True)
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


def spoil(model: keras.Model) -> None:
    variable = model.trainable_variables[-1]
    variable.assign(variable * float("nan"))


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_best(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as error:
        train(tmp_path / "run", callbacks=[Act(40, spoil)])
    assert str(error.value) == (
        f"the loss became nan at step 41; the best model so far is kept in {tmp_path / 'run'}; "
        "try a lower `learning_rate`"
    )
    assert textgen.load(tmp_path / "run").description.training.epochs == 1.0


def test_a_run_starts_from_the_weights_of_another(tmp_path: Path, learnt: SimpleNamespace) -> None:
    again = Corpus.from_text(TEXT.replace("fox", "cat") * 40 + "Ω")
    tuned = textgen.train(
        again,
        output=tmp_path / "tuned",
        epochs=1,
        start_from=learnt.result.model,
        training=replace(TRAINING, learning_rate=None),
    )
    assert tuned.validation_nats is not None
    assert tuned.validation_nats < 1.0  # of a fresh network, 3 and more
    description = textgen.load(tuned.model).description
    assert (description.model.layers, description.model.units, description.model.embedding) == (2, 48, 8)
    assert description.vocabulary.symbols[-1] == "Ω"


@pytest.mark.slow
def test_a_budget_is_kept(tmp_path: Path) -> None:
    events: list = []
    begun = time.monotonic()
    result = train(
        tmp_path / "run",
        epochs=None,
        minutes=0.25,
        training=TrainingConfig(rng_seed=1),
        model=ModelConfig(),
        on_progress=events.append,
    )
    assert 12 < time.monotonic() - begun < 16.5
    assert result.stopped_by == "budget"
    steps = [event for event in events if isinstance(event, Stepped)]
    assert steps[-1].step >= 0.9 * steps[-1].planned_steps
