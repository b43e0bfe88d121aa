"""The page for everyone: by keyboard, by screen reader, narrow, in light and dark, in English and Japanese."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.page.conftest import FOLDER, Home, a_context, opened, refused, streamed
from tests.page.test_notebook import begin, expect_status, expect_text, notebook, press

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = re.compile(r"^(?:export )?(?:async )?(?:const|let|function\*?|class) (\w+)", re.MULTILINE)
WORDS = re.compile(r"^  (\w+):\s+\"(.*)\",$", re.MULTILINE)
OTHER_PAGES = ("tinted.js", "api.js", "main.js", "train.js", "material.js", "trainings.js", "curve.js")


def modules() -> dict[str, str]:
    return {file.name: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.js"))}


def test_modules_can_be_put_into_one_file() -> None:
    names = [name for file, code in modules().items() if file not in OTHER_PAGES for name in NAMES.findall(code)]
    assert len(names) > 100
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})
    for code in modules().values():
        assert all(
            re.fullmatch(r"import \{[^}\n]+\} from \"\./\w+\.js\";", line)
            for line in re.findall(r"^import.*", code, re.M)
        )


def test_both_languages_have_the_same_words_with_the_same_places() -> None:
    english, japanese = (dict(WORDS.findall(modules()[name])) for name in ("english.js", "japanese.js"))
    assert len(english) > 80
    assert list(english) == list(japanese)
    for name, words in english.items():
        assert set(re.findall(r"\{\w+\}", words)) == set(re.findall(r"\{\w+\}", japanese[name])), name


def test_all_words_are_used_and_those_used_exist() -> None:
    everything = "".join(code for name, code in modules().items() if name not in ("english.js", "japanese.js"))
    everything += (FOLDER / "index.html").read_text(encoding="utf-8")
    words = dict(WORDS.findall(modules()["english.js"]))
    unused = [name for name in words if not re.search(rf"[\"']{name}[\"']|\b{name}:", everything)]
    assert all(name.startswith("run_") for name in unused)  # those of a run's states
    asked = re.findall(r"data-(?:words|hint|label|placeholder)=\"(\w+)\"", everything)
    assert set(asked) <= set(words)


def test_nothing_is_inline_or_from_elsewhere() -> None:
    html = (FOLDER / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script>|https?:", html)
    for file in FOLDER.glob("*.js"):
        code = file.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", code), file
        assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg", "", code), file


def violations(page: "Page") -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}).response
    return [
        f"{one['id']}: {node['html'][:150]} {node['failureSummary'][:300]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize(("locale", "scheme"), [("en-GB", "light"), ("ja-JP", "dark")])
def test_axe_finds_nothing(browser: "Browser", home: Home, scheme: Any, locale: str) -> None:
    english = locale == "en-GB"
    with a_context(browser, home, locale=locale, color_scheme=scheme, viewport={"width": 360, "height": 740}) as made:
        found = violations_everywhere(opened(made, home), home, english)
    assert found == []


def violations_everywhere(page: "Page", home: Home, english: bool) -> list[str]:
    """What axe finds in each of the page's views, among them an error."""
    assert page.locator("html").get_attribute("lang") == ("en" if english else "ja")
    field = page.get_by_role("textbox", name="Notebook" if english else "ノート")
    field.fill("The quick\n")
    home.write = lambda asked: streamed("fox")
    field.press("Control+Enter")
    page.get_by_role("status").get_by_text("3").wait_for()
    page.get_by_text("More settings" if english else "その他の設定").click()
    home.write = lambda asked: refused(503, "")
    field.press("Control+Enter")
    page.get_by_role("alert").get_by_role("button").wait_for()
    found = violations(page)
    home.write = lambda asked: streamed("fox")
    page.get_by_role("button", name="Three ways" if english else "三つの案").click()
    page.get_by_role("button", name="Take this one" if english else "これにする").and_(
        page.locator(":enabled")
    ).first.wait_for()
    found += violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Versions" if english else "版の一覧").click()
    found += violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="See" if english else "見る").click()
    page.get_by_role("complementary").get_by_role("listitem").first.wait_for()
    found += violations(page)
    page.get_by_role("tab", name="Inside" if english else "内部").click()
    page.get_by_role("button", name="Find them" if english else "探す").click()
    page.get_by_role("button", name="2.17").click()
    page.get_by_role("status").filter(has_text="2.17").wait_for()
    return found + violations(page)


@pytest.mark.parametrize("width", [320, 360])
def test_narrow_screens_need_no_sideways_scrolling(page: "Page", home: Home, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 640})
    home.write = lambda asked: streamed("unbroken" * 100)
    page.get_by_text("More settings").click()
    for language in ("en", "ja"):
        page.locator("#language").select_option(language)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    page.locator("#language").select_option("en")
    begin(page, "w" * 500)
    press(page, "Go on")
    expect_status(page, "The model wrote")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    page.get_by_role("tab", name="See").click()
    page.get_by_role("complementary").get_by_role("listitem").first.wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_everything_is_done_by_keyboard_alone(page: "Page", home: Home) -> None:
    home.write = lambda asked: streamed(" fox.")

    def reach(role: Any, name: str) -> None:
        target = page.get_by_role(role, name=name, exact=True)
        for _ in range(40):
            if target.evaluate("node => node === document.activeElement"):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {name}")

    reach("textbox", "Notebook")
    page.keyboard.type("The")
    page.keyboard.press("Control+Enter")
    expect_text(page, "The fox.")
    reach("button", "Go on")
    page.keyboard.press("Enter")
    expect_text(page, "The fox. fox.")
    assert page.get_by_role("button", name="Go on").evaluate("node => node === document.activeElement")
    reach("button", "Undo")
    page.keyboard.press("Space")
    expect_text(page, "The fox.")
    reach("button", "Three ways")
    page.keyboard.press("Enter")
    page.get_by_text("Three passages are written.").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect_text(page, "The fox. fox.")
    reach("tab", "Write")
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="See").get_attribute("aria-selected") == "true"
    reach("textbox", "Tinted text")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    home.write = lambda asked: streamed("n.")
    reach("button", "Go on from here with e")
    page.keyboard.press("Enter")
    expect_text(page, "Ten.")


def test_the_language_is_switched_and_remembered(page: "Page") -> None:
    page.get_by_label("Language").select_option("ja")
    page.get_by_role("button", name="続きを書く").wait_for()
    page.reload()
    page.get_by_role("button", name="続きを書く").wait_for()
    assert page.locator("html").get_attribute("lang") == "ja"


def test_the_buttons_say_what_is_so(page: "Page", home: Home) -> None:
    enabled = page.get_by_role("group", name="Writing").locator("button:enabled")
    assert enabled.all_inner_texts() == ["Go on", "Three ways", "Versions"]
    begin(page, "The")
    press(page, "Go on")
    expect_status(page, "The model wrote")
    assert enabled.all_inner_texts() == ["Go on", "Again", "Three ways", "Undo", "Versions"]
    assert notebook(page).is_editable()


def test_modules_for_texts_do_what_they_say(page: "Page") -> None:
    """Plain functions, for which a browser is only where they run."""
    found = page.evaluate(
        """async () => {
          const { characters, context, difference, replaced, stretch } = await import("/page/notebook.js");
          const one = replaced(stretch("ab", true), 1, 0, stretch("-"));
          return {
            parts: one,
            joined: replaced(one, 1, 1, stretch("", true)),
            pair: difference("a\\u{1f600}", "a\\u{1f601}"),
            end: difference("\\u{1f600}z", "\\u{10200}z"),
            none: difference("same", "same"),
            caret: difference("fox jumps", "fox  jumps", 4),
            count: characters("a\\u{1f600}\\ud83d"),
            cut: context("\\u{1f600}ab", 4, 3),
            lines: stretch("a\\r\\nb\\rc").text,
          };
        }"""
    )
    assert found["parts"] == {"text": "a-b", "runs": [[0, 1], [2, 3]]}
    assert found["joined"] == {"text": "ab", "runs": [[0, 2]]}
    assert found["pair"] == {"at": 1, "removed": 2, "inserted": "\U0001f601"}
    assert found["end"] == {"at": 0, "removed": 2, "inserted": "\U00010200"}
    assert found["none"] is None
    assert found["caret"] == {"at": 3, "removed": 0, "inserted": " "}
    assert (found["count"], found["cut"], found["lines"]) == (3, "ab", "a\nb\nc")
