"""What the machine can do: matrix products in float32 and bfloat16, and reading a stream's weights."""

from contextlib import ExitStack
from functools import partial
from statistics import median

from benchmarks.network import UNITS
from benchmarks.peer import Peer, alternate, installed
from benchmarks.results import Figure
from textgen.machine import cores

SHAPES = [(32, UNITS, 4 * UNITS), (64, UNITS, 4 * UNITS), (2048, 2048, 2048)]  # rows, inner, columns
LIBRARIES = {"NumPy": "numpy", "TensorFlow": "tensorflow", "PyTorch": "torch"}
ROUNDS = 7


def measure(*, quick: bool) -> list[Figure]:
    """Measure the products of all libraries in turn."""
    seconds = 0.05 if quick else 0.3
    with ExitStack() as stack:
        peers = {
            name: stack.enter_context(Peer("products", module))
            for name, module in LIBRARIES.items()
            if installed(module)
        }
        measures = {}
        for rows, inner, columns in SHAPES:
            at = f"{rows} × {inner} × {columns}"
            for name, peer in peers.items():
                measures[name, "float32 FLOP/s", at] = partial(peer.ask, "product", rows, inner, columns, seconds)
            if torch := peers.get("PyTorch"):
                ask = partial(torch.ask, "bfloat16_product", rows, inner, columns, seconds)
                measures["PyTorch", "bfloat16 FLOP/s", at] = ask
        for threads in sorted({1, cores()}):
            for at, task in {"a step's weights in float32": "step_bytes", "256 MB": "memory_bytes"}.items():
                what = f"bytes/s, {threads} thread{'s' * (threads > 1)}"
                measures["NumPy", what, at] = partial(peers["NumPy"].ask, task, threads, seconds)
        return [Figure(*key, values) for key, values in alternate(measures, ROUNDS).items()]


def best_float32(figures: list[Figure]) -> float | None:
    """The highest median rate of a float32 product: the roofline, in FLOP/s."""
    return max((median(figure.values) for figure in figures if figure.what == "float32 FLOP/s"), default=None)
