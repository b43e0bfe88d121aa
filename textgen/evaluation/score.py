"""The loss of a network on a text, by one of two protocols."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from textgen.config import Shape
from textgen.corpus.codes import gather
from textgen.corpus.vocabulary import Codes
from textgen.generation.blas import one_thread
from textgen.generation.compiled import prepare
from textgen.generation.recurrent import Network
from textgen.machine import cores
from textgen.model_file import Weights, layout

STREAMS = 32
CONTEXT = 256  # characters read before a stream's first scored one: 1e-6 nats from one single carried pass
LARGEST, SMALLEST = 16, 4  # streams that run side by side on one thread; the kernel multiplies four at once
TIMED = 100  # steps, at most, from which the time of a scoring is estimated,
ENOUGH = 0.2  # or the seconds of them that are enough


def score(weights: Weights, codes: Codes, first: int = 0) -> float:
    """The mean loss of the characters from `first` on, each scored once, the state carried.

    The characters are cut into 32 contiguous streams that run side by side, each first fed the 256 characters before
    it. At the text's own beginning the state is zero, and the first character, predicted from nothing, is not counted.

    Args:
        weights: the network's.
        codes: the text's codes, `(N,)`.
        first: where scoring starts; what stands before it is context only.

    Returns:
        The loss in nats a character; NaN where no character can be scored.
    """
    first = max(first, 1)
    streams = max(1, min(STREAMS, len(codes) - first))
    bounds = np.linspace(first, len(codes), streams + 1).astype(np.int64)
    return _score(weights, codes, bounds, CONTEXT)


def scoring_seconds(model: Shape, symbols: int, characters: int) -> float:
    """About how long `score` takes, from the time of a few steps of a network of this shape, on all cores at once."""
    network = prepare(Weights.from_list(np.zeros(shape, np.float32) for shape in layout(model, symbols).values()))
    streams = _group(STREAMS)
    starts, codes = np.full(streams, CONTEXT), np.zeros(CONTEXT + TIMED, np.uint8)

    def seconds(steps: int) -> float:
        begun = time.perf_counter()
        _sum(network, codes, starts, starts + steps, 1)
        return (time.perf_counter() - begun) / steps

    groups = -(-STREAMS // streams)
    threads = min(cores(), groups)
    with one_thread(), ThreadPoolExecutor(threads) as pool:
        first = max(pool.map(seconds, [1] * threads))
        step = sum(pool.map(seconds, [int(min(TIMED, max(1, ENOUGH / first)))] * threads)) / threads
    return step * -(-groups // threads) * (CONTEXT + characters / STREAMS)


def _group(streams: int) -> int:
    """How many streams run side by side on one thread: fewer where there are cores for more groups."""
    return min(LARGEST, max(SMALLEST, -(-streams // cores())))


def score_cold(weights: Weights, codes: Codes, first: int = 0, *, context: int = 256) -> float:
    """The mean loss by windows of `context` characters that do not overlap, each from a zero state, all places counted.

    This is what nanoGPT reports of a model with that context (Karpathy, 2022). Arguments and result are those of
    `score`; a window's first character is predicted from the one before it alone.
    """
    first = max(first, 1)
    bounds = np.append(np.arange(first, max(len(codes), first + 1), context), max(len(codes), first))
    return _score(weights, codes, bounds.astype(np.int64), 1)


def _score(weights: Weights, codes: Codes, bounds: NDArray[np.int64], context: int) -> float:
    """The mean loss of streams between neighbouring bounds, each first fed `context` characters."""
    total = int(bounds[-1] - bounds[0])
    if total <= 0:
        return float("nan")
    network = prepare(weights)
    streams = _group(len(bounds) - 1)
    starts = [bounds[place : place + streams + 1] for place in range(0, len(bounds) - 1, streams)]
    with one_thread(), ThreadPoolExecutor(cores()) as pool:
        sums = pool.map(lambda group: _sum(network, codes, group[:-1], group[1:], context), starts)
        return sum(sums) / total


def _sum(network: Network, codes: Codes, starts: NDArray[np.int64], ends: NDArray[np.int64], context: int) -> float:
    """The summed loss of the characters from `starts` to `ends`, both `(B,)`, of B streams."""
    state = network.start(len(starts))
    nats = 0.0
    for offset in range(1 - context, int((ends - starts).max())):
        target = starts + offset
        begins = target == 1
        if begins.any():  # a stream whose context reaches the text's beginning: nothing before it counts
            state.reset(begins)
        inputs = gather(codes, np.clip(target - 1, 0, len(codes) - 1), offset)
        if offset < 0:
            network.advance(inputs, state)
            continue
        logits = network.step(inputs, state)
        counted = target < ends
        nats += float(losses(logits[counted], codes[target[counted]]).sum())
    return nats


def losses(logits: NDArray[np.float32], targets: Codes) -> NDArray[np.float64]:
    """The cross-entropy, in nats, of targets `(B,)` under logits `(B, V)`."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    normaliser = np.log(np.exp(shifted).sum(axis=-1, dtype=np.float64))
    return normaliser - shifted[np.arange(len(targets)), targets]
