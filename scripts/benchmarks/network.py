"""The network that all peers train, and what a target of it costs."""

import numpy as np

from textgen.corpus.windows import Windows

LAYERS, UNITS, EMBEDDING = 2, 300, 64
SYMBOLS, WINDOW = 65, 50
DROPOUT = 0.2
CHARACTERS = 1_000_000  # of the random text that throughput is measured on

RECURRENT = UNITS * 4 * UNITS  # multiplications of one state with its layer's recurrent kernel
FORWARD = RECURRENT + (LAYERS - 1) * 2 * RECURRENT  # the first layer's input is a row of a table: nothing to multiply
HEAD = UNITS * SYMBOLS
STEP_BYTES = 4 * FORWARD  # of recurrent weights that one stream's step reads, in float32

# A multiplication and an addition each; backward costs twice what forward does.
FLOPS = 3 * 2 * (FORWARD + HEAD)  # of a target in training
ARTICLE_FLOPS = 3 * 2 * (WINDOW * FORWARD + HEAD)  # the same where a whole window is read for one target


def random_windows(batch: int) -> Windows:
    """Windows of a text of random symbols."""
    codes = np.random.default_rng(1).integers(SYMBOLS, size=CHARACTERS, dtype=np.uint8)
    return Windows(codes, batch, WINDOW, rng_seed=1)
