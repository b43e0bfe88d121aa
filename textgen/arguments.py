"""Checks the type and range of arguments and stored values; a wrong one is an error of one line."""

import os
import re
import reprlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field, fields
from difflib import get_close_matches
from numbers import Integral, Real
from types import GenericAlias, NoneType
from typing import Any, NamedTuple, Self, get_args

MOST = 5  # names in one message
LONGEST = 80  # characters of a value in a message
PATH: Any = str | os.PathLike  # for `expect`

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = LONGEST


class Range(NamedTuple):
    """The allowed range of an integer or a real number."""

    kind: type[int] | type[float]
    low: float
    high: float
    above_low: bool = False  # the lower bound itself is not allowed

    def __str__(self) -> str:
        noun = "a whole number" if self.kind is int else "a number"
        return f"{noun} {'' if self.above_low else 'from '}{self.bounds}"

    @property
    def bounds(self) -> str:
        """The two bounds in words: "1 to 4,096" or "above 0, at most 1"."""
        low = f"above {self.low:g}, at most" if self.above_low else f"{self.low:g} to"
        return f"{low} {self.high:{',d' if self.kind is int else ',.15g'}}"

    def check(self, name: str, value: Any) -> Any:
        """The value as an `int` or a `float` of Python; numbers of NumPy are accepted too.

        Raises:
            TypeError: it is not such a number; the message names `name`, the range and the value.
            ValueError: it is out of the range; the message is the same.
        """
        problem = f"`{name}` must be {self}, not {shown(value)}"
        accepted: Any = Integral if self.kind is int else Real
        if not isinstance(value, accepted) or isinstance(value, bool):
            raise TypeError(problem)
        above = value > self.low if self.above_low else value >= self.low
        if not above or not value <= self.high:  # NaN is neither
            raise ValueError(problem)
        return self.kind(value)


def shown(value: object) -> str:
    """A value as messages show it: shortened, in one line."""
    try:
        return _SHORT.repr(value).replace("\n", " ")
    except ValueError:  # more digits than Python is willing to print
        return "a number of thousands of digits"


def listed(names: Collection[str]) -> str:
    """Names as messages list them: the first few, each as `shown` unless it is an identifier."""
    first = [name if name.isidentifier() and len(name) < LONGEST else shown(name) for name in sorted(names)[:MOST]]
    more = [f"{len(names) - MOST:,} more"] if len(names) > MOST else []
    return ", ".join(first + more)


def check_sha256(digest: object) -> None:
    """Raise `ValueError` unless this is a SHA-256 as 64 hexadecimal digits."""
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(f"`sha256` must be 64 hexadecimal digits, not {shown(digest)}")


def check_text(name: str, value: object, most: int) -> None:
    """Raise `ValueError` unless a value is valid Unicode text of at most `most` characters."""
    if not isinstance(value, str) or len(value) > most or any("\ud800" <= symbol <= "\udfff" for symbol in value):
        raise ValueError(f"`{name}` must be text of at most {most:,} characters, not {shown(value)}")


def expect(name: str, value: object, kind: Any, remedy: str = "") -> None:
    """Raise `TypeError`, with the expected and the actual type, unless a value is of a type or union of types."""
    if not isinstance(value, kind):
        *first, last = [_called(part) for part in get_args(kind) or (kind,)]
        wanted = f"{', '.join(first)} or {last}" if first else last
        raise TypeError(f"`{name}` must be {wanted}, not {type(value).__name__}{remedy and f': {remedy}'}")


def strings(name: str, value: object) -> tuple[str, ...]:
    """A string or a sequence of them as a tuple; `TypeError` where it is neither."""
    if isinstance(value, str):
        return (value,)
    expect(name, value, str | Sequence)
    items: Any = value
    for place, item in enumerate(items):
        expect(f"{name}[{place}]", item, str)
    return tuple(items)


def expect_known(given: Iterable[str], known: Collection[str]) -> None:
    """Raise `TypeError` for the first unknown keyword argument, and suggest a similar one."""
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            remedy = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{item}`' for item in known)}"
            raise TypeError(f"there is no argument `{name}`; {remedy}")


def _called(kind: type) -> str:
    if kind is NoneType:
        return "None"
    return f"textgen.{kind.__name__}" if kind.__module__.startswith("textgen.") else kind.__name__


def number(allowed: Range, default: float | None) -> Any:
    """A dataclass field for a number in a range, or `None` if its type allows it."""
    return field(default=default, metadata=within(allowed))


def within(allowed: Range) -> Mapping[str, Range]:
    """The metadata of a field of `Checked` whose number has a range."""
    return {"range": allowed}


class Checked:
    """A dataclass whose types and ranges are checked when it is created."""

    def __post_init__(self) -> None:
        """Raise `TypeError` for the first value of a wrong type, `ValueError` for the first out of its range."""
        for item in fields(self):  # type: ignore[arg-type]
            value, allowed = getattr(self, item.name), item.metadata.get("range")
            kind: Any = item.type.__origin__ if isinstance(item.type, GenericAlias) else item.type
            if allowed is None or (value is None and isinstance(None, kind)):
                expect(item.name, value, kind)
            else:
                object.__setattr__(self, item.name, allowed.check(item.name, value))

    @classmethod
    def given(cls, name: str, whole: Self | None, options: Mapping[str, Any]) -> Self:
        """The object `whole`, given as argument `name`, or one created from keyword arguments for its fields.

        Raises:
            ValueError: both are given, or a value is out of its range.
            TypeError: an argument is of a wrong type.
        """
        if whole is None:
            return cls(**options)
        expect(name, whole, cls)
        for option in options:
            raise ValueError(f"`{name}` and `{option}` exclude each other; give only one")
        return whole

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Create one from stored values; `ValueError` if one is missing, unknown or wrong."""
        expected = {item.name for item in fields(cls)}  # type: ignore[arg-type]
        if not isinstance(values, Mapping):
            raise ValueError(f"the {cls.__name__} is not an object")
        if set(values) != expected:
            raise ValueError(f"the {cls.__name__} has missing or unknown keys: {listed(expected ^ set(values))}")
        try:
            return cls(**values)
        except (TypeError, ValueError) as error:
            raise ValueError(str(error).replace("`", "")) from error  # stored values are not arguments
