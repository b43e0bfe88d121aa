"""The page and the real server, with the shipped model."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.page.conftest import served
from tests.page.test_notebook import begin, expect_status, expect_text, notebook, press
from textgen.bundled import PACKAGE

if TYPE_CHECKING:
    import subprocess

    from playwright.sync_api import Browser, CDPSession, Page

SHIPPED = PACKAGE.parent / "models" / "shakespeare.keras"


@pytest.fixture
def server() -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    with served(str(SHIPPED)) as found:
        yield found


@pytest.fixture
def page(browser: "Browser", server: tuple[str, object]) -> Iterator["Page"]:
    with browser.new_context(locale="en-GB") as context:
        shown = context.new_page()
        shown.set_default_timeout(60_000)
        shown.goto(server[0])
        shown.get_by_role("button", name="Go on").and_(shown.locator(":enabled")).wait_for()
        yield shown


def receive(network: "CDPSession", most: int) -> None:
    """Let a page receive at most so many bytes a second; -1 is no limit."""
    conditions = {"offline": False, "latency": 0, "downloadThroughput": most, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", conditions)


def test_writes_stops_and_writes_the_same_again(page: "Page", server: tuple[str, object]) -> None:
    page.get_by_label("Length").fill("20000")
    begin(page, "ROMEO:\n")
    network = page.context.new_cdp_session(page)
    receive(network, 10_000)  # or all may be there before the key is pressed
    press(page, "Go on")
    page.get_by_role("button", name="Stop").and_(page.locator(":enabled")).wait_for()
    assert not notebook(page).is_editable()
    page.locator("#backdrop .model").first.wait_for()
    page.keyboard.press("Escape")
    expect_status(page, "Stopped. The model wrote")
    receive(network, -1)
    text = notebook(page).input_value()
    assert 7 < len(text) < 20_000
    press(page, "Copy a link")
    page.get_by_role("tab", name="See").click()
    page.get_by_role("complementary").get_by_text("of the model's choices").wait_for()
    assert page.get_by_role("complementary").get_by_role("listitem").count() == 5
    page.get_by_role("tab", name="Write").click()
    link = page.get_by_role("link", name="The link to this text").get_attribute("href")
    assert link is not None
    press(page, "Undo")
    page.goto(f"{server[0]}#{urlsplit(link).fragment}")
    expect_text(page, text)


def test_a_server_that_is_killed_in_mid_stream_loses_nothing(
    page: "Page", server: tuple[str, "subprocess.Popen[str]"]
) -> None:
    address, process = server
    page.get_by_label("Length").fill("20000")
    begin(page, "ROMEO:\n")
    press(page, "Go on")
    page.locator("#backdrop .model").first.wait_for()
    process.kill()
    page.get_by_role("alert").get_by_text("The server broke off.").wait_for()
    text = notebook(page).input_value()
    assert len(text) > 7
    press(page, "Try again")
    page.get_by_role("alert").get_by_text("The server does not answer.").wait_for()
    expect_text(page, text)
    with served(str(SHIPPED), port=urlsplit(address).port or 0):
        page.reload()
        expect_text(page, text)
        page.get_by_label("Length").fill("5")
        page.get_by_label("End at a sentence").uncheck()
        notebook(page).press("Control+End")
        press(page, "Go on")
        expect_status(page, "The model wrote 5 characters.")
        assert notebook(page).input_value().startswith(text)


def test_logs_in_where_a_token_is_needed(browser: "Browser") -> None:
    with served(str(SHIPPED), "--token", "secret") as (address, _), browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        page.goto(address)
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button").click()
        page.get_by_text("That is not the token.").wait_for()
        page.get_by_label("Token").fill("secret")
        page.get_by_role("button").click()
        begin(page, "ROMEO:\n")
        page.get_by_label("Length").fill("5")
        press(page, "Go on")
        expect_status(page, "The model wrote")
