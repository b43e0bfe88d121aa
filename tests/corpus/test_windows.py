import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textgen.corpus.windows import Windows


def make(characters: int, streams: int, length: int) -> Windows:
    return Windows(np.arange(characters, dtype=np.uint16), streams, length, rng_seed=5)


sizes = st.tuples(st.integers(1, 6), st.integers(2, 9), st.integers(0, 60)).map(
    lambda size: make(size[0] * size[1] + size[2], size[0], size[1])
)


@given(sizes, st.integers(0, 40))
def test_a_target_is_the_character_after_its_input(windows: Windows, step: int) -> None:
    inputs, targets = windows.window(step)
    assert inputs.shape == targets.shape == (windows.streams, windows.length)
    np.testing.assert_array_equal(targets, (inputs + 1) % len(windows.codes))


@given(sizes)
def test_within_an_epoch_each_stream_goes_on_where_it_was(windows: Windows) -> None:
    for step in range(windows.per_epoch, 2 * windows.per_epoch - 1):
        np.testing.assert_array_equal(windows.window(step)[1][:, -1], windows.window(step + 1)[0][:, 0])


@given(sizes)
def test_an_epoch_reads_no_character_twice_and_nearly_all(windows: Windows) -> None:
    read = np.concatenate([windows.window(step)[0].ravel() for step in range(windows.per_epoch)])
    assert len(np.unique(read)) == len(read)
    assert len(windows.codes) - len(read) < windows.streams * (windows.length + 1)


def test_epochs_start_at_different_places_fixed_by_the_seed() -> None:
    windows = make(1000, 2, 10)
    starts = [int(windows.window(epoch * windows.per_epoch)[0][0, 0]) for epoch in range(5)]
    assert starts[0] == 0
    assert len(set(starts)) == 5
    again = [int(make(1000, 2, 10).window(epoch * windows.per_epoch)[0][0, 0]) for epoch in range(5)]
    assert again == starts


def test_as_many_streams_as_have_a_whole_window() -> None:
    assert Windows.most_streams(90, 50) == 1
    assert make(103, Windows.most_streams(103, 10), 10).per_epoch == 1


def test_a_stream_begins_anew_at_each_epoch_and_every_hundred_windows() -> None:
    windows = make(100_000, 8, 10)  # 1,250 windows an epoch
    begins = np.array([windows.begins(step) for step in range(2 * windows.per_epoch)])
    assert begins[0].all()
    assert begins[windows.per_epoch].all()
    assert begins[1 : windows.per_epoch].sum(axis=1).max() == 1
    for stream in begins[: windows.per_epoch].T:
        places = np.flatnonzero(stream)
        assert set(np.diff(places)[1:]) == {100}
        assert np.diff(places)[0] <= 100
