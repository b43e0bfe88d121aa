"""Encodes seed phrases in the codes of a model."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import shown
from textgen.corpus.characters import first_named
from textgen.corpus.normalisation import MarksError, Normalisation
from textgen.corpus.vocabulary import Vocabulary
from textgen.errors import SeedError
from textgen.generation.nearest import nearest

Unknown = Literal["error", "skip", "nearest"]


def encode_seed(
    seed: str,
    vocabulary: Vocabulary,
    *,
    normalisation: Normalisation,
    replacement: str | None = None,
    unknown: Unknown = "error",
) -> NDArray[np.int32]:
    """The codes of a seed phrase, shape `(N,)`, normalised as the model's text was.

    Args:
        seed: the phrase; it may be empty.
        vocabulary: the model's.
        normalisation: of the model's text.
        replacement: the symbol that replaced rare characters in it. If there is one, it also replaces unknown ones of
            the seed phrase that `unknown` would refuse, since the model was trained on it.
        unknown: what to do with a character that is not in the vocabulary: `error` refuses it, `skip` drops it,
            `nearest` replaces it by another form of it and of the marks that combine with it: another composition,
            width, case or typography of them, or the letter without its accents.

    Raises:
        SeedError: with `error`, a character is unknown; with `nearest`, one has no other form that is known; with each,
            there are thousands of combining marks in a row.
        ValueError: `unknown` is none of the three.
    """
    if unknown not in get_args(Unknown):
        raise ValueError(f"`unknown` must be one of {', '.join(get_args(Unknown))}, not {shown(unknown)}")
    seed = normalised("the seed", seed, normalisation)
    if unknown == "skip":
        seed = "".join([symbol for symbol in seed if symbol in vocabulary])
    elif unknown == "nearest":
        seed = nearest(seed, vocabulary)
    if replacement is not None:
        seed = "".join([symbol if symbol in vocabulary else replacement for symbol in seed])
    strange = list(dict.fromkeys(symbol for symbol in seed if symbol not in vocabulary))
    if strange:
        remedy = 'write it otherwise or leave it out with `unknown="skip"`'
        if unknown == "error":
            remedy = 'use `unknown="nearest"` or `unknown="skip"`, or change the seed phrase'
        raise SeedError(
            f"the seed phrase has characters that are not in the model's vocabulary: {first_named(strange)}; {remedy}"
        )
    return np.array([vocabulary.codes[symbol] for symbol in seed], np.int32)


def normalised(what: str, text: str, normalisation: Normalisation) -> str:
    """A text that stands before or after what a model writes, normalised as the model's was.

    Raises:
        SeedError: it is no text that people can read; the message calls it `what`.
    """
    try:
        return normalisation(text)
    except MarksError as error:
        raise SeedError(f"{what} {error}") from error
