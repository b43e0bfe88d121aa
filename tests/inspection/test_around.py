import numpy as np
import pytest

from textgen.errors import CorpusError
from textgen.inspection.around import around

N = 3000


def test_a_dip_after_each_place_is_found_with_an_interval_that_holds_it() -> None:
    """0.3 lower one character behind each place, in one of two series of noise; and nothing elsewhere."""
    rng = np.random.default_rng(1)
    places = np.sort(rng.choice(np.arange(3, N - 3), 150, replace=False))
    series = rng.normal(0.8, 0.2, (N, 2)).astype(np.float32)
    series[places + 1, 1] -= 0.3
    means, margins, elsewhere, count = around(series, places, before=2, after=2)
    assert (means.shape, margins.shape, count) == ((2, 5), (2, 5), 150)
    for offset in range(-2, 3):
        np.testing.assert_allclose(means[:, offset + 2], series[places + offset].mean(axis=0), atol=1e-6)
    others = np.setdiff1d(np.arange(N), places)
    np.testing.assert_allclose(elsewhere, series[others].mean(axis=0), atol=1e-6)
    assert abs(means[1, 3] - 0.5) < margins[1, 3] < 0.06
    assert means[1, 3] + 4 * margins[1, 3] < elsewhere[1]
    assert (np.abs(means[0] - elsewhere[0]) < margins[0] * 1.5).all()


def test_places_at_the_ends_of_the_text_do_not_count() -> None:
    series = np.arange(20, dtype=np.float32)[:, None]
    means, margins, elsewhere, count = around(series, np.array([0, 1, 2, 17, 19]), before=2, after=3)
    assert count == 1
    assert means[0].tolist() == [0, 1, 2, 3, 4, 5]
    assert np.isinf(margins).all(), "one place tells nothing of others"
    assert elsewhere[0] == pytest.approx(np.setdiff1d(np.arange(20), [0, 1, 2, 17, 19]).mean())


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ([], "`at` matches nowhere in this text of 20 characters with 5 characters before it and 10 behind it; "),
        ([2, 15], "`at` matches nowhere in this text"),
        (range(20), "`at` matches at every character, so there is no elsewhere to compare with"),
    ],
)
def test_places_that_tell_nothing_are_refused(places: list[int], message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        around(np.zeros((20, 1), np.float32), np.array(places, np.int64))
    assert str(caught.value).startswith(message)
