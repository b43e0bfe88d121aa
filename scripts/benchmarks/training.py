"""Training throughput: targets a second of the same network, recipe and windows, and of the article's recipe."""

from contextlib import ExitStack
from functools import partial

from benchmarks.peer import Peer, alternate, installed
from benchmarks.results import Figure

BATCHES, QUICK_BATCHES = (16, 32, 64, 128), (32, 64)
ARTICLE_BATCH = 30
ROUNDS = 5
PEERS = {
    "textgen": ["textgen_step"],
    "Keras fit": ["keras_fit"],
    "PyTorch": ["torch_step"],
    "PyTorch, bfloat16": ["torch_step", "bfloat16"],
}


def measure(*, quick: bool) -> list[Figure]:
    """Measure all batches of all peers in turn."""
    seconds = 0.4 if quick else 4.0
    with ExitStack() as stack:
        peers = {
            name: stack.enter_context(Peer(*command))
            for name, command in PEERS.items()
            if command[0] != "torch_step" or installed("torch")
        }
        asked = [(name, batch) for batch in (QUICK_BATCHES if quick else BATCHES) for name in peers]
        peers["article"] = stack.enter_context(Peer("article_step"))
        asked.append(("article", ARTICLE_BATCH))
        for name, batch in asked:
            peers[name].ask("train", batch, 0)  # builds and compiles
        measures = {(name, batch): partial(peers[name].ask, "train", batch, seconds) for name, batch in asked}
        return [
            Figure(name, "targets/s", batch, values) for (name, batch), values in alternate(measures, ROUNDS).items()
        ]
