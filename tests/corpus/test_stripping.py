import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.corpus import aozora, gutenberg, removal
from textgen.corpus.removal import Removed
from textgen.corpus.stripping import notice, strip

DASHES = "-" * 55
AOZORA = (
    f"こころ\n夏目漱石\n\n{DASHES}\n【テキスト中に現れる記号について】\n\n《》：ルビ\n｜：始まり\n{DASHES}\n\n"
    "一番｜獰悪《どうあく》な［＃「獰悪」に傍点］種族※［＃「言＋墟」、［＃二重］第4水準\n2-88-74］であった。\n"
    "底本：を語る。\n\n底本：「こころ」集英社文庫\n入力：j.utiyama\n"
)
GUTENBERG = (
    "\ufeffThe Project Gutenberg eBook of Macbeth\n\n*** START OF THE PROJECT GUTENBERG EBOOK MACBETH ***\n\n"
    "Produced by A. Reader\nand others\n\nACT I\nWhen shall we *** three meet?\n\n"
    "End of Project Gutenberg's Macbeth\n\n*** END OF THE PROJECT GUTENBERG EBOOK MACBETH ***\nLicence\n"
)
UNTITLED = AOZORA.partition("\n\n")[2].replace("utiyama\n", "utiyama\n\n")
PIECES = [
    "［＃", "］", "《かん》", "《書名》", "｜", "漢", "か", "\n", "\n\n", "* ", "底本：", "「", "入力：x\n",
    "a\n" * 30, "あ" * 170, f"\n{DASHES}\n", "入力者注", "青空文庫", "The Project Gutenberg EBook of X\n", "x " * 160,
    " \n", "\u3000",
    "*** START OF THE PROJECT\nGUTENBERG EBOOK X ***\n", "*** END OF THIS PROJECT GUTENBERG EBOOK X ***\n",
    "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*END*\n", "***START**THE SMALL PRINT!**START***\n",
    GUTENBERG, AOZORA, "\nEnd of Project Gutenberg's X\n", "Fin du Projet Gutenberg",
    "Produced by A. Reader\n", "licence\n",
]  # fmt: skip


def pieces_of(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


def stripped(text: str, size: int = 10**6) -> tuple[str, Removed]:
    removed = Removed()
    return "".join(strip(pieces_of(text, size), removed)), removed


def test_aozora_s_additions_are_taken_out_and_counted() -> None:
    text, removed = stripped(AOZORA)
    assert text == "一番獰悪な種族※であった。\n底本：を語る。\n"
    assert str(removed) == (
        "Aozora Bunko: a header of 154 characters, a footer of 28 characters, 1 reading, 2 notes, 1 bar"
    )
    assert removed.words() == (
        'header "こころ 夏目漱石 【テキスト中に現れる記号について】 《》：ルビ…" '
        'to "…漱石 【テキスト中に現れる記号について】 《》：ルビ ｜：始まり"; '
        'footer "底本：「こころ」集英社文庫 入力：j.utiyama"'
    )


def test_gutenberg_s_frame_is_taken_out() -> None:
    text, removed = stripped(GUTENBERG)
    assert text == "ACT I\nWhen shall we *** three meet?\n"
    assert removed.library == "Project Gutenberg"
    assert removed.header + removed.footer == removed.characters == len(GUTENBERG) - len(text)
    assert removed.pieces[0] == {
        "library": "Project Gutenberg",
        "kind": "header",
        "characters": removed.header,
        "begins": "\ufeffThe Project Gutenberg eBook of…",
        "ends": "…Produced by A. Reader and others",
    }


def test_one_text_can_have_the_additions_of_both() -> None:
    text, removed = stripped(GUTENBERG.replace("ACT I\n", AOZORA.replace("\n底本：", "\n\n底本：")))
    assert text.startswith("一番獰悪な種族※であった。\n")
    assert removed.library == "Aozora Bunko and Project Gutenberg"
    assert (removed.headers, removed.footers) == (2, 2)


@pytest.mark.parametrize(
    "text",
    ["plain\n", "", "《書名》 is a title, ｜ a bar, 底本： no colophon", f"a\n\n{DASHES}\nno header\n{DASHES}\n"],
)
def test_a_text_of_no_library_is_left_alone(text: str) -> None:
    assert stripped(text) == (text, Removed())


@pytest.mark.parametrize(
    ("text", "library"),
    [
        (AOZORA, "Aozora Bunko"),
        (GUTENBERG, "Project Gutenberg"),
        ("a" * 10**5 + "\n\n" + AOZORA.partition("。\n\n")[2], "Aozora Bunko"),
        ("a\n" * 10**5 + GUTENBERG.partition("meet?\n")[2], "Project Gutenberg"),
        ("吾輩《わがはい》は猫《ねこ》である。" * 3, "Aozora Bunko"),
        ("猫《ねこ》。", ""),
        ("彼は本《ほん》を読む。雑誌《少年の友》と《罪と罰》が好きだ。\n" * 50, ""),
        ("a", ""),
        ("", ""),
    ],
)
@pytest.mark.parametrize("size", [7, 10**6])
def test_without_stripping_additions_are_noticed_by_a_sign_of_the_library(text: str, library: str, size: int) -> None:
    removed = Removed()
    assert "".join(notice(pieces_of(text, size), removed)) == text
    assert removed == Removed(library)


def test_what_is_never_closed_stays() -> None:
    text = "［＃一］二［＃三" + "四" * 30_000 + "《五"
    assert stripped(text)[0] == text[4:]
    assert stripped(text, 999)[0] == text[4:]


def stripped_within(reach: int, text: str, size: int) -> tuple[str, Removed]:
    """What is left where no more than so much of the text is looked at at once, and headers and footers are short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(removal, "REACH", reach)
        patch.setattr(removal, "BEHIND", 600)
        for module, name, value in (
            (gutenberg, "LONGEST", 500), (gutenberg, "NEAR", 200), (gutenberg, "GAP", 300),
            (gutenberg, "PARAGRAPH", 200), (aozora, "LONGEST", 500), (aozora, "EXPLANATION", 500),
        ):  # fmt: skip
            patch.setattr(module, name, value)
        return stripped(text, size)


@given(st.lists(st.sampled_from(PIECES), max_size=99), st.integers(0, 3_000), st.integers(1, 3_000))
def test_chunks_of_any_size_are_stripped_as_the_whole(pieces: list[str], padding: int, size: int) -> None:
    soup = "".join(pieces)
    text = soup + "z" * padding + soup + "z " * 3_000 + soup
    left, removed = stripped_within(10**6, text, size)
    assert stripped_within(3_000, text, size) == (left, removed)
    assert len(left) + removed.characters == len(text)


@pytest.mark.parametrize("framed", [GUTENBERG * 2, UNTITLED * 2, GUTENBERG + UNTITLED])
def test_a_frame_at_any_place_of_a_chunk_is_taken_out(framed: str) -> None:
    framed = framed.replace("\ufeff", "\n")
    whole = stripped(framed + "z\n" * 4_000)
    for padding in range(0, 3_200, 17):
        left, removed = stripped_within(1_500, "y\n" * padding + "\n" + framed + "z\n" * 4_000, 499)
        assert left.strip("yz\n") == whole[0].strip("yz\n"), padding
        assert (removed.headers, removed.footers) == (whole[1].headers, whole[1].footers)


def without_marks(text: str, size: int, longest: int = 10**6) -> tuple[str, Removed]:
    removed = Removed()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aozora, "LONGEST_MARK", longest)
        return "".join(aozora.without_marks(pieces_of(text, size), removed)), removed


marks = st.lists(st.sampled_from(["［＃", "］", "《かん》", "《書名》", "｜", "漢", "か", "\n", "※"]), max_size=30).map(
    "".join
)


@given(marks, marks, st.integers(1, 900))
def test_marks_far_from_each_other_are_taken_out_in_chunks_of_any_size(first: str, second: str, size: int) -> None:
    text = f"{first}{'あ' * 500}{second}{'い' * 1_000}{first}"
    assert without_marks(text, size, longest=400) == without_marks(text, 10**6)


@pytest.mark.parametrize("size", range(1, 60))
def test_a_mark_may_lie_across_chunks(size: int) -> None:
    text = "漢《かん》と｜ＡＢ《えーびー》※［＃「言＋墟」］《きょ》《書名》［＃改頁］" * 9
    assert without_marks(text, size, longest=20) == without_marks(text, 10**6)
    assert without_marks(text, size)[0] == "漢とＡＢ※《書名》" * 9


def test_memory_is_bounded() -> None:
    def chunks() -> Iterator[str]:
        yield GUTENBERG
        for _ in range(100):
            yield "The keeper of the lamp was old, and the lamp was older than he.\n" * 2_000
        yield "\n" + GUTENBERG

    tracemalloc.start()
    removed = Removed()
    left = sum(map(len, strip(chunks(), removed)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert left > 12_000_000
    assert (removed.headers, removed.footers) == (2, 2)
    assert peak < 4_000_000
