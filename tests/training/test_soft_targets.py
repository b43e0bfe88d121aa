"""What teachers predict, against a naive twin that reads the text character by character."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.taught import write_teacher
from textgen import Corpus
from textgen.config import Hyperparameters, Shape
from textgen.corpus import cache
from textgen.corpus.vocabulary import Vocabulary
from textgen.errors import CorpusError
from textgen.generation.compiled import prepare
from textgen.model_file import read_model
from textgen.training import soft_targets as module
from textgen.training.plan import Epochs, Plan
from textgen.training.progress import Consulted
from textgen.training.soft_targets import SoftTargets, soft_targets
from textgen.training.teachers import engage

RNG = np.random.default_rng(5)
LETTERS = "abcdefghij"
TEXT = "".join(RNG.choice(list(LETTERS), 1500))
WIDE = "".join(chr(0x4E00 + number) for number in RNG.zipf(1.3, 1200) % 300)


def plan_of(text: str, *teachers: Path, validation: float = 0.1) -> Plan:
    training = Hyperparameters(
        window=20, batch_size=4, learning_rate=0.01, patience=None, validation=validation, rng_seed=1
    )
    return Plan(Corpus.from_text(text), Shape(1, 2, 0.0, 2), training, Epochs(2), engage(teachers, Path("none")))


def heard(plan: Plan) -> SoftTargets:
    soft, notes = soft_targets(plan, lambda _: None)
    assert soft is not None
    assert notes == ()
    return soft


def predictions(path: str | Path, text: str) -> list[dict[str, float] | None]:
    """What a model says of each character that it knows, read alone and from the start; None elsewhere."""
    model = read_model(path)
    symbols, network, said = model.description.vocabulary.symbols, prepare(model.weights), []
    state, logits = network.start(), None
    for character in text:
        if character not in symbols:
            said.append(None)
            continue
        if logits is None:
            said.append(None)
        else:
            weights = np.exp(logits.astype(np.float64) - logits.max())
            said.append(dict(zip(symbols, weights / weights.sum(), strict=True)))
        logits = network.step(np.array([symbols.index(character)]), state)[0].copy()
    return said


def twin(plan: Plan, text: str, kept: int = 10**6) -> np.ndarray:
    """The targets `(N, V)`, put together symbol by symbol."""
    symbols = plan.corpus.vocabulary.symbols
    learnt = text[: len(plan.windows.codes)]
    targets = np.zeros((len(learnt), len(symbols)))
    all_said = [predictions(teacher.path, learnt) for teacher in plan.teachers]
    for place, character in enumerate(learnt):
        spoken = [said[place] for said in all_said if said[place] is not None]
        of_known = [sum(share for symbol, share in said.items() if symbol in plan.corpus.vocabulary) for said in spoken]
        for code, symbol in enumerate(symbols):
            shares = [said[symbol] / total for said, total in zip(spoken, of_known, strict=True) if symbol in said]
            targets[place, code] = np.mean(shares) if shares else 0
        likeliest = np.argsort(-targets[place])[:kept]
        targets[place, np.setdiff1d(np.arange(len(symbols)), likeliest)] = 0
        if symbols.index(character) not in likeliest:
            targets[place] = 0
        if targets[place].any():
            targets[place] /= targets[place].sum()
    return targets


def by_symbol(soft: SoftTargets, step: int) -> np.ndarray:
    """A window of targets as `(B, T, V)`, whichever way it is kept."""
    probabilities, *codes = soft.window(step)
    if not codes:
        return probabilities.astype(np.float64)
    whole = np.zeros((*probabilities.shape[:2], soft.symbols))
    np.put_along_axis(whole, codes[0], probabilities.astype(np.float64), axis=2)
    return whole


def test_teachers_read_the_characters_before_each_stream(tmp_path: Path) -> None:
    plan = plan_of(TEXT, write_teacher(tmp_path / "a.keras", LETTERS))
    apart = np.abs(heard(plan).rows.view(np.float16) - twin(plan, TEXT)).max()
    assert apart < 3e-4


CASES: dict[str, Callable[[Path], list[Path]]] = {
    "one": lambda folder: [write_teacher(folder / "a.keras", LETTERS)],
    "another order and more symbols": lambda folder: [write_teacher(folder / "a.keras", "zXjihgfedcba", layers=2)],
    "two of two sizes": lambda folder: [
        write_teacher(folder / "a.keras", LETTERS, 1),
        write_teacher(folder / "b.keras", LETTERS, 2, layers=2, units=16),
    ],
    "one that lacks symbols": lambda folder: [write_teacher(folder / "a.keras", "abcdefgX")],
    "two that lack others": lambda folder: [
        write_teacher(folder / "a.keras", "abcdefg", 1),
        write_teacher(folder / "b.keras", "jihgfedc", 2),
    ],
}


@pytest.mark.parametrize("case", CASES)
def test_targets_are_those_of_the_naive_twin(tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_IN", 10**6)  # random networks may remember for ever
    plan = plan_of(TEXT, *CASES[case](tmp_path))
    soft, expected = heard(plan), twin(plan, TEXT)
    assert soft.rows.shape == (1350, 10)
    sums = expected.sum(axis=1)
    assert 0.6 < (sums > 0.5).mean() < 1, "some are silent, at least at the first character"
    for step in range(plan.windows.per_epoch + 3):  # of the second epoch too, which begins elsewhere
        places = plan.windows.places(step)[:, 1:]
        np.testing.assert_allclose(by_symbol(soft, step), expected[places], atol=3e-4)


def test_a_row_belongs_to_the_target_of_its_place(tmp_path: Path) -> None:
    plan = plan_of(TEXT, write_teacher(tmp_path / "a.keras", "abcdefgh"))
    soft = heard(plan)
    for step in (0, 5, plan.windows.per_epoch + 1):
        _, targets = plan.windows.window(step)
        silent = soft.window(step)[0].sum(axis=2) == 0
        places = plan.windows.places(step)[:, 1:]
        np.testing.assert_array_equal(silent, (targets >= 8) | (places == 0))


def test_of_a_large_vocabulary_the_64_likeliest_symbols_are_kept(tmp_path: Path) -> None:
    text = WIDE
    plan = plan_of(text, write_teacher(tmp_path / "a.keras", "".join(sorted(set(text)))))
    soft, expected = heard(plan), twin(plan, text, 64)
    assert soft.rows.shape == (len(plan.windows.codes), 128)
    assert 0.2 < (expected.sum(axis=1) > 0).mean() < 0.9
    for step in range(3):
        probabilities, codes = soft.window(step)
        assert (probabilities.shape, codes.shape) == ((4, 20, 64), (4, 20, 64))
        assert (probabilities.dtype, codes.dtype) == (np.float16, np.int32)
        places = plan.windows.places(step)[:, 1:]
        np.testing.assert_allclose(by_symbol(soft, step), expected[places], atol=1e-3)


def test_codes_beyond_16_bits_are_kept_whole() -> None:
    probabilities = np.zeros((2, 70_000), np.float32)
    probabilities[:, 69_000:] = 1e-6
    probabilities[0, [3, 69_999]] = 0.25, 0.75
    probabilities[1, 65_536] = 1
    rows = module._packed(probabilities, np.array([69_999, 4], np.uint32))
    plan = plan_of("ab" * 100)
    soft = SoftTargets(rows, type("Two", (), {"places": lambda *_: np.array([[9, 0, 1]])})(), 70_000)
    assert plan.teachers == ()
    whole = by_symbol(soft, 0)[0]
    np.testing.assert_allclose(whole[0, [3, 69_999]], [0.25, 0.75], atol=1e-3)
    assert not whole[1].any(), "the text's character is none of the 64"


def test_targets_are_right_on_average_where_a_teacher_is(tmp_path: Path) -> None:
    """Half of each target is the text's, so it must have the expectation of the text, whatever is left out."""
    rng = np.random.default_rng(1)
    truth = 1 / np.arange(1, 201)
    truth /= truth.sum()
    codes = rng.choice(200, 40_000, p=truth)
    rows = module._packed(np.tile(truth.astype(np.float32), (len(codes), 1)), codes)
    probabilities = rows[:, :64].view(np.float16).astype(np.float64)
    mean = np.zeros(200)
    np.add.at(mean, rows[:, 64:], probabilities / 2)
    np.add.at(mean, codes, 1 - probabilities.sum(axis=1) / 2)
    mean /= len(codes)
    np.testing.assert_allclose(mean[:64], truth[:64], rtol=0.15)
    assert mean[64:].sum() == pytest.approx(truth[64:].sum(), rel=0.03)


def test_they_are_computed_once_and_again_where_teachers_or_text_differ(tmp_path: Path) -> None:
    one, two = (write_teacher(tmp_path / name, LETTERS, seed) for seed, name in enumerate(("a.keras", "b.keras")))
    told: list[Consulted] = []
    for plan, work in (
        (plan_of(TEXT, one), True),
        (plan_of(TEXT, one), False),
        (plan_of(TEXT, two), True),
        (plan_of(TEXT, one, two), True),
        (plan_of(TEXT, one, validation=0.0), True),
        (plan_of(TEXT[1:], one), True),
        (plan_of(TEXT, one), False),
    ):
        told.clear()
        soft_targets(plan, told.append)  # type: ignore[arg-type]
        assert bool(told) == work
        if work:
            assert told[-1] == Consulted(len(plan.windows.codes), len(plan.windows.codes))
            assert [event.characters for event in told] == sorted({event.characters for event in told})
    other = replace(plan_of(TEXT, one), corpus=Corpus.from_text(TEXT).recoded(Vocabulary(LETTERS[::-1])))
    assert heard(other).rows.tobytes() != heard(plan_of(TEXT, one)).rows.tobytes(), "other codes, other columns"
    assert cache.clean() > 0
    before = heard(plan).rows.tobytes()
    assert before == heard(plan).rows.tobytes()


def test_where_the_cache_cannot_be_written_they_are_in_a_file_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(TEXT[:900], write_teacher(tmp_path / "a.keras", LETTERS, 7))
    (tmp_path / "file").touch()
    with monkeypatch.context() as patch:
        patch.setenv(cache.VARIABLE, str(tmp_path / "file" / "cache"))
        soft, (note,) = soft_targets(plan, lambda _: None)
    assert note.startswith("the teachers' predictions could not be cached, and will be computed again the next time: ")
    assert soft is not None
    assert soft.rows.tobytes() == heard(plan).rows.tobytes()


def test_a_full_disk_is_noticed_before_the_teachers_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    plan = plan_of(TEXT[:800], write_teacher(tmp_path / "a.keras", LETTERS, 8))
    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr(module, "mean_probabilities", lambda *_: pytest.fail("they have read"))
    with pytest.raises(CorpusError, match="No space left on device"):
        soft_targets(plan, lambda _: None)


@pytest.mark.parametrize("problem", [OSError(95, "Operation not supported"), AttributeError()])
def test_a_system_that_cannot_reserve_space_does_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def no(*_: int) -> None:
        raise problem

    plan = plan_of(TEXT[:700], write_teacher(tmp_path / "a.keras", LETTERS, 8))
    monkeypatch.setattr(os, "posix_fallocate", no)
    assert heard(plan).rows.any()


def test_a_run_without_teachers_has_none() -> None:
    assert soft_targets(plan_of(TEXT), lambda _: None) == (None, ())
