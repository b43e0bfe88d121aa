import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.evaluation import places
from textgen.evaluation.places import Place, located

files = st.lists(st.text("ab\n", min_size=1, max_size=9), min_size=1, max_size=4)


@given(files)
def test_every_character_is_found_in_its_file_at_its_line_and_column(texts: list[str]) -> None:
    joined = "|".join(texts)
    starts = np.cumsum([0, *(len(text) + 1 for text in texts)])[: len(texts)].tolist()
    expected = [
        Place(f"{number}", text[:offset].count("\n") + 1, offset - text.rfind("\n", 0, offset), offset)
        for number, text in enumerate(texts)
        for offset in range(len(text))
    ]
    wanted = [start + offset for start, text in zip(starts, texts, strict=True) for offset in range(len(text))]
    named = [(f"{number}", start) for number, start in enumerate(starts)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "PART", 4)
        codes = np.array([ord(symbol) for symbol in joined])
        found = located(codes, ord("\n"), named, np.array(wanted[::-1]))
    assert list(found) == expected[::-1]


def test_nothing_is_at_no_place() -> None:
    assert located(np.array([1, 2]), 9, [("a", 0)], np.array([], int)) == ()
