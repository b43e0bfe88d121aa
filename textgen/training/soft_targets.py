"""What the teachers of a run predict, computed once for all epochs and kept in the cache folder.

A target is the mean of the teachers' probabilities of one character, given those before it. A teacher is heard only
where it knows the character of the text; of a symbol that only some of them know, the mean is over these; and if the
vocabulary is large, only the likeliest symbols are kept, and the teachers are heard only where the text's character is
one of them. What is kept is divided by its sum. So the targets are right on average: the teachers share out the
probability of what they know, and how likely it is to meet anything else is learnt from the text alone. (If the rest
were instead left out everywhere, or shared out evenly, rare symbols would be learnt as half as likely, or as equally
likely.)
"""

import errno
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from textgen.corpus import cache
from textgen.corpus.codes import count_known, gather, mapped, parts, translate
from textgen.corpus.vocabulary import UNKNOWN, Codes
from textgen.corpus.windows import Windows
from textgen.evaluation.observers import Counted
from textgen.evaluation.surprisal import READ_IN, STREAMS
from textgen.generation.batch import Batch
from textgen.generation.compiled import prepare
from textgen.generation.stream import Seed, Stream
from textgen.keras_archive import Array
from textgen.model_file import Model, read_model
from textgen.training.plan import Plan
from textgen.training.progress import Consulted, Event
from textgen.training.teachers import matched

KEPT = 64  # symbols of a character whose probabilities are kept, with their codes,
ALL_KEPT = 2 * KEPT  # unless there are at most so many, which then need no more bytes
RULES = 1  # changes when the same teachers and text give other targets
MOST_NUMBERS = 2**22  # of each teacher that wait for the others
LONGEST_ROUND = 512  # characters of each stream that are put together at once
UNCACHED = "the teachers' predictions could not be cached, and will be computed again the next time"


@dataclass(frozen=True, eq=False)
class SoftTargets:
    """The teachers' probabilities for each character of a text.

    Attributes:
        rows: uint16 `(N, W)`, mapped from a file: the bits of `V` probabilities in float16, or of 64 and then their
            codes. A row of zeros is a character for which no teacher is heard; all others add up to 1.
        windows: those of the text.
        symbols: `V`, the vocabulary size.
    """

    rows: NDArray[np.uint16]
    windows: Windows
    symbols: int

    def window(self, step: int) -> tuple[NDArray[Any], ...]:
        """The targets of a step: float16 `(B, T, V)`; or `(B, T, 64)`, and the codes that they are of, int32."""
        rows = gather(self.rows, self.windows.places(step)[:, 1:], step)
        if self.symbols <= ALL_KEPT:
            return (rows.view(np.float16),)
        return rows[..., :KEPT].view(np.float16), rows[..., KEPT:].view(_code_type(self.symbols)).astype(np.int32)


def soft_targets(plan: Plan, on_progress: Callable[[Event], None]) -> tuple[SoftTargets | None, tuple[str, ...]]:
    """The targets of a run, and notes for the user; None if it has no teachers.

    Raises:
        CorpusError: no place takes them.
        ModelFileError: a teacher is not a model.
    """
    if not plan.teachers:
        return None, ()
    corpus, codes = plan.corpus, plan.windows.codes
    symbols, hashes = len(corpus.vocabulary), [teacher.sha256 for teacher in plan.teachers]
    key = cache.digest("targets", RULES, hashes, corpus.sha256, corpus.vocabulary.symbols, len(codes))
    width = symbols if symbols <= ALL_KEPT else KEPT + KEPT * _code_type(symbols).itemsize // 2

    def write(file: IO[bytes], _: IO[bytes]) -> dict[str, Any]:
        _allocate(file, 2 * width * len(codes))
        models, done = [read_model(teacher.path) for teacher in plan.teachers], 0
        for start, probabilities in mean_probabilities(models, plan):
            rows = _packed(probabilities, codes[start : start + len(probabilities)])
            os.pwrite(file.fileno(), rows.tobytes(), 2 * width * start)
            done += len(probabilities)
            on_progress(Consulted(done, len(codes)))
        return {}

    stored = cache.load(key) or cache.store(key, write, UNCACHED)
    rows = mapped(stored.codes, np.dtype(np.uint16)).reshape(len(codes), width)
    return SoftTargets(rows, plan.windows, symbols), stored.notes


def _allocate(file: IO[bytes], size: int) -> None:
    """Give an empty file its size, where that can be done, so that a full disk is noticed before the work is done."""
    file.truncate(size)
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except AttributeError:  # macOS
        pass
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # what some file systems answer
            raise


def _code_type(symbols: int) -> np.dtype[np.unsignedinteger]:
    """The type of the codes beside kept probabilities, which are two bytes each."""
    return np.dtype(np.uint16 if symbols <= 2**16 else np.uint32)


def _packed(probabilities: Array, codes: Codes) -> NDArray[np.uint16]:
    """Probabilities `(n, V)` of some characters with these codes, as rows of `SoftTargets`."""
    symbols = probabilities.shape[1]
    if symbols <= ALL_KEPT:
        return probabilities.astype(np.float16).view(np.uint16)
    kept = np.argpartition(probabilities, -KEPT, axis=1)[:, -KEPT:]  # (n, 64)
    of_kept = np.take_along_axis(probabilities, kept, axis=1)
    of_kept *= (kept == codes[:, None]).any(axis=1, keepdims=True)
    halves = _shared_out(of_kept).astype(np.float16).view(np.uint16)
    return np.concatenate([halves, kept.astype(_code_type(symbols)).view(np.uint16)], axis=1)


def _shared_out(probabilities: Array) -> Array:
    """Rows divided by their sums, in place; rows of zeros as they are."""
    sums = probabilities.sum(axis=1, keepdims=True)
    return np.divide(probabilities, sums, out=probabilities, where=sums > 0)


def mean_probabilities(models: Sequence[Model], plan: Plan) -> Iterator[tuple[int, Array]]:
    """The mean of some models' probabilities for each character that a run trains on.

    The models read the text in as many streams as an evaluation does, each of which first reads the characters
    before it.

    Yields:
        The place in the text, and the probabilities `(n, V)` of the next n characters, in no particular order. They are
        zeros where no model is heard: at the first character, and at those that none knows.
    """
    codes, symbols = plan.windows.codes, len(plan.corpus.vocabulary)
    bounds = np.linspace(0, len(codes), min(STREAMS, len(codes)) + 1).astype(np.int64).tolist()
    most = max(1, min(LONGEST_ROUND, MOST_NUMBERS // (STREAMS * symbols)))
    longest = max(end - start for start, end in pairwise(bounds))
    with ExitStack() as opened:
        readers = [
            _Reader(model, matched(model.description.vocabulary, plan.corpus.vocabulary), codes, bounds)
            for model in models
        ]
        for reader in readers:
            opened.enter_context(reader.batch)
        for offset in range(0, longest, most):
            for number, (start, end) in enumerate(pairwise(bounds)):
                first, last = start + offset, min(start + offset + most, end)
                if first < last:
                    yield first, _mean([reader.next(number, first, last) for reader in readers], last - first, symbols)


def _mean(heard: Sequence["_Heard"], characters: int, symbols: int) -> Array:
    """The mean of what was heard, over those who know each symbol, `(n, V)`."""
    total, speakers = np.zeros((2, characters, symbols), np.float32)
    for places, known, probabilities in heard:
        where = np.ix_(places, known)
        total[where] += probabilities
        speakers[where] += 1
    total /= np.maximum(speakers, 1)
    return _shared_out(total)


_Heard = tuple[NDArray[np.intp], NDArray[np.intp], Array]  # places (m,), symbols (S,), their probabilities (m, S)


class _Reader:
    """One teacher, which reads the text in several streams, and skips what it does not know."""

    def __init__(self, model: Model, table: NDArray[np.int32], codes: Codes, bounds: Sequence[int]) -> None:
        """Begin to read.

        Args:
            model: the teacher.
            table: its code of each of the student's symbols.
            codes: the text, in the student's codes.
            bounds: where in it the streams begin, and the last one ends.
        """
        self._codes, self._knows = codes, table != UNKNOWN
        self._known = np.flatnonzero(self._knows)
        self._first = _place_of_first(codes, self._knows)
        self.batch = Batch(prepare(model.weights), STREAMS)
        read = translate(codes, table)
        counts = [count_known(codes[start:end], table) for start, end in pairwise(bounds)]
        ends = np.cumsum([0, *counts]).tolist()
        self._queues = []
        for start, end in pairwise(ends):
            begin = max(0, start - READ_IN)
            queue = _Queue(table[self._known])
            self._queues.append(queue)
            if end - begin > 1:
                observer = Counted(queue, max(0, start - begin - 1))
                self.batch.join(Stream(Seed(read[begin:end]), (), observer=observer, observe_seed=True))

    def next(self, number: int, first: int, last: int) -> _Heard:
        """What the teacher says of a stream's next characters, from place `first` of the text to `last`."""
        knows = self._knows[self._codes[first:last]]
        knows[: max(0, self._first + 1 - first)] = False  # nothing predicts the first character that it reads
        places, queue = np.flatnonzero(knows), self._queues[number]
        while queue.length < len(places):
            self.batch.step()
        return places, self._known, queue.take(len(places))


def _place_of_first(codes: Codes, knows: NDArray[np.bool_]) -> int:
    """Where the first known character is."""
    passed = 0
    for part in parts(codes):
        if (known := knows[part]).any():
            return passed + int(known.argmax())
        passed += len(part)
    return passed


class _Queue:
    """The probabilities that a stream has seen and that are not yet taken; observes it."""

    def __init__(self, columns: NDArray[np.int32]) -> None:
        """Expect predictions of which these columns are kept."""
        self._columns = columns
        self._waiting = deque[Array]()
        self.length = 0

    def __call__(self, nats: NDArray[np.float64], logits: Array, codes: NDArray[np.intp]) -> None:
        """Take in the logits of the next characters."""
        heard = logits[:, self._columns]
        heard -= heard.max(axis=1, keepdims=True, initial=-np.inf)
        self._waiting.append(_shared_out(np.exp(heard, out=heard)))
        self.length += len(heard)

    def take(self, length: int) -> Array:
        """The next so many, `(length, S)`."""
        taken, left = [np.zeros((0, len(self._columns)), np.float32)], length
        while left:
            block = self._waiting.popleft()
            if len(block) > left:
                self._waiting.appendleft(block[left:])
            taken.append(block[:left])
            left -= len(taken[-1])
        self.length -= length
        return np.concatenate(taken)
