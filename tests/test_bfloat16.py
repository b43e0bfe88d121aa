import ml_dtypes
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textgen.bfloat16 import holds, rounded


@given(st.lists(st.floats(width=32, allow_nan=False)))
def test_rounds_as_the_type_itself(numbers: list[float]) -> None:
    array = np.array(numbers, np.float32)
    np.testing.assert_array_equal(rounded(array), array.astype(ml_dtypes.bfloat16).astype(np.float32))
    assert holds(rounded(array))


def test_ties_go_to_the_even_neighbour() -> None:
    step = 2.0**-7
    array = np.array([1 + step / 2, 1 + 3 * step / 2], np.float32)
    np.testing.assert_array_equal(rounded(array), np.array([1, 1 + 2 * step], np.float32))


def test_what_has_more_digits_is_not_held() -> None:
    assert not holds(np.array([1, 1 + 2.0**-8], np.float32))
    assert holds(np.array([1, -1.5, 0, 2.0**100], np.float32))
