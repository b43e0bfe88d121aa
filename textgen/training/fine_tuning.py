"""Fine-tuning: starts from a model's weights and adds the characters of the new text to its vocabulary."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from textgen.corpus.corpus import Corpus
from textgen.corpus.vocabulary import Vocabulary
from textgen.errors import CorpusError
from textgen.model_file import Model


def grown_vocabulary(old: Vocabulary, new: Vocabulary) -> Vocabulary:
    """The characters of the model with their codes, then the new ones, sorted by code point."""
    return Vocabulary([*old.symbols, *(symbol for symbol in new.symbols if symbol not in old)])


def grow(model: Model, corpus: Corpus) -> tuple[Corpus, list[NDArray[np.float32]]]:
    """The corpus in the extended vocabulary, and the initial weights for it.

    Characters are matched by identity, not by code. The weights of the old characters are unchanged. A new character
    starts with the mean of their weights as embedding and output weights, and with the smallest of their biases.

    Raises:
        CorpusError: the model's text was normalised differently from the corpus.
    """
    _check_normalisation(model, corpus)
    vocabulary = grown_vocabulary(model.description.vocabulary, corpus.vocabulary)
    weights, more = model.weights, len(vocabulary) - len(model.description.vocabulary)

    def with_means(array: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
        return np.concatenate([array, np.repeat(array.mean(axis=axis, keepdims=True), more, axis=axis)], axis=axis)

    recoded = replace(corpus.recoded(vocabulary), replacement=corpus.replacement or model.description.text.replacement)
    return recoded, [
        with_means(weights.embedding, 0),
        *[array for layer in weights.layers for array in layer],
        with_means(weights.head, 1),
        np.append(weights.head_bias, np.full(more, weights.head_bias.min(), np.float32)),
    ]


def _check_normalisation(model: Model, corpus: Corpus) -> None:
    text, reading = model.description.text, corpus.reading
    if reading.lowercase != text.lowercase:
        wanted = "lowercase text" if text.lowercase else "text that is not converted to lowercase"
    elif reading.unicode != text.unicode:
        wanted = f'text with `unicode="{text.unicode}"`, not {reading.unicode}'
    else:
        return
    raise CorpusError(f"{corpus.label}: the model {model.path} was trained on {wanted}; read the text in the same way")
