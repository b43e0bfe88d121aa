"""The order of paths: part by part, numbers in them by value, so that `ch2` comes before `ch10`; else by code point."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

DIGITS = re.compile(r"(\d+)")  # of any script


def natural(parts: Sequence[str]) -> tuple[Any, ...]:
    """What to sort a path by, from its parts; `1` and `01`, equal by value, are told apart by code point."""
    return [_by_value(part) for part in parts], list(parts)


def _by_value(part: str) -> list[Any]:
    pieces: list[Any] = DIGITS.split(part)  # in turn what is no number, and a number
    pieces[1::2] = [_number(digits) for digits in pieces[1::2]]
    return pieces


def _number(digits: str) -> tuple[int, str]:
    """What orders numbers by value, however long: a thousand digits need no integer."""
    plain = "".join(str(unicodedata.decimal(digit)) for digit in digits).lstrip("0")
    return len(plain), plain
