"""A model recognises its training text, some of its files, or all of them in another order."""

from pathlib import Path

import pytest

import textgen
from tests.conftest import run_here
from textgen.errors import CorpusError
from textgen.evaluation.seen import seen
from textgen.model_file import read_model

pytestmark = pytest.mark.usefixtures("quick")
WORDS = ("the fox sees a dog. ", "a dog sees the fox! ", "no fox sees no dog? ", "all dogs see foxes; ")
LENGTH = 25 * 20  # characters of each file
MODEL = textgen.ModelConfig(1, 8, 0.0, 4)


@pytest.fixture
def chapters(tmp_path: Path) -> Path:
    """A folder of four texts of 500 characters."""
    folder = tmp_path / "book"
    folder.mkdir()
    for number, words in enumerate(WORDS, 1):
        (folder / f"ch{number}.txt").write_text(words * 25, encoding="utf-8")
    return folder


def trained_on(*paths: Path, validation: float = 0.3, **options: object) -> Path:
    result = textgen.train(
        textgen.Corpus.from_files(*paths, **options),
        output=paths[0].parent / "run",
        epochs=1,
        model=MODEL,
        training=textgen.TrainingConfig(batch_size=2, rng_seed=1, validation=validation),
        force=True,
    )
    return result.model


def chapter(folder: Path, *numbers: int) -> list[Path]:
    return [folder / f"ch{number}.txt" for number in numbers]


def test_the_hashes_of_the_texts_are_in_the_model_file(chapters: Path) -> None:
    text = read_model(trained_on(chapters, separator="\n\n", strip=True)).description.text
    assert (text.strip, text.separator, text.repair) == (True, "\n\n", False)
    assert [length for _, length in text.sources] == [LENGTH] * 4
    assert text.sources == textgen.Corpus.from_files(chapters).texts
    assert len({sha256 for sha256, _ in text.sources}) == 4


def test_the_files_in_another_order_and_read_otherwise_are_the_training_text(chapters: Path) -> None:
    model = trained_on(chapters, separator="\n\n")
    expected = textgen.evaluate(model, chapters, separator="\n\n")
    assert (expected.part, expected.characters) == ("hold-out", 602)
    found = textgen.evaluate(model, *chapter(chapters, 3, 1, 4, 2), strip=True, separator="|")
    assert (found.part, found.characters, found.nats) == (expected.part, expected.characters, expected.nats)
    assert found.baselines == expected.baselines
    assert found.notes == expected.notes


@pytest.mark.parametrize(
    ("numbers", "characters", "note"),
    [
        # 2,003 characters, of which 1,402 were trained on; chapter 3 begins at 1,002.
        ((4,), 499, "1 text of the 4 that the model was trained on, read as in training: 0 characters of them"),
        ((3,), 100, "1 text of the 4 that the model was trained on, read as in training: 400 characters of them"),
        ((3, 1), 100, "2 texts of the 4 that the model was trained on, read as in training: 901 characters of them"),
        ((4, 2), 500, "2 texts of the 4 that the model was trained on, read as in training: 501 characters of them"),
    ],
)
def test_of_a_part_of_the_training_text_what_was_held_out_is_evaluated(
    chapters: Path, numbers: tuple[int, ...], characters: int, note: str
) -> None:
    found = textgen.evaluate(trained_on(chapters), *chapter(chapters, *numbers))
    assert (found.part, found.characters) == ("hold-out", characters)
    assert found.notes[-1].startswith(note)


def test_a_part_that_was_all_trained_on_is_evaluated_only_when_asked_for(chapters: Path) -> None:
    model = trained_on(chapters)
    with pytest.raises(CorpusError, match="was trained on all of this text, nothing was held out; evaluate another"):
        textgen.evaluate(model, *chapter(chapters, 2, 1))
    found = textgen.evaluate(model, *chapter(chapters, 2, 1), everything=True)
    assert (found.part, found.characters) == ("whole, seen in training", 1000)


def test_a_text_that_is_partly_the_training_text_is_evaluated_whole_and_told(chapters: Path, tmp_path: Path) -> None:
    model = trained_on(chapters)
    (tmp_path / "other.txt").write_text("a fox, a dog. " * 9, encoding="utf-8")
    found = textgen.evaluate(model, tmp_path / "other.txt", *chapter(chapters, 1, 4), separator="")
    assert (found.part, found.characters) == ("whole, partly seen in training", 126 + 2 * LENGTH - 1)
    told = "2 of these 3 texts are texts of the model's training text, 500 characters of them trained on; leave"
    assert found.notes[-1].startswith(told)
    held_out = textgen.evaluate(model, tmp_path / "other.txt", *chapter(chapters, 4))
    assert (held_out.part, held_out.characters) == ("whole", 126 + 1 + LENGTH - 1)
    assert "1 of these 2 texts are texts of the model's training text, all held out" in held_out.notes[-1]


def test_a_text_given_more_often_than_it_was_trained_on_is_new_once(chapters: Path) -> None:
    found = textgen.evaluate(trained_on(chapters), *chapter(chapters, 1, 1))
    assert (found.part, found.characters) == ("whole, partly seen in training", 2 * LENGTH)


def test_a_text_trained_on_with_other_options_is_read_with_them(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text("Header\n\ufeffEin Cafe\u0301 und noch eins. " * 30, encoding="utf-8")
    model = trained_on(path, repair=True, lowercase=True)
    found = textgen.evaluate(model, path)
    assert found.part == "hold-out"
    assert found.nats == pytest.approx(read_model(model).description.training.validation_nats, abs=1e-6)


def test_where_normalisation_changes_lengths_the_border_is_nearly_right(tmp_path: Path) -> None:
    folder = tmp_path / "book"
    folder.mkdir()
    for number in (1, 2, 3):
        (folder / f"{number}.txt").write_text(f"Cafe\u0301 und Milch{number}" * 40, encoding="utf-8")
    model = read_model(trained_on(folder, validation=0.5))
    found = seen(model.description, textgen.Corpus.from_files(folder / "2.txt"))
    assert found.known == found.of == 1
    assert found.characters == pytest.approx(300, abs=2)  # of 600
    assert seen(model.description, textgen.Corpus.from_files(folder / "1.txt")).characters == 600


def test_a_model_that_says_nothing_of_its_texts_knows_the_whole_alone(chapters: Path) -> None:
    corpus = textgen.Corpus.from_text("the fox sees a dog. " * 60)
    result = textgen.train(corpus, output=chapters / "run", epochs=1, model=MODEL)
    assert read_model(result.model).description.text.sources == ()
    found = textgen.evaluate(result.model, *chapter(chapters, 1))
    assert (found.part, found.characters) == ("whole", LENGTH - 1)


def test_the_command_tells_what_was_trained_on(chapters: Path) -> None:
    shown = run_here("evaluate", str(trained_on(chapters)), *map(str, chapter(chapters, 3, 1)))
    assert shown.returncode == 0
    assert shown.stdout.startswith("hold-out: 100 characters, ")
    assert "2 texts of the 4 that the model was trained on" in shown.stderr
    refused = run_here("evaluate", str(chapters.parent / "run"), str(chapters / "ch1.txt"))
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert refused.stderr.endswith("or this one as seen in training with --all\n")
