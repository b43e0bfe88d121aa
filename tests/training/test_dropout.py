"""What is dropped follows from the seed, the step, the layer and the stream, and from nothing else."""

import numpy as np
import pytest

tf = pytest.importorskip("textgen.training.backend").tf

from textgen.training.dropout import step_dropout  # noqa: E402


def output(seed: int, number: int) -> int:
    """The output of a generator, by whole numbers."""
    x = (seed + (number + 1) * 0x9E3779B9) % 2**32
    x = (x ^ x >> 16) * 0x7FEB352D % 2**32
    x = (x ^ x >> 15) * 0x846CA68B % 2**32
    return x ^ x >> 16


def test_it_follows_from_seed_step_and_layer_and_keeps_the_mean() -> None:
    masks = [
        step_dropout(0.25, 2, seed, step).mask(layer, (50, 20, 30)).numpy()
        for seed, step in ((1, 7), (1, 7), (1, 8), (2, 7))
        for layer in range(2)
    ]
    assert (masks[0] == masks[2]).all()
    assert len({mask.tobytes() for mask in masks}) == 6
    assert set(np.unique(masks[0])) == {0.0, np.float32(1 / 0.75)}
    assert abs(masks[0].mean() - 1) < 0.02


@pytest.mark.parametrize("seed", [0, 2**31 - 1, 2**40 + 5])
def test_it_is_the_tree_of_generators(seed: int) -> None:
    dropped = step_dropout(0.4, 2, seed, tf.constant(2**31 - 1)).part(4).part(2)
    for layer in range(2):
        of_layer = output(output(seed % 2**32, 2**31 - 1), layer)
        for (place, stream, unit), kept in np.ndenumerate(dropped.mask(layer, (3, 4, 5)).numpy() > 0):
            bits = output(output(output(of_layer, 6 + stream), place), unit)
            assert kept == (bits >= 0.4 * 2**32)


def test_a_stream_s_mask_is_the_same_in_every_batch() -> None:
    dropped = step_dropout(0.3, 2, 1, 5)
    whole = dropped.mask(1, (9, 12, 20)).numpy()
    for first, end in ((0, 12), (0, 5), (5, 12), (11, 12)):
        np.testing.assert_array_equal(dropped.part(first).mask(1, (9, end - first, 20)), whole[:, first:end])


def test_neither_streams_nor_characters_nor_units_drop_alike() -> None:
    kept = step_dropout(0.5, 1, 1, 1).mask(0, (60, 16, 200)).numpy() > 0
    for axis in range(3):
        rows = 2.0 * np.moveaxis(kept, axis, 0).reshape(kept.shape[axis], -1) - 1
        alike = rows @ rows.T / rows.shape[1]
        assert np.abs(alike - np.eye(len(rows))).max() < 6 / np.sqrt(rows.shape[1])
