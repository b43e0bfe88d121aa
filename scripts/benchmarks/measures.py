"""The parts of the benchmark: how fast textgen and its peers train, how good they get, how fast they write."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec

from benchmarks.peer import Peer, alternate, writing
from benchmarks.results import Figure, find_text, multiplies
from benchmarks.tasks import CONSTRAINTS

ROUNDS = 5
EPOCHS = {"macbeth": 6, "tinyshakespeare": 1}  # texts by name, and how often quality has them read
BATCHES, STREAMS = (16, 32, 64), (1, 8, 64, 256)
TEXTGEN = [sys.executable, "-m", "textgen"]
WRITE = """from benchmarks.pytorch import writer
write = writer("{}", 1)
for _ in range(10):
    print(end="." * write(), flush=True)"""


def training(options: Namespace) -> list[Figure]:
    """Targets a second of the same network, optimizer and windows, all batches of all peers in turn."""
    names = ["textgen", "PyTorch", *(["PyTorch, bfloat16"] if multiplies("avx512_bf16") else [])]
    with started(names) as peers:
        return speeds(peers, "train", BATCHES, "targets/s", options)


def quality(options: Namespace) -> list[Figure]:
    """Held-out nats after each epoch, the peers' epochs in turn, each by textgen's loop and plan."""
    figures = []
    asked = [(text, seed) for text in EPOCHS for seed in range(1, options.seeds + 1)]
    for text, rng_seed in asked[:1] if options.quick else asked:
        at, epochs = f"{text}, seed {rng_seed}", 1 if options.quick else EPOCHS[text]
        print(f"  {at}", file=sys.stderr, flush=True)
        with started(["textgen", "PyTorch"]) as peers:
            path = find_text(text)
            measures = {peer: partial(peer.ask, "quality", path, epochs, rng_seed) for peer in peers}
            for peer, epochs_told in alternate(measures, epochs).items():
                nats, seconds = map(list, zip(*epochs_told, strict=True))
                figures.append(Figure(peer.name, "held-out nats", at, nats))
                figures.append(Figure(peer.name, "processor seconds a step", at, seconds))
                figures.append(Figure(peer.name, "peak memory, MB", at, [peer.ask("end")]))
    return figures


def generation(options: Namespace) -> list[Figure]:
    """How soon the first character comes, the memory that takes, and characters a second; by the shipped model."""
    figures = []
    with started(["textgen", "PyTorch", "PyTorch, tuned"]) as peers:
        commands = {peer.name: [sys.executable, "-c", WRITE.format(peer.name)] for peer in peers}
        commands["textgen"] = [*TEXTGEN, "generate", "--length", "1000", "--rng-seed", "1"]
        commands["textgen --help"] = [*TEXTGEN, "--help"]
        found = alternate({name: partial(writing, words) for name, words in commands.items()}, ROUNDS)
        for name, runs in found.items():
            seconds, peaks = map(list, zip(*runs, strict=True))
            figures.append(Figure(name, "seconds to the first character", 1, seconds))
            figures.append(Figure(name, "peak memory, MB", 1, peaks))
        return figures + speeds(peers, "write", STREAMS, "characters/s", options)


def constraints(options: Namespace) -> list[Figure]:
    """Characters a second of one text of textgen's, free and under each constraint."""
    with started(["textgen", *CONSTRAINTS]) as peers:
        return speeds(peers, "write", (1,), "characters/s", options)


PARTS = {"training": training, "quality": quality, "generation": generation, "constraints": constraints}


def speeds(peers: Sequence[Peer], task: str, sizes: Sequence[int], what: str, options: Namespace) -> list[Figure]:
    """What peers that have started do in a second, at all sizes of all peers in turn."""
    asked, seconds = [(peer, size) for size in sizes for peer in peers], 0.3 if options.quick else 3.0
    for peer, size in asked:
        peer.ask(task, size, 0)  # builds, loads and compiles
    measures = {(peer.name, size): partial(peer.ask, task, size, seconds) for peer, size in asked}
    return [Figure(name, what, size, values) for (name, size), values in alternate(measures, ROUNDS).items()]


@contextmanager
def started(names: Sequence[str]) -> Iterator[list[Peer]]:
    """textgen, and its peers if PyTorch is installed."""
    with ExitStack() as stack:
        yield [stack.enter_context(Peer(name)) for name in names if "PyTorch" not in name or find_spec("torch")]
