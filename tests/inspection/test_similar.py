import math

import numpy as np
import pytest

from textgen.errors import CorpusError
from textgen.inspection.similar import similar

N, LAYERS, UNITS = 300, 2, 30


def slowly(values: np.ndarray, start: int, end: int) -> list[tuple[float, int]]:
    """The likeness of each passage, and where it starts, as it is defined."""
    flat, length = values.reshape(N, -1), end - start
    active = np.concatenate([flat == 1, flat == -1], axis=1)
    sets = [set(np.flatnonzero(active[place : place + length].all(axis=0))) for place in range(N - length + 1)]
    told = {unit: -math.log(sum(unit in found for found in sets) / len(sets)) for found in sets for unit in found}

    def information(units: set[int]) -> float:
        return sum(told[unit] for unit in units)

    likeness = [information(found & sets[start]) / max(1e-9, information(found | sets[start])) for found in sets]
    return sorted(((-value, place) for place, value in enumerate(likeness) if abs(place - start) >= length), key=min)


def test_the_likest_passages_are_those_with_the_same_units() -> None:
    rng = np.random.default_rng(1)
    active = np.repeat(rng.integers(-1, 2, (N // 3, LAYERS, UNITS)), 3, axis=0).astype(np.int8)  # for three characters
    active[:, 0, 0] = 1  # always, which tells nothing
    active[60:68, 1, :4] = 1
    active[201:209] = active[60:68]
    active[201:209, 1, :4] = 0
    text = "".join([chr(ord("a") + place % 26) for place in range(N)])
    found = similar(active, text, 60, 66)
    first = found.passages[0]
    assert (found.text, first.start, first.text) == (text[60:66], 201, text[201:207])
    whole = {(unit // UNITS + 1, unit % UNITS + 1) for unit in range(LAYERS * UNITS)}
    steady = {(layer, unit) for layer, unit in whole if len(set(active[60:66, layer - 1, unit - 1])) == 1}
    assert set(found.cells) == {(layer, unit) for layer, unit in steady if active[60, layer - 1, unit - 1]}
    assert (1, 1) in found.cells
    assert first.shared == len(set(found.cells) - {(2, unit) for unit in range(1, 5)})
    expected = slowly(active, 60, 66)
    assert first.likeness == pytest.approx(-expected[0][0], abs=1e-5)
    assert expected[0][1] == 201
    starts = [60, *(passage.start for passage in found.passages)]
    assert all(abs(a - b) >= 6 for number, a in enumerate(starts) for b in starts[:number]), "none overlap"
    likeness = [passage.likeness for passage in found.passages]
    assert likeness == sorted(likeness, reverse=True)
    assert found.typical < likeness[-1] < likeness[0] < 0.95


@pytest.mark.parametrize("length", [1, 7])
def test_likeness_is_as_it_is_defined(length: int) -> None:
    active = np.random.default_rng(length).choice([-1, 0, 1, 1], (N, LAYERS, UNITS)).astype(np.int8)
    active[:, 0] = 1 - (np.arange(N) % 40 < 20)[:, None]
    start = 25
    found = similar(active, "x" * N, start, start + length)
    expected = slowly(active, start, start + length)
    assert found.passages[0].likeness == pytest.approx(-min(expected)[0], abs=1e-5)


def test_a_passage_without_active_units_is_refused() -> None:
    active = np.zeros((N, 1, 2), np.int8)
    active[:4] = 1
    with pytest.raises(CorpusError) as caught:
        similar(active, "x" * N, 2, 5)
    assert str(caught.value) == "no unit is active throughout `similar=2:5`; give a shorter passage"


def test_where_nothing_is_alike_nothing_is_given() -> None:
    active = np.zeros((N, 1, 2), np.int8)
    active[4:6, 0, 1] = -1
    found = similar(active, "x" * N, 4, 6)
    assert (found.cells, found.passages, found.typical) == (((1, 2),), (), 0)
    assert found.to_dict()["cells"] == [{"layer": 1, "unit": 2}]
