"""The page as a person meets it, in a real browser."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from textgen.page.tinted import Alternatives, Detail, Mark, Row, Scale, Scatter, Table, Tint, Tinted, notebook, page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BITS = Scale("surprisal", "bits", 8, "expected", "surprising", lines="Most surprising lines")
POEM = "Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye,\n"
HOSTILE = "a\x07</script><img src=x onerror=\"document.title='owned'\">\u202eb\x9b\u2028c\r\n<!--"


def tinted(text: str = POEM, **changes: object) -> Tinted:
    """The text, with its surprisal rising from 0 to 6 bits and the likeliest alternatives "x" and "y"."""
    size = len(text)
    values = np.linspace(0, 6, size)
    values[0] = np.nan
    probabilities = np.tile([0.75, 0.0004], (size, 1))
    given: dict = {
        "title": "The Tyger",
        "values": values,
        "scale": BITS,
        "details": [Detail("rank", np.arange(size) + 1, digits=0)],
        "alternatives": Alternatives("xy ", np.tile([2, 1], (size, 1)), probabilities),
    }
    return Tinted(text=text, **(given | changes))


@pytest.fixture
def opened(browser: "Browser", tmp_path: Path) -> Iterator[Callable[..., "Page"]]:
    """A function that opens a page; the test fails with any error or refusal that the browser reports."""
    contexts, complaints = [], []

    def open_page(content: Tinted | str, **options: object) -> "Page":
        file = tmp_path / "page.html"
        file.write_text(content if isinstance(content, str) else page(content), encoding="utf-8")
        contexts.append(browser.new_context(**{"viewport": {"width": 1000, "height": 700}} | options))  # type: ignore[arg-type]
        shown = contexts[-1].new_page()
        shown.on("console", lambda message: complaints.append(message.text))
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.on("request", lambda request: request.url.startswith("file:") or complaints.append(request.url))
        shown.goto(file.as_uri())
        return shown

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def text_of(shown: "Page"):
    return shown.get_by_role("textbox", name="Text", exact=True)


def details_of(shown: "Page") -> str:
    return " ".join(shown.get_by_role("region", name="Character").inner_text().split())


def at_cursor(shown: "Page") -> str:
    return shown.evaluate("document.querySelector('.here').textContent")


def press(shown: "Page", keys: str) -> None:
    for key in keys.split():
        shown.keyboard.press(key)


def test_the_keyboard_moves_through_the_text_and_shows_each_character(opened: Callable[..., "Page"]) -> None:
    shown = opened(tinted())
    shown.keyboard.press("Tab")
    assert "T U+0054 Line 1, column 1 Surprisal none Rank 1 Likeliest here ␣ 75 % y < 0.1 %" in details_of(shown)
    press(shown, "ArrowRight ArrowRight ArrowLeft")
    assert "y U+0079 Line 1, column 2 Surprisal 0.07 bits Rank 2" in details_of(shown)
    press(shown, "ArrowDown End")
    assert "↵ new line Line 2, column 29" in details_of(shown)
    press(shown, "ArrowUp Home")
    assert "Line 1, column 1 " in details_of(shown)
    press(shown, "Control+End ArrowRight")
    assert "↵ new line Line 3, column 27 Surprisal 6.00 bits" in details_of(shown)
    press(shown, "Control+Home ArrowLeft")
    assert at_cursor(shown) == "T"


def test_a_screen_reader_hears_the_details(opened: Callable[..., "Page"]) -> None:
    shown = opened(tinted(marks=[Mark(1, 9, "from the training text")]))
    assert text_of(shown).inner_text().startswith("Tyger Tyger, burning bright,")
    shown.keyboard.press("Tab")
    press(shown, "ArrowRight")
    heard = "y; surprisal 0.07 bits; rank 2; from the training text; likeliest: space 75 %, y < 0.1 %"
    shown.get_by_text(heard, exact=True).wait_for()
    assert shown.locator("[aria-live=polite]").inner_text() == heard


def test_the_pointer_shows_a_character_and_a_click_or_a_tap_keeps_it(opened: Callable[..., "Page"]) -> None:
    shown = opened(tinted(), has_touch=True)
    box = text_of(shown).get_by_text("In the forests of the night;").bounding_box()
    assert box is not None
    x, y = box["x"] + 8, box["y"] + box["height"] / 2
    shown.mouse.move(x, y)
    assert "I U+0049 Line 2, column 1" in details_of(shown)
    shown.mouse.click(x, y)
    shown.mouse.move(5, 5)
    assert "I U+0049" in details_of(shown)
    shown.touchscreen.tap(x, y + box["height"])
    assert "W U+0057 Line 3, column 1" in details_of(shown)


def tint_of(shown: "Page", symbols: str) -> str:
    return text_of(shown).get_by_text(symbols, exact=True).last.evaluate("one => getComputedStyle(one).backgroundColor")


def test_the_slider_changes_the_scale(opened: Callable[..., "Page"]) -> None:
    shown = opened(tinted("ab", values=np.array([1.0, 4.0])))
    slider = shown.get_by_role("slider", name="Deepest tint at")
    assert slider.get_attribute("aria-valuetext") == "8.0 bits"
    before = tint_of(shown, "b")
    assert tint_of(shown, "a") != before
    slider.fill("4")
    assert slider.get_attribute("aria-valuetext") == "4.0 bits"
    deepest = tint_of(shown, "b")
    assert deepest != before
    slider.fill("1")
    assert tint_of(shown, "ab") == deepest


def test_values_below_zero_have_a_tint_of_their_own(opened: Callable[..., "Page"]) -> None:
    values, scale = np.array([-3.0, 0.0, 3.0]), Scale("gain", "bits", 4, diverging=True)
    shown = opened(tinted("abc", values=values, scale=scale))
    assert shown.get_by_text("−4.0 bits").is_visible()
    low, high = tint_of(shown, "a"), tint_of(shown, "c")
    assert len({low, high, "rgba(0, 0, 0, 0)"}) == 3
    shown = opened(tinted("abc", values=values, scale=replace(scale, cool=True)))
    assert (tint_of(shown, "a"), tint_of(shown, "c")) == (high, low)


def test_the_most_surprising_lines_can_be_searched_and_jumped_to(opened: Callable[..., "Page"]) -> None:
    text = POEM * 80 + "the end of it all\n"
    values = np.ones(len(text))
    place = text.index("What", 5000)
    values[place : place + 26] = 3
    values[place + 5] = 7
    shown = opened(tinted(text, values=values))
    lines = shown.get_by_role("region", name="Most surprising lines")
    first = lines.get_by_role("button").first
    assert first.inner_text().split("\n") == ["3.15 bits line 180", "What immortal hand or eye,"]
    first.click()
    assert at_cursor(shown) == "i"
    assert "Surprisal 7.00 bits" in details_of(shown)
    press(shown, "ArrowRight")
    assert at_cursor(shown) == "m"
    lines.get_by_role("searchbox").fill("END of")
    assert lines.get_by_role("status").inner_text() == "1 line"
    lines.get_by_role("button").click()
    assert "Line 241" in details_of(shown)
    sign, box = (shown.locator(one).bounding_box() for one in (".here", "#text"))
    assert sign is not None
    assert box is not None
    assert box["y"] < sign["y"] < box["y"] + box["height"]
    lines.get_by_role("searchbox").fill("nowhere")
    assert lines.get_by_role("status").inner_text() == "No such line"


def test_marks_are_listed_and_jumped_to_without_any_values(opened: Callable[..., "Page"]) -> None:
    marks = [Mark(6, 28, "blake.txt, line 1"), Mark(29, 40, "<i>x</i>\x07")]
    shown = opened(Tinted("copied", POEM, marks=marks, marks_name="Copied passages"))
    copied = shown.get_by_role("region", name="Copied passages").get_by_role("button")
    assert copied.all_inner_texts() == [
        "22 characters blake.txt, line 1\nTyger, burning bright,",
        "11 characters <i>x</i>␇\nIn the fore",
    ]
    copied.last.click()
    assert "I U+0049 Line 2, column 1 <i>x</i>␇" in details_of(shown)
    assert not shown.get_by_role("slider").count()


def test_the_place_is_the_one_in_the_whole_text(opened: Callable[..., "Page"]) -> None:
    shown = opened(tinted("of a line\nand the next one\n", line=55, column=24))
    shown.keyboard.press("Tab")
    press(shown, "ArrowRight")
    assert "Line 55, column 25 " in details_of(shown)
    assert shown.get_by_role("button", name="line 56 and the next one").is_visible()
    press(shown, "ArrowDown Home")
    assert "Line 56, column 1 " in details_of(shown)


def inspected() -> Tinted:
    """The poem with a second tint, which falls, a table that leads to it and to a line, and points in a square."""
    falling = Tint(np.linspace(3, -3, len(POEM)), Scale("cell 2.1", "", 3, diverging=True, lines="Where it is highest"))
    rows = [Row(["cell 2.1", "0.93"], tint=1), Row(["<b>night", "0.5"], start=29), Row(["none", ""])]
    points = Scatter("Saturation", "open", "shut", [("forget", np.array([0, 0.5]), np.array([1, 0.25]))], "two units")
    return tinted(tints=[falling], panels=[Table("Cells", ["Cell", "AUC"], rows, "of the poem"), points])


def test_the_text_is_tinted_by_what_the_reader_chooses_in_a_list_or_a_table(opened: Callable[..., "Page"]) -> None:
    shown = opened(inspected())
    choice = shown.get_by_label("Tint by")
    assert choice.locator("option").all_inner_texts() == ["surprisal", "cell 2.1"]
    table = shown.get_by_role("table", name="Cells")
    table.get_by_role("button", name="cell 2.1").click()
    assert choice.evaluate("select => select.value") == "1"
    text_of(shown).focus()
    press(shown, "Home")
    assert "T U+0054 Line 1, column 1 Cell 2.1 3.00 Rank 1" in details_of(shown)
    assert text_of(shown).locator(".t12").first.inner_text().startswith("T")
    assert text_of(shown).locator(".c12").last.inner_text().endswith("↵")
    lines = shown.get_by_role("region", name="Where it is highest").get_by_role("button")
    assert lines.first.inner_text().startswith("2.0")
    choice.select_option("surprisal")
    assert text_of(shown).locator(".c12").count() == 0
    table.get_by_role("button", name="<b>night").click()
    assert "Line 2, column 1 Surprisal" in details_of(shown)
    assert table.get_by_role("button").count() == 2
    square = shown.get_by_role("img", name="forget: 2 points, open from left to right, shut from bottom to top")
    assert square.is_visible()


def test_hostile_text_is_shown_as_text(opened: Callable[..., "Page"]) -> None:
    shown = opened(tinted(HOSTILE, marks=[Mark(0, 3, HOSTILE)], alternatives=None))
    assert shown.title() == "The Tyger"
    assert not shown.locator("img").count()
    expected = "a␇</script><img src=x onerror=\"document.title='owned'\">␦b␦␦c␍\u2060↵<!--"
    assert shown.evaluate("document.querySelector('#text').textContent") == expected
    shown.keyboard.press("Tab")
    press(shown, "ArrowRight")
    assert "␇ U+0007" in details_of(shown)


def test_the_policy_lets_no_other_script_run(browser: "Browser", tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page(tinted()).replace("</body>", "<script>document.title='owned'</script>"))
    with browser.new_page() as shown:
        shown.goto((tmp_path / "page.html").as_uri())
        assert shown.title() == "The Tyger"


def test_arrows_follow_the_direction_of_the_writing(opened: Callable[..., "Page"]) -> None:
    shown = opened(tinted("שלום עולם\nabc\n"))
    shown.keyboard.press("Tab")
    press(shown, "ArrowLeft ArrowLeft ArrowLeft ArrowRight")
    assert at_cursor(shown) == "ו"
    sign, box = (shown.locator(one).bounding_box() for one in (".here", "#text"))
    assert sign is not None
    assert box is not None
    assert sign["x"] > box["x"] + box["width"] * 0.8
    press(shown, "ArrowDown Home ArrowRight")
    assert at_cursor(shown) == "b"


def test_vertical_writing(opened: Callable[..., "Page"]) -> None:
    shown = opened(tinted("吾輩は猫である。\n名前はまだ無い。\n" * 40))
    shown.get_by_label("Vertical writing").check()
    text_of(shown).focus()
    press(shown, "ArrowDown ArrowDown ArrowUp")
    assert at_cursor(shown) == "輩"
    press(shown, "ArrowLeft")
    assert at_cursor(shown) == "前"
    press(shown, "ArrowRight Control+End ArrowUp")
    assert at_cursor(shown) == "。"
    sign, box = (shown.locator(one).bounding_box() for one in (".here", "#text"))
    assert sign is not None
    assert box is not None
    assert box["x"] < sign["x"] < box["x"] + box["width"]


def test_characters_beyond_the_first_plane_are_one_each(opened: Callable[..., "Page"]) -> None:
    shown = opened(tinted("a🎉b🎉\nc"))
    shown.keyboard.press("Tab")
    press(shown, "ArrowRight")
    assert "🎉 U+1F389 Line 1, column 2" in details_of(shown)
    press(shown, "ArrowRight")
    assert at_cursor(shown) == "b"
    press(shown, "ArrowRight ArrowRight ArrowRight")
    assert "c U+0063 Line 2, column 1 Surprisal 6.00 bits" in details_of(shown)


def test_a_narrow_screen_needs_no_scrolling_to_the_side(opened: Callable[..., "Page"]) -> None:
    marks = [Mark(0, 9, "unbroken" * 20)]
    wide = {"marks": marks, "title": "y" * 200, "panels": inspected().panels}
    shown = opened(tinted(POEM + "x" * 500, **wide), viewport={"width": 360, "height": 640})
    assert shown.evaluate("document.documentElement.scrollWidth") == 360
    shown.keyboard.press("Tab")
    assert shown.get_by_role("region", name="Character").locator("dt", has_text="surprisal").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(opened: Callable[..., "Page"], scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    text = POEM + "吾輩は猫である。"
    values = np.linspace(-8, 8, len(text))
    scale = Scale("gain", "bits", 8, "worse", "better", diverging=True)
    tints = [replace(tint, values=values) for tint in inspected().tints]
    more = {"marks": [Mark(3, 9, "x")], "tints": tints, "panels": inspected().panels}
    shown = opened(tinted(text, values=values, scale=scale, **more), color_scheme=scheme)
    shown.keyboard.press("Tab")
    press(shown, "ArrowRight")
    results = Axe().run(shown)
    assert not results.violations_count, results.generate_report()


def test_a_notebook_shows_the_page_in_its_frame(opened: Callable[..., "Page"]) -> None:
    shown = opened(f"<title>A notebook</title>{notebook(tinted())}")
    frame = shown.frame_locator("iframe")
    frame.get_by_role("textbox", name="Text", exact=True).press("ArrowRight")
    assert "y U+0079" in " ".join(frame.get_by_role("region", name="Character").inner_text().split())


def test_of_a_long_text_only_what_is_near_has_its_tints(opened: Callable[..., "Page"]) -> None:
    text = POEM * 2400  # 200,000 characters
    shown = opened(tinted(text))
    shown.keyboard.press("Tab")
    press(shown, "Control+End ArrowLeft")
    assert at_cursor(shown) == ","
    assert 80 < shown.locator("#text span").count() < 20_000
    assert shown.evaluate("document.querySelector('#text').textContent.replaceAll('\\u2060↵', '\\n')") == text


def test_paper_gets_the_whole_text_tinted(opened: Callable[..., "Page"]) -> None:
    text = POEM * 100
    shown = opened(tinted(text, values=np.full(len(text), 10.0)))
    assert shown.locator("#text p").first.locator(".t12").first.is_visible()
    assert not shown.locator("#text p").last.locator(".t12").count()
    shown.pdf()
    assert shown.locator("#text p").last.locator(".t12").count() == 2  # the line, and the sign at its end
