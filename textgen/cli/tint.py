"""A text tinted by a number for each of its characters, on a terminal; without colours, with digits below it."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textgen.cli.table import width
from textgen.cli.terminal import printable

Colour = tuple[int, int, int]
NEWLINE = "↵"  # shown before a line break that has a tint
JOINER = "\u200d"
CUBE = (0, 95, 135, 175, 215, 255)  # the levels of red, green and blue in the 256 colours of terminals
TRUE_COLOUR = 2**24
DARK = 0.45  # relative luminance below which letters on a tint are white


class Scale(NamedTuple):
    """How numbers are tinted."""

    name: str  # for the legend
    stops: tuple[tuple[float, Colour], ...]  # ascending, above 0; below the first there is no tint
    below: tuple[tuple[float, Colour], ...] = ()  # for numbers below 0, with the sign left out
    signs: str = ""  # instead of digits: what stands below numbers above and below 0
    marks: str = ""  # what the marks below characters mean

    def style(self, value: float, colours: int) -> str:
        """The parameters of the terminal's SGR sequence for a number; empty for no tint.

        Args:
            value: the number; NaN has no tint.
            colours: 256, for the colour of the last stop that it reaches, or 2²⁴, for one in between.
        """
        stops, size = (self.stops, value) if value > 0 else (self.below, -value)
        if not stops or not size >= stops[0][0]:
            return ""
        colour = _between(stops, size) if colours == TRUE_COLOUR else _reached(stops, size)
        return _style(colour, colours)

    def mark(self, value: float) -> str:
        """What stands below a character instead of a tint: a digit, rounded, or a sign; a space from 0 to 1."""
        if not abs(value) >= 1:
            return " "
        return self.signs[value < 0] if self.signs else str(min(9, int(value + 0.5)))


# ColorBrewer's YlOrRd and RdBu (Harrower and Brewer, 2003), which most colour-blind people can read.
SURPRISAL = Scale(
    "bits",
    (
        (2, (254, 217, 118)),
        (4, (254, 178, 76)),
        (6, (253, 141, 60)),
        (8, (252, 78, 42)),
        (10, (227, 26, 28)),
        (14, (128, 0, 38)),
    ),
    marks="below each character: its bits, from 1 to 9 (or more)",
)
GAIN = Scale(
    "bits by which the model is better than the n-gram",
    ((0.5, (209, 229, 240)), (1, (146, 197, 222)), (2, (67, 147, 195)), (4, (33, 102, 172))),
    ((0.5, (253, 219, 199)), (1, (244, 165, 130)), (2, (214, 96, 77)), (4, (178, 24, 43))),
    "+-",
    "below each character: + where the model is better than the n-gram by 1 bit or more, - where it is worse",
)


def tinted(text: str, values: NDArray[np.floating], scale: Scale, colours: int) -> Iterator[tuple[str, str]]:
    """A text in pieces of one style, each with its parameters.

    A character and the marks on it have the style of the most remarkable of them: a terminal draws them as one.

    Args:
        text: N characters.
        values: shape `(N,)`.
        scale: of the values.
        colours: 256 or 2²⁴.
    """
    run, before = "", ""
    for cluster, value in _clusters(text, values.tolist()):
        style = scale.style(value, colours)
        parts = [(style, cluster)]
        if cluster == "\n":  # whose own tint would colour the rest of the terminal's line
            parts = [(style, NEWLINE), ("", cluster)] if style else [("", cluster)]
        for part_style, part in parts:
            if part_style != before and run:
                yield before, run
                run = ""
            run, before = run + part, part_style
    if run:
        yield before, run


def legend(scale: Scale, colours: int) -> list[tuple[str, str]]:
    """The scale, in pieces as of `tinted`."""
    stops = [(-value, value) for value, _ in reversed(scale.below)] + [(value, value) for value, _ in scale.stops]
    pieces = [(scale.style(value, colours), f" {value:g} ") for value, _ in stops]
    return [("", f"{scale.name}: "), *(piece for swatch in pieces for piece in (swatch, ("", " ")))]


def with_digits(pieces: Iterable[tuple[str, NDArray[np.floating]]], scale: Scale, columns: int) -> Iterator[str]:
    """Lines of a text, each followed by one with a mark below each character, where there is any.

    Args:
        pieces: neighbouring parts of the text, each with its values.
        scale: of the values.
        columns: the most that a line may take.
    """
    line, marks, taken = "", "", 0
    for text, values in pieces:
        for cluster, value in _clusters(text, values.tolist()):
            shown = "" if cluster == "\n" else printable(cluster.replace("\t", " "))
            size = max(width(shown), cluster == "\n")
            if taken + size > columns and line:
                yield from _pair(line, marks)
                line, marks, taken = "", "", 0
            line, marks, taken = line + shown, marks + scale.mark(value).ljust(size), taken + size
            if cluster == "\n":
                yield from _pair(line, marks)
                line, marks, taken = "", "", 0
    if line:
        yield from _pair(line, marks)


def _pair(line: str, marks: str) -> list[str]:
    return [line, marks.rstrip()] if marks.strip() else [line]


def _clusters(text: str, values: Sequence[float]) -> Iterator[tuple[str, float]]:
    """The characters, each with the marks on it, and the number that is furthest from 0."""
    cluster, most = "", 0.0
    for symbol, value in zip(text, values, strict=True):
        if cluster and (cluster[-1] == JOINER or symbol == JOINER or unicodedata.category(symbol)[0] == "M"):
            cluster += symbol
            most = most if abs(value) <= abs(most) else value  # which may be NaN
            continue
        if cluster:
            yield cluster, most
        cluster, most = symbol, value
    if cluster:
        yield cluster, most


def _reached(stops: Sequence[tuple[float, Colour]], size: float) -> Colour:
    return max(stop for stop in stops if stop[0] <= size)[1]


def _between(stops: Sequence[tuple[float, Colour]], size: float) -> Colour:
    """The colour between two stops, in proportion."""
    sizes = [stop for stop, _ in stops]
    red, green, blue = (round(float(np.interp(size, sizes, part))) for part in zip(*(c for _, c in stops), strict=True))
    return red, green, blue


def _style(colour: Colour, colours: int) -> str:
    """Letters in black or white on a colour."""
    red, green, blue = ((part / 255) ** 2.2 for part in colour)
    dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < DARK**2.2
    if colours == TRUE_COLOUR:
        return f"38;2;{'255;255;255' if dark else '0;0;0'};48;2;{';'.join(map(str, colour))}"
    r, g, b = (min(range(6), key=lambda level: abs(CUBE[level] - part)) for part in colour)
    return f"38;5;{231 if dark else 16};48;5;{16 + 36 * r + 6 * g + b}"
