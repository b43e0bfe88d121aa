from dataclasses import asdict
from pathlib import Path

from textgen.corpus.corpus import Corpus
from textgen.corpus.encodings import Encoding
from textgen.corpus.faults import Faults
from textgen.corpus.finding import Skipped
from textgen.corpus.notes import of_texts, passed_over, too_much
from textgen.corpus.reading import Text
from textgen.corpus.removal import Removed
from textgen.corpus.sources import Source

CUT = Faults(cut=1)


def text(number: int) -> Text:
    """Every fifth is in another encoding."""
    encoding = "cp932" if number % 5 == 4 else "utf-8"
    return Text(Source(f"{number}.txt", None, (3,)), "", Encoding(encoding, "given"))


def test_the_first_texts_are_told_one_by_one_and_all_others_together() -> None:
    texts = [text(number) for number in range(10_000)]
    results = [{"characters": 3, "removed": asdict(Removed()), "faults": asdict(Faults())}] * 9_999
    results.append({"characters": 3, "removed": asdict(Removed("Aozora Bunko", readings=1)), "faults": asdict(CUT)})
    assert of_texts(texts[:10], results[:10])[8:] == ["8.txt: 3 characters", "9.txt: 3 characters, read as cp932"]
    assert of_texts(texts[:11], results[:11])[10:] == ["and 1 more text: 3 characters"]
    assert of_texts(texts, results)[9:] == [
        "9.txt: 3 characters, read as cp932",
        "and 9,990 more texts: 29,970 characters",
        "1,998 of these read as cp932, such as 14.txt, 19.txt, 24.txt",
        "1 of these without their last character, which is cut off: 9999.txt",
        "1 of these with text added by Aozora Bunko, which `strip` removes: 9999.txt",
    ]


def test_a_corpus_of_many_files_says_little(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.txt").write_text("text", encoding="utf-8")
        (tmp_path / f"{number}.md").write_text("no", encoding="utf-8")
    notes = Corpus.from_files(tmp_path).notes
    assert (len(notes), notes[1]) == (12, f"{tmp_path}/1.txt: 4 characters")
    assert notes[10:] == (
        "and 20 more texts: 80 characters",
        f"skipped: 30 (does not match *.txt), such as {tmp_path}/0.md, {tmp_path}/1.md, {tmp_path}/2.md",
    )


def test_what_is_passed_over_is_named_or_counted_by_reason() -> None:
    some = [Skipped("a.pdf", "a PDF"), *(Skipped(f"{number}.jpg", "does not match *.txt") for number in range(10_000))]
    assert passed_over([]) == []
    assert passed_over(some[:4]) == [
        "skipped: a.pdf (a PDF)",
        "skipped: 0.jpg (does not match *.txt)",
        "skipped: 1.jpg (does not match *.txt)",
        "skipped: 2.jpg (does not match *.txt)",
    ]
    assert passed_over(some) == [
        "skipped: a.pdf (a PDF)",
        "skipped: 10,000 (does not match *.txt), such as 0.jpg, 1.jpg, 2.jpg",
    ]


def test_what_was_stripped_is_told_with_its_words_and_much_of_a_text_is_a_warning() -> None:
    texts = [Text(Source(f"{name}.txt", None, (3,)), "", Encoding("utf-8", "given"), strip=True) for name in "abc"]
    some, much = Removed(), Removed()
    some.add("Project Gutenberg", "header", "The Project Gutenberg EBook of The Lamp\n*** START ***\n")
    much.add("Project Gutenberg", "footer", "End of Project Gutenberg's The Lamp\n")
    much.add("Project Gutenberg", "footer", "END\n" + "licence " * 8)
    found = [some, much, Removed()]
    results = [{"characters": 180, "removed": asdict(removed), "faults": asdict(Faults())} for removed in found]
    assert of_texts(texts, results)[3:] == [
        'removed from a.txt: header "The Project Gutenberg EBook of T…" to "…EBook of The Lamp *** START ***"',
        'removed from b.txt: footer "End of Project Gutenberg\'s The L…" to "…of Project Gutenberg\'s The Lamp"; '
        'footer "END licence licence licence lice…" to "…licence licence licence licence"',
        "warning: `strip` removed a large part of b.txt: 37 % of the text, 104 of 284 characters",
        "nothing to strip was found in c.txt",
    ]
    assert of_texts(texts * 4, results * 4)[15:] == [
        "warning: `strip` removed more than 30 % of each of 4 texts, such as b.txt, b.txt, b.txt",
        "nothing to strip was found in 4 texts, such as c.txt, c.txt, c.txt",
    ]


def test_more_than_thirty_percent_is_much() -> None:
    assert not too_much(70, Removed(characters=30))
    assert too_much(69, Removed(characters=31)) == "31 % of the text, 31 of 100 characters"
    assert not too_much(0, Removed())
