"""Texts as users have them; the folder that TEXTGEN_TEXTS names."""

from pathlib import Path

import pytest

import textgen
from tests.conftest import QUICK_COMMAND, run, run_here
from textgen import Corpus


def test_macbeth_has_the_split_that_the_documents_state(texts: Path) -> None:
    corpus = Corpus.from_files(texts / "macbeth.txt")
    assert (len(corpus), len(corpus.vocabulary), corpus.hold_out()) == (111_661, 64, 11_167)
    assert corpus.sha256 == "3b55d5089166462fc06a324d699dc1a45614f4325dbf82862d4e5060d5473095"


@pytest.mark.slow
def test_english_is_learnt_in_seconds(texts: Path, tmp_path: Path) -> None:
    """Two small epochs are enough to be far better than letter frequencies, 2.3 nats on this text."""
    words = ("--units", "128", "--epochs", "2", "--rng-seed", "1")
    result = run_here("train", str(texts / "macbeth.txt"), "-o", str(tmp_path / "run"), *words)
    assert result.returncode == 0, result.stderr
    found = textgen.evaluate(tmp_path / "run", texts / "macbeth.txt")
    assert found.part == "hold-out"
    assert found.nats < 2.15
    text = textgen.load(tmp_path / "run").generate("MACBETH", length=2000, temperature=0.7, rng_seed=1)
    assert "\n" in text
    assert len(set(text.split())) > 100


@pytest.mark.slow
def test_japanese_is_learnt_and_written(texts: Path, tmp_path: Path) -> None:
    words = ("--units", "64", "--epochs", "1", "--rng-seed", "1")
    result = run_here("train", str(texts / "kokoro_utf8_bom.txt"), "-o", str(tmp_path / "run"), *words)
    assert result.returncode == 0, result.stderr
    written = run_here("generate", str(tmp_path / "run"), "--seed", "私は", "--length", "100", "--rng-seed", "1")
    assert written.returncode == 0
    assert written.stdout.startswith("私は")
    assert len(written.stdout) == 103
    assert sum("ぁ" <= symbol <= "ん" for symbol in written.stdout) > 20


@pytest.mark.parametrize(
    ("file", "characters", "symbols", "told"),
    [
        (
            "neko_cp932.txt",
            321_157,
            3046,
            "read as cp932 (guessed): “吾輩は猫である”, without Aozora Bunko: 9,214 readings, 458 notes, 393 bars",
        ),
        (
            "kokoro_utf8_bom.txt",
            162_481,
            2062,
            "without Aozora Bunko: a header of 260 characters, a footer of 323 characters, 149 bars",
        ),
    ],
)
def test_aozora_s_texts_are_read_without_an_option_and_stripped_with_one(
    texts: Path, file: str, characters: int, symbols: int, told: str
) -> None:
    plain = Corpus.from_files(texts / file)
    assert plain.notes[0].endswith("with text added by Aozora Bunko, which `strip` removes")
    corpus = Corpus.from_files(texts / file, strip=True)
    assert (len(corpus), len(corpus.vocabulary)) == (characters, symbols)
    assert corpus.notes[0].endswith(told)
    assert not set("《》｜［］＃") & set(corpus.vocabulary.symbols)
    text = corpus.vocabulary.decode(corpus.codes)
    assert "底本" not in text
    assert "テキスト中に現れる記号" not in text


def test_cp932_is_trained_on_and_evaluated_by_its_hash(texts: Path, tmp_path: Path) -> None:
    words = (
        "--strip",
        "--epochs",
        "1",
        "--units",
        "16",
        "--embedding",
        "8",
        "--learning-rate",
        "0.001",
        "--rng-seed",
        "1",
    )
    result = run("train", str(texts / "neko_cp932.txt"), "-o", str(tmp_path / "run"), *words, command=QUICK_COMMAND)
    assert result.returncode == 0, result.stderr
    found = textgen.evaluate(tmp_path / "run", texts / "neko_cp932.txt", strip=True)
    assert (found.part, found.characters, found.unknown) == ("hold-out", 32_116, 0)
