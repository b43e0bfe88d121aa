import numpy as np
import pytest

from textgen.errors import CorpusError
from textgen.inspection import finding
from textgen.inspection.features import Feature, feature
from textgen.inspection.finding import FoundCell, FoundCells, find

N, LAYERS, UNITS = 4000, 2, 40
WORDS = np.random.default_rng(0).choice(["all", "(as we say)", "told\n", "is", "(not)"], 1200)
TEXT = " ".join(WORDS.tolist())[:N]


def noise(seed: int, smooth: int = 1) -> np.ndarray:
    """What cells hold that know nothing; they drift where they are smooth."""
    drawn = np.random.default_rng(seed).normal(size=(N + smooth, LAYERS, UNITS))
    totals = np.cumsum(drawn, axis=0)
    return ((totals[smooth:] - totals[:-smooth]) / smooth**0.5).astype(np.float16)


def drifting(seed: int, graded: bool) -> Feature:
    """A feature that changes along the text as cells do, and has nothing to do with them."""
    values = noise(seed, 100)[:, 0, 0].astype(np.float32)
    return Feature("drift", "drift", values if graded else (values > 0.3).astype(np.float32), graded)


def area(values: np.ndarray, is_one: np.ndarray) -> float:
    """The AUC as it is defined, pair by pair."""
    differences = values[is_one][:, None].astype(float) - values[~is_one]
    return float((differences > 0).mean() + (differences == 0).mean() / 2)


def test_a_planted_cell_is_found_with_its_figure() -> None:
    cells, brackets = noise(1, 5), feature("brackets", TEXT)
    planted = np.round(cells[:, 1, 7] - 2 * brackets.values, 1).astype(np.float16)  # rounded, so that many are equal
    cells[:, 1, 7] = planted
    found = find(cells, brackets)
    best, is_one = found.cells[0], brackets.values > 0
    half = N // 2
    assert (best.layer, best.unit, best.sign, found.measure) == (2, 8, -1, "AUC")
    assert best.learnt == pytest.approx(1 - area(planted[:half], is_one[:half]), abs=1e-5)
    assert best.told == pytest.approx(1 - area(planted[half:], is_one[half:]), abs=1e-5)
    assert found.telling == (best,)
    assert best.told > 0.9
    assert 0.6 > found.shuffled_most > found.shuffled
    np.testing.assert_array_equal(found.best, planted)


def test_a_planted_position_is_found_with_its_figure() -> None:
    cells, line = noise(2), feature("line", TEXT)
    planted = (0.2 * line.values + cells[:, 0, 3] + 5).astype(np.float16)
    cells[:, 0, 3] = planted
    found = find(cells, line)
    best, half = found.cells[0], N // 2
    x, y = planted.astype(float), line.values.astype(float)
    slope, level = np.polyfit(x[:half], y[:half], 1)
    expected = [
        1 - ((part_y - slope * part_x - level) ** 2).mean() / part_y.var()
        for part_x, part_y in ((x[:half], y[:half]), (x[half:], y[half:]))
    ]
    assert (best.layer, best.unit, best.sign, found.measure) == (1, 4, 1, "R²")
    assert [best.learnt, best.told] == pytest.approx(expected, abs=1e-4)
    assert found.telling == (best,)


@pytest.mark.parametrize("graded", [False, True])
def test_nothing_is_found_in_noise(graded: bool) -> None:
    """Cells drift as the feature does, and the best of 80 seems to tell much on the half that it was chosen on."""
    found = [find(noise(seed, 100), drifting(1000 + seed, graded)) for seed in range(4)]
    assert sum(bool(search.telling) for search in found) == 0
    assert min(search.cells[0].learnt for search in found) > (0.05 if graded else 0.6)


def test_a_cell_that_never_changes_tells_nothing() -> None:
    for name in ("brackets", "line"):
        found = find(np.ones((N, 1, 3), np.float16), feature(name, TEXT))
        assert not found.telling
        chance = 0 if name == "line" else 0.5
        assert [found.cells[0].learnt, found.cells[0].told] == pytest.approx([chance, chance], abs=0.01)


@pytest.mark.parametrize(("name", "chance"), [("line", 0.0), ("brackets", 0.5)])
def test_what_is_below_chance_is_not_found_even_if_shuffled_features_are_told_worse(name: str, chance: float) -> None:
    cells = (FoundCell(1, 1, 1, chance + 0.1, chance - 0.02), FoundCell(1, 2, 1, chance + 0.1, chance + 0.02))
    found = FoundCells(feature(name, TEXT), "", cells, chance - 0.1, chance - 0.05, np.zeros(N, np.float16))
    assert found.telling == cells[1:]


def test_a_feature_that_one_half_lacks_is_refused() -> None:
    text = TEXT[:2000] + "z" + TEXT[2001:]
    with pytest.raises(CorpusError) as caught:
        find(noise(1), feature("z", text))
    assert str(caught.value) == (
        "'z': is the same throughout the first half of this text of 4,000 characters; cells are chosen on one half and "
        "tested on the other: give more text, or look for another feature"
    )


def test_a_short_text_is_refused() -> None:
    with pytest.raises(
        CorpusError, match="has 999 characters that the model knows; to find cells takes at least 1,000"
    ):
        find(noise(1)[:999], feature("line", TEXT[:999]))


def test_what_was_found_as_json() -> None:
    values = feature("brackets", TEXT)
    cell = FoundCell(1, 2, -1, 0.9, 0.8)
    found = FoundCells(values, "AUC", (cell, FoundCell(1, 3, 1, 0.6, 0.5)), 0.5, 0.55, np.zeros(N, np.float16))
    assert found.to_dict() == {
        "feature": "brackets",
        "measure": "AUC",
        "characters": N,
        "share": pytest.approx(values.values.mean()),
        "shuffled": 0.5,
        "shuffled_most": 0.55,
        "found": 1,
        "cells": [vars(cell), vars(found.cells[1])],
    }
    assert finding.BEST == 10
