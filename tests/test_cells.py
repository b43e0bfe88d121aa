"""The table of cells against what it must hold; their steps are tested in `generation/`, with Keras in `training/`."""

from textgen import config
from textgen.cells import CELLS


def test_the_table_has_the_cells_that_can_be_asked_for() -> None:
    assert tuple(CELLS) == config.CELLS
    assert config.DEFAULT_CELL in CELLS


def test_no_two_cells_have_the_same_number_of_gates_by_which_weights_are_told() -> None:
    assert len({cell.gates for cell in CELLS.values()}) == len({cell.name for cell in CELLS.values()}) == len(CELLS)


def test_each_column_and_each_state_has_a_name_and_the_output_is_the_hidden_state() -> None:
    for cell in CELLS.values():
        assert (len(cell.parts), len(cell.memory)) == (cell.gates, cell.states)
        assert len(cell.gate_names) == cell.sigmoids
        assert cell.memory[0] == "hidden"
        assert set(cell.quantities) == {*cell.parts, *cell.memory}
