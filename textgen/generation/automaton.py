"""A regular expression → an automaton over the symbols of a model.

The expression is parsed, and its classes of characters are judged, by Python's own `re`, so that a text matches here
when `re.fullmatch` says so. The automaton is Thompson's (1968): a state for each character of the expression, counted
repetitions written out. The number of its states is bounded, and nothing grows faster than it: subsets of them, the
states of a deterministic automaton, are made only where a text comes by (`matching.py`).
"""

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from re import _compiler as compiler  # type: ignore[attr-defined]
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import numpy as np

from textgen.generation.sampling import Mask

MOST_STATES = 20_000  # a tenth of a second to build
FAR = 2**30  # characters: the end cannot be reached

REFUSED = {
    ops.ASSERT: "looks ahead or behind",
    ops.ASSERT_NOT: "looks ahead or behind",
    ops.GROUPREF: "has a back-reference",
    ops.GROUPREF_EXISTS: "has a condition on a group",
    ops.ATOMIC_GROUP: "has an atomic group",
    ops.POSSESSIVE_REPEAT: "has a possessive repetition",
}


@dataclass(eq=False)
class Automaton:
    """States and the ways between them; state 0 is where a match is complete.

    Attributes:
        free: of each state, those that it is at the same time.
        steps: of a state that reads a character, the number of its class and the next state.
        at_start: of a state that only a text's start passes, the next one.
        at_end: of a state that only a text's end passes, the next one.
        classes: the symbols of each class of characters, shape `(V,)` each.
        start: the state of an empty text.
        missing: characters of the expression that may not be written.
    """

    free: list[tuple[int, ...]] = field(default_factory=lambda: [()])
    steps: dict[int, tuple[int, int]] = field(default_factory=dict)
    at_start: dict[int, int] = field(default_factory=dict)
    at_end: dict[int, int] = field(default_factory=dict)
    classes: list[Mask] = field(default_factory=list)
    start: int = 0
    missing: dict[str, None] = field(default_factory=dict)

    def add(self, *free: int) -> int:
        """Make a state; `ValueError` if there are too many."""
        if len(self.free) > MOST_STATES:
            raise ValueError(
                f"`match` has more than {MOST_STATES:,} states when its repetitions are written out; "
                "expected smaller counts, or * and +, which cost nothing"
            )
        self.free.append(free)
        return len(self.free) - 1

    def closure(self, states: Iterable[int], *ways: Mapping[int, int]) -> set[int]:
        """All that is reached from some states by free ways, and by some others."""
        found = set(states)
        waiting = list(found)
        while waiting:
            state = waiting.pop()
            for other in (*self.free[state], *(way[state] for way in ways if state in way)):
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return found

    def readers(self) -> list[int]:
        """Of each state, which ones that read a character are reached by free ways: bits, in the order of `steps`."""
        own = {state: 1 << place for place, state in enumerate(self.steps)}
        result: list[int] = []
        for state in range(len(self.free)):
            found, seen, waiting = 0, {state}, [state]
            while waiting:
                passed = waiting.pop()
                found |= own.get(passed, 0)
                for other in self.free[passed]:
                    if other < state:
                        found |= result[other]
                    elif other not in seen:  # only the ways into a repetition without end lead to later states
                        seen.add(other)
                        waiting.append(other)
            result.append(found)
        return result

    def distances(self) -> list[int]:
        """How many characters each state is from the end of the shortest match; `FAR` if none can be written."""
        free: list[list[int]] = [[] for _ in self.free]  # all ways, backwards
        reading: list[list[int]] = [[] for _ in self.free]
        ending: dict[int, list[int]] = {}
        for state, others in enumerate(self.free):
            for other in others:
                free[other].append(state)
        for state, (number, other) in self.steps.items():
            if self.classes[number].any():
                reading[other].append(state)
        for state, other in self.at_end.items():
            ending.setdefault(other, []).append(state)
        result = [FAR] * len(self.free)
        distance, reached = 0, [0]
        while reached:
            further: list[int] = []
            while reached:
                state = reached.pop()
                if result[state] == FAR:
                    result[state] = distance
                    reached += free[state] if distance else [*free[state], *ending.get(state, ())]
                    further += reading[state]
            distance, reached = distance + 1, further
        return result


def parse(regex: str, symbols: str, writable: Mask) -> Automaton:
    """The automaton of a regular expression.

    `^` and `$` stand for the text's start and end; `$` before a last newline is no such place here.

    Args:
        regex: as Python writes it.
        symbols: of the vocabulary, in the order of their codes.
        writable: which of them may be written, shape `(V,)`.

    Raises:
        ValueError: it is no regular expression, has more states than are built, or something that is not regular.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of what future versions may read otherwise
            parsed = parser.parse(regex)
        building = _Building(symbols, writable)
        building.automaton.start = building.sequence(parsed, parsed.state.flags, 0)
    except (re.error, OverflowError) as error:
        raise ValueError(f"`match` is not a regular expression: {error}") from error
    except RecursionError:
        raise ValueError("`match` has too many nested groups") from None
    return building.automaton


class _Building:
    """An automaton that is being made, from its end to its start."""

    def __init__(self, symbols: str, writable: Mask) -> None:
        self.automaton = Automaton()
        self._symbols, self._writable = symbols, writable
        self._numbers: dict[tuple[str, int], int] = {}  # of classes of characters

    def sequence(self, items: Any, flags: int, after: int) -> int:
        """The first state of what matches some items, one after the other, and goes on at a state."""
        for item in reversed(list(items)):
            after = self._item(item, flags, after)
        return after

    def _item(self, item: tuple[Any, Any], flags: int, after: int) -> int:
        op, of = item
        if op is ops.SUBPATTERN:
            _, added, removed, inner = of
            return self.sequence(inner, compiler._combine_flags(flags, added, removed), after)
        if op is ops.BRANCH:
            return self.automaton.add(*[self.sequence(inner, flags, after) for inner in of[1]])
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT):  # the same texts match
            return self._repeated(of, flags, after)
        if op is ops.AT:
            return self._place(of, flags, after)
        if op in REFUSED:
            raise ValueError(f"`match` {REFUSED[op]}, which is not supported")
        state = self.automaton.add()
        self.automaton.steps[state] = (self._class(item, flags), after)
        return state

    def _repeated(self, of: tuple[int, int, Any], flags: int, after: int) -> int:
        least, most, inner = of
        state = after
        if most is ops.MAXREPEAT:
            state = self.automaton.add()
            self.automaton.free[state] = (self.sequence(inner, flags, state), after)
        else:
            for _ in range(most - least):
                once = self.sequence(inner, flags, state)
                if once == state:  # there is nothing to repeat
                    return after
                state = self.automaton.add(once, after)
        for _ in range(least):
            once = self.sequence(inner, flags, state)
            if once == state:
                break
            state = once
        return state

    def _place(self, place: Any, flags: int, after: int) -> int:
        starts, ends = (ops.AT_BEGINNING, ops.AT_BEGINNING_STRING), (ops.AT_END, ops.AT_END_STRING)
        if place not in starts + ends:
            raise ValueError("`match` has a word boundary, which is not supported")
        if flags & re.MULTILINE and place in (ops.AT_BEGINNING, ops.AT_END):
            raise ValueError("`match` has the flag (?m), which is not supported; write newlines as \\n")
        state = self.automaton.add()
        (self.automaton.at_start if place in starts else self.automaton.at_end)[state] = after
        return state

    def _class(self, item: tuple[Any, Any], flags: int) -> int:
        """The number of the class of characters that an item matches, which `re` itself is asked for."""
        number = self._numbers.setdefault((repr(item), flags), len(self.automaton.classes))
        if number == len(self.automaton.classes):
            state = parser.State()
            state.flags = flags
            matching = set(compiler.compile(parser.SubPattern(state, [item]), flags).findall(self._symbols))
            mask = np.array([symbol in matching for symbol in self._symbols]) & self._writable
            self.automaton.classes.append(mask)
            if item[0] is ops.LITERAL and not mask.any():
                self.automaton.missing[chr(item[1])] = None
        return number
