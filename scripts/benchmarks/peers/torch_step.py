"""A training step of PyTorch's `nn.LSTM`, in float32 or, with the argument `bfloat16`, under `autocast`."""

import functools
import sys
from collections.abc import Callable

import torch

from benchmarks.network import DROPOUT, EMBEDDING, LAYERS, SYMBOLS, UNITS, WINDOW, random_windows
from benchmarks.peer import rate, serve
from benchmarks.peers.torch_twin import Twin, make_optimizer, train_step

AUTOCAST = "bfloat16" in sys.argv[1:]


@functools.cache
def stepper(batch: int) -> Callable[[], float]:
    """A function that trains one step and returns its targets."""
    twin = Twin(SYMBOLS, EMBEDDING, UNITS, LAYERS, DROPOUT)
    optimizer, states = make_optimizer(twin), twin.start(batch)
    windows, number = random_windows(batch), 0

    def run() -> float:
        nonlocal states, number
        codes, targets = (torch.from_numpy(part.T).long() for part in windows.window(number))
        with torch.autocast("cpu", enabled=AUTOCAST):
            _, ends = train_step(twin, optimizer, (codes, targets), states, 1e-3)
        states = ends[0].float(), ends[1].float()
        number += 1
        return batch * WINDOW

    return run


if __name__ == "__main__":
    serve(train=lambda batch, seconds: rate(stepper(batch), seconds))
