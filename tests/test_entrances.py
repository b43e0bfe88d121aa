"""What is called with arguments of a wrong type says so at once, in a line that names the argument."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT
from textgen import (
    Corpus,
    CorpusError,
    Generator,
    ModelConfig,
    ModelFileError,
    RunError,
    SamplingConfig,
    TrainingConfig,
)

CORPUS = Corpus.from_text(TEXT * 10)


@pytest.fixture
def writer(small) -> Generator:
    return Generator(*small)


def refused(call: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    with pytest.raises(TypeError) as error:
        call(*arguments, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seed": None}, "`seed` must be str, not NoneType"),
        ({"seed": b"The "}, "`seed` must be str, not bytes"),
        ({"seed": ["The "]}, "`seed` must be str, not list"),
        ({"length": "3"}, "`length` must be a whole number from 0 to 1,000,000,000, not '3'"),
        ({"length": None}, "`length` must be a whole number from 0 to 1,000,000,000, not None"),
        ({"rng_seed": 1.5}, "`rng_seed` must be a whole number"),
        ({"temperature": "hot"}, "`temperature` must be a number from 0 to 100, not 'hot'"),
        ({"top_k": True}, "`top_k` must be a whole number"),
        ({"stop": None}, "`stop` must be str or Sequence, not NoneType"),
        ({"stop": ["a", 1]}, "`stop[1]` must be str, not int"),
        ({"stop": b"a"}, "`stop[0]` must be str, not int"),
        ({"lenght": 3}, "there is no argument `lenght`; did you mean `length`?"),
        ({"temprature": 3}, "there is no argument `temprature`; did you mean `temperature`?"),
        (
            {"count": 3},
            "there is no argument `count`; there are `temperature`, `top_k`",
        ),
    ],
)
def test_writing(writer: Generator, wrong: dict, message: str) -> None:
    for call in (writer.generate, writer.stream):
        assert refused(call, **wrong).startswith(message)


def test_writing_several(writer: Generator) -> None:
    for call in (writer.texts, writer.write):
        assert refused(call, "a", sampling={"top_k": 3}) == "`sampling` must be textgen.SamplingConfig, not dict"
        assert refused(call, "a", count="2").startswith(
            "`count` must be a whole number from 1 to 1,000,000,000, not '2'"
        )
        assert refused(call, 3) == "`seeds` must be str or Sequence, not int"
        assert refused(call, ["a", b"b"]) == "`seeds[1]` must be str, not bytes"
    assert refused(writer.predict, b"a") == "`seed` must be str, not bytes"


def test_numbers_of_numpy_write_the_same(writer: Generator) -> None:
    options = {"length": np.int64(20), "rng_seed": np.uint32(3), "temperature": np.float32(0.5), "top_k": np.int8(4)}
    assert writer.generate("The ", **options) == writer.generate(
        "The ", length=20, rng_seed=3, temperature=0.5, top_k=4
    )
    assert type(next(writer.texts("The ", rng_seed=np.int64(3))).rng_seed) is int


@pytest.mark.parametrize("path", [3, b"model", ["model"]])
def test_loading(path: object) -> None:
    assert refused(textgen.load, path) == f"`path` must be str, PathLike or None, not {type(path).__name__}"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Corpus.from_text(b"abc"), "`text` must be str, not bytes: read a file with textgen.Corpus.from_files"),
        (lambda: Corpus.from_text(Path("a.txt")), "`text` must be str, not PosixPath: read a file with"),
        (lambda: Corpus.from_text("abc", name=3), "`name` must be str, not int"),
        (lambda: Corpus.from_text("abc", lowercase="no"), "`lowercase` must be bool, not str"),
        (lambda: Corpus.from_text("abc", min_count="2"), "`min_count` must be a whole number from 1"),
        (lambda: Corpus.from_files(["a", "b"]), "`paths[0]` must be str or PathLike, not list: give each path as"),
        (lambda: Corpus.from_files("a", None), "`paths[1]` must be str or PathLike, not NoneType"),
        (lambda: Corpus.from_files("a", b"b"), "`paths[1]` must be str or PathLike, not bytes"),
        (lambda: Corpus.from_files("a", encoding=5), "`encoding` must be str or None, not int"),
        (lambda: Corpus.from_files("a", glob=None), "`glob` must be str, not NoneType"),
        (lambda: Corpus.from_files("a", separator=0), "`separator` must be str, not int"),
        (lambda: Corpus.from_files("a", strip=1), "`strip` must be bool, not int"),
        (lambda: Corpus.from_files("a", unicode=None), "`unicode` must be str, not NoneType"),
        (lambda: Corpus.from_files("a", encodng="utf-8"), "there is no argument `encodng`; did you mean `encoding`?"),
    ],
)
def test_reading(call: Callable[[], object], message: str) -> None:
    assert refused(call).startswith(message)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"corpus": "a.txt"}, "`corpus` must be textgen.Corpus, not str: make one with textgen.Corpus.from_files"),
        ({"corpus": None}, "`corpus` must be textgen.Corpus, not NoneType; it may be left out with `resume=True` only"),
        ({"output": None}, "`output` must be str or PathLike, not NoneType"),
        ({"epochs": "1"}, "`epochs` must be a whole number from 1 to 1,000,000, not '1'"),
        ({"epochs": 1.0}, "`epochs` must be a whole number from 1 to 1,000,000, not 1.0"),
        ({"minutes": "1"}, "`minutes` must be a number above 0"),
        ({"model": {"units": 3}}, "`model` must be textgen.ModelConfig or None, not dict"),
        ({"model": TrainingConfig()}, "`model` must be textgen.ModelConfig or None, not TrainingConfig"),
        ({"training": {"window": 30}}, "`training` must be textgen.TrainingConfig or None, not dict"),
        ({"start_from": 3}, "`start_from` must be str, PathLike or None, not int"),
        ({"resume": "yes"}, "`resume` must be bool, not str"),
        ({"force": 1}, "`force` must be bool, not int"),
        ({"checkpoint_seconds": None}, "`checkpoint_seconds` must be a number from 0"),
        ({"callbacks": print}, "`callbacks` must be Sequence, not builtin_function_or_method"),
        ({"on_progress": "tqdm"}, "`on_progress` must be Callable or None, not str"),
    ],
)
def test_training(tmp_path: Path, wrong: dict, message: str) -> None:
    arguments = {"corpus": CORPUS, "output": tmp_path / "run"} | wrong
    assert refused(textgen.train, **arguments).startswith(message)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": None}, "`model` must be str or PathLike, not NoneType"),
        ({"baseline": 3}, "`baseline` must be str, PathLike or None, not int"),
        ({"everything": "yes"}, "`everything` must be bool, not str"),
        ({"context": "256"}, "`context` must be a whole number from 1"),
        ({"unicode": "nfc"}, "there is no argument `unicode`"),
        ({"everthing": True}, "there is no argument `everthing`; did you mean `everything`?"),
    ],
)
def test_judging(wrong: dict, message: str) -> None:
    model = wrong.pop("model", "no model")
    calls = [textgen.evaluate] if "context" in wrong else [textgen.evaluate, textgen.score, textgen.memory_curve]
    for call in calls:
        assert refused(call, model, "a.txt", **wrong).startswith(message)


def test_a_name_that_no_model_file_takes() -> None:
    with pytest.raises(ValueError, match="`name` must be text of at most 1,000 characters, not 'aaa"):
        Corpus.from_text("abc", name="a" * 1001)


def test_configurations() -> None:
    for make, message in (
        (lambda: ModelConfig(units="300"), "`units` must be a whole number from 1 to 4,096, not '300'"),
        (lambda: TrainingConfig(validation=[0.1]), "`validation` must be a number from 0 to 0.5, not [0.1]"),
        (lambda: SamplingConfig(temperature=None), "`temperature` must be a number from 0 to 100, not None"),
    ):
        assert refused(make) == message


def test_an_empty_path_is_not_the_current_folder(tmp_path: Path) -> None:
    for call, error in (
        (lambda: Corpus.from_files(""), CorpusError),
        (lambda: Corpus.from_files("", "a.txt"), CorpusError),
        (lambda: textgen.load(""), ModelFileError),
        (lambda: textgen.evaluate("", "a.txt"), ModelFileError),
        (lambda: textgen.score("", "a.txt"), ModelFileError),
        (lambda: textgen.memory_curve("", "a.txt"), ModelFileError),
        (lambda: textgen.train(CORPUS, output="", epochs=1), RunError),
        (lambda: textgen.train(CORPUS, output=tmp_path / "run", start_from=""), ModelFileError),
    ):
        with pytest.raises(error, match=r"^the path of (the|a) (text|model|run folder) is empty; name "):
            call()
    assert not (tmp_path / "run").exists()
