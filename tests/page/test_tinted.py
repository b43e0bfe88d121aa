import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.page import tinted as module
from textgen.page.document import FOLDER, as_json
from textgen.page.tinted import Alternatives, Detail, Mark, Scale, Tinted, language, notebook, page

BITS = Scale("surprisal", "bits", 8)


class Elements(HTMLParser):
    """The elements of a page, with their attributes and what is in their scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.content: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            tag, attributes = self.found[-1]
            name = attributes.get("type") or tag
            self.content[name] = self.content.get(name, "") + data


def data_of(text: str) -> dict:
    return json.loads(Elements(text).content["application/json"])


def tags(text: str) -> list[str]:
    return [tag for tag, _ in Elements(text).found]


def tinted(text: str, **changes: object) -> Tinted:
    return replace(Tinted("title", text, np.linspace(0, 9, len(text)), BITS), **changes)


def test_the_page_holds_each_number_and_mark() -> None:
    values = np.array([np.nan, 0.25, -1e9])
    probabilities = np.array([[0, 0], [1, 0.5], [np.nan, 0.25]])
    alternatives = Alternatives("ab", np.array([[0, 0], [1, 0], [0, 1]]), probabilities)
    data = data_of(page(tinted("a🎉\n", values=values, alternatives=alternatives, marks=[Mark(1, 3, "copied")])))
    assert data["text"] == "a🎉\n"
    assert data["marks"] == [[1, 3, "copied"]]
    assert data["scale"]["top"] == 8
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(data["values"]), "<f4"), values.astype("<f4"))
    stored = data["alternatives"]
    assert np.frombuffer(base64.b64decode(stored["codes"]), "<u2").tolist() == [0, 0, 1, 0, 0, 1]
    assert np.frombuffer(base64.b64decode(stored["shares"]), "<u2").tolist() == [0, 0, 65535, 32768, 0, 16384]


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_text_adds_an_element_or_shows_a_control_character(text: str, title: str) -> None:
    text, title = (part.encode(errors="replace").decode() for part in (text, title))
    whole = tinted(text, title=title, summary=title, marks=[Mark(0, 1, title)])
    assert data_of(page(whole))["text"] == text
    assert tags(page(whole)) == tags(page(tinted("plain")))
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]", page(whole))


def test_hostile_texts_do_not_end_the_data() -> None:
    hostile = "</script><!-- <script> ]]> \u2028\x00\x9b"
    assert "<" not in as_json(hostile)
    assert json.loads(as_json(hostile)) == hostile
    assert "<title>&lt;/title&gt;\ufffd</title>" in page(tinted("x", title="</title>\x1b"))


def test_the_policy_allows_the_style_and_the_script_of_the_page_and_nothing_else() -> None:
    elements = Elements(page(tinted("text")))
    (policy,) = (a["content"] for _, a in elements.found if a.get("http-equiv") == "Content-Security-Policy")
    style, script = (
        base64.b64encode(hashlib.sha256(elements.content[name].encode()).digest()).decode()
        for name in ("style", "module")
    )
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_page_needs_no_address_and_no_other_module() -> None:
    text = page(tinted("text"))
    assert not re.search(r"(https?:)?//\w+\.", re.sub("//.*", "", text))
    assert not {name for _, attributes in Elements(text).found for name in attributes} & {
        "src",
        "href",
        "style",
        "onload",
    }
    assert not re.search(r"^import |\bfrom \"", text, re.MULTILINE)


def test_the_names_of_the_modules_do_not_collide_when_they_are_joined() -> None:
    names = [
        name
        for file in module.SCRIPTS
        for name in re.findall(
            r"^(?:export )?(?:const|let|class|function) (\w+)",
            (FOLDER / file).read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    ]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": ""}, "`text` is empty; give at least one character"),
        ({"text": "\ud800"}, r"characters, not '\ud800'"),
        ({"values": np.zeros(3)}, "`values` has 3 rows for 4 characters"),
        ({"scale": None}, "`values` and `scale` go together; give both or neither"),
        ({"scale": replace(BITS, top=0)}, "the `top` of a scale must be a number above 0, not 0"),
        ({"scale": replace(BITS, top=np.nan)}, "the `top` of a scale must be a number above 0, not nan"),
        ({"details": [Detail("rank", np.zeros(5))]}, "`rank` has 5 rows for 4 characters"),
        (
            {"alternatives": Alternatives("a", np.zeros((4, 1)), np.zeros((4, 2)))},
            "`codes` and `probabilities` must have the same shape",
        ),
        ({"marks": [Mark(2, 5, "x")]}, "a mark goes from 2 to 5, in 4 characters"),
        ({"marks": [Mark(2, 2, "x")]}, "a mark goes from 2 to 2, in 4 characters"),
    ],
)
def test_what_does_not_fit_the_text_is_refused(changes: dict, message: str) -> None:
    whole = tinted("text")
    with pytest.raises(ValueError, match=re.escape(message)):
        replace(whole, **changes)


def test_a_text_too_long_for_a_page_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    with pytest.raises(ValueError, match="a page holds at most 3 characters, not 4; show a part of the text"):
        page(tinted("text"))


def test_a_notebook_gets_the_beginning_in_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_IN_NOTEBOOK", 4)
    alternatives = Alternatives("ab", np.zeros((6, 1), int), np.ones((6, 1)))
    whole = tinted(
        "abcdef", title='"x"', details=[Detail("rank", np.arange(6))], alternatives=alternatives,
        marks=[Mark(0, 1, "in"), Mark(3, 6, "cut"), Mark(4, 6, "out")],
    )  # fmt: skip
    ((tag, attributes),) = Elements(notebook(whole)).found
    assert (tag, attributes["sandbox"], attributes["title"]) == ("iframe", "allow-scripts", '"x"')
    data = data_of(attributes["srcdoc"] or "")
    assert data["text"] == "abcd"
    assert data["summary"] == "the first 4 of 6 characters"
    assert data["marks"] == [[0, 1, "in"], [3, 4, "cut"]]
    assert len(base64.b64decode(data["alternatives"]["shares"])) == 8


def test_what_a_notebook_keeps_of_a_long_text_is_small() -> None:
    size = module.MOST_IN_NOTEBOOK * 2
    alternatives = Alternatives("ab", np.zeros((size, 5), int), np.ones((size, 5)))
    assert len(notebook(tinted("x" * size, alternatives=alternatives))) < 1_500_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("吾輩は猫である。", "ja"),
        ("你好，世界", "zh"),
        ("안녕하세요", "ko"),
        ("to be or not", ""),
        ("He said こ" + "x" * 99, ""),
    ],
)
def test_the_language_decides_on_glyphs(text: str, expected: str) -> None:
    assert language(text) == expected
