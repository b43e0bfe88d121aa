import os
import signal
from pathlib import Path

import pytest

from tests.evaluation.unigram import write_unigram
from textgen.corpus.vocabulary import Vocabulary
from textgen.errors import TrainingError
from textgen.model_file import Model, read_model
from textgen.training import authors
from textgen.training.authors import dealt, equal_amounts, shared_vocabulary, trained, training_seconds, trainings_of
from textgen.training.progress import Started, Stepped

KNOWN = {"A": ["aab " * 100, "aa b" * 100, "aaab " * 100], "B": ["abb " * 400, "bbbE " * 300]}


@pytest.fixture
def base(tmp_path: Path) -> Model:
    return read_model(write_unigram(tmp_path / "base", {"a": 0.4, "b": 0.4, " ": 0.1, "z": 0.1}))


def test_amounts_are_equal_and_of_whole_texts_but_for_the_last() -> None:
    found = equal_amounts(KNOWN)
    assert {name: sum(map(len, texts)) for name, texts in found.items()} == {"A": 1300, "B": 1300}
    assert sorted(found["A"]) == sorted(KNOWN["A"])
    assert len(found["B"]) == 1
    assert any(text.startswith(found["B"][0]) for text in KNOWN["B"])
    assert equal_amounts(KNOWN) == found


def test_amounts_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authors, "MOST_CHARACTERS", 500)
    assert {name: sum(map(len, texts)) for name, texts in equal_amounts(KNOWN).items()} == {"A": 500, "B": 500}


def test_each_text_is_judged_once_by_what_the_others_teach() -> None:
    known = {"A": [f"a{number}" for number in range(11)], "B": ["b0", "b1", "b2"]}
    judged: dict[str, list[str]] = {"A": [], "B": []}
    for fold in range(3):
        learnt, held = dealt(known, fold, 3)
        for name, texts in known.items():
            assert sorted(learnt[name] + held[name]) == sorted(texts)
            judged[name] += held[name]
    assert {name: sorted(texts) for name, texts in judged.items()} == {name: sorted(its) for name, its in known.items()}


def test_models_share_a_vocabulary(base: Model) -> None:
    assert shared_vocabulary(base, KNOWN) == Vocabulary(["\n", " ", "E", "a", "b", "z"])


def test_a_run_is_named_after_all_that_it_depends_on(base: Model, tmp_path: Path) -> None:
    vocabulary, learnt = shared_vocabulary(base, KNOWN), equal_amounts(KNOWN)

    def names(**changed: object) -> list[str]:
        given = {"base": base, "learnt": learnt, "vocabulary": vocabulary, "fold": None, "output": tmp_path, **changed}
        found = trainings_of(given.pop("base"), given.pop("learnt"), given.pop("vocabulary"), **given)  # type: ignore[arg-type]
        return [training.output.name for training in found]

    usual = names()
    assert [name[:2] for name in usual] == ["A-", "B-"]
    assert names() == names(fold=3) == usual
    assert names(learnt={**learnt, "B": ["abb" * 500]})[0] == usual[0]
    other = read_model(write_unigram(tmp_path / "other", {"a": 0.5, "b": 0.5}))
    for changed in (
        {"base": other},
        {"learnt": {"A": ["aa" * 900], "B": ["bb" * 900]}},
        {"vocabulary": Vocabulary("\n Eabyz")},
    ):
        assert not set(names(**changed)) & set(usual)


@pytest.mark.parametrize(("characters", "epochs"), [(1000, 12), (60_000, 10), (200_000, 3), (300_000, 3)])
def test_short_texts_are_read_more_often(base: Model, tmp_path: Path, characters: int, epochs: int) -> None:
    (training,) = trainings_of(base, {"A": ["a" * characters]}, Vocabulary("ab"), fold=None, output=tmp_path)
    assert training.epochs == epochs


def test_more_to_train_takes_longer(base: Model, tmp_path: Path) -> None:
    trainings = trainings_of(base, equal_amounts(KNOWN), shared_vocabulary(base, KNOWN), fold=None, output=tmp_path)
    assert training_seconds(base, trainings, 10**9) > training_seconds(base, trainings, 0) > 8
    assert training_seconds(base, [], 0) == 0


@pytest.mark.usefixtures("quick")
def test_a_model_is_trained_once_and_resumed_when_it_was_stopped(
    base: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vocabulary = shared_vocabulary(base, KNOWN)
    training = trainings_of(base, equal_amounts(KNOWN), vocabulary, fold=1, output=tmp_path / "runs")[0]
    raised: list[int] = []
    monkeypatch.setattr(authors.signal, "raise_signal", raised.append)
    events: list[object] = []

    def interrupt(event: object) -> None:
        events.append(event)
        if isinstance(event, Stepped) and event.step == 5:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(TrainingError, match=r"A-\w+: the training was stopped; the same call goes on with it$"):
        trained(base, training, interrupt)
    assert [number.name for number in raised] == ["SIGTERM"]  # type: ignore[attr-defined]
    assert not training.is_kept

    events.clear()
    whole = trained(base, training, events.append)
    assert isinstance(events[0], Started)
    assert (events[0].name, events[0].hold_out, events[0].resumed_at > 0) == ("A, fold 2", 0, True)
    assert training.is_kept
    assert whole.description.training.epochs == training.epochs
    assert set(whole.description.vocabulary.symbols) == set(vocabulary.symbols)

    events.clear()
    assert trained(base, training, events.append).description == whole.description
    assert events == []


@pytest.mark.usefixtures("quick")
def test_a_model_that_is_not_trained_to_its_end_is_trained_again(base: Model, tmp_path: Path) -> None:
    training = trainings_of(base, equal_amounts(KNOWN), shared_vocabulary(base, KNOWN), fold=None, output=tmp_path)[0]
    write_unigram(training.output, {"a": 0.5, "b": 0.5})
    assert not training.is_kept  # its model has one epoch
    assert trained(base, training, None).description.training.epochs == 12
