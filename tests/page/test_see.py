"""The notebook as the model sees it, in a real browser."""

from typing import TYPE_CHECKING

from tests.page.conftest import Home, refused, scored, streamed
from tests.page.test_notebook import begin, expect_text, notebook, press

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def tinted(page: "Page") -> "Locator":
    return page.get_by_role("textbox", name="Tinted text")


def see(page: "Page") -> None:
    page.get_by_role("tab", name="See").click()


def details(page: "Page") -> "Locator":
    return page.get_by_role("complementary", name="Character")


def test_tints_by_surprisal_and_tells_of_the_character_at_the_cursor(page: "Page") -> None:
    begin(page, "xab")
    see(page)
    details(page).get_by_text("6 bits; number 2 of the model's choices").wait_for()  # b, where the caret was
    assert page.locator("#see-text .t9").all_inner_texts() == ["b"]  # 6 of 8 bits, in 12 tints
    tinted(page).focus()
    page.keyboard.press("ArrowLeft")
    details(page).get_by_text("1 bits; number 2").wait_for()
    rows = details(page).get_by_role("listitem").all_inner_texts()
    assert [row.split() for row in rows] == [
        ["e", "50%"],
        ["o", "25%"],
        ["<", "13%"],
        ["new", "line", "1%"],
        ["あ", "0.1%"],
    ]
    page.get_by_text("a; 1 bits; number 2 of the model's choices; Likeliest here: e 50%, o 25%").wait_for(
        state="attached"
    )
    page.keyboard.press("Home")
    details(page).get_by_text("Not judged: it is the first character").wait_for()


def test_a_click_chooses_a_character(page: "Page") -> None:
    begin(page, "xyz abc")
    see(page)
    tinted(page).get_by_text("a", exact=True).click()
    details(page).get_by_text("1 bits").wait_for()


def test_another_character_is_a_new_way_and_the_old_one_is_kept(page: "Page", home: Home) -> None:
    home.write = lambda asked: streamed(" fox jumps.")
    begin(page, "The")
    press(page, "Go on")
    expect_text(page, "The fox jumps.")
    notebook(page).type("\nMy end.")
    notebook(page).evaluate("field => field.setSelectionRange(5, 5)")
    see(page)
    home.write = lambda asked: streamed("x.")
    press(page, "Go on from here with e")
    expect_text(page, "The fex.\nMy end.")
    assert home.asked[1]["prompt"] == "The fe"
    press(page, "Undo")
    expect_text(page, "The fox jumps.\nMy end.")
    press(page, "Redo")
    press(page, "Again")
    expect_text(page, "The fex.\nMy end.")
    assert home.asked[2]["prompt"] == "The fe"


def test_in_ones_own_text_the_rest_of_the_line_gives_way(page: "Page", home: Home) -> None:
    home.write = lambda asked: streamed("nd.")
    begin(page, "one\ntwo three\nfour")
    notebook(page).evaluate("field => field.setSelectionRange(5, 5)")
    see(page)
    press(page, "Go on from here with e")
    expect_text(page, "one\ntend.\nfour")


def test_only_what_is_in_sight_is_asked_for(page: "Page", home: Home) -> None:
    asked: list[str] = []

    def score(request: dict) -> dict:
        asked.append(request["text"])
        return scored(request)

    home.score = score
    line = "abc def ghi jkl mno pqr stu vwx yz\n"
    notebook(page).evaluate(
        "(field, text) => { field.value = text; field.dispatchEvent(new Event('input')) }", line * 2000
    )
    notebook(page).press("Control+Home")
    see(page)
    details(page).get_by_text("Not judged: it is the first character").wait_for()
    assert 0 < sum(map(len, asked)) < 10_000
    tinted(page).focus()
    page.keyboard.press("Control+End")
    details(page).get_by_text("6 bits").wait_for()
    assert sum(map(len, asked)) < 20_000
    assert all(text in line * 200 for text in asked)


def test_a_server_that_fails_is_asked_again(page: "Page", home: Home) -> None:
    home.score = lambda asked: refused(503, "stopping")
    begin(page, "xyz")
    see(page)
    page.get_by_role("alert").get_by_text("The server is busy.").wait_for()
    home.score = scored
    press(page, "Try again")
    details(page).get_by_text("6 bits").wait_for()
    assert page.get_by_role("alert").inner_text() == ""


def test_an_empty_notebook_says_so(page: "Page") -> None:
    see(page)
    page.get_by_text("The notebook is empty. Write something, then come back to see it").wait_for()
