"""Trainings as a person starts and watches them, with the real server and a learner that needs no TensorFlow."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.conftest import PROJECT, TEXT
from tests.page.conftest import served
from tests.page.test_access import violations
from tests.page.test_notebook import expect_status, press

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

COMMAND = (sys.executable, str(PROJECT / "tests" / "serving" / "quick_server.py"))


def open_trainings(page: "Page", address: str) -> None:
    page.set_default_timeout(60_000)
    page.goto(address)
    page.get_by_role("tab", name="Train").click()


def upload(page: "Page", name: str, content: bytes) -> None:
    page.get_by_label("Drop text files here").set_input_files({"name": name, "mimeType": "", "buffer": content})


def test_a_training_from_its_text_to_its_model(browser: "Browser", tmp_path: Path) -> None:
    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        with served(command=COMMAND, folder=tmp_path) as (address, process):
            open_trainings(page, address)
            page.get_by_text("There are no trainings yet.").wait_for()
            upload(page, "<b>.png", b"\x89PNG\r\n\x1a\n\0\0\0")
            page.get_by_text("This cannot be trained on: ").wait_for()
            assert page.get_by_role("button", name="Start the training").is_disabled()
            page.get_by_role("button", name="Remove: <b>.png").click()
            upload(page, "fox.txt", (TEXT * 60).encode())
            page.get_by_text(f"{60 * len(TEXT):,} characters.").wait_for()
            page.get_by_text("This is little text").wait_for()
            page.get_by_label("Minutes").fill("5")
            press(page, "Start the training")
            page.get_by_role("img", name=re.compile("Bits per character on unseen text")).wait_for()
            page.get_by_text("What it writes as it gets better").wait_for()
            page.reload()  # and it is where it was
            page.get_by_text(re.compile(r"About \d+ min left")).wait_for()
            process.terminate()
            page.get_by_role("alert").get_by_text("The server does not answer.").wait_for()
            process.wait(60)
        with served(command=COMMAND, folder=tmp_path, port=urlsplit(address).port or 0):
            page.get_by_role("button", name="Stop training").click()  # the server has gone on with it
            page.get_by_role("button", name="Resume", exact=True).wait_for()
            assert violations(page) == []
            press(page, "Write with it")
            page.get_by_label("Length").fill("5")
            page.get_by_label("End at a sentence").uncheck()
            press(page, "Go on")
            expect_status(page, "The model wrote 5 characters.")
            assert page.get_by_label("Model").input_value() == "fox"
            page.get_by_role("tab", name="Train").click()
            asked: list[str] = []
            page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
            press(page, "Delete")
            page.get_by_role("button", name="Resume", exact=True).wait_for()
            page.once("dialog", lambda dialog: dialog.accept())
            press(page, "Delete")
            page.get_by_text("There are no trainings yet.").wait_for()
            assert asked == ["Delete “fox”, its model and its texts? This cannot be undone."]
            assert not (tmp_path / "models" / "fox").exists()


def test_without_training_there_is_no_tab(browser: "Browser", tmp_path: Path) -> None:
    with browser.new_context(locale="en-GB") as context, served("--no-training", folder=tmp_path) as (address, _):
        page = context.new_page()
        page.goto(address)
        page.get_by_role("button", name="Go on").and_(page.locator(":enabled")).wait_for()
        page.wait_for_load_state("networkidle")
        assert page.get_by_role("tab").all_inner_texts() == ["Write", "See", "Inside"]


def test_an_aozora_text_in_japanese_on_a_narrow_dark_screen(browser: "Browser", tmp_path: Path) -> None:
    look: Any = {"locale": "ja-JP", "viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}
    with browser.new_context(**look) as context, served(command=COMMAND, folder=tmp_path) as (address, _):
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        page.get_by_role("tab", name="学習").click()
        text = ("吾輩《わがはい》は猫である。［＃改行］\n" * 30).encode("cp932")
        page.locator("#files").set_input_files({"name": "猫.txt", "mimeType": "", "buffer": text})
        page.get_by_text("cp932").wait_for()
        assert page.locator("#strip").is_checked()
        marks = "見つかったもの：ルビ《…》30 個、注記［＃…］30 個、合わせて 330 文字。"
        assert page.locator("#marks").inner_text() == marks
        assert page.locator("#expect").inner_text().startswith("少なすぎて")
        page.get_by_label("時間（分）").fill("0.1")
        page.locator("#start").click()
        page.locator("#run-samples li").first.wait_for()
        assert (tmp_path / "models/猫/training/texts/1/猫.txt").read_bytes() == text
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.get_by_role("status").get_by_text(re.compile(r"完了 · .*1 文字あたり \d+\.\d\d ビット")).wait_for()
