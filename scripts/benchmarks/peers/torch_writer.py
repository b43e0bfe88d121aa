"""A loop over PyTorch's `nn.LSTM`: the state is carried, a character a call."""

from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.network import DROPOUT, EMBEDDING, LAYERS, SYMBOLS, UNITS
from benchmarks.peers.torch_twin import Twin
from benchmarks.writer import main

TEMPERATURE = 0.8


def twin() -> Twin:
    """The network."""
    return Twin(SYMBOLS, EMBEDDING, UNITS, LAYERS, DROPOUT).eval()


def make(path: Path) -> None:
    """Save an untrained one."""
    torch.save(twin().state_dict(), path)


def open_model(path: str, streams: int) -> Callable[[], int]:
    """So many texts side by side."""
    network = twin()
    network.load_state_dict(torch.load(path, weights_only=True))
    codes, states = torch.zeros((1, streams), dtype=torch.int64), network.start(streams)

    @torch.inference_mode()
    def write() -> int:
        nonlocal codes, states
        logits, states = network(codes, states)
        codes = torch.multinomial(torch.softmax(logits[0] / TEMPERATURE, dim=1), 1).T
        codes.tolist()
        return streams

    return write


if __name__ == "__main__":
    main(open_model, make)
