import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

import textgen
from tests.evaluation.unigram import write_unigram
from textgen.errors import CorpusError
from textgen.training import authors
from textgen.training.authors import Planned
from textgen.training.progress import Started

pytestmark = pytest.mark.usefixtures("quick")


def text_by(author: str, seed: int, length: int = 1500) -> str:
    weights = {"ann": (6, 2, 2), "bob": (2, 6, 2)}[author]
    return "".join(random.Random(seed).choices("ab ", weights, k=length))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base model, three texts by Ann and four by Bob, and one more by Bob."""
    write_unigram(tmp_path / "base", {"a": 0.4, "b": 0.4, " ": 0.1, "A": 0.1}, unicode="nfc")
    for author, number in (("ann", 3), ("bob", 4)):
        (tmp_path / author).mkdir()
        for place in range(number):
            (tmp_path / author / f"{place}.txt").write_text(text_by(author, 10 * number + place))
    (tmp_path / "unknown.txt").write_text(text_by("bob", 99))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(authors, "EPOCHS", (3, 3))  # enough to learn what these texts have
    return tmp_path


CORPORA = {"ann": "ann", "bob": ["bob"]}


def test_a_text_is_given_to_its_author_and_known_texts_tell_how_sure_that_is(folder: Path) -> None:
    events: list[object] = []
    found = textgen.attribute(
        "unknown.txt", corpora=CORPORA, start_from="base", output="runs", folds=3, on_progress=events.append
    )
    planned = events[0]
    assert isinstance(planned, Planned)
    assert (planned.trainings, planned.kept, planned.characters, str(planned.output)) == (8, 0, 4502, "runs")
    assert planned.seconds > 8
    assert [event.name for event in events if isinstance(event, Started)] == [
        *("ann", "bob", "ann, fold 1", "bob, fold 1", "ann, fold 2", "bob, fold 2", "ann, fold 3", "bob, fold 3")
    ]
    (judgement,) = found.judgements
    assert (judgement.text, judgement.best) == ("unknown.txt", "bob")
    assert [item.nearest for item in judgement.distances[:2]] == ["bob", "bob"]
    assert found.known is not None
    assert (found.known.folds, found.known.texts) == (3, {"ann": 3, "bob": 4})
    assert found.known.accuracies[0].right == {"ann": 3, "bob": 4}
    assert [item.method.split(",")[0] for item in found.known.accuracies] == [
        *("LSTM", "LSTM", "Cosine Delta", "Cosine Delta", "xz")
    ]
    assert found.notes[-1].startswith("the models learn spelling and punctuation too")
    json.dumps(found.to_dict(), allow_nan=False)


def test_runs_are_kept_and_trained_again_where_their_texts_change(folder: Path) -> None:
    def trainings(folds: int = 2) -> tuple[int, int]:
        events: list[object] = []
        textgen.attribute(
            "unknown.txt", corpora=CORPORA, start_from="base", output="runs", folds=folds, on_progress=events.append
        )
        planned = events[0]
        assert isinstance(planned, Planned)
        assert sum(isinstance(event, Started) for event in events) == planned.trainings - planned.kept
        return planned.trainings, planned.kept

    assert trainings() == (6, 0)
    assert trainings() == (6, 6)
    assert trainings(0) == (2, 2)
    (folder / "ann" / "0.txt").write_text(text_by("ann", 77))
    assert trainings(0) == (2, 1)


def test_what_makes_it_doubtful_is_told(folder: Path) -> None:
    (folder / "bob" / "4.txt").write_text(text_by("bob", 5, 9000))
    (folder / "ann" / "3.txt").write_text((folder / "bob" / "0.txt").read_text())
    (folder / "ann" / "4.txt").write_text("ж" * 3000 + (folder / "unknown.txt").read_text())
    (folder / "ann" / "5.txt").write_text((folder / "unknown.txt").read_text())
    (folder / "bob" / "9.txt").write_text("ж" * 9000)
    found = textgen.attribute("unknown.txt", corpora=CORPORA, start_from="base", output="runs", folds=0)
    assert found.known is None
    assert found.notes[1:-2] == (
        "ann and bob have a text in common, which makes them alike",
        "unknown.txt: is one of ann's known texts",
        "base/model.keras: does not know 33% of the known texts' characters; fine-tune a model that was trained on "
        "such texts with `start_from`",
    )
    (folder / "ann" / "4.txt").unlink()
    found = textgen.attribute("unknown.txt", corpora=CORPORA, start_from="base", output="runs", folds=0)
    assert "ann has 7,500 characters, bob 24,000: as much of each is learnt as ann has" in found.notes


def test_texts_are_normalised_as_the_base_model_s_was(folder: Path) -> None:
    write_unigram(folder / "small", {"a": 0.4, "b": 0.4, " ": 0.2}, unicode="nfc", lowercase=True)
    for author in ("ann", "bob"):
        for path in (folder / author).iterdir():
            path.write_text(path.read_text().upper())
    found = textgen.attribute("unknown.txt", corpora=CORPORA, start_from="small", output="runs", folds=0)
    assert [item.unknown for item in found.judgements[0].candidates] == [0, 0]
    assert found.judgements[0].best == "bob"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "give either `among` or `corpora`"),
        ({"among": ["base", "base"], "corpora": CORPORA}, ValueError, "give either `among` or `corpora`"),
        ({"among": ["a", "b"], "output": "x"}, ValueError, "`among` and `output` exclude each other; give only one"),
        ({"corpora": {"ann": "ann"}, "output": "x"}, ValueError, "`corpora` must name two authors or more, not 1"),
        ({"corpora": "ann", "output": "x"}, TypeError, '`corpora` must be Mapping, not str: give {"name": paths}'),
        ({"corpora": {"ann": "ann", "b/c": "bob"}, "output": "x"}, ValueError, "`corpora` names an author 'b/c'; "),
        ({"corpora": {"ann": "ann", ".": "bob"}, "output": "x"}, ValueError, "`corpora` names an author '.'; "),
        ({"corpora": {"ann": "ann", "b": []}, "output": "x"}, ValueError, "`corpora` names no text of b"),
        ({"corpora": {"ann": "ann", 3: "bob"}, "output": "x"}, TypeError, "`corpora` must be str, not int"),
        ({"corpora": CORPORA}, TypeError, "`output` must be str or PathLike, not NoneType: name the folder"),
        (
            {"corpora": CORPORA, "output": "x", "folds": 1},
            ValueError,
            "`folds` must be 0, for no cross-validation, or ",
        ),
        ({"corpora": CORPORA, "output": "x", "folds": -1}, ValueError, "`folds` must be a whole number from 0 to 100"),
        (
            {"corpora": CORPORA, "output": "x"},
            CorpusError,
            "ann: has 3 texts, too few for 5 folds; give more texts, or `folds=3`, `folds=0` for no cross-validation",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(
    folder: Path, arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match="^" + re.escape(message)):
        textgen.attribute("unknown.txt", start_from=None if "among" in arguments else "base", **arguments)  # type: ignore[arg-type]
    assert not (folder / "x").exists()


def test_texts_that_teach_nothing_are_refused_before_any_training(folder: Path) -> None:
    def refused(folds: int = 0) -> str:
        with pytest.raises(CorpusError) as caught:
            textgen.attribute("unknown.txt", corpora=CORPORA, start_from="base", output="runs", folds=folds)
        assert not (folder / "runs").exists()
        return str(caught.value)

    (folder / "unknown.txt").write_text("ж" * 2000)
    assert refused() == "unknown.txt: has no characters of the known texts; expected a text in the same script"
    (folder / "unknown.txt").write_text("ab" * 2000)
    (folder / "ann" / "3.txt").write_text("a")
    assert refused() == "ann/3.txt: has 1 character; expected a text by ann"
    for path in (folder / "ann").iterdir():
        path.write_text("aab " * 100)
    (folder / "ann" / "3.txt").unlink()
    assert refused(3).startswith("ann: a model would learn from 800 characters; expected at least 1,000 of each author")


def test_nothing_of_tensorflow_is_loaded_where_all_is_kept(folder: Path) -> None:
    textgen.attribute("unknown.txt", corpora=CORPORA, start_from="base", output="runs", folds=0)
    script = (
        "import sys, textgen\n"
        "from textgen.training import authors\n"
        "authors.EPOCHS = (3, 3)\n"
        "textgen.attribute('unknown.txt', corpora={'ann': 'ann', 'bob': 'bob'}, start_from='base', output='runs', "
        "folds=0)\n"
        "print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True, cwd=folder) == "[]\n"
