"""The surprisal of each character of a text: -log2 p, where p is the probability that a network gave to it.

Whatever judges a text is made of this: its mean is the loss. A text is cut into stretches that are read in parallel,
since a network multiplies many rows faster than one; where they are cut depends on the text's length alone, so that
nothing depends on the number of cores.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from textgen.config import Shape
from textgen.corpus.vocabulary import Codes
from textgen.evaluation.details import Details
from textgen.evaluation.observers import Counted, Nats, Scaled
from textgen.generation.batch import Batch, in_order
from textgen.generation.compiled import prepare
from textgen.generation.stream import Observer, Seed, Stream
from textgen.model_file import Weights, layout

Protocol = Literal["carried", "cold"]
STREAMS = 32
# Characters read before a stretch. Of the last 60,000 of tinyshakespeare in 28 stretches, with the shipped model, bits
# were within 2e-5 of those of one pass then; after 512 seven were further off than 1e-4, after 256 358 were.
READ_IN = 1024
LONGEST = 2**15  # characters of a stretch, whose results are held until it has been read to its end
TIMED = 100  # characters of a stream, at most, from which the time of an evaluation is estimated,
ENOUGH = 0.2  # or the seconds of them that are enough
BIT = math.log(2)
Read = TypeVar("Read", bound=Observer)


@dataclass(frozen=True, eq=False)
class Surprisals:
    """What a network predicted at each of N characters in a row.

    Attributes:
        start: the place of the first of them in the text.
        bits: their surprisals, float64 `(N,)`; NaN for the first character of a text, which nothing predicts.
        rank: how many characters were as likely or likelier, int32 `(N,)`: 1 for the likeliest, in the order of codes
            where several are equally likely; 0 where nothing was predicted.
        entropy: of the predicted distribution, in bits, float32 `(N,)`: the surprisal that was to be expected; NaN
            where nothing was predicted.
        likeliest: the codes of the likeliest characters, the likeliest first, int32 `(N, K)`.
        likeliest_bits: their surprisals, float32 `(N, K)`; NaN where nothing was predicted.
    """

    start: int
    bits: NDArray[np.float64]
    rank: NDArray[np.int32]
    entropy: NDArray[np.float32]
    likeliest: NDArray[np.int32]
    likeliest_bits: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.bits)


class _Stretch(NamedTuple):
    """A part of a text that is read at once: the codes from `begin` on, of which those from `start` on count."""

    begin: int
    start: int
    end: int


def surprisals(
    weights: Weights, codes: Codes, first: int = 0, *, protocol: Protocol = "carried", context: int = 256
) -> NDArray[np.float32]:
    """The surprisal of each character from `first` on.

    Under the protocol `carried`, a character is predicted from all those before it: within 1e-4 bits of one single pass
    over the text. `cold` cuts the text into windows that do not overlap, each of which is read from a zero state; the
    first character of a window is predicted from the one before it alone. This is what nanoGPT evaluates with its
    context length (Karpathy, 2022).

    Args:
        weights: the network's.
        codes: the text's codes, `(N,)`.
        first: where the evaluation starts; characters before it are only context.
        protocol: `carried` or `cold`.
        context: length of the windows of the cold protocol.

    Returns:
        Bits, `(N - first,)`; NaN for the text's first character, which nothing predicts.
    """
    found = np.full(max(0, len(codes) - first), np.nan, np.float32)
    for start, nats in _nats(weights, codes, first, protocol, context):
        found[start - first : start - first + len(nats)] = nats / BIT
    return found


def detailed(
    weights: Weights,
    codes: Codes,
    first: int = 0,
    *,
    likeliest: int = 3,
    protocol: Protocol = "carried",
    context: int = 256,
) -> Iterator[Surprisals]:
    """The surprisals of the characters from `first` on, with all that was predicted, stretch by stretch.

    They need as little memory for a long text as for a short one.

    Args:
        weights: the network's.
        codes: the text's codes, `(N,)`.
        first: where the evaluation starts; characters before it are only context.
        likeliest: how many of the likeliest characters to give at each place; all, if there are no more.
        protocol: see `surprisals`.
        context: likewise.

    Yields:
        The stretches in order, together `N - first` characters.
    """
    most = min(likeliest, len(weights.head_bias))
    if first < 1 <= len(codes):
        yield _unpredicted(most)
    stretches = _stretches(codes, first, protocol, context)
    capacity = _capacity(protocol, context)
    for (_, start, _), read in _read(weights, codes, stretches, capacity, lambda size: Details(size, most)):
        yield Surprisals(start, read.nats / BIT, read.rank, read.entropy, read.likeliest, read.likeliest_bits)


def surprisals_after(weights: Weights, codes: Codes, places: NDArray[np.integer], context: int) -> NDArray[np.float32]:
    """The surprisals of some characters, each predicted from so many before it, from a zero state.

    Args:
        weights: the network's.
        codes: the text's codes, `(N,)`.
        places: of the characters, `(M,)`, each from `context` to N - 1.
        context: the number of characters that are read before each, at least 1.

    Returns:
        Bits, `(M,)`.
    """
    stretches = (_Stretch(place - context, place, place + 1) for place in places.tolist())
    bits = [read.nats[0] / BIT for _, read in _read(weights, codes, stretches, STREAMS, Nats)]
    return np.array(bits, np.float32)


def cross_entropy(
    weights: Weights, codes: Codes, first: int = 0, *, protocol: Protocol = "carried", context: int = 256
) -> float:
    """The mean surprisal of the characters from `first` on, in nats: the cross-entropy that training minimises.

    Arguments are those of `surprisals`; the text's first character is not counted.

    Returns:
        Nats per character; NaN if there is no character to evaluate.
    """
    sums = [float(nats.sum()) for _, nats in _nats(weights, codes, first, protocol, context)]
    return sum(sums) / (len(codes) - max(first, 1)) if sums else math.nan


def scaled_halves(weights: Weights, codes: Codes, first: int, scales: Sequence[float]) -> NDArray[np.float64]:
    """The `cross_entropy` of either half of the text, if the logits were multiplied by each of some numbers.

    It is all found in one pass, which keeps no logits.

    Args:
        weights: the network's.
        codes: the text's codes, `(N,)`.
        first: where the evaluation starts, at least 1 and at most N - 2.
        scales: the numbers, `(K,)`.

    Returns:
        The losses in nats per character, `(2, K)`: first of the characters before the middle, then of the others.
    """
    stretches = _carried(len(codes), first)
    read = _read(weights, codes, stretches, STREAMS, lambda size: Scaled(size, scales))
    sums = np.array([part.nats.sum(axis=1) for _, part in read])
    middle = len(sums) // 2
    halves = [(sums[:middle], stretches[:middle]), (sums[middle:], stretches[middle:])]
    return np.array([part.sum(axis=0) / (ends[-1].end - ends[0].start) for part, ends in halves])


def evaluation_seconds(model: Shape, symbols: int, characters: int) -> float:
    """Estimated seconds of a `cross_entropy`, from the time of a few steps of a network of this shape on all cores."""
    network = prepare(Weights.from_list(np.zeros(shape, np.float32) for shape in layout(model, symbols).values()))
    count = _streams(characters)
    with Batch(network, count) as batch:
        codes = np.zeros(TIMED, np.uint8)
        streams = [Stream(Seed(codes), (), observer=Nats(TIMED), observe_seed=True) for _ in range(count)]
        for stream in streams:
            batch.join(stream)
        batch.step()  # the first takes longer
        before, begun = streams[0].left, time.perf_counter()
        while len(batch) and time.perf_counter() - begun < ENOUGH:
            batch.step()
        seconds = (time.perf_counter() - begun) / (before - streams[0].left)
    return seconds * (READ_IN + characters / count)


def _nats(
    weights: Weights, codes: Codes, first: int, protocol: Protocol, context: int
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """The losses of each stretch, with its start."""
    stretches = _stretches(codes, first, protocol, context)
    for (_, start, _), read in _read(weights, codes, stretches, _capacity(protocol, context), Nats):
        yield start, read.nats


def _read(
    weights: Weights, codes: Codes, stretches: Iterable[_Stretch], capacity: int, make: Callable[[int], Read]
) -> Iterator[tuple[_Stretch, Read]]:
    """Read stretches in parallel; yield each, in order, with what `make` made for its characters to be told to."""
    waiting: deque[tuple[_Stretch, Read]] = deque()

    def streams() -> Iterator[Stream]:
        for stretch in stretches:
            read = make(stretch.end - stretch.start)
            waiting.append((stretch, read))
            observer = Counted(read, stretch.start - stretch.begin - 1)
            yield Stream(Seed(codes[stretch.begin : stretch.end]), (), observer=observer, observe_seed=True)

    for _ in in_order(prepare(weights), streams(), capacity):
        yield waiting.popleft()


def _stretches(codes: Codes, first: int, protocol: Protocol, context: int) -> Iterable[_Stretch]:
    if protocol == "carried":
        return _carried(len(codes), max(first, 1))
    starts = range(max(first, 1), len(codes), context)
    return (_Stretch(start - 1, start, min(start + context, len(codes))) for start in starts)


def _carried(end: int, first: int) -> list[_Stretch]:
    """The stretches of the carried protocol, nearly equally long; an even number of them if there can be."""
    count = _streams(end - first)
    bounds = np.linspace(first, end, count + 1).astype(np.int64).tolist() if count else []
    return [_Stretch(max(0, a - READ_IN), a, b) for a, b in pairwise(bounds)]


def _streams(characters: int) -> int:
    """How many stretches so many characters are cut into: not so many that reading in takes longer than reading."""
    rounds = -(-characters // (STREAMS * LONGEST))
    return min(max(0, characters), max(2, min(rounds * STREAMS, characters // READ_IN // 2 * 2)))


def _capacity(protocol: Protocol, context: int) -> int:
    """How many stretches are read at once: fewer where they are so long that their results would fill the memory."""
    return STREAMS if protocol == "carried" else max(1, min(STREAMS, STREAMS * LONGEST // context))


def _unpredicted(likeliest: int) -> Surprisals:
    """A text's first character."""
    nothing = np.full((1, likeliest), np.nan, np.float32)
    return Surprisals(
        0,
        np.array([np.nan]),
        np.zeros(1, np.int32),
        np.array([np.nan], np.float32),
        np.zeros((1, likeliest), np.int32),
        nothing,
    )
