import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.corpus import stripping
from textgen.corpus.stripping import Removed, notice, strip

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


def stripped(text: str, size: int = 10**6) -> tuple[str, Removed]:
    removed = Removed()
    return "".join(strip([text[start : start + size] for start in range(0, len(text), size)], removed)), removed


def test_aozora_s_additions_are_taken_out_and_counted() -> None:
    text, removed = stripped(AOZORA.replace("底本：を", "本を"))
    assert text == "一番獰悪な種族※であった。\n本を語る。\n"
    assert str(removed) == (
        "Aozora Bunko: a header of 154 characters, a footer of 28 characters, 1 readings, 2 notes, 1 bars"
    )


def test_gutenberg_s_frame_is_taken_out() -> None:
    text, removed = stripped(GUTENBERG)
    assert text == "ACT I\nWhen shall we *** three meet?\n"
    assert removed.library == "Project Gutenberg"
    assert removed.header + removed.footer + len(text) == len(GUTENBERG)
    old = (
        "x\n*** START OF THIS PROJECT GUTENBERG EBOOK\nTHE ILIAD ***\ntext\n***END OF THIS PROJECT GUTENBERG EBOOK***\n"
    )
    assert stripped(old)[0] == "text\n"


@pytest.mark.parametrize(
    "text",
    [
        "plain\n",
        "",
        "《書名》 is a title, ｜ a bar, 底本： no colophon",
        "a\n\n" + DASHES + "\nno header\n" + DASHES + "\n",
    ],
)
def test_a_text_of_no_library_is_left_alone(text: str) -> None:
    assert stripped(text) == (text, Removed())


@pytest.mark.parametrize(("text", "library"), [(AOZORA, "Aozora Bunko"), (GUTENBERG, "Project Gutenberg"), ("a", "")])
def test_without_stripping_additions_are_noticed(text: str, library: str) -> None:
    removed = Removed()
    assert "".join(notice([text], removed)) == text
    assert removed == Removed(library)


def test_a_footer_is_looked_for_near_the_end_alone() -> None:
    text = AOZORA + "あ" * stripping.EDGE
    assert stripped(text)[0].endswith("j.utiyama\n" + "あ" * stripping.EDGE)


def test_what_is_never_closed_stays() -> None:
    text = "［＃一］二［＃三" + "四" * 30_000 + "《五"
    assert stripped(text)[0] == text[4:]
    assert stripped(text, 999)[0] == text[4:]


marked = st.lists(st.sampled_from(["［＃", "］", "《", "》", "｜", "漢", "か", "\n", "底本：", "* "]), max_size=30).map(
    "".join
)


@given(marked, st.integers(1, 12), st.booleans())
def test_chunks_of_any_size_are_stripped_as_the_whole(text: str, size: int, framed: bool) -> None:
    text = AOZORA + text if framed else "漢《かん》" + text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripping, "EDGE", 180)
        assert stripped(text, size) == stripped(text)
