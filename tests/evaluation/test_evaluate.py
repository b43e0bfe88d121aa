import math
from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT, run_here
from textgen.config import Reading
from textgen.errors import CorpusError
from textgen.evaluation.baselines import Baseline
from textgen.evaluation.evaluate import verdict
from textgen.evaluation.subject import UNKNOWN_NATS
from textgen.evaluation.surprisal import cross_entropy
from textgen.model_file import read_model


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str, name: str = "text.txt") -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def test_of_the_training_text_the_hold_out_alone_is_scored(trained: Path, write) -> None:
    found = textgen.evaluate(trained, write(TEXT * 60))
    assert (found.part, found.characters, found.unknown) == ("hold-out", 408, 0)
    assert found.nats == pytest.approx(read_model(trained).description.training.validation_nats, abs=1e-6)
    assert found.bpc == pytest.approx(found.nats / math.log(2))
    assert found.perplexity == pytest.approx(math.exp(found.nats))
    assert [item.name.split()[0] for item in found.baselines] == ["n-gram", "xz"]


def test_all_of_it_is_scored_when_asked_for_and_marked(trained: Path, write) -> None:
    found = textgen.evaluate(trained, write(TEXT * 60), everything=True)
    assert (found.part, found.characters) == ("whole, seen in training", 60 * 68 - 1)
    assert found.baselines == []


def test_another_text_is_scored_whole_but_for_its_first_character(trained: Path, write) -> None:
    text = write(TEXT * 3)
    found = textgen.evaluate(trained, text)
    read = read_model(trained)
    codes = read.description.vocabulary.encode(TEXT * 3)
    assert (found.part, found.characters) == ("whole", 203)
    assert found.nats == pytest.approx(cross_entropy(read.weights, codes))
    assert textgen.evaluate(trained, text, baseline=write(TEXT * 9, "b.txt")).baselines[1].nats > 0


def test_a_reading_is_taken_as_it_is_but_for_what_the_model_says(trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "text.dat"
    path.write_text("THE fox, the dog. " * 9, encoding="utf-16-le")
    options = {"encoding": "utf-16-le", "separator": ""}
    reading = Reading(**options, lowercase=True, min_count=3)
    assert textgen.evaluate(trained, path, reading=reading) == textgen.evaluate(trained, path, **options)
    with pytest.raises(ValueError, match=r"^`reading` and `encoding` exclude each other; give only one$"):
        textgen.evaluate(trained, path, reading=reading, encoding="utf-8")


def test_unknown_characters_cost_a_choice_among_all_of_unicode(trained: Path, write) -> None:
    plain = textgen.evaluate(trained, write(TEXT))
    strange = textgen.evaluate(trained, write(TEXT[:30] + "ΩΩ" + TEXT[30:]))
    assert (strange.characters, strange.unknown) == (plain.characters + 2, 2)
    assert strange.nats * strange.characters == pytest.approx(plain.nats * plain.characters + 2 * UNKNOWN_NATS)


def test_cold_windows_start_from_zero(trained: Path, write) -> None:
    read = read_model(trained)
    text = TEXT * 8
    codes = read.description.vocabulary.encode(text)
    found = textgen.evaluate(trained, write(text), protocol="cold", context=50)
    windows = [codes[start : start + 51] for start in range(0, len(codes) - 1, 50)]
    expected = sum(cross_entropy(read.weights, window) * (len(window) - 1) for window in windows) / (len(codes) - 1)
    assert found.nats == pytest.approx(expected, abs=1e-6)
    assert found.nats > textgen.evaluate(trained, write(text)).nats
    assert cross_entropy(read.weights, codes, protocol="cold", context=10_000) == pytest.approx(
        cross_entropy(read.weights, codes), abs=1e-6
    )


@pytest.mark.parametrize(
    ("text", "baseline", "message"),
    [("ΩΩΩ", None, "no character of it is in the model's vocabulary"), (TEXT, "abcΩ", "expected at least 8")],
)
def test_unfit_texts_are_refused(trained: Path, write, text: str, baseline: str | None, message: str) -> None:
    other = None if baseline is None else write(baseline, "b.txt")
    with pytest.raises(CorpusError, match=message):
        textgen.evaluate(trained, write(text), baseline=other)


@pytest.mark.usefixtures("quick")
def test_a_text_with_nothing_held_out_needs_all(tmp_path: Path, write) -> None:
    text = write(TEXT * 10)
    result = textgen.train(
        textgen.Corpus.from_files(text),
        output=tmp_path / "run",
        epochs=1,
        model=textgen.ModelConfig(1, 8, 0.0, 4),
        training=textgen.TrainingConfig(validation=0, batch_size=2),
    )
    with pytest.raises(CorpusError, match="or this one as seen in training with `everything=True`"):
        textgen.evaluate(result.model, text)


@pytest.mark.parametrize("wrong", [{"protocol": "warm"}, {"context": 0}])
def test_wrong_arguments_are_refused(trained: Path, write, wrong: dict) -> None:
    with pytest.raises(ValueError, match="must be"):
        textgen.evaluate(trained, write(TEXT), **wrong)


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (2.11, "better than the best n-gram (order 5) by 0.30 bits per character (2.11 vs. 2.41; xz 2.52)"),
        (2.413, "as good as the best n-gram (order 5) (2.41 vs. 2.41; xz 2.52 bits per character)"),
        (
            3.0,
            "worse than the best n-gram (order 5) by 0.59 bits per character (3.00 vs. 2.41; xz 2.52): "
            "it needs more training, or more text",
        ),
    ],
)
def test_the_verdict_is_in_words_and_in_one_unit(bits: float, words: str) -> None:
    bit = math.log(2)
    assert verdict(bits * bit, [Baseline("n-gram (5)", 2.41 * bit), Baseline("xz", 2.52 * bit)]) == words
    assert verdict(2 * bit, []) == "2.00 bits per character"


def test_the_command_prints_the_verdict_or_json(trained: Path, write) -> None:
    import json

    text = write(TEXT * 60)
    plain = run_here("evaluate", str(trained), str(text))
    assert plain.returncode == 0
    assert plain.stdout.startswith("hold-out: 408 characters, 0 of them not in the vocabulary\n")
    assert " the best n-gram (order " in plain.stdout
    values = json.loads(run_here("evaluate", str(trained), str(text), "--json").stdout)
    assert {"characters", "unknown", "nats", "bpc", "perplexity", "part", "baselines"} <= set(values)
    assert [sorted(item) for item in values["baselines"]] == [["name", "nats"]] * 2
    assert np.isclose(values["bpc"], values["nats"] / math.log(2))
    wrong = run_here("evaluate", str(trained), str(text), "--context", "0", "--protocol", "cold")
    assert (wrong.returncode, "expected a whole number from 1" in wrong.stderr) == (2, True)
    lost = run_here("evaluate", str(trained), "none.txt")
    assert (lost.returncode, lost.stderr.count("\n")) == (1, 1)


@pytest.mark.usefixtures("quick")
def test_the_training_text_is_known_by_its_hash_however_it_is_read(tmp_path: Path, write) -> None:
    text = "Ça, c’est l’été à Paris.\r\n" * 60 + "œ"
    (tmp_path / "a.txt").write_bytes(text.encode("cp1252"))
    result = textgen.train(
        textgen.Corpus.from_files(tmp_path / "a.txt", lowercase=True, unicode="nfkc", min_count=2),
        output=tmp_path / "run",
        epochs=1,
        model=textgen.ModelConfig(1, 8, 0.0, 4),
        training=textgen.TrainingConfig(batch_size=2, rng_seed=1),
    )
    info = read_model(result.model).description.text
    assert (info.unicode, info.lowercase, info.replacement) == ("nfkc", True, "\ufffd")
    again = write("ÇA, C’EST L’ÉTÉ À PARIS.\n" * 60 + "œ")
    for path, options in ((tmp_path / "a.txt", {}), (tmp_path / "a.txt", {"encoding": "cp1252"}), (again, {})):
        found = textgen.evaluate(result.model, path, **options)
        assert (found.part, found.unknown) == ("hold-out", 1)
        assert found.nats == pytest.approx(result.validation_nats, abs=1e-6)  # the rare symbol counts as in training
    assert "read as cp1252" in textgen.evaluate(result.model, tmp_path / "a.txt").notes[0]


@pytest.mark.usefixtures("quick")
def test_what_a_replacement_stands_for_costs_what_it_costs(tmp_path: Path, write) -> None:
    corpus = textgen.Corpus.from_text(TEXT * 20 + "ΩΨ", min_count=2)
    options = {"model": textgen.ModelConfig(1, 8, 0.0, 4), "training": textgen.TrainingConfig(batch_size=2, rng_seed=1)}
    result = textgen.train(corpus, output=tmp_path / "run", epochs=1, **options)
    found = textgen.evaluate(result.model, write(TEXT[:30] + "あ" + TEXT[30:]))
    read = read_model(result.model)
    codes = read.description.vocabulary.encode(TEXT[:30] + "\ufffd" + TEXT[30:])
    assert (found.characters, found.unknown) == (68, 1)
    assert found.nats == pytest.approx(cross_entropy(read.weights, codes))


def test_several_texts_of_any_kind_are_evaluated(trained: Path, tmp_path: Path, write) -> None:
    (tmp_path / "d").mkdir()
    for name in ("a", "b"):
        write(TEXT, f"d/{name}.md")
    joined = textgen.evaluate(trained, write(TEXT + "|" + TEXT))
    found = textgen.evaluate(trained, tmp_path / "d", glob="*.md", separator="|")
    assert (found.nats, found.characters) == (pytest.approx(joined.nats), joined.characters)
    shown = run_here("evaluate", str(trained), str(tmp_path / "d"), "--glob", "*.md", "--separator", r"\n", "--json")
    assert shown.returncode == 0
    assert shown.stderr.startswith(f"{tmp_path}/d/a.md: 68 characters\n")
    piped = run_here("evaluate", str(trained), "-", stdin=TEXT + "\n" + TEXT, cwd=tmp_path)
    assert (piped.returncode, piped.stderr) == (0, "standard input: 137 characters\n")
