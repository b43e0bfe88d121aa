import pytest
from measure_cells import equal_shapes, parameters

from textgen.cells import CELLS


@pytest.mark.parametrize(("symbols", "units"), [(65, 300), (3000, 300), (40, 24)])
def test_every_cell_gets_as_many_parameters_as_the_lstm(symbols: int, units: int) -> None:
    shapes = dict(equal_shapes(symbols, units))
    assert list(shapes) == list(CELLS)
    assert (shapes["lstm"].layers, shapes["lstm"].units) == (2, units)
    assert shapes["rnn"].units > shapes["gru"].units > units
    wanted = parameters(shapes["lstm"], symbols)
    assert all(parameters(shape, symbols) == pytest.approx(wanted, rel=0.02) for shape in shapes.values())
