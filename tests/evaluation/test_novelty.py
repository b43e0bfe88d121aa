import json
from pathlib import Path

import numpy as np
import pytest

import textgen
from textgen import Corpus
from textgen.config import Reading
from textgen.errors import CorpusError
from textgen.evaluation.copied import Figures
from textgen.evaluation.marking import MOST_MARKS, marked, verdict

FABLE = "The fox saw the grapes.\nThey hung high above the path, and he leapt.\nIn vain.\n"
STORY = "Once more: he leapt at noon. They hung high above the path, and he wept; then home.\n"
COPY = " They hung high above the path, and he "[1:]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str, encoding: str = "utf-8") -> str:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(text.encode(encoding))
        return name

    return write


def test_a_copied_passage_is_found_with_its_places(write) -> None:
    found = textgen.novelty(write("story.txt", STORY), against=write("fable.txt", FABLE))
    assert [found.passage(number) for number in found.leading(10)] == [COPY]
    assert (found.starts.tolist(), found.lengths.tolist(), found.times.tolist()) == ([29], [len(COPY)], [1])
    assert (str(found.text_places[0]), str(found.corpus_places[0])) == ("story.txt:1:30", "fable.txt:2:1")
    assert (found.text_places[0].offset, found.corpus_places[0].offset) == (29, 24)
    assert found.text == STORY
    assert found.longest[29] == len(COPY) == found.figures.longest
    assert found.figures.copied == {20: pytest.approx(len(COPY) / len(STORY)), 50: 0, 100: 0}
    assert found.held_out is None
    assert found.notes == ("story.txt: 84 characters", "fable.txt: 78 characters")


def test_files_of_a_folder_are_named(write) -> None:
    for name, text in (("1.txt", "Nothing at all.\n"), ("2.txt", FABLE), ("3.txt", "x" * 30 + "\n")):
        write(f"tales/{name}", text)
    write("story.txt", STORY)
    found = textgen.novelty("story.txt", against=["tales", write("more.txt", f"No. No. {FABLE}")])
    assert (str(found.corpus_places[0]), found.times.tolist()) == ("tales/2.txt:2:1", [2])
    found = textgen.novelty("tales", "story.txt", against="more.txt")
    assert [str(place) for place in found.text_places] == ["tales/2.txt:1:1", "story.txt:1:30"]
    assert [str(place) for place in found.corpus_places] == ["more.txt:1:9", "more.txt:2:1"]


def test_texts_of_any_script_and_encoding_are_compared_by_their_characters(write) -> None:
    line = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。"
    write("neko.txt", f"　{line}\n何でも薄暗いじめじめした所で泣いていた。\n", "cp932")
    write("new.txt", f"ある朝のことである。{line}と書いてあった。が、それだけだ。\n")
    found = textgen.novelty("new.txt", against="neko.txt")
    assert (found.passage(0), len(found.starts)) == (line, 1)
    assert (str(found.text_places[0]), str(found.corpus_places[0])) == ("new.txt:1:11", "neko.txt:1:2")


def test_characters_are_compared_composed_but_with_their_case_and_spaces(write) -> None:
    corpus = Corpus.from_text("la vérité est au fond du puits, dit-on")
    for text, share in (
        ("la ve\u0301rite\u0301 est au fond du puits", 1),
        ("LA VÉRITÉ EST AU FOND", 0),
        ("la vérité  est au f", 0),
    ):
        found = textgen.novelty(Corpus.from_text(f"{text} !"), against=corpus)
        assert (found.figures.copied[20] > 0.9) == bool(share)


def test_of_passages_that_overlap_the_list_leaves_out_what_is_mostly_inside_longer_ones() -> None:
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 90)))
    corpus = Corpus.from_text(f"{letters[:50]}|{letters[30:60]}|{letters[45:75]}")
    found = textgen.novelty(Corpus.from_text(f"{letters[:75]}!"), against=corpus)
    assert list(zip(found.starts.tolist(), found.lengths.tolist(), strict=True)) == [(0, 50), (30, 30), (45, 30)]
    assert found.leading(10) == [0, 2]
    assert found.leading(1) == [0]
    assert [item["characters"] for item in found.to_dict()["passages"]] == [50, 30, 30]


def test_all_of_it_becomes_json(write) -> None:
    found = textgen.novelty(write("story.txt", STORY), against=Corpus.from_text(FABLE * 9, name="fables"))
    values = json.loads(json.dumps(found.to_dict()))
    assert set(values) == {"figures", "held_out", "passages"}
    assert values["held_out"]["copied"]["20"] == 1.0
    assert values["passages"][0] == {
        "passage": COPY,
        "characters": len(COPY),
        "times": 9,
        "text": {"file": "story.txt", "line": 1, "column": 30, "offset": 29},
        "corpus": {"file": "fables", "line": 2, "column": 1, "offset": 24},
    }
    short = textgen.novelty(Corpus.from_text("a" * 20), Corpus.from_text("b" * 20), against=Corpus.from_text("c" * 20))
    assert short.text == "a" * 20 + "\n" + "b" * 20
    assert short.to_dict()["passages"] == []


@pytest.mark.parametrize(
    ("text", "corpus", "note"),
    [
        ("a.txt", ["a.txt"], "the corpus holds all of a.txt; compare with a corpus that does not"),
        ("a.txt", ["whole"], "the corpus holds all of a.txt; compare with a corpus that does not"),
        ("c.txt", ["a.txt"], "the text holds all of a.txt, which is in the corpus"),
        ("whole", ["whole"], "the corpus holds all of whole/0.txt, whole/1.txt, whole/2.txt; compare with a corpus"),
        ("b.txt", ["a.txt"], None),
    ],
)
def test_a_text_that_is_in_the_other_as_a_whole_is_told(write, text: str, corpus: list[str], note: str | None) -> None:
    write("a.txt", FABLE)
    write("b.txt", STORY)
    write("c.txt", STORY + FABLE + STORY)
    for number, content in enumerate((STORY, FABLE, "z" * 25)):
        write(f"whole/{number}.txt", content)
    notes = textgen.novelty(text, against=corpus).notes
    told = [line for line in notes if "holds all" in line]
    assert [line[: len(note or "")] for line in told] == ([] if note is None else [note])


def test_short_texts_are_refused(write) -> None:
    message = "^a.txt: has 19 characters; expected at least 20, from which on a passage counts as copied$"
    write("a.txt", "a" * 19)
    for texts, against in ((["a.txt"], [write("b.txt", FABLE)]), (["b.txt"], ["a.txt"])):
        with pytest.raises(CorpusError, match=message):
            textgen.novelty(*texts, against=against)


def test_empty_and_binary_files_are_refused(write) -> None:
    write("fable.txt", FABLE)
    for name, content, message in (("empty.txt", "", "is empty"), ("b.txt", "abc\0\0\1" * 99, "has a NUL")):
        with pytest.raises(CorpusError, match=f"^{name}: {message}"):
            textgen.novelty(write(name, content), against="fable.txt")


def test_texts_normalised_otherwise_are_refused() -> None:
    message = r"^all texts must be normalised alike, here with `unicode='nfc'`, `lowercase=False` and .*: other is not$"
    for options in ({"lowercase": True}, {"unicode": "none"}, {"min_count": 2}):
        with pytest.raises(ValueError, match=message):
            textgen.novelty(Corpus.from_text(STORY), against=Corpus.from_text(FABLE, name="other", **options))
    read = Reading(lowercase=True)
    low = textgen.novelty(
        Corpus.from_text(STORY, lowercase=True), against=Corpus.from_text(FABLE, lowercase=True), reading=read
    )
    assert low.figures.longest == len(COPY)


def test_wrong_arguments_are_refused() -> None:
    corpus = Corpus.from_text(FABLE)
    with pytest.raises(ValueError, match=r"^`texts` must have at least one text$"):
        textgen.novelty(against=corpus)
    with pytest.raises(ValueError, match=r"^`against` must have at least one text$"):
        textgen.novelty(corpus, against=[])
    with pytest.raises(TypeError, match=r"^`texts\[0\]` must be str, PathLike or textgen.Corpus, not int$"):
        textgen.novelty(3, against=corpus)
    with pytest.raises(TypeError, match=r"^there is no argument `globe`; did you mean `glob`"):
        textgen.novelty(corpus, against=corpus, globe="*")


def test_the_verdict_is_one_line() -> None:
    def figures(characters: int, share: float, longest: int) -> Figures:
        return Figures(characters, {20: share, 50: 0.0, 100: 0.0}, longest, {}, characters)

    held_out = figures(900, 0.052, 1064)
    copied = "4.1 % of the text is copied in passages of 20 characters or more (the longest: 31)"
    assert verdict(figures(100, 0.041, 31), None) == copied
    assert verdict(figures(100, 0.041, 31), held_out) == f"{copied}; of the corpus's own end 5.2 % (the longest: 1,064)"
    nothing = "nothing of the text is copied in passages of 20 characters or more (the longest: 12)"
    assert verdict(figures(100, 0.0, 12), None) == nothing
    short = "a text of 1 character is too short to tell, since passages count as copied from 20 on"
    assert verdict(figures(1, 0.0, 1), held_out) == short


def test_passages_of_a_real_text_stand_where_they_are_said_to(texts: Path) -> None:
    found = textgen.novelty(texts / "macbeth.txt", against=texts / "tinyshakespeare.txt")
    assert 0 < found.figures.copied[20] < 0.1
    corpus = Corpus.from_files(texts / "tinyshakespeare.txt")
    whole = corpus.vocabulary.decode(corpus.codes)
    for number in found.leading(5):
        place = found.corpus_places[number]
        assert whole[place.offset :].startswith(found.passage(number))
        assert whole.splitlines()[place.line - 1][place.column - 1 :][:9] == found.passage(number).split("\n")[0][:9]


def test_a_page_marks_the_passages_the_longest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    text = Corpus.from_text(STORY + "In vain.\nThe fox saw it", name="story")
    found = textgen.novelty(text, against=Corpus.from_text(f"{FABLE}In vain.\nThe fox saw ", name="fable"))
    shown = marked(found)
    assert (shown.title, shown.text) == ("story beside fable", found.text)
    assert shown.summary == verdict(found.figures, found.held_out)
    assert [(shown.text[mark.start : mark.end], mark.label) for mark in shown.marks] == [
        (COPY, "fable:2:1"),
        (".\nIn vain.\nThe fox saw ", "fable:3:8"),
    ]
    assert COPY[:9] in found._repr_html_()
    monkeypatch.setattr("textgen.evaluation.marking.MOST_MARKS", 0)
    assert (marked(found).marks, MOST_MARKS) == ([], 1000)


def test_arrays_have_the_shapes_that_are_said() -> None:
    found = textgen.novelty(Corpus.from_text(STORY), against=Corpus.from_text(FABLE))
    assert found.longest.shape == (len(STORY),)
    assert all(array.dtype == np.int64 for array in (found.longest, found.starts, found.lengths, found.times))
