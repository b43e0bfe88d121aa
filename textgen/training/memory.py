"""Checks before TensorFlow is loaded that the memory suffices for training, and reports if it runs out later.

The estimate is based on measurements on two cores with 4 to 200 MB of weights, and is at or below them, so that no run
which just fits is refused.
"""

import math
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from textgen.cells import CELLS
from textgen.errors import TrainingError
from textgen.machine import address_space, memory
from textgen.model_file import layout
from textgen.training.plan import Plan
from textgen.training.run_folder import RunFolder
from textgen.training.speed import shards

MEGABYTE, GIGABYTE = 10**6, 10**9
TENSORFLOW = 600 * MEGABYTE  # once loaded
ADDRESSES = 1300 * MEGABYTE  # of address space that it reserves in addition
# Copies of the weights: weights, averages, the two moments of the optimizer, gradients and their updates, and the copy
# that is saved; each shard has gradients in addition.
WEIGHTS = 6.5
GATES = 4.0  # copies of the gates of a window in all layers: inputs, activations, and the gradients of both
LOGITS = 1.5  # copies of the logits of a window


def check_memory(plan: Plan, changeable: Sequence[str]) -> None:
    """Raise `TrainingError`, with values that fit, if a run needs more memory than is available.

    Args:
        plan: of the run.
        changeable: which of `units` and `batch_size` the user may change.
    """
    beside = 0 if _is_loaded() else ADDRESSES
    for have, taken, what in ((memory(), 0, "memory"), (address_space(), beside, "address space (ulimit -v)")):
        need = needed(plan) + taken
        if have is None or need <= have:
            continue
        fitting = [f"`{name}={value}`" for name in changeable if (value := _largest(plan, name, have - taken))]
        raise TrainingError(
            f"training this network needs about {_told(need)} of {what}, and {_told(have)} is available; "
            f"{' or '.join(fitting) + ' fits' if fitting else 'free some memory, or use a machine with more'}"
        )


@contextmanager
def memory_told(folder: RunFolder) -> Iterator[None]:
    """Turn any out-of-memory error of the block into a `TrainingError` of one line."""
    try:
        yield
    except Exception as error:
        if not _is_want_of_memory(error):
            raise
        kept = f"the best model so far is kept in {folder.path}" if folder.kept else "nothing was saved"
        raise TrainingError(
            f"there is not enough memory to train this network; {kept}; free some memory, or make `units` or "
            "`batch_size` smaller"
        ) from error


def _is_want_of_memory(error: Exception) -> bool:
    """Whether Python, TensorFlow (which may not be loaded) or the system (for a thread) is out of memory."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "ResourceExhaustedError"
        or "can't start new thread" in str(error)
    )


def needed(plan: Plan) -> int:
    """Estimated bytes that a run needs in addition to what the process uses already."""
    model, symbols = plan.model, len(plan.corpus.vocabulary)
    weights = sum(math.prod(shape) for shape in layout(model, symbols).values())
    gates, logits = CELLS[model.cell].gates * model.units * model.layers, symbols
    training = plan.training
    window = plan.streams * training.window * (GATES * gates + LOGITS * logits)
    numbers = (WEIGHTS + shards(plan.streams)) * weights + window
    return int(4 * numbers) + (0 if _is_loaded() else TENSORFLOW)


def _is_loaded() -> bool:
    return "tensorflow" in sys.modules


def _largest(plan: Plan, name: str, have: int) -> int:
    """The largest value of `units` or `batch_size` that fits, to two digits; 0 if none does."""
    part = "model" if name == "units" else "training"

    def fits(value: int) -> bool:
        return needed(replace(plan, **{part: replace(getattr(plan, part), **{name: value})})) <= have

    largest = bisect_left(range(1, getattr(getattr(plan, part), name)), True, key=lambda value: not fits(value))
    return largest - largest % 10 ** max(0, len(str(largest)) - 2)


def _told(size: int) -> str:
    return f"{size / GIGABYTE:.{0 if size >= 10 * GIGABYTE else 1}f} GB"
