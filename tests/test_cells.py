"""The table of cells against what it must hold; their steps are tested in `generation/`, with Keras in `training/`."""

from textgen import config
from textgen.cells import CELLS


def test_the_table_has_the_cells_that_can_be_asked_for() -> None:
    assert tuple(CELLS) == config.CELLS
    assert config.DEFAULT_CELL in CELLS


def test_no_two_cells_have_the_same_number_of_gates_by_which_weights_are_told() -> None:
    assert len({cell.gates for cell in CELLS.values()}) == len({cell.name for cell in CELLS.values()}) == len(CELLS)
