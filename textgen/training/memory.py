"""Whether the memory that this process can have is enough to train a network, before TensorFlow is loaded and after.

The estimate is made of what was measured on two cores, of 4 to 200 MB of weights, and lies at or below it: a run that
could just fit is not refused.
"""

import math
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from textgen.errors import TrainingError
from textgen.machine import address_space, memory
from textgen.model_file import layout
from textgen.training.plan import Plan
from textgen.training.run_folder import RunFolder
from textgen.training.speed import shards

MEGABYTE, GIGABYTE = 10**6, 10**9
TENSORFLOW = 600 * MEGABYTE  # once loaded
ADDRESSES = 1300 * MEGABYTE  # that it takes beside the memory it fills
# Times the weights: themselves, their averages, the optimizer's two means, the sum of the gradients and what is made of
# it, and what is saved; each shard has gradients beside.
WEIGHTS = 6.5
GATES = 4.0  # times the gates of all layers and characters of a window: what goes into them, they, and both gradients
LOGITS = 1.5  # times the logits of a window


def check_memory(plan: Plan, changeable: Sequence[str]) -> None:
    """Raise `TrainingError` with both figures, and what would fit, where a run needs more than can be had.

    Args:
        plan: of the run.
        changeable: which of `units` and `batch_size` may be other ones.
    """
    beside = 0 if _is_loaded() else ADDRESSES
    for have, taken, what in ((memory(), 0, "memory"), (address_space(), beside, "addresses (ulimit -v)")):
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
    """Raise `TrainingError` in one line where the block runs out of memory, whoever finds it out."""
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
    """Of Python, of TensorFlow, which may not be loaded, or of the system for one thread more."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "ResourceExhaustedError"
        or "can't start new thread" in str(error)
    )


def needed(plan: Plan) -> int:
    """The bytes that a run takes beside what the process has already, roughly."""
    model, symbols = plan.model, len(plan.corpus.vocabulary)
    weights = sum(math.prod(shape) for shape in layout(model, symbols).values())
    gates, logits = 4 * model.units * model.layers, symbols
    training = plan.training
    window = training.batch_size * training.window * (GATES * gates + LOGITS * logits)
    numbers = (WEIGHTS + shards(training.batch_size)) * weights + window
    return int(4 * numbers) + (0 if _is_loaded() else TENSORFLOW)


def _is_loaded() -> bool:
    return "tensorflow" in sys.modules


def _largest(plan: Plan, name: str, have: int) -> int:
    """The largest value of `units` or `batch_size` with which a run fits, to two digits; 0 where none does."""
    part = "model" if name == "units" else "training"

    def fits(value: int) -> bool:
        return needed(replace(plan, **{part: replace(getattr(plan, part), **{name: value})})) <= have

    largest = bisect_left(range(1, getattr(getattr(plan, part), name)), True, key=lambda value: not fits(value))
    return largest - largest % 10 ** max(0, len(str(largest)) - 2)


def _told(size: int) -> str:
    return f"{size / GIGABYTE:.{0 if size >= 10 * GIGABYTE else 1}f} GB"
