"""Generation with a trained model: seed phrase → text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import PATH, expect, expect_known, shown, strings
from textgen.cells import CELLS
from textgen.config import COUNT
from textgen.description import Description
from textgen.generation.batch import ROWS, in_order
from textgen.generation.compiled import prepare
from textgen.generation.logprobs import Logprob, Logprobs
from textgen.generation.request import ASKED, Request, WritingOptions
from textgen.generation.sampling import likelihoods
from textgen.generation.seed import Unknown, encode_seed
from textgen.generation.stream import EndedBy, Seed, Stream
from textgen.machine import cores
from textgen.model_file import Weights, read_model, shipped


@dataclass(frozen=True)
class Text:
    """A finished text.

    Attributes:
        seed: the seed phrase, as it was given.
        text: the generated text, without the seed phrase.
        number: index of the text among those of the same seed phrase, from 0.
        rng_seed: random seed; with the same number, it gives the same text again.
        stopped_by: `length`; `end`; `stop`; or the name of the constraint that left nothing to write (for `match`, the
            regular end of a text).
        stop: the stop string that was found and cut off.
        logprobs: the predictions of its characters, if `logprobs` was given.
    """

    seed: str
    text: str
    number: int
    rng_seed: int
    stopped_by: EndedBy
    stop: str | None = None
    logprobs: tuple[Logprob, ...] | None = None


class Generator:
    """Generates text with a trained network. Any number of threads may use it; calls are independent.

    Attributes:
        description: the description in the model file.
        network: the model's network, for a `Batch`.
    """

    def __init__(self, description: Description, weights: Weights) -> None:
        """Create a generator from a network's description and weights."""
        self.description = description
        if description.text.replacement is not None:  # it is read, but never generated
            bias = weights.head_bias.copy()
            bias[description.vocabulary.codes[description.text.replacement]] = -np.inf
            weights = replace(weights, head_bias=bias)
        self.network = prepare(weights)

    def __repr__(self) -> str:
        text, shape, symbols = self.description.text, self.description.model, len(self.description.vocabulary)
        network = f"{shape.layers} × {CELLS[shape.cell].keras}({shape.units})"
        return f"<Generator of {network}, {symbols:,} symbols, from {shown(text.name)}>"

    def generate(self, seed: str = "", **options: Unpack[WritingOptions]) -> str:
        """Generate the text that follows a seed phrase; the seed is not part of it.

        Args:
            seed: the seed phrase. An empty one starts as after a newline, or after a random character if the
                vocabulary has no newline.
            **options: the options of the text:
                `length` (default 500), number of characters to generate;
                `stop`, one or several strings; the text ends before the first one found;
                `end`: `line`, `sentence` or `paragraph`; the text continues after `length` to the next such end, for
                at most 500 characters;
                `unknown` (default `error`), what to do with a character of the seed that is not in the vocabulary:
                `error`, `skip` or `nearest`;
                `rng_seed`, which makes the text reproducible; None draws one at random;
                `only` and `without`, the characters to use only, and those never to use;
                `ban`, one or several strings never to generate, not even if they begin in the seed;
                `no_repeat`, the number of characters in a row that never occur twice, in seed and text together;
                `no_copy`, the number of characters in a row that never occur in the training text, or instead in the
                files, folders or `Corpus` of `against`;
                `match`, a regular expression that the whole text matches, without the seed;
                `logit_bias`, characters → numbers from -100 to 100 that are added to their logits first;
                `temperature` (default 0.7; 0 always takes the most probable character), `top_k`, `top_p` and `min_p`
                as in `SamplingConfig`, or all four in one object as `sampling`.

        Raises:
            SeedError: the seed has a character that is not in the vocabulary.
            CorpusError: a text not to copy from is missing or cannot be read.
            ValueError: an argument is out of its range, contradicts another, or leaves nothing to write.
            TypeError: an argument is of a wrong type.
        """
        return "".join(self.stream(seed, **options))

    def stream(self, seed: str = "", **options: Unpack[WritingOptions]) -> Iterator[str]:
        """Generate as `generate` does, yielding the text in pieces of one or a few characters as they are generated."""
        expect_known(options, ASKED)
        expect("seed", seed, str)
        return (piece for _, piece in self.write(seed, **options) if piece)

    def texts(
        self, seeds: str | Sequence[str] = "", *, count: int = 1, **options: Unpack[WritingOptions]
    ) -> Iterator[Text]:
        """Generate several texts in parallel, on all cores; yield the finished texts in order.

        A text depends only on the model, its seed phrase, its number, `rng_seed` and the options: not on the number of
        texts, nor on the other seeds. Any number of texts takes the memory of a few.

        Args:
            seeds: one or several seed phrases.
            count: number of texts for each seed phrase.
            **options: those of `generate`, and `logprobs`: adds the log-probability of each character, and of this many
                most probable ones.

        Raises:
            TextgenError, ValueError, TypeError: as from `generate`.
        """
        return _whole(self.write(seeds, count=count, **options))

    def write(
        self, seeds: str | Sequence[str] = "", *, count: int = 1, **options: Unpack[WritingOptions]
    ) -> Iterator[tuple[Stream, str]]:
        """Generate as `texts` does, yielding each text as a stream with its next piece while it is generated.

        All pieces of one text come before those of the next; with the last, the stream's `stopped_by` is set.
        """
        streams = self.streams(seeds, count=count, **options)
        several = 1 if isinstance(seeds, str) else len(seeds)
        return in_order(self.network, streams, max(1, min(count * several, ROWS * cores())))

    def streams(
        self, seeds: str | Sequence[str] = "", *, count: int = 1, **options: Unpack[WritingOptions]
    ) -> Iterator[Stream]:
        """The texts that `texts` would generate, as streams for a `Batch` of the generator's `network`."""
        request = Request(self.description, **options)
        phrases = strings("seed" if isinstance(seeds, str) else "seeds", seeds)
        count = COUNT.check("count", count)
        read = [(phrase, self._codes(phrase, request.unknown)) for phrase in phrases]
        begun = (  # made one after the other: each holds what the network remembers of it
            self.seed(codes, phrase, rng_seed=request.rng_seed, shared=count > 1) for phrase, codes in read
        )
        return (request.stream(seed, number) for seed in begun for number in range(count))

    def encode(self, seed: str, unknown: Unknown = "error") -> NDArray[np.integer]:
        """The codes of a seed phrase, `(N,)`, normalised as the model's text was; `SeedError` as from `generate`."""
        expect("seed", seed, str)
        return self._codes(seed, unknown)

    def seed(self, codes: NDArray[np.integer], text: str, *, rng_seed: int = 0, shared: bool = False) -> Seed:
        """What a stream begins with: the codes, or without any what an empty seed phrase stands for.

        Args:
            codes: from `encode`, shape `(N,)`.
            text: the phrase that they are the codes of.
            rng_seed: draws the character to begin after if the vocabulary has no newline.
            shared: whether several texts begin so.
        """
        implied = not len(codes)
        return Seed(self._start(rng_seed) if implied else codes, text, shared=shared, implied=implied)

    def predict(self, seed: str = "", *, unknown: Unknown = "error") -> dict[str, float]:
        """The probability of each character to follow a seed phrase, the most probable first.

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
        """The code that is read for an empty seed phrase."""
        vocabulary, text = self.description.vocabulary, self.description.text
        if "\n" in vocabulary:
            return np.array([vocabulary.codes["\n"]])
        likely = [symbol for symbol in vocabulary.symbols if symbol != text.replacement]
        return np.array([vocabulary.codes[likely[int(np.random.default_rng(rng_seed).integers(len(likely)))]]])


def _whole(pieces: Iterator[tuple[Stream, str]]) -> Iterator[Text]:
    """Put the pieces of each text together."""
    parts: list[str] = []
    for stream, piece in pieces:
        parts.append(piece)
        if stream.stopped_by is not None:
            text, observer = "".join(parts), stream.observer
            logprobs = observer.of(text) if isinstance(observer, Logprobs) else None
            yield Text(stream.seed.text, text, stream.number, stream.rng_seed, stream.stopped_by, stream.stop, logprobs)
            parts.clear()


def load(path: str | Path | None = None) -> Generator:
    """Load a model for generating: from a run folder or a `.keras` file, or without `path` the bundled model.

    Neither Keras nor TensorFlow is imported.

    Raises:
        ModelFileError: the model is missing, damaged, not one of textgen's, or written by a newer textgen.
        TypeError: `path` is not a path.
    """
    expect("path", path, PATH | None)
    model = read_model(shipped() if path is None else path)
    return Generator(model.description, model.weights)
