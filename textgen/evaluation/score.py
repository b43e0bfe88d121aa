"""Computes the loss of a network on a text, with carried or cold state."""

import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from textgen.config import Shape
from textgen.corpus.vocabulary import Codes
from textgen.generation.batch import Batch, in_order
from textgen.generation.compiled import prepare
from textgen.generation.sampling import scaled_losses
from textgen.generation.stream import Seed, Stream
from textgen.keras_archive import Array
from textgen.model_file import Weights, layout

STREAMS = 32
CONTEXT = 256  # characters read before a stream's first scored one: 1e-6 nats from one single carried pass
TIMED = 100  # characters of a stream, at most, from which the time of a scoring is estimated,
ENOUGH = 0.2  # or the seconds of them that are enough


def score(weights: Weights, codes: Codes, first: int = 0) -> float:
    """The mean loss of the characters from `first` on, each evaluated once, with the state carried.

    The characters are cut into 32 contiguous streams that run in parallel, each of which first reads the 256 characters
    before it. At the beginning of the text the state is zero, and the first character, which nothing predicts, is not
    counted.

    Args:
        weights: the network's.
        codes: the text's codes, `(N,)`.
        first: where the evaluation starts; characters before it are only context.

    Returns:
        The loss in nats per character; NaN if there is no character to evaluate.
    """
    return _score(weights, codes, _bounds(codes, max(first, 1)), CONTEXT)


def score_scaled(weights: Weights, codes: Codes, first: int, scales: Sequence[float]) -> NDArray[np.float64]:
    """What `score` would return for either half of the text, if the logits were multiplied by each of some numbers.

    It is all found in one pass, which keeps no logits.

    Args:
        weights: the network's.
        codes: the text's codes, `(N,)`.
        first: where the evaluation starts, at least 1 and at most N - 2.
        scales: the numbers, `(K,)`.

    Returns:
        The losses in nats per character, `(2, K)`: first of the characters before the middle, then of the others.
    """
    bounds = _bounds(codes, first)
    sums = np.array([part.scaled for part in _sums(weights, codes, bounds, CONTEXT, scales)])  # (streams, K)
    middle = len(sums) // 2
    halves = [(sums[:middle], bounds[: middle + 1]), (sums[middle:], bounds[middle:])]
    return np.array([part.sum(axis=0) / (ends[-1] - ends[0]) for part, ends in halves])


def evaluation_seconds(model: Shape, symbols: int, characters: int) -> float:
    """Estimated seconds that `score` takes, from the time of a few steps of a network of this shape on all cores."""
    network = prepare(Weights.from_list(np.zeros(shape, np.float32) for shape in layout(model, symbols).values()))
    with Batch(network, STREAMS) as batch:
        streams = [_scored(np.zeros(TIMED, np.uint8), 0, TIMED, _Sum()) for _ in range(STREAMS)]
        for stream in streams:
            batch.join(stream)
        batch.step()  # the first takes longer
        before, begun = streams[0].left, time.perf_counter()
        while len(batch) and time.perf_counter() - begun < ENOUGH:
            batch.step()
        seconds = (time.perf_counter() - begun) / (before - streams[0].left)
    return seconds * (CONTEXT + characters / STREAMS)


def score_cold(weights: Weights, codes: Codes, first: int = 0, *, context: int = 256) -> float:
    """The mean loss in windows of `context` characters that do not overlap, each from a zero state.

    This is what nanoGPT reports for a model with that context length (Karpathy, 2022). Arguments and result are those
    of `score`; a window's first character is predicted from the one before it alone.
    """
    first = max(first, 1)
    bounds = np.append(np.arange(first, max(len(codes), first + 1), context), max(len(codes), first))
    return _score(weights, codes, bounds.astype(np.int64), 1)


def _bounds(codes: Codes, first: int) -> NDArray[np.int64]:
    """Where the streams of the carried protocol begin, and the last one ends."""
    streams = max(1, min(STREAMS, len(codes) - first))
    return np.linspace(first, len(codes), streams + 1).astype(np.int64)


def _score(weights: Weights, codes: Codes, bounds: NDArray[np.int64], context: int) -> float:
    """The mean loss of streams between neighbouring bounds, each first fed `context` characters."""
    total = int(bounds[-1] - bounds[0])
    if total <= 0:
        return float("nan")
    return sum([part.nats for part in _sums(weights, codes, bounds, context)]) / total


def _sums(
    weights: Weights, codes: Codes, bounds: NDArray[np.int64], context: int, scales: Sequence[float] = ()
) -> list["_Sum"]:
    """The losses of the streams, in their order."""
    sums: list[_Sum] = []

    def streams() -> Iterator[Stream]:
        for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            begin = max(0, start - context)
            sums.append(_Sum(start - begin - 1, scales))
            yield _scored(codes, begin, end, sums[-1])

    for _ in in_order(prepare(weights), streams(), STREAMS):
        pass
    return sums


def _scored(codes: Codes, begin: int, end: int, total: "_Sum") -> Stream:
    """A stream that reads a part of a text and writes nothing."""
    return Stream(Seed(codes[begin:end]), (), observer=total, observe_seed=True)


class _Sum:
    """Adds up the losses of a stream's characters, one after the other, so that the sum does not depend on blocks."""

    def __init__(self, skipped: int = 0, scales: Sequence[float] = ()) -> None:
        self.nats = 0.0
        self.scaled = np.zeros(len(scales))  # the same, with the logits multiplied by each of some numbers
        self._skipped = skipped  # characters that are context only
        self._scales = scales

    def __call__(self, nats: NDArray[np.float64], logits: Array, codes: NDArray[np.intp]) -> None:
        for loss in nats[self._skipped :].tolist():
            self.nats += loss
        if self._scales:
            self.scaled += scaled_losses(logits[self._skipped :], codes[self._skipped :], self._scales)
        self._skipped = max(0, self._skipped - len(nats))
