"""How much of the time each unit's gates are open or shut: Karpathy, Johnson and Fei-Fei, 2015, section 4.3."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPEN, SHUT = 0.9, 0.1
MOSTLY = 0.9  # of the time: what counts as always


@dataclass(frozen=True, eq=False)
class Saturation:
    """The share of the characters at which each gate is open, above 0.9, or shut, below 0.1.

    Attributes:
        gates: their names.
        layers: counted from 1.
        is_open: shares, float64 `(gates, layers, U)`: what the paper calls right-saturated.
        is_shut: shares likewise: left-saturated.
        characters: their number.
    """

    gates: tuple[str, ...]
    layers: tuple[int, ...]
    is_open: NDArray[np.float64]
    is_shut: NDArray[np.float64]
    characters: int

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        gates = [
            {"gate": gate, "layer": layer, "open": self.is_open[g, n].tolist(), "shut": self.is_shut[g, n].tolist()}
            for g, gate in enumerate(self.gates)
            for n, layer in enumerate(self.layers)
        ]
        return {"characters": self.characters, "gates": gates}


def saturated(
    pieces: Iterable[Mapping[str, NDArray[Any]]], gates: tuple[str, ...], layers: tuple[int, ...]
) -> Saturation:
    """How much of the time gates are open or shut, in the memory of one piece.

    Args:
        pieces: at least one, each with the values of every gate, `(T, layers, U)`.
        gates: their names.
        layers: of the values.
    """
    is_open: Any = 0
    is_shut: Any = 0
    characters = 0
    for piece in pieces:
        is_open = is_open + np.stack([(piece[gate] > OPEN).sum(axis=0) for gate in gates])
        is_shut = is_shut + np.stack([(piece[gate] < SHUT).sum(axis=0) for gate in gates])
        characters += len(piece[gates[0]])
    return Saturation(gates, layers, is_open / characters, is_shut / characters, characters)
