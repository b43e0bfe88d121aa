import pytest

from textgen.corpus.removal import Removed
from textgen.corpus.stripping import strip

DASHES = "-" * 55
TITLE = "灯台\n作者名\n\n"
EXPLANATION = f"{DASHES}\n【テキスト中に現れる記号について】\n\n《》：ルビ\n\n［＃］：入力者注\n{DASHES}\n\n"
STORY = "\u3000灯台の守は灯の下に坐っていた。\n\u3000夜は長い。\n"
COLOPHON = "底本：「灯台」ある文庫\n\u3000\u3000\u30001991（平成3）年2月25日第1刷\n入力：入力した人\n校正：校正した人\n"


def stripped(text: str) -> tuple[str, Removed]:
    removed = Removed()
    return "".join(strip([text], removed)), removed


@pytest.mark.parametrize(
    "header",
    [
        TITLE + EXPLANATION,
        EXPLANATION,
        TITLE + EXPLANATION.replace("【テキスト中に現れる記号について】\n", ""),
        TITLE + EXPLANATION.replace("-", "－"),
        TITLE + EXPLANATION.replace("-", "―"),
        TITLE + EXPLANATION.replace("-", "─"),
    ],
)
def test_title_and_explanation_are_taken_out(header: str) -> None:
    text, removed = stripped(header + STORY)
    assert text == STORY
    assert (removed.library, removed.headers, removed.header) == ("Aozora Bunko", 1, len(header))


@pytest.mark.parametrize(
    "colophon",
    [
        COLOPHON,
        COLOPHON.replace("：", ":"),
        COLOPHON.replace("底本：", "底本\u3000"),
        COLOPHON.replace("底本：", "底本"),
        COLOPHON.partition("\n")[2].partition("\n")[2],
        COLOPHON.partition("\n")[0],
        COLOPHON.replace("入力：", "※誤植は直した。\n\n入力："),
        COLOPHON + "2010年10月31日修正\n青空文庫作成ファイル：\n"
        "このファイルは、インターネットの図書館、青空文庫（http://www.aozora.gr.jp/）で作られました。",
        COLOPHON.replace("\n入力", "\n\n入力") + "\n\n●表記について\n・傍点は略した。\n",
        "青空文庫作成ファイル：\nこのファイルは、インターネットの図書館、青空文庫で作られました。\n",
        "このファイルは、インターネットの図書館、青空文庫で作られました。入力した人に感謝します。\n",
    ],
)
def test_colophons_in_their_variants_are_taken_out(colophon: str) -> None:
    text, removed = stripped(f"{STORY}\n\n\n{colophon}")
    assert text == STORY
    assert (removed.footers, removed.footer) == (1, len(colophon) + 3)


def test_every_story_of_a_file_stays() -> None:
    whole = f"{TITLE}{EXPLANATION}{STORY}\n\n{COLOPHON}\n\n\n"
    text, removed = stripped(whole * 3)
    assert text == STORY * 3
    assert (removed.headers, removed.footers) == (3, 3)


@pytest.mark.parametrize(
    "text",
    [
        STORY + "底本：を語る。\n" + STORY,
        STORY + "\n底本：を語る。\n\n" + STORY,
        STORY + "\n底本については後で書く。\n",
        STORY + "\n底本：「灯台」は古い。\n",
        STORY + "\n底本：「灯台」\n\n" + STORY * 9,
        STORY + "\n入力：5\n出力：7\n",
        f"{STORY}\n{DASHES}\n目次\n{DASHES}\n\n{STORY}",
        TITLE + STORY,
        "雑誌《少年の友》と《罪と罰》、《ひまわり》も読む《よむ》。",
        "ABC《えーびーしー》",
        "漢《ある人の手紙》字",
        "表｜雑誌《少年の友》｜値段｜十円",
        "漢《》 ｜《かな》 漢《か\nな》",
        "《书名》和《红楼梦》很好。",
        "［注］ ※ ［＃閉じない",
    ],
)
def test_what_is_like_a_mark_and_none_is_text(text: str) -> None:
    assert stripped(text) == (text, Removed())


@pytest.mark.parametrize(
    ("text", "left", "readings", "notes", "bars"),
    [
        ("吾輩《わがはい》は猫《ねこ》", "吾輩は猫", 2, 0, 0),
        ("人々《ひとびと》〆《しめ》一ヶ月《いっかげつ》", "人々〆一ヶ月", 3, 0, 0),
        ("𠮟《しか》る、㐂《よろこ》ぶ", "𠮟る、㐂ぶ", 2, 0, 0),
        ("硝子《ガラス》、亜細亜《アジア・アジヤ》", "硝子、亜細亜", 2, 0, 0),
        ("愈々《いよ／＼》偶々《たま〳〵》", "愈々偶々", 2, 0, 0),
        ("一番｜獰悪《どうあく》な", "一番獰悪な", 1, 0, 1),
        ("｜ＡＢＣ《エービーシー》と｜Ｄ Ｅ《でぃー いー》", "ＡＢＣとＤ Ｅ", 2, 0, 2),
        ("｜どこ《何処》で", "どこで", 1, 0, 1),
        ("［＃８字下げ］一［＃「一」は中見出し］", "一", 0, 2, 0),
        ("※［＃「言＋墟」、［＃二重］第4水準2-88-74］だ", "※だ", 0, 1, 0),
        ("※［＃「言＋墟」、第4水準2-88-74］《きょ》だ", "※だ", 1, 1, 0),
        ("｜大気※［＃「陷」、第3水準1-87-64］《だいきえん》を", "大気※を", 1, 1, 1),
        ("漢字［＃「漢字」に傍点］《かんじ》", "漢字", 1, 1, 0),
        ("本［＃改頁］《ほん》、か［＃改頁］《ひまわり》", "本、か《ひまわり》", 1, 2, 0),
        ("本《ほん》を読む。雑誌《少年の友》が好き", "本を読む。雑誌《少年の友》が好き", 1, 0, 0),
    ],
)
def test_readings_notes_and_bars_are_taken_out(text: str, left: str, readings: int, notes: int, bars: int) -> None:
    kept, removed = stripped(text)
    assert kept == left
    assert (removed.readings, removed.notes, removed.bars) == (readings, notes, bars)
    assert removed.characters == len(text) - len(left)
    assert removed.library == "Aozora Bunko"


def test_a_bar_alone_goes_where_the_text_explains_it() -> None:
    """Others have taken the readings out and left the bars."""
    assert stripped(f"{TITLE}{EXPLANATION}先生一人｜麦藁帽を")[0] == "先生一人麦藁帽を"
    assert stripped("先生一人｜麦藁帽を")[0] == "先生一人｜麦藁帽を"
