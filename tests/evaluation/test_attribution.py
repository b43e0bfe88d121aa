import math
from hashlib import sha256
from pathlib import Path

import pytest

import textgen
from tests.evaluation.unigram import write_unigram
from textgen.config import Reading
from textgen.errors import CorpusError, ModelFileError
from textgen.evaluation import attribution
from textgen.evaluation.attribution import Accuracy, Attribution, CrossValidation

A, B = {"a": 0.6, " ": 0.2, "b": 0.2}, {"a": 0.2, " ": 0.2, "b": 0.6}


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    return [write_unigram(tmp_path / "A", A), write_unigram(tmp_path / "B", B)]


def test_each_file_is_judged_by_itself(models: list[Path], tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "2.txt").write_text("aab " * 2600)
    (tmp_path / "texts" / "10.txt").write_text("abb " * 2600)
    found = textgen.attribute(tmp_path / "texts", among=models)
    assert [Path(item.text).name for item in found.judgements] == ["2.txt", "10.txt"]
    assert [item.best for item in found.judgements] == [str(models[0]), str(models[1])]
    assert len(found.notes) == 2  # how each was read
    assert found.to_dict()["texts"][1]["verdict"] == str(models[1])


def test_options_of_reading_apply(models: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "text.dat"
    path.write_text("aab " * 300, encoding="utf-16-le")
    found = textgen.attribute(path, among=models, encoding="utf-16-le")
    assert found.judgements[0].characters == 1200
    assert textgen.attribute(path, among=models, reading=Reading(encoding="utf-16-le", lowercase=True)) == found


def test_what_makes_a_verdict_doubtful_is_told(tmp_path: Path) -> None:
    paths = []
    for number in range(5):
        paths.append(tmp_path / f"{number}.txt")
        paths[-1].write_text("aab " * 300)
    other = write_unigram(tmp_path / "B", {**B, "\ufffd": 0.1}, unicode="nfkc", lowercase=True, replacement="\ufffd")
    plain = write_unigram(tmp_path / "A", A)
    notes = textgen.attribute(*paths, among=[plain, other]).notes
    assert notes[5] == (
        f"each model reads the text in its own normalisation: none: {plain}/model.keras; "
        f"nfkc, lowercase: {other}/model.keras"
    )
    assert notes[6].startswith(f"{other}/model.keras: reads characters that it does not know as \ufffd, which costs")
    assert [note.split(": ")[1].startswith("short for an attribution") for note in notes[7:10]] == [True] * 3
    assert notes[10:] == ("and 2 more of the texts are as short",)


def test_a_model_s_own_text_is_told(models: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "aab " * 3000
    (tmp_path / "text.txt").write_text(text)
    read = attribution.read_model

    def taught(path: Path) -> object:
        model = read(path)
        if path == models[1]:
            object.__setattr__(model.description.text, "sha256", sha256(text.encode()).hexdigest())
        return model

    monkeypatch.setattr(attribution, "read_model", taught)
    found = textgen.attribute(tmp_path / "text.txt", among=models)
    assert [item.seen for item in found.judgements[0].candidates] == [False, True]
    assert found.notes[-1] == f"{tmp_path}/text.txt: is the text that {models[1]} was trained on, so it knows it"


def test_what_cannot_be_compared_is_refused(models: list[Path], tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("aab " * 300)
    with pytest.raises(ValueError, match=r"^`among` must name two models or more, not \['x'\]$"):
        textgen.attribute(text, among=["x"])
    with pytest.raises(ValueError, match=r"^`among` must name two models or more, not 'models/a'$"):
        textgen.attribute(text, among="models/a")
    with pytest.raises(TypeError, match=r"^`among` must be Sequence, not int$"):
        textgen.attribute(text, among=3)  # type: ignore[arg-type]
    with pytest.raises(ModelFileError, match=r"model\.keras: is named twice in `among`; expected different models$"):
        textgen.attribute(text, among=[models[0], models[1], models[0] / "model.keras"])
    with pytest.raises(ModelFileError, match=r"no such model; name a run folder or a \.keras file$"):
        textgen.attribute(text, among=[models[0], tmp_path / "none"])
    with pytest.raises(ValueError, match=r"^expected the path of at least one text$"):
        textgen.attribute(among=models)
    with pytest.raises(TypeError, match=r"^there is no argument `amongst`; did you mean `among`\?$"):
        textgen.attribute(text, among=models, amongst=models)  # type: ignore[call-arg]
    text.write_text("")
    with pytest.raises(CorpusError, match=r"text\.txt: is empty"):
        textgen.attribute(text, among=models)


def test_each_model_has_a_vocabulary_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("aab " * 300)
    among = [write_unigram(tmp_path / "A", A), write_unigram(tmp_path / "C", {**A, "A": 0.3})]
    found = textgen.attribute(tmp_path / "text.txt", among=among).judgements[0]
    assert found.candidates[1].difference == pytest.approx(math.log2(1.3), abs=1e-4)


def test_a_notebook_shows_tables_whatever_a_file_is_called(models: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "<b>\x1b[31m&.txt"
    path.write_text("aab " * 300)
    shown = textgen.attribute(path, among=models)._repr_html_()
    assert "<b>" not in shown
    assert "\x1b" not in shown
    assert f"&lt;b&gt;�[31m&amp;.txt: {models[0]}</caption>" in shown
    assert shown.count("<tr>") == 3
    known = CrossValidation(2, {"A": 3}, (Accuracy("xz", {"A": 2}, {"A": 0}),))
    assert Attribution((), (), known)._repr_html_() == (
        "<table><caption>Known texts whose author was named</caption><thead><tr><th>method</th><th>A</th></tr></thead>"
        "<tbody><tr><td>xz</td><td>2 of 3</td></tr></tbody></table>"
    )


def test_a_text_in_a_script_that_no_model_knows_is_told(models: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("aaж " * 3000)
    told = f"{path}: every model lacks 25% of its characters or more; the verdict rests on the others"
    assert any(note.startswith(told) for note in textgen.attribute(path, among=models).notes)
    other = write_unigram(tmp_path / "C", {**A, "ж": 0.1})
    assert not any("lacks" in note for note in textgen.attribute(path, among=[models[0], other]).notes)
