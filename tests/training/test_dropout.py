"""What is dropped follows from the seed, the step, the layer and the stream, and from nothing else."""

import numpy as np
import pytest

tf = pytest.importorskip("textgen.training.backend").tf

from textgen.training.dropout import dropout_masks  # noqa: E402


def output(seed: int, number: int) -> int:
    """The output of a generator, by whole numbers."""
    x = (seed + (number + 1) * 0x9E3779B9) % 2**32
    x = (x ^ x >> 16) * 0x7FEB352D % 2**32
    x = (x ^ x >> 15) * 0x846CA68B % 2**32
    return x ^ x >> 16


def test_it_follows_from_seed_step_and_layer_and_keeps_the_mean() -> None:
    masks = [dropout_masks(0.25, (50, 20, 30), 2, seed, step) for seed, step in ((1, 7), (1, 7), (1, 8), (2, 7))]
    assert (masks[0][0].numpy() == masks[1][0].numpy()).all()
    assert len({mask.numpy().tobytes() for two in masks for mask in two}) == 6
    assert set(np.unique(masks[0][0].numpy())) == {0.0, np.float32(1 / 0.75)}
    assert abs(float(tf.reduce_mean(masks[0][0])) - 1) < 0.02


@pytest.mark.parametrize("seed", [0, 2**31 - 1, 2**40 + 5])
def test_it_is_the_tree_of_generators(seed: int) -> None:
    for layer, mask in enumerate(dropout_masks(0.4, (3, 4, 5), 2, seed, tf.constant(2**31 - 1), first=6)):
        of_layer = output(output(seed % 2**32, 2**31 - 1), layer)
        for (place, stream, unit), kept in np.ndenumerate(mask.numpy() > 0):
            bits = output(output(output(of_layer, 6 + stream), place), unit)
            assert kept == (bits >= 0.4 * 2**32)


def test_a_stream_s_mask_is_the_same_in_every_batch() -> None:
    whole = dropout_masks(0.3, (9, 12, 20), 2, 1, 5)
    for first, end in ((0, 12), (0, 5), (5, 12), (11, 12)):
        for mask, part in zip(whole, dropout_masks(0.3, (9, end - first, 20), 2, 1, 5, first), strict=True):
            np.testing.assert_array_equal(mask[:, first:end], part)


def test_neither_streams_nor_characters_nor_units_drop_alike() -> None:
    kept = dropout_masks(0.5, (60, 16, 200), 1, 1, 1)[0].numpy() > 0
    for axis in range(3):
        rows = 2.0 * np.moveaxis(kept, axis, 0).reshape(kept.shape[axis], -1) - 1
        alike = rows @ rows.T / rows.shape[1]
        assert np.abs(alike - np.eye(len(rows))).max() < 6 / np.sqrt(rows.shape[1])
