"""A network's logits divided by the number that lowers its held-out loss most."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT, random_weights
from tests.training.numpy_learner import NumPyLearner
from textgen import Corpus, ModelConfig, TrainingConfig
from textgen.bfloat16 import holds, rounded
from textgen.evaluation.surprisal import cross_entropy, scaled_halves
from textgen.generation.recurrent import Recurrent
from textgen.generation.sampling import likelihoods, losses
from textgen.model_file import Weights, read_model
from textgen.training.calibration import Calibration, calibrate
from textgen.training.progress import Evaluated, Event

V, FIRST, LENGTH = 30, 300, 2500
WEIGHTS = Weights.from_list(random_weights(ModelConfig(2, 12, 0.0, 6), V, scale=0.8))


def written(temperatures: np.ndarray) -> np.ndarray:
    """What the network writes, each character at a temperature of its own."""
    network, rng, codes = Recurrent(WEIGHTS), np.random.default_rng(1), [0]
    state = network.start()
    for temperature in temperatures:
        shares = likelihoods(network.step(np.array(codes[-1:]), state), temperature)[0]
        codes.append(rng.choice(V, p=shares / shares.sum()))
    return np.array(codes, np.uint8)


def one_pass(codes: np.ndarray) -> np.ndarray:
    """The logits of each character but the first, in one pass from the text's beginning."""
    network = Recurrent(WEIGHTS)
    state = network.start()
    return np.array([network.step(codes[place : place + 1], state)[0].copy() for place in range(len(codes) - 1)])


CODES = written(np.full(LENGTH - 1, 1.4))  # predicted best with the logits divided by that
LOGITS = one_pass(CODES)


def naive(temperature: float, begin: int = FIRST, end: int = LENGTH) -> float:
    """The mean loss of a part of the text."""
    return float(losses(LOGITS[begin - 1 : end - 1] / temperature, CODES[begin:end]).mean())


def lowest(begin: int = FIRST, end: int = LENGTH) -> float:
    """The temperature at which that loss is lowest, by golden-section search."""
    low, high, ratio = 0.6, 3.0, (5**0.5 - 1) / 2
    while high - low > 1e-4:
        lower, upper = high - ratio * (high - low), low + ratio * (high - low)
        if naive(lower, begin, end) < naive(upper, begin, end):
            high = upper
        else:
            low = lower
    return (low + high) / 2


def calibrated() -> tuple[Weights, Calibration]:
    found = calibrate(WEIGHTS, CODES, FIRST, cross_entropy(WEIGHTS, CODES, FIRST))
    assert found is not None
    return found


def test_each_half_is_scored_with_its_logits_multiplied() -> None:
    middle, scales = (FIRST + LENGTH) // 2, [0.25, 1.0, 1.7]
    expected = [[naive(1 / scale, *part) for scale in scales] for part in ((FIRST, middle), (middle, LENGTH))]
    np.testing.assert_allclose(scaled_halves(WEIGHTS, CODES, FIRST, scales), expected, atol=1e-5)


def test_the_temperature_is_that_of_a_naive_search() -> None:
    _, calibration = calibrated()
    assert 1.3 < lowest() < 1.5
    assert calibration.temperature == pytest.approx(lowest(), abs=1e-3)
    assert calibration.nats_before == pytest.approx(naive(1.0), abs=1e-5)
    assert calibration.nats == pytest.approx(naive(lowest()), abs=1e-3), "but for the rounding of the head"
    assert calibration.nats < calibration.nats_before - 0.03


def test_the_honest_figure_is_the_second_half_s_with_the_first_half_s_temperature() -> None:
    _, calibration = calibrated()
    middle = (FIRST + LENGTH) // 2
    alone = lowest(FIRST, middle)
    assert abs(alone - lowest()) > 2e-3
    assert calibration.half_nats_before == pytest.approx(naive(1.0, middle, LENGTH), abs=1e-5)
    assert calibration.half_nats == pytest.approx(naive(alone, middle, LENGTH), abs=1e-5)


def test_the_head_is_divided_and_bfloat16_holds_it() -> None:
    weights, calibration = calibrated()
    np.testing.assert_array_equal(weights.head, rounded(WEIGHTS.head / np.float32(calibration.temperature)))
    assert holds(weights.head)
    np.testing.assert_array_equal(weights.head_bias, WEIGHTS.head_bias / np.float32(calibration.temperature))
    assert weights.arrays[:-2] == WEIGHTS.arrays[:-2], "the very same arrays"
    assert cross_entropy(weights, CODES, FIRST) == calibration.nats


def test_what_does_not_lower_the_loss_is_not_kept() -> None:
    _, calibration = calibrated()
    assert calibrate(WEIGHTS, CODES, FIRST, calibration.nats) is None
    assert calibrate(WEIGHTS, CODES, LENGTH - 1, 9.0) is None, "one character has no halves"
    one_symbol = Weights.from_list(random_weights(ModelConfig(1, 2, 0.0, 2), 1))
    assert calibrate(one_symbol, np.zeros(100, np.uint8), 50, 9.0) is None


def test_what_helps_the_first_half_alone_is_not_kept() -> None:
    codes = written(np.where(np.arange(LENGTH - 1) < (FIRST + LENGTH) // 2, 1.8, 0.9))
    lower, before = scaled_halves(WEIGHTS, codes, FIRST, [1 / 1.2, 1.0]).mean(axis=0)
    assert lower < before, "it would lower the loss of both together"
    assert calibrate(WEIGHTS, codes, FIRST, cross_entropy(WEIGHTS, codes, FIRST)) is None


def test_no_logits_are_kept() -> None:
    symbols, length = 500, 20_000
    weights = Weights.from_list(random_weights(ModelConfig(1, 4, 0.0, 2), symbols))
    codes = np.random.default_rng(1).integers(0, symbols, length).astype(np.uint16)
    tracemalloc.start()
    try:
        scaled_halves(weights, codes, 1, [0.5])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < length * symbols * 4 / 3


CORPUS = Corpus.from_text(TEXT * 40, name="fox")
MODEL = ModelConfig(layers=1, units=2, dropout=0.1, embedding=8)
TRAINING = TrainingConfig(window=20, batch_size=4, learning_rate=0.02, rng_seed=1)


def train(output: Path, **options: object) -> tuple[textgen.TrainingResult, list[float | None]]:
    """A run's result, and the losses of its evaluations."""
    events: list[Event] = []
    given = {"model": MODEL, "training": TRAINING, "epochs": 2, "on_progress": events.append} | options
    result = textgen.train(CORPUS, output=output, **given)  # type: ignore[arg-type]
    return result, [event.validation_nats for event in events if isinstance(event, Evaluated)]


@pytest.mark.usefixtures("quick")
def test_a_run_ends_with_its_best_weights_calibrated(tmp_path: Path) -> None:
    result, scored = train(tmp_path / "run")
    calibration, model = result.calibration, read_model(tmp_path / "run")
    assert calibration is not None
    assert calibration.nats_before == min(scored)
    assert result.validation_nats == calibration.nats < calibration.nats_before
    training = model.description.training
    assert (training.validation_nats, training.temperature) == (calibration.nats, calibration.temperature)
    first = len(CORPUS) - CORPUS.hold_out(0.1)
    assert cross_entropy(model.weights, CORPUS.codes, first) == calibration.nats
    path = tmp_path / "fox.txt"
    path.write_text(TEXT * 40)
    evaluated = textgen.evaluate(tmp_path / "run", path)
    assert (evaluated.part, evaluated.nats) == ("hold-out", calibration.nats)


@pytest.mark.usefixtures("quick")
def test_without_a_hold_out_nothing_is_calibrated(tmp_path: Path) -> None:
    result, _ = train(tmp_path / "run", training=replace(TRAINING, validation=0.0))
    assert result.calibration is None
    assert read_model(tmp_path / "run").description.training.temperature is None


@pytest.mark.usefixtures("quick")
def test_fine_tuning_starts_from_the_calibrated_weights_and_is_calibrated_itself(tmp_path: Path) -> None:
    train(tmp_path / "run")
    calibrated = read_model(tmp_path / "run").weights
    started: list[list[np.ndarray]] = []

    class Watch:
        learner: NumPyLearner

        def on_train_begin(self) -> None:
            started.append(self.learner.kept())

    options = {"model": None, "start_from": tmp_path / "run", "callbacks": [Watch()]}
    result, scored = train(tmp_path / "tuned", **options)
    np.testing.assert_array_equal(started[0][-1], calibrated.head_bias)
    assert result.calibration is None or result.calibration.nats_before == min(scored)
    tuned = read_model(tmp_path / "tuned").description.training.temperature
    assert tuned == (result.calibration and result.calibration.temperature)
