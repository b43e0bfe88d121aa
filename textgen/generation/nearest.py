"""Replaces unknown characters by similar ones: of another composition, width, case, typography, or without accents."""

import unicodedata
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Literal

from textgen.corpus.normalisation import begins_anew
from textgen.corpus.vocabulary import Vocabulary

# Typographic characters and what typewriters have for them, each way, the likelier first.
VARIANTS = [
    "'’‘‛`´′",
    '"”“„‟″«»',
    "-–—‐‑‒―−",
    " \u00a0\u2002\u2003\u2009\u202f\u3000",
    "~〜～",
    ",、，",
    ".。．",
]
FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
LONGEST_SHAPE = 18  # characters that the longest of Unicode's symbols (U+FDFA) decomposes into
MOST_SEQUENCES = 3  # that one symbol stands for: the full stops of an ellipsis


def nearest(text: str, vocabulary: Vocabulary) -> str:
    """The text with another form of each sequence that the vocabulary lacks, as far as it has one.

    A sequence is a character with the marks that combine with it, because they are often one symbol: `e` and U+0301
    are `é`, the half-width `ｶ` and `ﾞ` are `ガ`.
    """
    shapes, sequences = _shapes(vocabulary), _sequences(text)
    place, forms = 0, []
    while place < len(sequences):
        count, form = 1, sequences[place]
        if not _all_known(form, vocabulary):
            joint = ((count, "".join(sequences[place : place + count])) for count in range(MOST_SEQUENCES, 1, -1))
            together = ((count, shapes[shape]) for count, part in joint if (shape := _shape(part)) in shapes)
            count, form = next(together, (1, _form(form, vocabulary, shapes)))
        forms.append(form)
        place += count
    return "".join(forms)


def _sequences(text: str) -> list[str]:
    starts = [place for place, symbol in enumerate(text) if place == 0 or begins_anew(symbol)]
    return [text[start:end] for start, end in pairwise([*starts, len(text)])]


def _shape(text: str) -> str:
    """What all compositions and widths of a text have in common."""
    return unicodedata.normalize("NFKD", text)


def _shapes(vocabulary: Vocabulary) -> dict[str, str]:
    """The symbol of each shape; of several the plain one, as `A` before the full-width `Ａ`."""
    plain_first = sorted(
        vocabulary.symbols, key=lambda symbol: (symbol != unicodedata.normalize("NFKC", symbol), symbol)
    )
    return {_shape(symbol): symbol for symbol in reversed(plain_first)}


def _all_known(text: str, vocabulary: Vocabulary) -> bool:
    return all(symbol in vocabulary for symbol in text)


def _form(sequence: str, vocabulary: Vocabulary, shapes: Mapping[str, str]) -> str:
    """Another form of one sequence, or of those of its symbols that have one."""
    found = next(_forms(sequence, vocabulary, shapes), None)
    if found is None and len(sequence) > 1:
        return "".join([symbol if symbol in vocabulary else _form(symbol, vocabulary, shapes) for symbol in sequence])
    return sequence if found is None else found


def _forms(sequence: str, vocabulary: Vocabulary, shapes: Mapping[str, str]) -> Iterator[str]:
    """All known forms, the nearest first."""
    for variants in VARIANTS:
        if sequence in tuple(variants):
            yield from (kin for kin in variants if kin in vocabulary)
    yield from (form for name in FORMS if _all_known(form := unicodedata.normalize(name, sequence), vocabulary))
    bare = "".join([part for part in _shape(sequence) if not unicodedata.combining(part)])
    for other in (sequence, sequence.swapcase(), bare, bare.swapcase()):
        spelled = _spelled(_shape(other), shapes)
        if spelled:
            yield spelled


def _spelled(shape: str, shapes: Mapping[str, str]) -> str | None:
    """A shape in symbols of the vocabulary, each as long as can be; None where it lacks one."""
    place, symbols = 0, []
    while place < len(shape):
        ends = range(min(len(shape), place + LONGEST_SHAPE), place, -1)
        end = next((end for end in ends if shape[place:end] in shapes), None)
        if end is None:
            return None
        symbols.append(shapes[shape[place:end]])
        place = end
    return "".join(symbols)
