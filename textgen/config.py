"""What a user can set, numbers with their range: the network's, the training's, the sampler's and the reader's.

The command line takes its defaults, its ranges and its error messages from here.
"""

import codecs
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, Self

UNICODE = ("none", "nfc", "nfkc")  # forms: as it is; composed; composed, and what is merely another shape replaced


class Range(NamedTuple):
    """The allowed values of a number: whole or real, between two bounds, each belonging to it or not."""

    kind: type[int] | type[float]
    low: float
    high: float
    above_low: bool = False  # the lower bound itself is not allowed

    def __str__(self) -> str:
        noun = "a whole number" if self.kind is int else "a number"
        low = f"above {self.low:g}, at most" if self.above_low else f"from {self.low:g} to"
        return f"{noun} {low} {self.high:{',d' if self.kind is int else 'g'}}"

    def check(self, name: str, value: object) -> None:
        """Raise `ValueError` naming `name`, the range and the value, unless the value is in the range."""
        accepted = (int,) if self.kind is int else (int, float)
        if isinstance(value, accepted) and not isinstance(value, bool) and not math.isnan(value):
            above = value > self.low if self.above_low else value >= self.low
            if above and value <= self.high:
                return
        raise ValueError(f"{name} must be {self}, not {value!r}")


def check_encoding(name: str) -> None:
    """Raise `ValueError` unless Python knows a text encoding of this name."""
    try:
        codecs.getincrementaldecoder(name)("strict")
        with suppress(UnicodeError):
            b"a".decode(name)  # fails in another way for what is a codec, and not one of text
    except (LookupError, ValueError, TypeError) as error:
        raise ValueError(
            f"encoding must be one that Python knows, such as utf-8, cp932 or latin-1, not {name!r}"
        ) from error


def number(default: float | None, allowed: Range) -> Any:
    """A field that holds a number in a range; `None` is allowed where it is the default."""
    return field(default=default, metadata={"range": allowed})


class Checked:
    """Checks the fields made by `number` as the dataclass is made."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for the first number out of its range."""
        for item in fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if "range" in item.metadata and not (value is None and item.default is None):
                item.metadata["range"].check(item.name, value)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Make one from stored values, all of them present and none unknown; `ValueError` otherwise."""
        expected = {item.name for item in fields(cls)}  # type: ignore[arg-type]
        if set(values) != expected:
            odd = ", ".join(sorted(expected.symmetric_difference(values)))
            raise ValueError(f"the {cls.__name__} has missing or unknown keys: {odd}")
        return cls(**values)


@dataclass(frozen=True)
class ModelConfig(Checked):
    """The shape of the network. What is `None` is chosen from the text's size when training starts."""

    layers: int = number(2, Range(int, 1, 8))  # stacked LSTMs
    units: int = number(300, Range(int, 1, 4096))  # of each LSTM
    dropout: float | None = number(None, Range(float, 0, 0.9))  # share of each LSTM's outputs, in training
    embedding: int | None = number(None, Range(int, 1, 4096))  # numbers that stand for one character


@dataclass(frozen=True)
class TrainingConfig(Checked):
    """How the network is trained. What is `None` is chosen from the text's size and the budget."""

    window: int = number(50, Range(int, 2, 10_000))  # characters between two updates
    batch_size: int | None = number(None, Range(int, 1, 4096))  # streams read at once
    learning_rate: float | None = number(None, Range(float, 0, 1, above_low=True))  # the peak of the schedule
    patience: int | None = number(None, Range(int, 1, 1_000_000))  # scorings without a better one
    validation: float = number(0.1, Range(float, 0, 0.5))  # share of the text held out, from its end
    rng_seed: int | None = number(None, Range(int, 0, 2**63 - 1))  # None draws a fresh one


@dataclass(frozen=True)
class SamplingConfig(Checked):
    """How the next character is chosen from the network's predictions."""

    temperature: float = number(0.8, Range(float, 0, 100))  # 0 always takes the likeliest character
    top_k: int | None = number(None, Range(int, 1, 1_114_112))  # keep only the k likeliest
    top_p: float | None = number(None, Range(float, 0, 1, above_low=True))  # keep the likeliest of sum p
    min_p: float | None = number(None, Range(float, 0, 1))  # keep those of at least p times the likeliest

    @property
    def filters(self) -> bool:
        """Whether anything but the temperature decides."""
        return (self.top_k, self.top_p, self.min_p) != (None, None, None)


@dataclass(frozen=True)
class Reading(Checked):
    """How files become the text that a model is trained on."""

    encoding: str | None = None  # of all files; None tells each one's from its bytes
    glob: str = "*.txt"  # which files of a folder or a zip are texts
    separator: str = "\n"  # between two texts
    strip: bool = False  # take out what Project Gutenberg and Aozora Bunko have added
    unicode: str = "nfc"  # form of Unicode: one of UNICODE
    lowercase: bool = False
    min_count: int = number(1, Range(int, 1, 1_000_000_000))  # rarer symbols become one replacement symbol

    def __post_init__(self) -> None:
        """Raise `ValueError` for the first value that cannot be."""
        super().__post_init__()
        if self.unicode not in UNICODE:
            raise ValueError(f"unicode must be one of {', '.join(UNICODE)}, not {self.unicode!r}")
        if "\0" in self.separator:
            raise ValueError("separator must have no NUL, which no text has")
        if self.encoding is not None:
            check_encoding(self.encoding)


# Numbers that belong to a call rather than to a configuration.
EPOCHS = Range(int, 1, 1_000_000)
MINUTES = Range(float, 0, 100_000, above_low=True)
LENGTH = Range(int, 0, 1_000_000_000)
COUNT = Range(int, 1, 10_000)
CONTEXT = Range(int, 1, 1_000_000)
CHECKPOINT_SECONDS = Range(float, 0, 1_000_000)
RNG_SEED = Range(int, 0, 2**63 - 1)
