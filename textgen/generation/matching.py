"""Texts that match a regular expression as a whole, constrained so that they reach a match within their length."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import expect
from textgen.corpus.characters import first_named
from textgen.generation.automaton import FAR, parse
from textgen.generation.constraints import Name
from textgen.generation.sampling import Mask
from textgen.wording import counted

MOST_KEPT = 2**20  # states of the automaton in subsets that are remembered, some 60 MB


@dataclass(frozen=True, eq=False)
class Node:
    """A state of the deterministic automaton: the states that a written text may be in.

    Attributes:
        states: those that read a character.
        accepting: whether the written text matches.
        needed: the number of characters still missing to the shortest match that continues with each kind of symbol.
        all_in_time: which symbols may come next if `farthest` characters or more are left, shape `(V,)`.
        farthest: the largest finite number in `needed`.
        after: kind of symbol → the next node, for those reached so far.
    """

    states: frozenset[int]
    accepting: bool
    needed: NDArray[np.int32]
    all_in_time: Mask
    farthest: int
    after: dict[int, "Node"] = field(default_factory=dict)


class Pattern:
    """A regular expression that whole texts match, without their seeds.

    Symbols that no class of characters in it distinguishes are of one kind. The deterministic automaton is built node
    by node as texts reach them; the distance to a match is computed on the automaton that it is built from.

    Attributes:
        shortest: characters of the shortest match.
    """

    def __init__(self, regex: str, symbols: Sequence[str], writable: Mask) -> None:
        """Compile an expression for the symbols of a vocabulary, those in `writable` allowed.

        Raises:
            ValueError: it is not a regular expression, is not supported or too large, or no text of these symbols
                matches.
            TypeError: it is not a string.
        """
        expect("match", regex, str)
        if not regex:
            raise ValueError("`match` must have at least one character")
        self._automaton = parse(regex, "".join(symbols), writable)
        self._distances = self._automaton.distances()
        classes = np.array([np.zeros(len(symbols), np.bool_), *self._automaton.classes])  # (classes + 1, V)
        kinds, self._kind_of = np.unique(classes, axis=1, return_inverse=True)
        self._kind_of = self._kind_of.reshape(-1)  # (V,)
        self._kinds = [np.flatnonzero(row) for row in kinds[1:]]  # of each class
        self._classes = [frozenset(np.flatnonzero(column).tolist()) for column in kinds[1:].T]  # of each kind
        self._nodes: dict[tuple[frozenset[int], bool], Node] = {}
        self._kept = 0
        start, at_start, at_end = self._automaton.start, self._automaton.at_start, self._automaton.at_end
        matches_nothing = 0 in self._automaton.closure([start], at_start, at_end)
        self._start = self._node(self._automaton.closure([start], at_start), accepting=matches_nothing)
        self.shortest = 0 if matches_nothing else int(self._start.needed.min(initial=FAR))
        if self.shortest >= FAR:
            missing = list(self._automaton.missing)
            why = f"; among those it needs are {first_named(missing)}" if missing else ""
            raise ValueError(f"no text of the allowed characters can match `match`{why}")

    @property
    def states(self) -> int:
        """The number of states of the automaton that the expression is compiled to."""
        return len(self._automaton.free)

    def begin(self, seed: NDArray[np.integer], length: int) -> "Match":
        """A text of at most `length` characters; `ValueError` if every match is longer."""
        self.check(length)
        return Match(self, self._start, length)

    def check(self, length: int) -> None:
        """Raise `ValueError` if every match is longer."""
        if self.shortest > length:
            raise ValueError(
                f"the shortest text that matches `match` has {counted(self.shortest, 'character')}; "
                f"`length` must be at least that, not {length:,}"
            )

    def in_time(self, node: Node, left: int) -> Mask:
        """The symbols after which a text can still match with `left` characters, them included."""
        return node.all_in_time if left >= node.farthest else (node.needed <= left)[self._kind_of]

    def next(self, node: Node, code: int) -> Node:
        """The node after the next symbol; one without transitions if the text cannot match any more."""
        kind = int(self._kind_of[code])
        if (known := node.after.get(kind)) is not None:
            return known
        classes, ways = self._classes[kind], [self._automaton.steps[state] for state in node.states]
        reached = self._automaton.closure({other for number, other in ways if number in classes})
        found = node.after[kind] = self._node(reached, any(not self._distances[state] for state in reached))
        return found

    def _node(self, reached: Iterable[int], accepting: bool) -> Node:
        """The node of some states, with all that they are at the same time."""
        states = frozenset(state for state in reached if state in self._automaton.steps)
        if (known := self._nodes.get((states, accepting))) is not None:
            return known
        nearest: dict[int, int] = {}
        for number, other in map(self._automaton.steps.__getitem__, states):
            nearest[number] = min(nearest.get(number, FAR), self._distances[other] + 1)
        needed = np.full(self._kind_of.max() + 1, FAR, np.int32)
        for number, distance in nearest.items():
            needed[self._kinds[number]] = np.minimum(needed[self._kinds[number]], distance)
        reachable = needed < FAR
        node = Node(states, accepting, needed, reachable[self._kind_of], int(needed[reachable].max(initial=0)))
        self._keep(node)
        return node

    def _keep(self, node: Node) -> None:
        """Remember a node; forget all others when they become too large."""
        self._kept += len(node.states) + len(self._kind_of) // 16
        if self._kept > MOST_KEPT:
            for old in [self._start, *self._nodes.values()]:
                old.after.clear()  # or they would keep each other
            self._nodes, self._kept = {}, 0
        self._nodes[node.states, node.accepting] = node


class Match:
    """Constrains one text to a match; the text continues as long as the expression and its length allow."""

    name: Name = "match"

    def __init__(self, pattern: Pattern, start: Node, length: int) -> None:
        """Begin with an empty text of at most `length` characters."""
        self._pattern, self._node, self._left = pattern, start, length

    @property
    def accepting(self) -> bool:
        """Whether what is written matches."""
        return self._node.accepting

    @property
    def ended(self) -> bool:
        """Whether the text matches, and no longer text that begins with it can."""
        return self.accepting and not self.allowed().any()

    def allowed(self) -> Mask:
        """The symbols after which the text can still match within its length."""
        return self._pattern.in_time(self._node, self._left)

    def advance(self, code: int) -> None:
        """Take the code that was written."""
        self._node = self._pattern.next(self._node, code)
        self._left -= 1
