"""A text whose characters each have a value, as one HTML page: tinted, with what is known of each character."""

import base64
import html
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from textgen.arguments import check_text, expect, shown
from textgen.page.document import document

MOST = 1_000_000  # characters; a browser needs some 30 bytes of a file, and 300 of memory, for each
MOST_IN_NOTEBOOK = 20_000  # characters; a notebook keeps the page, so it must stay small
HEIGHT = 480  # pixels, in a notebook
LONGEST_LABEL = 1_000  # characters
SCRIPTS = ("elements.js", "tint.js", "paragraphs.js", "reader.js", "panels.js", "tinted.js")
STYLES = ("tint.css", "tinted.css")
WRITTEN_WITH = (("ja", "[\u3041-\u30ff]"), ("ko", "[\uac00-\ud7a3]"), ("zh", "[\u4e00-\u9fff]"))


@dataclass(frozen=True)
class Scale:
    """What the values of a text mean."""

    name: str  # "surprisal"
    unit: str  # "bits", or empty
    top: float  # the value with the deepest tint, unless the reader chooses another; above 0
    low: str = ""  # what the lowest values mean: "expected"
    high: str = ""  # what the highest values mean: "surprising"
    diverging: bool = False  # values below 0 have a tint of their own
    cool: bool = False  # high values have the cool tint, blue, and those below 0 the warm one, orange
    lines: str = "Highest lines"  # heading of the list of lines with the highest mean
    digits: int = 2  # after the point


@dataclass(frozen=True)
class Detail:
    """One more number for each character, which is shown with it."""

    name: str  # "rank"
    values: np.ndarray  # (N,); NaN where there is none
    unit: str = ""
    digits: int = 2  # after the point


@dataclass(frozen=True)
class Alternatives:
    """What could have stood in the place of each character."""

    symbols: Sequence[str]  # (V,), by code
    codes: np.ndarray  # (N, K) integers, the likeliest first
    probabilities: np.ndarray  # (N, K); 0 or NaN where there is none


@dataclass(frozen=True)
class Mark:
    """A stretch of the text that is marked, such as a copied passage."""

    start: int  # its first character
    end: int  # the character after its last one
    label: str  # what is said of it: "tinyshakespeare, line 1,204"


@dataclass(frozen=True)
class Tint:
    """Another way to tint the text, of which the reader chooses one."""

    values: np.ndarray  # (N,); NaN where there is none; kept to a 30,000th of the largest
    scale: Scale  # what they mean; its name is what is chosen


@dataclass(frozen=True)
class Row:
    """A row of a table, and what choosing it does."""

    cells: Sequence[str]  # one for each column; the first is what is chosen
    tint: int | None = None  # tints by the text's own values, 0, or by its other tints, counted from 1
    start: int | None = None  # goes to this character


@dataclass(frozen=True)
class Table:
    """A table beside the text."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Row]
    note: str = ""  # a line below the heading


@dataclass(frozen=True)
class Scatter:
    """Points from 0 to 1 beside the text, in a square for each of several groups."""

    heading: str
    x: str  # what the axes mean
    y: str
    groups: Sequence[tuple[str, np.ndarray, np.ndarray]]  # name, x (U,) and y (U,)
    note: str = ""  # a line below the heading


@dataclass(frozen=True)
class Tinted:
    """A text, and what its page shows of it.

    Raises:
        TypeError: a value is of a wrong type.
        ValueError: the text is empty or not valid Unicode, or an array or a mark does not fit it.
    """

    title: str
    text: str
    values: np.ndarray | None = None  # (N,), one for each character; NaN where there is none; None: no tint
    scale: Scale | None = None  # what they mean
    summary: str = ""  # a line below the title
    details: Sequence[Detail] = ()
    alternatives: Alternatives | None = None
    marks: Sequence[Mark] = ()  # in the order in which they are listed; they may overlap
    marks_name: str = "Marked passages"  # heading of their list
    line: int = 1  # of the first character, in a longer text
    column: int = 1  # likewise
    tints: Sequence[Tint] = ()  # further ones
    panels: Sequence[Table | Scatter] = ()  # what is shown beside the text

    def __post_init__(self) -> None:
        """Check that everything fits the text."""
        expect("text", self.text, str)
        if not self.text:
            raise ValueError("`text` is empty; give at least one character")
        for name, value in (("title", self.title), ("text", self.text), ("summary", self.summary)):
            check_text(name, value, sys.maxsize)
        self._check_arrays()
        for mark in self.marks:
            check_text("label", mark.label, LONGEST_LABEL)
            if not 0 <= mark.start < mark.end <= len(self.text):
                raise ValueError(f"a mark goes from {mark.start:,} to {mark.end:,}, in {len(self.text):,} characters")

    def _check_arrays(self) -> None:
        if (self.values is None) != (self.scale is None):
            raise ValueError("`values` and `scale` go together; give both or neither")
        if self.tints and self.scale is None:
            raise ValueError("`tints` are further ones; give `values` and `scale` too")
        for scale in [self.scale, *(tint.scale for tint in self.tints)]:
            if scale and not (np.isfinite(scale.top) and scale.top > 0):
                raise ValueError(f"the `top` of a scale must be a number above 0, not {shown(scale.top)}")
        arrays = [("values", self.values), *((detail.name, detail.values) for detail in self.details)]
        arrays += [(tint.scale.name, tint.values) for tint in self.tints]
        if self.alternatives:
            arrays += [("codes", self.alternatives.codes), ("probabilities", self.alternatives.probabilities)]
        for name, values in arrays:
            if values is not None and len(values) != len(self.text):
                raise ValueError(f"`{name}` has {len(values):,} rows for {len(self.text):,} characters")
        if self.alternatives and self.alternatives.codes.shape != self.alternatives.probabilities.shape:
            raise ValueError("`codes` and `probabilities` must have the same shape")


def page(tinted: Tinted) -> str:
    """The page of a tinted text: HTML that needs no other file and no network.

    Raises:
        ValueError: the text has more than `MOST` characters.
    """
    if len(tinted.text) > MOST:
        raise ValueError(f"a page holds at most {MOST:,} characters, not {len(tinted.text):,}; show a part of the text")
    return document(tinted.title, "tinted.html", styles=STYLES, scripts=SCRIPTS, data=_data(tinted))


def notebook(tinted: Tinted) -> str:
    """The page inside a frame of its own, for `_repr_html_`; of a long text, the beginning.

    The frame is sandboxed: the page cannot reach the notebook, nor can the notebook's styles reach the page.
    """
    part = _beginning(tinted, MOST_IN_NOTEBOOK)
    content = html.escape(page(part))
    style = f"border: 0; height: {HEIGHT}px; width: 100%"
    title = html.escape("".join(filter(str.isprintable, tinted.title)))
    return f'<iframe title="{title}" sandbox="allow-scripts" style="{style}" srcdoc="{content}"></iframe>'


def language(text: str) -> str:
    """The language for which a browser should choose glyphs and break lines: "ja", "ko", "zh", or "" for all others."""
    sample = text[:100_000]
    return next((name for name, letters in WRITTEN_WITH if len(re.findall(letters, sample)) > len(sample) / 20), "")


def _beginning(whole: Tinted, most: int) -> Tinted:
    if len(whole.text) <= most:
        return whole
    told = f"the first {most:,} of {len(whole.text):,} characters"
    alternatives = whole.alternatives
    return replace(
        whole,
        text=whole.text[:most],
        values=None if whole.values is None else whole.values[:most],
        summary=f"{whole.summary}; {told}" if whole.summary else told,
        details=[replace(detail, values=detail.values[:most]) for detail in whole.details],
        tints=[replace(tint, values=tint.values[:most]) for tint in whole.tints],
        alternatives=alternatives
        and replace(alternatives, codes=alternatives.codes[:most], probabilities=alternatives.probabilities[:most]),
        marks=[replace(mark, end=min(mark.end, most)) for mark in whole.marks if mark.start < most],
    )


def _data(tinted: Tinted) -> dict[str, Any]:
    scale, alternatives = tinted.scale, tinted.alternatives
    return {
        "title": tinted.title,
        "summary": tinted.summary,
        "language": language(tinted.text),
        "text": tinted.text,
        "values": None if tinted.values is None else _packed(tinted.values, "<f4"),
        "scale": scale and vars(scale),
        "details": [vars(detail) | {"values": _packed(detail.values, "<f4")} for detail in tinted.details],
        "alternatives": alternatives and _packed_alternatives(alternatives),
        "marks": [[mark.start, mark.end, mark.label] for mark in tinted.marks],
        "marksName": tinted.marks_name,
        "line": tinted.line,
        "column": tinted.column,
        "tints": [{"scale": vars(tint.scale), **_quantized(tint.values)} for tint in tinted.tints],
        "panels": [_panel(panel) for panel in tinted.panels],
    }


def _quantized(values: np.ndarray) -> dict[str, Any]:
    """Numbers as multiples of a step in two bytes, and -32,768 for NaN."""
    step = float(np.nanmax(np.abs(values), initial=0)) / 30_000 or 1.0
    whole = np.where(np.isnan(values), -32_768, np.rint(np.nan_to_num(values) / step))
    return {"step": step, "values": _packed(whole, "<i2")}


def _panel(panel: Table | Scatter) -> dict[str, Any]:
    if isinstance(panel, Table):
        return vars(panel) | {"rows": [vars(row) for row in panel.rows]}
    groups = [[name, *(np.round(values, 4).tolist() for values in axes)] for name, *axes in panel.groups]
    return vars(panel) | {"groups": groups}


def _packed_alternatives(alternatives: Alternatives) -> dict[str, Any]:
    shares = np.rint(np.nan_to_num(alternatives.probabilities) * 65535)  # a page shows no more than 0.1 %
    return {
        "symbols": list(alternatives.symbols),
        "width": alternatives.codes.shape[1],
        "codes": _packed(alternatives.codes, "<u2" if len(alternatives.symbols) <= 65536 else "<u4"),
        "shares": _packed(shares, "<u2"),
    }


def _packed(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode()
