"""A score as a page shows it: the text tinted by surprisal, or by what the model gains over an n-gram."""

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textgen.errors import CorpusError
from textgen.page.tinted import MOST, Alternatives, Detail, Mark, Scale, Tinted
from textgen.wording import counted

if TYPE_CHECKING:
    from textgen.evaluation.score import Score

SURPRISAL = Scale("surprisal", "bits", 10, "expected", "surprising", lines="Most surprising lines")
UNKNOWN = "not in the model's vocabulary"


def tinted(score: "Score", title: str = "Surprisal") -> Tinted:
    """What the page of a score shows.

    Args:
        score: its text must not be empty.
        title: the page's title.
    """
    bpc = "nothing predicted" if math.isnan(score.bpc) else f"{score.bpc:.2f} bits per character"
    gained = None if score.ngram_bits is None else score.ngram_bits - score.bits
    details = [
        Detail("rank", np.where(score.rank > 0, score.rank, np.nan), digits=0),
        Detail("entropy", score.entropy, "bits"),
    ]
    if score.ngram_bits is not None:
        details = [Detail("surprisal", score.bits, "bits"), Detail("n-gram's", score.ngram_bits, "bits"), *details]
    return Tinted(
        title,
        score.text,
        score.bits if gained is None else gained,
        SURPRISAL if gained is None else _against(score.ngram or "n-gram"),
        f"{bpc}, {counted(len(score), 'character')} ({score.part})",
        details,
        _alternatives(score.likeliest, score.likeliest_bits),
        [Mark(start, end, UNKNOWN) for start, end in runs(score.unknown)],
        "Unknown characters",
        score.place.line,
        score.place.column,
    )


def bounded(pieces: Iterable["Score"]) -> Iterator["Score"]:
    """The same pieces of a text; `CorpusError` when they are more than a page holds."""
    characters = 0
    for piece in pieces:
        characters += len(piece)
        if characters > MOST:
            raise CorpusError(f"the text is too long for a page, which holds {MOST:,} characters; give a part of it")
        yield piece


def _against(ngram: str) -> Scale:
    """How many bits less the model needs than the n-gram."""
    return Scale("gain", "bits", 4, f"{ngram} better", "model better", True, True, "Lines where the model gains most")


def _alternatives(letters: NDArray[np.str_], bits: NDArray[np.float32]) -> Alternatives:
    points = np.ascontiguousarray(letters, "<U1").view("<u4").reshape(letters.shape)
    symbols, codes = np.unique(points, return_inverse=True)
    return Alternatives([chr(point) for point in symbols], codes.reshape(letters.shape), np.exp2(-bits))


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Start and end of each stretch that is True."""
    changes = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return [(int(start), int(end)) for start, end in pairwise(changes)][::2]
