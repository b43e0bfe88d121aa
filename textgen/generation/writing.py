"""Texts on their way: several streams written side by side, in groups of rows that share the cores."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from textgen.config import SamplingConfig
from textgen.generation.blas import one_thread
from textgen.generation.recurrent import Network, State
from textgen.generation.sampling import choose, noise
from textgen.generation.stopping import StopFinder
from textgen.machine import cores

ROWS = 32  # of a group: its products run at nearly the full speed of a core
MOST_NOISE = 2**17  # numbers that a group draws at once
LONGEST_BLOCK = 32  # characters written between two looks at the caller: a few milliseconds


@dataclass(frozen=True, eq=False)
class Group:
    """Up to `ROWS` streams that one thread writes.

    Its noise comes from a generator of its own, and its size does not depend on the machine's cores, so that neither
    do the texts.
    """

    network: Network
    state: State  # its logits predict the next character
    sampling: SamplingConfig
    rng: np.random.Generator

    def write(self, length: int) -> NDArray[np.intp]:
        """The next `length` codes of each stream, `(length, B)`."""
        streams, symbols = self.state.logits.shape
        drawn = noise((length, streams, symbols), self.sampling.temperature, rng=self.rng)
        written = np.empty((length, streams), np.intp)
        for place in range(length):
            written[place] = codes = choose(self.state.logits, self.sampling, drawn[place])
            self.network.step(codes, self.state)
        return written


@dataclass(frozen=True, eq=False)
class Writing:
    """Texts on their way, written side by side as one iterates, once, over it.

    Each item holds the next piece of every text; a piece is empty where nothing is certain yet or the text has ended.

    Attributes:
        rng_seed: with which the same call writes the same texts again, on the same machine.
    """

    rng_seed: int
    length: int
    symbols: Sequence[str] = field(repr=False)
    groups: Sequence[Group] = field(repr=False)
    finders: Sequence[StopFinder] = field(repr=False)  # one for each text

    @property
    def stopped_by(self) -> list[str]:
        """Of each text `length`, or the stop string that was found and cut off."""
        return [finder.found or "length" for finder in self.finders]

    @property
    def _longest(self) -> int:
        """The characters of a block: few enough that the noise for them stays small."""
        return max(1, min(LONGEST_BLOCK, MOST_NOISE // self.groups[0].state.logits.size))

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the next piece of each text until all are done."""
        written, block = 0, min(1, self.length)
        with ThreadPoolExecutor(min(len(self.groups), cores())) as pool:
            run = map if len(self.groups) == 1 else pool.map  # one group needs no thread beside this one
            while written < self.length and not all(finder.found for finder in self.finders):
                with one_thread():
                    codes = np.concatenate(list(run(Group.write, self.groups, repeat(block))), axis=1)
                written += block
                block = min(2 * block, self._longest, self.length - written)
                yield [
                    finder.feed([self.symbols[code] for code in column])
                    for finder, column in zip(self.finders, codes.T.tolist(), strict=True)
                ]
        yield [finder.flush() for finder in self.finders]
