"""A model that writes: seed phrase → text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import PATH, expect, expect_known, shown, strings
from textgen.config import COUNT
from textgen.generation.batch import ROWS, in_order
from textgen.generation.compiled import prepare
from textgen.generation.logprobs import Logprob, Logprobs
from textgen.generation.request import ASKED, Request, WritingOptions
from textgen.generation.sampling import likelihoods
from textgen.generation.seed import Unknown, encode_seed
from textgen.generation.stream import EndedBy, Seed, Stream
from textgen.machine import cores
from textgen.model_file import Description, Weights, read_model, shipped


@dataclass(frozen=True)
class Text:
    """A finished text.

    Attributes:
        seed: the phrase that it goes on from, as it was given.
        text: what was written after it.
        number: of the text, among those after the same seed phrase.
        rng_seed: with which the same text is written again, under the same number.
        stopped_by: `length`; `end`; `stop`; or the constraint that left nothing to write, which of `match` is its
            regular end.
        stop: the stop string that was found and cut off.
        logprobs: the predictions of its characters, where they were asked for.
    """

    seed: str
    text: str
    number: int
    rng_seed: int
    stopped_by: EndedBy
    stop: str | None = None
    logprobs: tuple[Logprob, ...] | None = None


class Generator:
    """Writes text with a trained network. Any number of threads may use it; calls do not disturb each other.

    Attributes:
        description: what the model's file says of it.
        network: the model's, ready for steps.
    """

    def __init__(self, description: Description, weights: Weights) -> None:
        """Take a network's description and its weights."""
        self.description = description
        if description.text.replacement is not None:  # it is read, and never written
            bias = weights.head_bias.copy()
            bias[description.vocabulary.codes[description.text.replacement]] = -np.inf
            weights = replace(weights, head_bias=bias)
        self.network = prepare(weights)

    def __repr__(self) -> str:
        text, shape, symbols = self.description.text, self.description.model, len(self.description.vocabulary)
        return f"<Generator of {shape.layers} × LSTM({shape.units}), {symbols:,} symbols, from {shown(text.name)}>"

    def generate(self, seed: str = "", **options: Unpack[WritingOptions]) -> str:
        """Write the text that follows a seed phrase; the seed is not part of it.

        Args:
            seed: the phrase to go on from. Empty starts as after a newline, or after a random character where the
                model knows no newline.
            **options: what is asked of the text:
                `length` (default 500), characters to write;
                `stop`, a string or several at which to stop; the one found is cut from the text;
                `end`: with `line`, `sentence` or `paragraph` the text goes on after `length` to the next such end, at
                most 500 characters more;
                `unknown` (default `error`), what becomes of a seed's character that the model does not know: `error`,
                `skip` or `nearest`;
                `rng_seed`, which makes the text repeatable; None draws a fresh one;
                `only` and `without`, the characters that it is made of, and those that it does not have;
                `ban`, a string or several that are never written, not across the seed's border either;
                `no_repeat`, how many characters in a row never come twice in the text and its seed;
                `no_copy`, how many never stand in the text that the model was trained on, or in the files, folders or
                `Corpus` of `against`;
                `match`, a regular expression that the text as a whole matches, its seed aside;
                `temperature` (default 0.8; 0 always takes the likeliest character), `top_k`, `top_p` and `min_p`, as
                `SamplingConfig` describes them, or a whole one as `sampling`.

        Raises:
            SeedError: the seed has a character that the model does not know.
            CorpusError: a text not to copy from cannot be read, or is not at hand.
            ValueError: an argument is out of its range, contradicts another, or leaves nothing to write.
            TypeError: an argument is of a wrong type.
        """
        return "".join(self.stream(seed, **options))

    def stream(self, seed: str = "", **options: Unpack[WritingOptions]) -> Iterator[str]:
        """Write as `generate` does, yielding the text in pieces of one or a few characters as they are written."""
        expect_known(options, ASKED)
        expect("seed", seed, str)
        return (piece for _, piece in self.write(seed, **options) if piece)

    def texts(
        self, seeds: str | Sequence[str] = "", *, count: int = 1, **options: Unpack[WritingOptions]
    ) -> Iterator[Text]:
        """Write several texts side by side, on all cores; yield them, finished, in their order.

        A text depends on the model, its seed phrase, its number, `rng_seed` and the options, and on nothing else: not
        on how many are written, nor on the other seeds. Any number of texts takes the memory of a few.

        Args:
            seeds: a seed phrase or several.
            count: how many texts to write after each.
            **options: those of `generate`, and `logprobs`, of how many of the likeliest characters each text gives the
                log-probability, beside that of the one written.

        Raises:
            TextgenError, ValueError, TypeError: as from `generate`.
        """
        return _whole(self.write(seeds, count=count, **options))

    def write(
        self, seeds: str | Sequence[str] = "", *, count: int = 1, **options: Unpack[WritingOptions]
    ) -> Iterator[tuple[Stream, str]]:
        """Write as `texts` does, yielding each text as a stream with its next piece while it is written.

        All pieces of one text come before those of the next; with the last, the stream's `stopped_by` is known.
        """
        streams = self.streams(seeds, count=count, **options)
        several = 1 if isinstance(seeds, str) else len(seeds)
        return in_order(self.network, streams, max(1, min(count * several, ROWS * cores())))

    def streams(
        self, seeds: str | Sequence[str] = "", *, count: int = 1, **options: Unpack[WritingOptions]
    ) -> Iterator[Stream]:
        """The texts that `texts` would write, for a `Batch` of one's own over the generator's `network`."""
        request = Request(self.description, **options)
        phrases = strings("seed" if isinstance(seeds, str) else "seeds", seeds)
        count = COUNT.check("count", count)
        read = [(phrase, self._codes(phrase, request.unknown)) for phrase in phrases]
        start = self._start(request.rng_seed)
        begun = (  # made one after the other: each holds what the network remembers of it
            Seed(codes if len(codes) else start, phrase, shared=count > 1, implied=not len(codes))
            for phrase, codes in read
        )
        return (request.stream(seed, number) for seed in begun for number in range(count))

    def predict(self, seed: str = "", *, unknown: Unknown = "error") -> dict[str, float]:
        """The probability of each character to follow a seed phrase, the likeliest first.

        Raises:
            SeedError, ValueError, TypeError: as from `generate`.
        """
        expect("seed", seed, str)
        codes = self._codes(seed, unknown)
        *read, last = codes if len(codes) else self._start(0)
        state = self.network.start()
        for code in read:
            self.network.advance(np.array([code]), state)
        shares = likelihoods(self.network.step(np.array([last]), state))[0]
        shares /= shares.sum()
        order = np.argsort(-shares, kind="stable").tolist()
        vocabulary, replacement = self.description.vocabulary, self.description.text.replacement
        symbols = [vocabulary.symbols[code] for code in order]
        return {
            symbol: share
            for symbol, share in zip(symbols, shares[order].tolist(), strict=True)
            if symbol != replacement
        }

    def _codes(self, seed: str, unknown: Unknown) -> NDArray[np.integer]:
        """The codes of a seed phrase."""
        vocabulary, text = self.description.vocabulary, self.description.text
        return encode_seed(
            seed, vocabulary, normalisation=text.normalisation, replacement=text.replacement, unknown=unknown
        )

    def _start(self, rng_seed: int) -> NDArray[np.integer]:
        """The code that an empty seed phrase stands for."""
        vocabulary, text = self.description.vocabulary, self.description.text
        likely = [symbol for symbol in vocabulary.symbols if symbol != text.replacement]
        random_symbol = likely[int(np.random.default_rng(rng_seed).integers(len(likely)))]
        return np.array([vocabulary.codes.get("\n", vocabulary.codes[random_symbol])])


def _whole(pieces: Iterator[tuple[Stream, str]]) -> Iterator[Text]:
    """Put the pieces of each text together."""
    parts: list[str] = []
    for stream, piece in pieces:
        parts.append(piece)
        if stream.stopped_by is not None:
            text, seen = "".join(parts), stream.observer
            logprobs = seen.of(text) if isinstance(seen, Logprobs) else None
            yield Text(stream.seed.text, text, stream.number, stream.rng_seed, stream.stopped_by, stream.stop, logprobs)
            parts.clear()


def load(path: str | Path | None = None) -> Generator:
    """Open a run folder's model, a `.keras` file, or with neither the shipped model, for writing.

    Neither Keras nor TensorFlow is imported.

    Raises:
        ModelFileError: it is missing, damaged, not a model of textgen's, or written by a newer textgen.
        TypeError: `path` is none.
    """
    expect("path", path, PATH | None)
    model = read_model(shipped() if path is None else path)
    return Generator(model.description, model.weights)
