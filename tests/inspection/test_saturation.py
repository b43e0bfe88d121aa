import numpy as np
import pytest

from textgen.inspection.saturation import saturated


def test_shares_of_the_time_are_counted_over_pieces() -> None:
    rng = np.random.default_rng(1)
    values = {name: rng.random((50, 2, 3)).astype(np.float32) for name in ("input", "forget")}
    values["forget"][:, 1, 2] = 0.95
    values["forget"][0, 1, 2] = 0.05
    values["input"][:, 0, 0] = 0.5
    pieces = [{name: array[start : start + 20] for name, array in values.items()} for start in range(0, 50, 20)]
    found = saturated(pieces, ("forget", "input"), (1, 2))
    assert (found.characters, found.is_open.shape) == (50, (2, 2, 3))
    np.testing.assert_allclose(found.is_open, [(values[gate] > 0.9).mean(axis=0) for gate in found.gates])
    np.testing.assert_allclose(found.is_shut, [(values[gate] < 0.1).mean(axis=0) for gate in found.gates])
    assert (found.is_open[0, 1, 2], found.is_shut[0, 1, 2]) == pytest.approx((0.98, 0.02))
    told = found.to_dict()["gates"]
    assert [(row["gate"], row["layer"]) for row in told] == [("forget", 1), ("forget", 2), ("input", 1), ("input", 2)]
    assert told[1]["open"][2] == pytest.approx(0.98)
    assert told[2]["shut"][0] == 0
