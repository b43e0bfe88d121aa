import os
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

import textgen
from textgen.arguments import Checked, Range, expect, expect_known, listed, number, shown, within

HUGE = pytest.param(10**5000, id="huge")  # more digits than Python prints
WHOLE, REAL = Range(int, 1, 4096), Range(float, 0, 0.9)


@pytest.mark.parametrize("value", [0, -1, 4097, 10**308, 10**309, -(10**309), HUGE])
def test_a_whole_number_out_of_its_range_is_refused_however_large(value: int) -> None:
    with pytest.raises(ValueError, match="`units` must be a whole number from 1 to 4,096, not ") as error:
        WHOLE.check("units", value)
    assert len(str(error.value)) < 150


@pytest.mark.parametrize("value", [-0.1, 0.91, 1, float("nan"), float("inf"), float("-inf"), 10**309, HUGE])
def test_a_number_out_of_its_range_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"`dropout` must be a number from 0 to 0.9, not "):
        REAL.check("dropout", value)


@pytest.mark.parametrize("value", ["5", b"5", 5.0, True, None, [5], 5j, np.float32(5), np.bool_(True)])
def test_what_is_no_whole_number_is_of_a_wrong_type(value: object) -> None:
    with pytest.raises(TypeError, match="`units` must be a whole number from 1 to 4,096, not ") as error:
        WHOLE.check("units", value)
    assert str(error.value).endswith(repr(value))


@pytest.mark.parametrize("value", [5, np.int64(5), np.uint8(5)])
def test_numbers_of_numpy_become_numbers_of_python(value: int) -> None:
    assert type(WHOLE.check("units", value)) is int
    assert type(REAL.check("dropout", np.float32(0.5))) is float
    assert REAL.check("dropout", 0) == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\nb\x1b[2J", r"'a\nb\x1b[2J'"),
        ("x" * 10**6, None),
        (["x" * 1000] * 1000, None),
        (10**308, None),
        pytest.param(10**5000, "a number of thousands of digits", id="huge"),
        (np.zeros((50, 50)), None),
    ],
)
def test_a_value_is_shown_in_one_short_line(value: object, expected: str | None) -> None:
    found = shown(value)
    assert expected in (None, found)
    assert found.isprintable()
    assert len(found) < 600


def test_a_few_names_are_listed() -> None:
    assert listed({"b", "a"}) == "a, b"
    assert listed({"a\nb", "x" * 10**6}).startswith(r"'a\nb', 'xxx")
    assert len(listed({"x" * 10**6})) < 100
    assert listed([f"n{number}" for number in range(9)]) == "n0, n1, n2, n3, n4, 4 more"


def test_a_wrong_type_is_told_with_what_was_expected_and_the_remedy() -> None:
    expect("seed", "a", str)
    expect("seed", None, str | None)
    expect("on_progress", print, Callable)
    with pytest.raises(TypeError, match=r"^`seed` must be str, not bytes$"):
        expect("seed", b"a", str)
    with pytest.raises(TypeError, match=r"^`path` must be str, PathLike or None, not int$"):
        expect("path", 1, str | os.PathLike | None)
    with pytest.raises(TypeError, match=r"^`corpus` must be textgen\.Corpus, not str: make one$"):
        expect("corpus", "a.txt", textgen.Corpus, "make one")


def test_an_unknown_argument_is_told_with_the_nearest_known() -> None:
    expect_known(["length"], {"length", "stop"})
    with pytest.raises(TypeError, match=r"^there is no argument `lenght`; did you mean `length`\?$"):
        expect_known(["lenght"], ["length", "stop"])
    with pytest.raises(TypeError, match=r"^there is no argument `q`; there are `length`, `stop`$"):
        expect_known(["q"], ["length", "stop"])


@dataclass(frozen=True)
class Settings(Checked):
    size: int = field(metadata=within(WHOLE))
    share: float | None = number(REAL, None)
    name: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    flag: bool = False


def test_every_field_is_checked() -> None:
    made = Settings(np.int64(5), 0, "a")
    assert (made.size, made.share, made.name) == (5, 0.0, "a")
    assert type(made.size) is int
    for change, message in (
        ({"size": None}, "`size` must be a whole number"),
        ({"share": "0.5"}, "`share` must be a number"),
        ({"name": 5}, "`name` must be str or None, not int"),
        ({"versions": [1]}, "`versions` must be dict, not list"),
        ({"flag": 1}, "`flag` must be bool, not int"),
    ):
        with pytest.raises(TypeError, match=message):
            Settings(**{"size": 1} | change)


@pytest.mark.parametrize("values", [None, 5, [], "size", {"size": 1, "x\n": 2}, {"size": "1"}, {"size": 10**400}])
def test_stored_values_that_are_wrong_are_no_fault_of_an_argument(values: object) -> None:
    if isinstance(values, dict) and "x\n" not in values:
        values = {"share": None, "name": None, "versions": {}, "flag": False} | values
    with pytest.raises(ValueError, match=r"the Settings |^size must be a whole number") as error:
        Settings.from_dict(values)
    assert "\n" not in str(error.value)
