"""The settings that `textgen.tune` searches, and between which bounds."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from textgen.arguments import Range, expect_known, shown
from textgen.config import (
    BATCH_SIZE,
    CELLS,
    DROPOUT,
    LAYERS,
    LEARNING_RATE,
    UNITS,
    WEIGHT_DECAY,
    WINDOW,
    ModelConfig,
    TrainingConfig,
)
from textgen.corpus.windows import Windows

MOST_CHOICES = 50  # values of a setting
OF_MODEL = ("layers", "units", "cell", "dropout")  # fields of `ModelConfig`; the others are of `TrainingConfig`


class Span(NamedTuple):
    """All numbers between two, both included; searched by their logarithm where `log` is set."""

    low: float
    high: float
    log: bool = False

    def __str__(self) -> str:
        return f"{told(self.low)}:{told(self.high)}"

    def nearest(self, value: Any) -> Any:
        """The value, or the bound that is nearest to it."""
        return min(max(value, self.low), self.high)


class Choice(NamedTuple):
    """A few values; a single one is fixed."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return ",".join(map(told, self.values))

    def nearest(self, value: Any) -> Any:
        """The value, or else the one that is nearest to it, or the first name."""
        if value in self.values or isinstance(value, str):
            return value if value in self.values else self.values[0]
        return min(self.values, key=lambda other: abs(other - value))


Searched = Span | Choice
Space = Mapping[str, Searched]

USUAL: Space = {
    "layers": Span(1, 3),
    "units": Span(64, 1024, log=True),
    "cell": Choice(("lstm", "gru")),
    "dropout": Span(0.0, 0.5),
    "learning_rate": Span(1e-3, 3e-2, log=True),
    "batch_size": Span(4, 64, log=True),
    "window": Span(25, 200, log=True),
    "weight_decay": Span(3e-3, 1.0, log=True),
}
ALLOWED: Mapping[str, Range] = {
    "layers": LAYERS,
    "units": UNITS,
    "dropout": DROPOUT,
    "learning_rate": LEARNING_RATE,
    "batch_size": BATCH_SIZE,
    "window": WINDOW,
    "weight_decay": WEIGHT_DECAY,
}  # numbers; a cell is one of CELLS


def searched(name: str, value: Any) -> Searched:
    """What is searched of a setting: a fixed value, a tuple of the lowest and the highest, or a list of values.

    Raises:
        TypeError: it is none of these, or a number is of a wrong type.
        ValueError: a value is not allowed, the bounds are not in order, or there are too many values.
    """
    if isinstance(value, tuple) and name in ALLOWED:
        if len(value) != 2:
            raise ValueError(f"`{name}` must have two bounds, the lowest and the highest, not {shown(value)}")
        low, high = (ALLOWED[name].check(name, bound) for bound in value)
        if low > high:
            raise ValueError(f"`{name}` must have its lowest value first, not {told(low)}:{told(high)}")
        usual = USUAL[name]
        # A logarithm needs a bound above zero.
        return _span(low, high, log=isinstance(usual, Span) and usual.log and low > 0)
    values = [_checked(name, item) for item in (value if isinstance(value, list) else [value])]
    if not 0 < len(values) <= MOST_CHOICES or len(set(values)) < len(values):
        raise ValueError(f"`{name}` must have 1 to {MOST_CHOICES} different values, not {shown(value)}")
    return Choice(tuple(values))


def space_of(given: Mapping[str, Any], characters: int, train_characters: int) -> Space:
    """The space to search: what is given, and the usual ranges, as far as the text is long enough for them.

    Args:
        given: by the names of `USUAL`, each as in `searched`.
        characters: of the text.
        train_characters: of the text without its held-out part.
    """
    expect_known(given, tuple(USUAL))
    asked = {name: searched(name, value) for name, value in given.items()}
    window = asked.get("window") or _at_most(USUAL["window"], (characters - 1) // 2)
    longest = int(window.high if isinstance(window, Span) else max(window.values))
    batch_size = _at_most(USUAL["batch_size"], Windows.most_streams(train_characters, longest))
    return {**USUAL, "window": window, "batch_size": batch_size} | asked


def configs(settings: Mapping[str, Any]) -> tuple[ModelConfig, TrainingConfig]:
    """Settings as configurations."""
    parts: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for name, value in settings.items():
        parts[name not in OF_MODEL][name] = value
    return ModelConfig(**parts[0]), TrainingConfig(**parts[1])


def words(settings: Mapping[str, Any]) -> list[str]:
    """Settings as options of `textgen train`."""
    return [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", told(value))]


def told(value: Any) -> str:
    """A setting's value as a word."""
    return value if isinstance(value, str) else f"{value:.15g}"


def _checked(name: str, value: Any) -> Any:
    if name in ALLOWED:
        return ALLOWED[name].check(name, value)
    if value not in CELLS:
        raise ValueError(f"`{name}` must be one of {', '.join(CELLS)}, or several of them, not {shown(value)}")
    return value


def _span(low: float, high: float, *, log: bool) -> Searched:
    return Span(low, high, log) if low < high else Choice((low,))


def _at_most(usual: Searched, most: int) -> Searched:
    """The usual range as far as a text allows it."""
    if not isinstance(usual, Span):
        return usual
    high = max(1, min(int(usual.high), most))
    return _span(min(int(usual.low), high), high, log=usual.log)
