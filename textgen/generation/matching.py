"""Texts that match a regular expression as a whole, constrained so that they reach a match within their length."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import expect
from textgen.corpus.characters import first_named
from textgen.generation.automaton import FAR, Automaton, parse
from textgen.generation.constraints import Name
from textgen.generation.sampling import Mask
from textgen.wording import counted

MOST_KEPT = 2**26  # bytes of the nodes that are remembered
NODE = 1000  # bytes of one without what grows with the expression and the vocabulary


@dataclass(frozen=True, eq=False)
class Node:
    """A state of the deterministic automaton: the states that a written text may be in.

    Attributes:
        states: places, among all that read a character, of those that a text is in, in order.
        accepting: whether the written text matches.
        needed: the number of characters still missing to the shortest match that continues with each kind of symbol.
        all_in_time: which symbols may come next if `farthest` characters or more are left, shape `(V,)`.
        farthest: the largest finite number in `needed`.
        after: kind of symbol → the next node, for those reached so far.
    """

    states: NDArray[np.intp]
    accepting: bool
    needed: NDArray[np.int32]
    all_in_time: Mask
    farthest: int
    after: dict[int, "Node"] = field(default_factory=dict)


class Pattern:
    """A regular expression that whole texts match, without their seeds.

    Symbols that no class of characters in it distinguishes are of one kind. The deterministic automaton is built node
    by node as texts reach them; the distance to a match, and what follows each state, are computed once, on the
    automaton that it is built from.

    Attributes:
        shortest: characters of the shortest match.
        states: the number of states of the automaton that the expression is compiled to.
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
        automaton = parse(regex, "".join(symbols), writable)
        self.states = len(automaton.free)
        self._set_kinds(automaton, len(symbols))
        self._set_ways(automaton)
        self._nodes: dict[tuple[int, bool], Node] = {}
        self._kept = 0
        matches_nothing = 0 in automaton.closure([automaton.start], automaton.at_start, automaton.at_end)
        reached = automaton.closure([automaton.start], automaton.at_start)
        places = [place for place, state in enumerate(automaton.steps) if state in reached]
        self._start = self._node(sum(1 << place for place in places), accepting=matches_nothing)
        self.shortest = 0 if matches_nothing else int(self._start.needed.min(initial=FAR))
        if self.shortest >= FAR:
            missing = list(automaton.missing)
            why = f"; among those it needs are {first_named(missing)}" if missing else ""
            raise ValueError(f"no text of the allowed characters can match `match`{why}")

    def _set_kinds(self, automaton: Automaton, symbols: int) -> None:
        """Find the kinds of symbols, and the classes that each is in."""
        classes = np.array([np.zeros(symbols, np.bool_), *automaton.classes])  # (classes + 1, V)
        kinds, kind_of = np.unique(classes, axis=1, return_inverse=True)
        self._kind_of = kind_of.reshape(-1)  # (V,)
        self._reads = kinds[1:]  # (classes, kinds)
        of, self._classes = np.nonzero(self._reads.T)  # the classes of all kinds, one kind after the other
        self._in_classes, self._first = np.unique(of, return_index=True)  # kinds that are in any; where theirs begin

    def _set_ways(self, automaton: Automaton) -> None:
        """Find where each state that reads a character leads."""
        distances, readers = automaton.distances(), automaton.readers()
        ways = list(automaton.steps.values())
        self._class_of = np.array([number for number, _ in ways], np.intp)
        self._needed = np.array([min(distances[other] + 1, FAR) for _, other in ways], np.int32)
        self._after = [readers[other] for _, other in ways]

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
        reading = node.states[self._reads[self._class_of[node.states], kind]]
        reached = reduce(or_, map(self._after.__getitem__, reading.tolist()), 0)
        found = node.after[kind] = self._node(reached, accepting=bool(node.needed[kind] == 1))
        return found

    def _node(self, reached: int, *, accepting: bool) -> Node:
        """The node of some states that read a character, which are bits of a number."""
        if (known := self._nodes.get((reached, accepting))) is not None:
            return known
        packed = np.frombuffer(reached.to_bytes(len(self._after) // 8 + 1, "little"), np.uint8)
        states = np.flatnonzero(np.unpackbits(packed, bitorder="little"))
        nearest = np.full(len(self._reads), FAR, np.int32)  # of each class
        np.minimum.at(nearest, self._class_of[states], self._needed[states])
        needed = np.full(self._reads.shape[1], FAR, np.int32)
        needed[self._in_classes] = np.minimum.reduceat(nearest[self._classes], self._first)
        reachable = needed < FAR
        node = Node(states, accepting, needed, reachable[self._kind_of], int(needed[reachable].max(initial=0)))
        self._keep(node, reached)
        return node

    def _keep(self, node: Node, reached: int) -> None:
        """Remember a node; forget all others when they become too large."""
        arrays = node.states.nbytes + node.needed.nbytes + node.all_in_time.nbytes
        self._kept += NODE + len(self._after) // 8 + arrays
        if self._kept > MOST_KEPT:
            for old in [self._start, *self._nodes.values()]:
                old.after.clear()  # or they would keep each other
            self._nodes, self._kept = {}, 0
        self._nodes[reached, node.accepting] = node


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
