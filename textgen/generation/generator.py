"""A model that writes: seed phrase → text."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np

from textgen.arguments import PATH, expect, expect_known, shown
from textgen.config import COUNT, LENGTH, RNG_SEED, SamplingConfig
from textgen.generation.compiled import prepare
from textgen.generation.seed import Unknown, encode_seed, normalised
from textgen.generation.stopping import StopFinder
from textgen.generation.writing import ROWS, Group, Writing
from textgen.model_file import Description, Weights, read_model, shipped


class SamplingOptions(TypedDict, total=False):
    """The fields of `SamplingConfig`, as keyword arguments."""

    temperature: float
    top_k: int | None
    top_p: float | None
    min_p: float | None


class Generator:
    """Writes text with a trained network. Every call starts anew; calls do not disturb each other.

    Attributes:
        description: what the model's file says of it.
    """

    def __init__(self, description: Description, weights: Weights) -> None:
        """Take a network's description and its weights."""
        self.description = description
        if description.text.replacement is not None:  # it is read, and never written
            bias = weights.head_bias.copy()
            bias[description.vocabulary.codes[description.text.replacement]] = -np.inf
            weights = replace(weights, head_bias=bias)
        self._network = prepare(weights)

    def __repr__(self) -> str:
        text, shape, symbols = self.description.text, self.description.model, len(self.description.vocabulary)
        return f"<Generator of {shape.layers} × LSTM({shape.units}), {symbols:,} symbols, from {shown(text.name)}>"

    def generate(
        self,
        seed: str = "",
        *,
        length: int = 500,
        stop: str | Sequence[str] = (),
        rng_seed: int | None = None,
        unknown: Unknown = "error",
        sampling: SamplingConfig | None = None,
        **options: Unpack[SamplingOptions],
    ) -> str:
        """Write the text that follows a seed phrase; the seed is not part of it.

        Args:
            seed: the phrase to go on from. Empty starts as after a newline, or after a random character where the
                model knows no newline.
            length: characters to write.
            stop: strings at which to stop; the one found is cut from the text.
            rng_seed: makes the text repeatable; None draws a fresh one.
            unknown: what becomes of a seed's character that the model does not know: `error`, `skip` or `nearest`.
            sampling: how to choose characters, instead of options.
            **options: `temperature` (default 0.8; 0 always takes the likeliest character), `top_k`, `top_p` and
                `min_p`, as `SamplingConfig` describes them.

        Raises:
            SeedError: the seed has a character that the model does not know.
            ValueError: an argument is out of its range.
            TypeError: an argument is of a wrong type.
        """
        pieces = self.stream(
            seed, length=length, stop=stop, rng_seed=rng_seed, unknown=unknown, sampling=sampling, **options
        )
        return "".join(pieces)

    def stream(
        self,
        seed: str = "",
        *,
        length: int = 500,
        stop: str | Sequence[str] = (),
        rng_seed: int | None = None,
        unknown: Unknown = "error",
        sampling: SamplingConfig | None = None,
        **options: Unpack[SamplingOptions],
    ) -> Iterator[str]:
        """Write as `generate` does, yielding the text in pieces of one or a few characters as they are written."""
        expect_known(options, ("length", "stop", "rng_seed", "unknown", *SamplingOptions.__annotations__, "sampling"))
        config = SamplingConfig.given("sampling", sampling, options)
        writing = self.write(seed, config, length=length, stop=stop, rng_seed=rng_seed, unknown=unknown)
        return (piece for (piece,) in writing if piece)

    def write(
        self,
        seed: str = "",
        sampling: SamplingConfig | None = None,
        *,
        count: int = 1,
        length: int = 500,
        stop: str | Sequence[str] = (),
        rng_seed: int | None = None,
        unknown: Unknown = "error",
    ) -> Writing:
        """Prepare to write several continuations of one seed, side by side; the arguments are those of `generate`.

        Raises:
            SeedError: the seed has a character that the model does not know.
            ValueError: an argument is out of its range.
            TypeError: an argument is of a wrong type.
        """
        expect("seed", seed, str)
        expect("sampling", sampling, SamplingConfig | None)
        expect("stop", stop, str | Sequence)
        stops = [stop] if isinstance(stop, str) else stop
        for place, item in enumerate(stops):
            expect(f"stop[{place}]", item, str)
        length, count = LENGTH.check("length", length), COUNT.check("count", count)
        rng_seed = secrets.randbits(32) if rng_seed is None else RNG_SEED.check("rng_seed", rng_seed)
        description = self.description
        normalisation, replacement = description.text.normalisation, description.text.replacement
        finders = [
            StopFinder([normalised("the text to stop at", item, normalisation) for item in stops]) for _ in range(count)
        ]
        codes = encode_seed(
            seed, description.vocabulary, normalisation=normalisation, replacement=replacement, unknown=unknown
        ).tolist()
        if not codes:
            likely = [symbol for symbol in description.vocabulary.symbols if symbol != replacement]
            random_symbol = likely[int(np.random.default_rng(rng_seed).integers(len(likely)))]
            codes = [description.vocabulary.codes.get("\n", description.vocabulary.codes[random_symbol])]
        return Writing(
            rng_seed=rng_seed,
            length=length,
            symbols=description.vocabulary.symbols,
            groups=self._groups(codes, count, sampling or SamplingConfig(), rng_seed),
            finders=finders,
        )

    def _groups(self, codes: Sequence[int], count: int, sampling: SamplingConfig, rng_seed: int) -> list[Group]:
        """`count` streams that have all read the same codes, in groups as equal as can be."""
        single = self._network.start()
        for code in codes[:-1]:
            self._network.advance(np.array([code]), single)
        groups = []
        parts = -(-count // ROWS)
        for number in range(parts):
            rows = count * (number + 1) // parts - count * number // parts
            state = self._network.start(rows)
            state.copy(slice(None), 0, single)
            self._network.step(np.full(rows, codes[-1]), state)
            groups.append(Group(self._network, state, sampling, np.random.default_rng((rng_seed, number))))
        return groups


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
