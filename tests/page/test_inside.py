"""What goes on inside the model, in a real browser."""

from typing import TYPE_CHECKING, Any

from tests.page.conftest import Home, inspected, refused
from tests.page.test_notebook import begin

if TYPE_CHECKING:
    from playwright.sync_api import Page


def look_inside(page: "Page") -> None:
    page.get_by_role("tab", name="Inside").click()


def tinted(page: "Page", kind: str) -> list[str]:
    return page.locator(f"#inside-text .{kind}").all_inner_texts()


def test_the_text_is_tinted_by_a_gate_or_a_cell(page: "Page", home: Home) -> None:
    asked: list[dict[str, Any]] = []
    home.inspect = lambda one: (asked.append(one), inspected(one))[1]
    begin(page, "foxΩ")
    look_inside(page)
    page.get_by_text("The input gates of layer 1 are open by 0.6 on average").wait_for()
    assert (tinted(page, "t12"), tinted(page, "c12")) == (["o"], ["f", "x"])
    page.get_by_label("Tint by").select_option("forget gate")
    page.get_by_text("The forget gates of layer 1").wait_for()
    assert page.get_by_label("Unit").is_disabled()
    page.get_by_label("Tint by").select_option("a cell")
    page.get_by_text("Cell 1.1: from −1 (cool) to 1 (warm)").wait_for()
    page.get_by_label("Unit").fill("31")
    page.get_by_label("Unit").press("Tab")
    page.get_by_label("Unit").fill("30")
    page.get_by_label("Unit").press("Tab")
    page.get_by_text("Cell 1.30").wait_for()
    page.get_by_role("textbox", name="Tinted text").focus()
    page.keyboard.press("Home")
    page.get_by_text("after this character: -2").wait_for()
    page.keyboard.press("End")
    page.get_by_role("complementary").get_by_text("The model does not know this character").wait_for()
    page.get_by_label("Model").select_option("play")
    page.get_by_text("The input gates of layer 1").wait_for()
    views = [{name: one.get(name) for name in ("model", "cell", "gate")} for one in asked]
    assert views == [
        {"model": "fox", "cell": None, "gate": None},
        {"model": "fox", "cell": None, "gate": "1.forget"},
        {"model": "fox", "cell": "1.1", "gate": None},
        {"model": "fox", "cell": "1.30", "gate": None},
        {"model": "play", "cell": None, "gate": None},
    ]


def test_cells_that_tell_something_are_found_and_looked_at(page: "Page", home: Home) -> None:
    begin(page, "fox")
    look_inside(page)
    page.get_by_label("Cells that tell").select_option("a speaker’s name")
    page.get_by_role("button", name="Find them").click()
    page.get_by_text("AUC on the half of the text that they were not chosen on; by chance at most 0.60.").wait_for()
    found = page.get_by_role("list", name="Cells found")
    assert [row.split() for row in found.get_by_role("listitem").all_inner_texts()] == [
        ["2.17", "0.93"],
        ["1.5", "0.81"],
    ]
    found.get_by_role("button", name="2.17").click()
    page.get_by_text("Cell 2.17: from").wait_for()
    page.get_by_label("Cells that tell").select_option("quotation")
    page.get_by_role("button", name="Find them").click()
    page.get_by_text("No cell tells it better than chance (AUC at most 0.60).").wait_for()
    assert found.get_by_role("listitem").count() == 0


def test_an_empty_notebook_and_a_busy_server_say_so(page: "Page", home: Home) -> None:
    look_inside(page)
    page.get_by_text("The notebook is empty. Write something, then come back to see what goes on").wait_for()
    page.get_by_role("tab", name="Write").click()
    home.inspect = lambda asked: refused(429, "")
    begin(page, "fox")
    look_inside(page)
    page.get_by_role("alert").get_by_text("The server is busy").wait_for()
    home.inspect = inspected
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("The input gates of layer 1").wait_for()
    assert not page.get_by_role("alert").get_by_role("button").count()
