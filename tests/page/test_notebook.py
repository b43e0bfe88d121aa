"""The notebook as a person meets it: a real browser, and a server that writes what the test says."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tests.page.conftest import Home, a_context, opened, refused, streamed

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"></textarea><script>document.title='owned'</script>\u202e\x01\x9b"
)


def notebook(page: "Page") -> "Locator":
    return page.get_by_role("textbox", name="Notebook")


def press(page: "Page", name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def expect_text(page: "Page", text: str) -> None:
    from playwright.sync_api import expect

    expect(notebook(page)).to_have_value(text, timeout=30_000)


def expect_status(page: "Page", text: str) -> None:
    page.get_by_role("status").get_by_text(text).wait_for()


def begin(page: "Page", text: str) -> None:
    notebook(page).fill(text)
    notebook(page).press("Control+End")


def written_by_the_model(page: "Page") -> list[str]:
    return page.locator("#backdrop .model").all_inner_texts()


def test_go_on_writes_at_the_caret_and_says_so(page: "Page", home: Home) -> None:
    home.write = lambda asked: streamed(" fox", " jumps", ".")
    begin(page, "The quick brown")
    press(page, "Go on")
    expect_text(page, "The quick brown fox jumps.")
    expect_status(page, "The model wrote 11 characters.")
    assert written_by_the_model(page) == [" fox jumps."]
    asked = home.asked[0]
    assert (asked["model"], asked["prompt"], asked["max_tokens"]) == ("fox", "The quick brown", 500)
    assert (asked["end"], asked["unknown"], asked["stream"]) == ("sentence", "nearest", True)
    assert asked["temperature"] == 0.7
    assert "top_k" not in asked


def test_the_caret_decides_where_it_goes_on(page: "Page", home: Home) -> None:
    home.write = lambda asked: streamed("XY")
    begin(page, "one two")
    notebook(page).evaluate("field => field.setSelectionRange(3, 3)")
    notebook(page).press("Control+Enter")
    expect_text(page, "oneXY two")
    assert home.asked[0]["prompt"] == "one"
    assert notebook(page).evaluate("field => field.selectionEnd") == 5


def test_what_the_model_wrote_is_set_apart_until_it_is_edited(page: "Page", home: Home) -> None:
    home.write = lambda asked: streamed(" fox jumps")
    begin(page, "The")
    press(page, "Go on")
    expect_text(page, "The fox jumps")
    notebook(page).evaluate("field => field.setSelectionRange(7, 7)")
    notebook(page).type("es all")
    expect_text(page, "The foxes all jumps")
    assert written_by_the_model(page) == [" fox", " jumps"]


def test_undo_and_redo_go_over_all_of_it_and_survive_a_reload(page: "Page", home: Home) -> None:
    home.write = lambda asked: streamed(" fox")
    begin(page, "The")
    press(page, "Go on")
    expect_text(page, "The fox")
    page.reload()
    expect_text(page, "The fox")
    assert written_by_the_model(page) == [" fox"]
    press(page, "Undo")
    expect_text(page, "The")
    notebook(page).press("Control+z")
    expect_text(page, "")
    assert page.get_by_role("button", name="Undo").is_disabled()
    notebook(page).press("Control+y")
    notebook(page).press("Control+Shift+z")
    expect_text(page, "The fox")
    assert page.get_by_role("button", name="Redo").is_disabled()


def test_what_was_typed_is_undone_in_pieces_not_all_at_once(page: "Page") -> None:
    notebook(page).type("one\ntwo")
    notebook(page).press("Control+z")
    expect_text(page, "one\n")
    notebook(page).press("Control+z")
    expect_text(page, "")


def test_a_tab_that_is_closed_in_mid_stream_has_kept_what_was_written(
    page: "Page", context: "BrowserContext", home: Home
) -> None:
    home.write = lambda asked: streamed(" fox", whole=False)
    begin(page, "The")
    press(page, "Go on")
    page.get_by_role("alert").get_by_text("broke off").wait_for()
    page.close()
    again = opened(context, home)
    expect_text(again, "The fox")


def test_again_writes_anew_and_keeps_the_old_passage(page: "Page", home: Home) -> None:
    texts = iter([" fox", " dog"])
    home.write = lambda asked: streamed(next(texts))
    begin(page, "The")
    assert page.get_by_role("button", name="Again").is_disabled()
    press(page, "Go on")
    expect_text(page, "The fox")
    press(page, "Again")
    expect_text(page, "The dog")
    assert home.asked[0]["prompt"] == home.asked[1]["prompt"] == "The"
    assert home.asked[0]["seed"] != home.asked[1]["seed"]
    press(page, "Versions")
    old = page.get_by_role("listitem").filter(has_text="fox")
    old.get_by_role("button", name="Go back to this").click()
    expect_text(page, "The fox")


def test_nothing_changes_when_the_server_is_gone_and_it_can_be_tried_again(page: "Page", home: Home) -> None:
    home.write = lambda asked: streamed(" fox")
    begin(page, "The")
    press(page, "Go on")
    expect_text(page, "The fox")
    home.write = lambda asked: {}
    press(page, "Again")
    problem = page.get_by_role("alert")
    problem.get_by_text("The server does not answer. Your text is safe in this browser.").wait_for()
    expect_text(page, "The fox")
    home.write = lambda asked: streamed(" dog")
    problem.get_by_role("button", name="Try again").click()
    expect_text(page, "The dog")
    assert problem.inner_text() == ""


def test_a_stream_that_breaks_off_is_kept_and_can_be_gone_on_with(page: "Page", home: Home) -> None:
    home.write = lambda asked: streamed(" fox", whole=False)
    begin(page, "The")
    press(page, "Go on")
    page.get_by_role("alert").get_by_text("The server broke off.").wait_for()
    home.write = lambda asked: streamed(" jumps")
    page.get_by_role("button", name="Try again").click()
    expect_text(page, "The fox jumps")
    assert home.asked[1]["prompt"] == "The fox"


def test_errors_are_told_in_words(page: "Page", home: Home) -> None:
    begin(page, "The")
    for answer, told in [
        (refused(429, "busy"), "The server is busy."),
        (refused(400, "`top_p`: no"), "The server refuses these settings: `top_p`: no"),
        (refused(401, "token"), "The server asks you to log in."),
        (refused(503, "stopping"), "The server is busy."),
        (refused(404, "gone", "model_not_found"), "The server no longer has this model."),
        (refused(413, "long"), "The text is too long for the server."),
        ({"status": 500, "body": "<b>oops"}, "The server failed:"),
        (streamed() | {"body": 'data: {"error": {"message": "disk on fire"}}\n\n'}, "The server failed: disk on fire"),
    ]:
        home.write = lambda asked, answer=answer: answer
        press(page, "Go on")
        page.get_by_role("alert").get_by_text(told).wait_for()
        expect_text(page, "The")


def test_characters_that_the_model_does_not_know_can_be_left_out(page: "Page", home: Home) -> None:
    unknown = refused(400, "not in the vocabulary: 'あ' (U+3042 HIRAGANA LETTER A)", "unknown_characters")
    home.write = lambda asked: streamed(" fox") if asked["unknown"] == "skip" else unknown
    begin(page, "あThe")
    press(page, "Go on")
    page.get_by_role("alert").get_by_text("The model does not know some characters of your text: あ").wait_for()
    press(page, "Go on without these characters")
    expect_text(page, "あThe fox")


def test_three_ways_are_shown_and_one_is_chosen(page: "Page", home: Home) -> None:
    texts = iter([" fox", " dog", " cat"])
    home.write = lambda asked: streamed(next(texts))
    begin(page, "The")
    press(page, "Three ways")
    page.get_by_text("Three passages are written.").wait_for()
    assert len({asked["seed"] for asked in home.asked}) == 3
    expect_text(page, "The")
    way = page.get_by_role("region").filter(has_text="dog")
    way.get_by_role("button", name="Take this one").click()
    expect_text(page, "The dog")
    press(page, "Undo")
    expect_text(page, "The")
    press(page, "Versions")
    assert page.get_by_role("listitem").filter(has_text="one of three ways").count() == 3
    page.get_by_role("listitem").filter(has_text="cat").get_by_role("button").click()
    expect_text(page, "The cat")


def test_three_ways_that_are_closed_are_kept_and_change_nothing(page: "Page", home: Home) -> None:
    begin(page, "The")
    press(page, "Three ways")
    page.get_by_text("Three passages are written.").wait_for()
    page.keyboard.press("Escape")
    expect_text(page, "The")
    page.reload()
    press(page, "Versions")
    assert page.get_by_role("listitem").filter(has_text="one of three ways").count() == 3


def test_the_same_link_gives_the_same_text(page: "Page", context: "BrowserContext", home: Home) -> None:
    begin(page, "Zoë & 猫 #1\n")
    page.get_by_label("Temperature").fill("1.25")
    page.get_by_text("More settings").click()
    page.get_by_label("Top-k").fill("12")
    press(page, "Go on")
    expect_status(page, "The model wrote")
    text = notebook(page).input_value()
    press(page, "Copy a link")
    link = page.get_by_role("link", name="The link to this text").get_attribute("href")
    assert link is not None
    assert parse_qs(urlsplit(link).fragment)["prompt"] == ["Zoë & 猫 #1\n"]
    page.close()
    with a_context(context.browser, home) as other:  # type: ignore[arg-type]
        there = opened(other, home, f"#{urlsplit(link).fragment}")
        expect_text(there, text)
        assert home.asked[0] == home.asked[1]
        assert there.get_by_label("Temperature").input_value() == "1.25"
        assert there.url == home.address


def test_a_link_leaves_what_was_in_the_notebook_among_the_versions(
    page: "Page", context: "BrowserContext", home: Home
) -> None:
    begin(page, "My novel")
    page.goto(f"{home.address}#model=fox&prompt=The&max_tokens=10&seed=7")
    expect_text(page, "The fox 7.")
    press(page, "Undo")
    press(page, "Undo")
    expect_text(page, "My novel")


def test_odd_links_break_nothing(page: "Page", home: Home) -> None:
    begin(page, "My novel")
    for fragment in ["#", "#prompt", "#seed=1", "#prompt=a&model=nobody&max_tokens=1e99", "#prompt=%00%ff&model=fox"]:
        page.goto("about:blank")
        page.goto(home.address + fragment)
        page.get_by_role("button", name="Go on").and_(page.locator(":enabled")).wait_for()
    press(page, "Versions")
    page.get_by_role("listitem").filter(has_text="My novel").get_by_role("button").click()
    expect_text(page, "My novel")


def test_settings_that_are_wrong_are_named_and_nothing_is_asked(page: "Page", home: Home) -> None:
    page.get_by_label("Length").fill("0")
    press(page, "Go on")
    page.get_by_role("alert").get_by_text("Length: this must be a number from 1 to 20,000.").wait_for()
    assert not home.asked
    assert page.get_by_label("Length").get_attribute("aria-invalid") == "true"
    page.get_by_label("Length").fill("20")
    press(page, "Go on")
    expect_status(page, "The model wrote")
    assert home.asked[0]["max_tokens"] == 20


def test_settings_reach_the_server_and_survive_a_reload(page: "Page", home: Home) -> None:
    page.get_by_text("More settings").click()
    values = {"Top-k": "5", "Top-p": "0.9", "Min-p": "0.05", "No repeat": "8", "Without": "xyz", "Random seed": "42"}
    for name, value in values.items():
        page.get_by_label(name).fill(value)
    page.get_by_label("End at a sentence").uncheck()
    page.reload()
    press(page, "Go on")
    expect_status(page, "The model wrote")
    names = ("top_k", "top_p", "min_p", "no_repeat", "without", "seed")
    assert [home.asked[0][name] for name in names] == [5, 0.9, 0.05, 8, "xyz", 42]
    assert "end" not in home.asked[0]


def test_a_japanese_conversion_is_left_alone(page: "Page", context: "BrowserContext", home: Home) -> None:
    keyboard = context.new_cdp_session(page)
    notebook(page).focus()
    for typed in ("に", "にほ", "にほん", "日本"):
        keyboard.send("Input.imeSetComposition", {"text": typed, "selectionStart": 2, "selectionEnd": 2})
    confirming = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229, "modifiers": 2}
    keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown"} | confirming)
    assert not home.asked
    assert page.get_by_role("button", name="Undo").is_disabled()  # nothing is confirmed yet
    keyboard.send("Input.insertText", {"text": "日本"})
    expect_text(page, "日本")
    press(page, "Undo")
    expect_text(page, "")
    press(page, "Redo")
    expect_text(page, "日本")
    notebook(page).press("Control+Enter")
    expect_status(page, "The model wrote")
    assert home.asked[0]["prompt"] == "日本"


def test_hostile_text_is_shown_as_text(page: "Page", home: Home) -> None:
    home.write = lambda asked: streamed(HOSTILE)
    begin(page, HOSTILE)
    press(page, "Go on")
    expect_text(page, HOSTILE * 2)
    press(page, "Three ways")
    page.get_by_role("region").get_by_text("<img").first.wait_for()
    page.keyboard.press("Escape")
    press(page, "Versions")
    page.get_by_role("listitem").get_by_text("<img").first.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="See").click()
    page.get_by_role("textbox", name="Tinted text").get_by_text("<img").first.wait_for()
    assert page.title() == "textgen"
    assert page.locator("img, main script").count() == 0


def test_half_a_surrogate_pair_reaches_no_server(page: "Page", home: Home) -> None:
    notebook(page).evaluate("field => { field.value = 'a\\ud83d'; field.dispatchEvent(new Event('input')) }")
    notebook(page).press("Control+Enter")
    expect_status(page, "The model wrote")
    assert home.asked[0]["prompt"] == "a\ufffd"


def test_the_text_lies_on_its_backdrop_in_every_script(page: "Page", home: Home) -> None:
    home.write = lambda asked: streamed("\nشاعر عربي 123\n" + "unbroken" * 60 + "\n猫は  猫\t。\n\n")
    begin(page, "שלום world\n\n")
    press(page, "Go on")
    expect_status(page, "The model wrote")
    heights = page.evaluate("['notebook', 'backdrop'].map((id) => document.getElementById(id).scrollHeight)")
    field = page.evaluate("(({ scrollHeight, clientHeight }) => [scrollHeight, clientHeight])(notebook)")
    assert heights[0] == heights[1]
    assert field[0] <= field[1]  # it never needs to scroll within itself


def test_downloads_the_text(page: "Page") -> None:
    begin(page, "The fox\n猫")
    with page.expect_download() as download:
        press(page, "Download")
    assert download.value.suggested_filename == "textgen.txt"
    assert download.value.path().read_text(encoding="utf-8") == "The fox\n猫"


def test_copies_the_text(page: "Page", context: "BrowserContext") -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    begin(page, "The fox")
    press(page, "Copy the text")
    expect_status(page, "The text is copied.")
    assert page.evaluate("() => navigator.clipboard.readText()") == "The fox"


def test_a_browser_that_keeps_nothing_is_told_of(context: "BrowserContext", home: Home) -> None:
    context.add_init_script("delete window.indexedDB; delete Window.prototype.indexedDB;")
    page = opened(context, home)
    page.get_by_text("This browser keeps nothing for the page").wait_for()
    begin(page, "The")
    press(page, "Go on")
    expect_status(page, "The model wrote")
    press(page, "Undo")
    expect_text(page, "The")


def test_a_second_tab_overwrites_nothing(page: "Page", context: "BrowserContext", home: Home) -> None:
    begin(page, "one")
    page.get_by_text("3 characters").wait_for()
    other = opened(context, home)
    expect_text(other, "one")
    begin(other, "two")
    begin(page, "three")
    page.reload()
    expect_text(page, "three")
    press(page, "Versions")
    page.get_by_role("listitem").filter(has_text="two").get_by_role("button").click()
    expect_text(page, "two")


def test_without_models_it_says_what_to_do(page: "Page", context: "BrowserContext", home: Home) -> None:
    context.route("**/app/models", lambda route: route.fulfill(json=[]))
    page.reload()
    expect_status(page, "The server has no model.")
    assert page.get_by_role("button", name="Go on").is_disabled()


def test_a_server_that_comes_back_is_found_again(page: "Page", context: "BrowserContext") -> None:
    context.route("**/app/models", lambda route: route.abort())
    page.reload()
    page.get_by_role("alert").get_by_text("The server does not answer.").wait_for()
    context.unroute("**/app/models")
    press(page, "Try again")
    page.get_by_role("button", name="Go on").and_(page.locator(":enabled")).wait_for()
