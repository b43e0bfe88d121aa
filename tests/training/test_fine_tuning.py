from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.conftest import TEXT, describe, random_weights
from tests.test_model_file import archive, good_description
from textgen import Corpus, ModelConfig
from textgen.corpus.vocabulary import Vocabulary
from textgen.errors import CorpusError, RunError
from textgen.generation.generator import Generator
from textgen.model_file import Model, Weights, read_model
from textgen.training.fine_tuning import grow, grown_vocabulary
from textgen.training.plan import shape_of

CONFIG = ModelConfig(2, 8, 0.0, 4)


def model(symbols: str, *, lowercase: bool = False) -> Model:
    vocabulary = Vocabulary(list(symbols))
    weights = Weights.from_list(random_weights(CONFIG, len(vocabulary)))
    return Model(Path("old.keras"), describe(vocabulary, CONFIG, unicode="nfc", lowercase=lowercase), weights)


def test_new_symbols_follow_the_old_ones_sorted() -> None:
    assert grown_vocabulary(Vocabulary.of("dab"), Vocabulary.of("czda")).symbols == ("a", "b", "d", "c", "z")


def test_old_rows_are_kept_bit_by_bit_and_new_ones_are_sensible() -> None:
    old = model("abc")
    corpus, arrays = grow(old, Corpus.from_text("cadb" * 10))
    weights = Weights.from_list(arrays)
    assert corpus.vocabulary.symbols == ("a", "b", "c", "d")
    assert corpus.codes[:4].tolist() == [2, 0, 3, 1]
    np.testing.assert_array_equal(weights.embedding[:3], old.weights.embedding)
    np.testing.assert_array_equal(weights.head[:, :3], old.weights.head)
    np.testing.assert_array_equal(weights.head_bias[:3], old.weights.head_bias)
    np.testing.assert_array_equal(weights.layers[1].kernel, old.weights.layers[1].kernel)
    np.testing.assert_allclose(weights.embedding[3], old.weights.embedding.mean(axis=0))
    assert weights.head_bias[3] == old.weights.head_bias.min()


def test_vocabularies_of_one_size_are_matched_by_character() -> None:
    """Texts of three symbols each: by code, x would be taken for a."""
    old = model("abx")
    corpus, arrays = grow(old, Corpus.from_text("xyz" * 10))
    assert corpus.vocabulary.symbols == ("a", "b", "x", "y", "z")
    assert corpus.codes[:3].tolist() == [2, 3, 4]
    writers = [Generator(old.description, old.weights)]
    description = describe(corpus.vocabulary, CONFIG)
    # A new symbol so unlikely that it is never the likeliest leaves the old model's text as it was.
    arrays[-1][3:] = -100
    writers.append(Generator(description, Weights.from_list(arrays)))
    assert len({writer.generate("xab", length=40, temperature=0) for writer in writers}) == 1


def test_the_form_of_unicode_must_agree() -> None:
    with pytest.raises(
        CorpusError, match=r'old\.keras was trained on text with `unicode="nfc"`, not none; read the text'
    ):
        grow(model("abc"), Corpus.from_text("abc", unicode="none"))


def test_a_replacement_stays() -> None:
    vocabulary = Vocabulary.of("abc\ufffd")
    description = describe(vocabulary, CONFIG, unicode="nfc", replacement="\ufffd")
    old = Model(Path("old.keras"), description, Weights.from_list(random_weights(CONFIG, 4)))
    corpus, _ = grow(old, Corpus.from_text("abcd"))
    assert corpus.replacement == "\ufffd"
    corpus, _ = grow(model("abc"), Corpus.from_text("aabbd", min_count=2))
    assert (corpus.replacement, corpus.vocabulary.symbols) == ("\ufffd", ("a", "b", "c", "\ufffd"))


def test_lowercase_must_agree() -> None:
    with pytest.raises(
        CorpusError, match=r"the model old\.keras was trained on lowercase text; read the text in the same"
    ):
        grow(model("abc", lowercase=True), Corpus.from_text("abc"))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            ModelConfig(units=300),
            "`units` is 300, but the model has 8; leave out `units`",
        ),  # what would be chosen for a new model
        (ModelConfig(units=16), "`units` is 16, but the model has 8; leave out `units`"),
        (ModelConfig(layers=1, units=8), "`layers` is 1, but the model has 2; leave out `layers`"),
        (ModelConfig(embedding=64), "`embedding` is 64, but the model has 4; leave out `embedding`"),
        (ModelConfig(cell="gru"), "`cell` is gru, but the model has lstm; leave out `cell`"),
    ],
)
def test_a_shape_that_is_not_the_source_s_is_refused(tmp_path: Path, asked: ModelConfig, message: str) -> None:
    source = archive(tmp_path / "small.keras", good_description())
    corpus = Corpus.from_text(TEXT * 10, unicode="none")
    with pytest.raises(RunError, match=message):
        textgen.train(corpus, output=tmp_path / "x", start_from=source, model=asked)
    assert not (tmp_path / "x").exists()


def test_a_shape_that_is_left_open_is_the_source_s(tmp_path: Path) -> None:
    source = read_model(archive(tmp_path / "small.keras", good_description()))
    assert shape_of(source, None) == ModelConfig(2, 8, None, 4, "lstm")
    assert shape_of(source, ModelConfig(units=8, dropout=0.3)) == ModelConfig(2, 8, 0.3, 4, "lstm")
