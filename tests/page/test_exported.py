"""A model as one HTML file, in real browsers: from a disk, offline, as narrow as a phone."""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.page.firefox import Firefox, firefox_at
from tests.page.node import Node, node
from tests.page.test_tinted import data_of
from tests.serving.conftest import model_file
from tests.test_html_file import pieces_of
from textgen.html_file import export
from textgen.model_file import shipped

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["node"]

TEXT = "document.getElementById('notebook').value"
STATUS = "document.getElementById('status').textContent"
PROBLEM = "document.getElementById('problem').textContent"
READY = "!document.getElementById('go-on').disabled"


class Chromium:
    """A tab, with the same calls as `Firefox` has."""

    def __init__(self, browser: "Browser", **options: Any) -> None:
        size = {"width": 390, "height": 800}
        self._context = browser.new_context(viewport=size, locale="en-GB", offline=True, **options)  # type: ignore[arg-type]
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(60_000)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("request", lambda request: self._note(request.url))
        self.goto, self.evaluate = self.page.goto, self.page.evaluate

    def _note(self, address: str) -> None:
        if not address.startswith(("file:", "blob:")):
            self.complaints.append(address)

    def press(self, role: Any, name: str) -> None:
        self.page.get_by_role(role, name=name, exact=True).click()

    def close(self) -> None:
        self._context.close()


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        pytest.skip("no Firefox on the PATH")
    with firefox_at(program, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def chromium(browser: "Browser") -> Iterator[Chromium]:
    tab = Chromium(browser)
    yield tab
    tab.close()


@pytest.fixture(params=["chromium", "firefox"])
def tab(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A tab; the test fails with any error or refusal that the browser reports, and with any request."""
    found = request.getfixturevalue(request.param)
    yield found
    complaints, found.complaints[:] = list(found.complaints), []
    assert not complaints


Make = Callable[..., str]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a page of a model of random weights, and tells its address."""

    def made(name: str = "play.html", text: str = "", change: Any = None, model: Any = None, **options: Any) -> str:
        (tmp_path / "fox.keras").write_bytes(model_file(text or "The quick brown fox.\n", **(model or {})))
        file = export(tmp_path / "fox.keras", tmp_path / name, force=True, **options)
        if change:
            file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
        return file.as_uri()

    return made


def wait_for(tab: Any, condition: str) -> None:
    """Wait until an expression is true; the page's policy does not let it wait by itself."""
    ends = time.monotonic() + 60
    while not tab.evaluate(condition):
        assert time.monotonic() < ends, (condition, tab.evaluate(f"[{TEXT}, {STATUS}, {PROBLEM}]"))
        time.sleep(0.02)


def opened(tab: Any, address: str) -> None:
    tab.goto(address)
    wait_for(tab, READY)


def fill(tab: Any, name: str, value: str) -> None:
    """Set a field of the settings, as typing does."""
    field = f"document.getElementsByName('{name}')[0]"
    tab.evaluate(f"{field}.value = {json.dumps(value)}, {field}.dispatchEvent(new Event('input', {{bubbles: true}}))")


def begin(tab: Any, text: str) -> None:
    """Put a text into the notebook, as typing does."""
    tab.evaluate(
        f"{TEXT} = {json.dumps(text)}, document.getElementById('notebook').dispatchEvent(new InputEvent('input'))"
    )


def go_on(tab: Any, length: int) -> str:
    """Let the model write so many characters or more, up to a sentence's end; all of the text."""
    fill(tab, "length", str(length))
    tab.press("button", "Go on")
    wait_for(tab, f"{STATUS}.includes('The model wrote')")
    return tab.evaluate(TEXT)


def stop_after(tab: Any, count: int) -> None:
    """Let the model write, and stop it once the notebook has so many characters."""
    fill(tab, "length", "20000")
    tab.press("button", "Go on")
    wait_for(tab, f"Number(document.getElementById('count').textContent.replace(/\\D/g, '')) > {count}")
    tab.press("button", "Stop")
    wait_for(tab, f"{STATUS}.startsWith('Stopped. ')")
    assert count < len(tab.evaluate(TEXT)) < 20_000


def test_writes_undoes_shows_three_ways_and_what_it_expected(tab: Any, make: Make) -> None:
    opened(tab, make(title="<b>Fox</b> & co", seed="The fox"))
    assert tab.evaluate("[document.title, document.querySelector('h1').textContent]") == ["<b>Fox</b> & co"] * 2
    assert tab.evaluate(TEXT) == "The fox"
    assert tab.evaluate("document.querySelectorAll('script').length") == 2  # the model's pieces are given back
    written = go_on(tab, 30)
    assert written.startswith("The fox")
    assert len(written) >= 37
    tab.press("button", "Undo")
    wait_for(tab, f"{TEXT} === 'The fox'")
    tab.press("button", "Redo")
    wait_for(tab, f"{TEXT} === {json.dumps(written)}")
    tab.press("button", "Three ways")
    wait_for(tab, "document.activeElement.textContent === 'Take this one'")
    texts = "[...document.querySelectorAll('#ways-list section p')].map((node) => node.textContent)"
    wait_for(tab, f"{texts}.every((text) => text.length >= 30)")
    ways = tab.evaluate(texts)
    assert len(set(ways)) == 3
    tab.evaluate("document.activeElement.click()")
    wait_for(tab, f"{STATUS}.includes('in your notebook')")
    assert tab.evaluate(TEXT).startswith(written)
    tab.press("tab", "See")
    wait_for(tab, "document.querySelectorAll('#see-facts li').length === 5")
    tab.evaluate("document.querySelector('#see-facts li button:enabled').click()")
    wait_for(tab, f"{STATUS}.includes('The model wrote')")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_japanese_page_and_seeds_as_a_mac_types_them(tab: Any, make: Make) -> None:
    text = "がぎぐげご。\n"
    opened(tab, make(text=text, language="ja", model={"unicode": "nfc"}))
    assert tab.evaluate("[document.documentElement.lang, document.getElementById('notebook').lang]") == ["ja", "ja"]
    begin(tab, "か\u3099き\u3099")
    fill(tab, "length", "9")
    tab.press("button", "続きを書く")
    wait_for(tab, f"{STATUS}.includes('書きました') || {PROBLEM} !== ''")
    assert tab.evaluate(PROBLEM) == ""
    assert set(tab.evaluate(TEXT)[4:]) <= set(text)
    begin(tab, "猫")
    tab.press("button", "続きを書く")
    wait_for(tab, f"{PROBLEM}.includes('猫')")


def cut(page: str) -> str:
    return page[: len(page) - 2000]


def one_character_changed(page: str) -> str:
    return re.sub('(class="model-piece">.{999})(.)', lambda found: found[1] + ("B" if found[2] == "A" else "A"), page)


@pytest.mark.parametrize("change", [cut, one_character_changed])
def test_a_damaged_file_says_so_and_writes_nothing(tab: Any, make: Make, change: Callable[[str], str]) -> None:
    tab.goto(make(change=change))
    wait_for(tab, f"{PROBLEM}.includes('This page is damaged')")
    assert tab.evaluate(f"{READY}") is False
    assert tab.evaluate("document.querySelectorAll('#problem button').length") == 0


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("const BURST = 60", "const BURST = 61", "Content Security Policy"),
        ('id="notebook"', 'id="notebuuk"', "null"),
    ],
)
def test_a_file_whose_script_or_body_is_damaged_says_so_too(
    chromium: Chromium, make: Make, was: str, becomes: str, complaint: str
) -> None:
    chromium.goto(make(change=lambda page: page.replace(was, becomes)))
    chromium.page.get_by_text("This page cannot start").wait_for()
    assert any(complaint in said for said in chromium.complaints)


def test_the_notebooks_of_files_do_not_mix_and_are_kept(tab: Any, make: Make) -> None:
    fox, cat = make("fox.html", seed="The fox"), make("cat.html", "The other cat.\n", seed="cat")
    opened(tab, fox)
    written = go_on(tab, 20)
    for other, text in ((cat, "cat"), (make("quick.html", seed="The quick"), "The quick")):
        opened(tab, other)
        assert tab.evaluate(TEXT) == text
    opened(tab, make("fox.html", seed="The fox", title="Renamed"))
    assert tab.evaluate(TEXT) == written


def test_a_browser_that_keeps_nothing_is_told_of_and_writes_all_the_same(chromium: Chromium, make: Make) -> None:
    for name in ("indexedDB", "localStorage", "sessionStorage"):
        refusal = "{get() { throw new DOMException('no', 'SecurityError'); }}"
        chromium.page.add_init_script(f"Object.defineProperty(window, '{name}', {refusal});")
    opened(chromium, make(seed="fox"))
    assert chromium.page.get_by_text("This browser keeps nothing for files").is_visible()
    assert len(go_on(chromium, 9)) >= 12


WRITE = """
import { writerOf } from "./model.js";
import { unpacked } from "./payload.js";
let text = "";
await writerOf(unpacked(data.told, data.pieces)).write(data.asked, (piece) => (text += piece));
answer(text);
"""
LINK = "prompt=ROMEO%3A%0A&max_tokens=400&temperature=0.8&top_p=0.95&seed=7&sentence=false"
ASKED = {"prompt": "ROMEO:\n", "length": 400, "temperature": 0.8, "topP": 0.95, "rngSeed": 7, "sentence": False}


def test_the_same_link_gives_the_same_text_in_every_browser(
    chromium: Chromium, firefox: Firefox, node: Node, tmp_path: Path
) -> None:
    file = export(shipped(), tmp_path / "play.html")
    page = file.read_text(encoding="utf-8")
    told = data_of(page)
    texts = ["ROMEO:\n" + node(WRITE, told=told, pieces=pieces_of(page), asked=ASKED)]
    tabs: list[Any] = [chromium, firefox]
    for tab in tabs:
        tab.goto(f"{file.as_uri()}#model={told['key']}&{LINK}")
        wait_for(tab, f"{STATUS}.includes('The model wrote 400')")
        texts.append(tab.evaluate(TEXT))
        assert tab.evaluate("location.hash") == ""
        stop_after(tab, 500)
        assert not tab.complaints
    assert len(texts[0]) == 407
    assert texts[0] == texts[1] == texts[2]


def test_the_figures_of_the_shipped_model(browser: "Browser", tmp_path: Path) -> None:
    """Prints them (`-s`); the limits are those of a quiet machine, with room for a busy one."""
    file = export(shipped(), tmp_path / "play.html")
    tab = Chromium(browser)
    devtools = tab.page.context.new_cdp_session(tab.page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds() -> float:
        """Of the processor, that the page's thread has taken."""
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return next(item["value"] for item in metrics if item["name"] == "TaskDuration")

    opened(tab, file.as_uri())
    ready, ready_after = seconds(), tab.evaluate("performance.now()") / 1000
    tab.evaluate(
        "{ window.delays = []; addEventListener('keydown', (event) =>"
        " window.delays.push(performance.now() - event.timeStamp)) }; 0"
    )
    fill(tab, "length", "2000")
    tab.page.get_by_label("End at a sentence").uncheck()
    before, began = seconds(), time.monotonic()
    tab.press("button", "Go on")
    for _ in range(10):
        tab.page.keyboard.press("Shift")
    wait_for(tab, f"{STATUS}.includes('The model wrote 2,000')")
    took, elapsed = seconds() - before, time.monotonic() - began
    delays = sorted(tab.evaluate("window.delays"))
    memory = private_memory(browser)
    tab.close()
    print(
        f"\nfile {file.stat().st_size / 1e6:.2f} MB; ready after {ready_after:.2f} s, {ready:.2f} s of the processor; "
        f"{2000 / elapsed:,.0f} characters/s, {2000 / took:,.0f} in a second of the processor; "
        f"input waits {delays[5]:.0f} ms, at most {delays[-1]:.0f}; private memory {memory / 1e6:.0f} MB"
    )
    assert file.stat().st_size < 3.6e6
    assert ready < 1
    assert 2000 / took > 600
    assert delays[5] < 200
    assert memory < 150e6
    assert not tab.complaints


def private_memory(browser: "Browser") -> int:
    """The bytes that the largest of the processes that show pages has for itself."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    sizes = []
    for process in processes:
        if process["type"] == "renderer":
            rollup = Path(f"/proc/{process['id']}/smaps_rollup").read_text()
            sizes.append(sum(int(size) for size in re.findall(r"^Private_\w+: +(\d+) kB", rollup, re.MULTILINE)) * 1024)
    return max(sizes)
