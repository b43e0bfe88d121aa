"""The options of generated texts: checked, and prepared for a model once for all of its texts."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

import numpy as np

from textgen.arguments import expect, expect_known, shown, strings
from textgen.config import LENGTH, LOGIT_BIAS, LOGPROBS, RNG_SEED, SamplingConfig
from textgen.description import Description
from textgen.generation.endings import End, Ending
from textgen.generation.logprobs import Logprobs
from textgen.generation.matching import Pattern
from textgen.generation.rules import RuleOptions, rules
from textgen.generation.seed import Unknown, normalised
from textgen.generation.stopping import StopFinder
from textgen.generation.stream import Observer, Seed, Stream
from textgen.keras_archive import Array


class SamplingOptions(TypedDict, total=False):
    """The fields of `SamplingConfig`, as keyword arguments."""

    temperature: float
    top_k: int | None
    top_p: float | None
    min_p: float | None


class WritingOptions(SamplingOptions, RuleOptions, total=False):
    """All options of a text, as keyword arguments; `Generator.generate` describes them."""

    length: int
    stop: str | Sequence[str]
    end: End | None
    rng_seed: int | None
    unknown: Unknown
    logprobs: int | None
    logit_bias: Mapping[str, float]
    sampling: SamplingConfig | None


ASKED = (*WritingOptions.__annotations__,)


class Request:
    """The options of texts, checked for a model.

    Attributes:
        unknown: what to do with characters of a seed that are not in the vocabulary.
        rng_seed: the given random seed, or one drawn at random.
    """

    def __init__(self, description: Description, **options: Unpack[WritingOptions]) -> None:
        """Check the options, and prepare what all texts share.

        Raises:
            TextgenError, ValueError, TypeError: as from `Generator.generate`.
        """
        expect_known(options, ASKED)
        asked: dict[str, Any] = {**options}
        self.unknown: Unknown = asked.pop("unknown", "error")
        rng_seed, logprobs = asked.pop("rng_seed", None), asked.pop("logprobs", None)
        self.rng_seed = secrets.randbits(32) if rng_seed is None else RNG_SEED.check("rng_seed", rng_seed)
        self._logprobs = logprobs if logprobs is None else LOGPROBS.check("logprobs", logprobs)
        self._bias = _bias(asked.pop("logit_bias", {}), description)
        self._length = LENGTH.check("length", asked.pop("length", 500))
        stops, self._end = strings("stop", asked.pop("stop", ())), asked.pop("end", None)
        if self._end is not None:
            Ending(self._end, self._length)  # raises for an unknown end
        ruled = {name: asked.pop(name) for name in RuleOptions.__annotations__ if name in asked}
        self._sampling = SamplingConfig.given("sampling", asked.pop("sampling", None), asked)
        self._stops = [normalised("the text to stop at", stop, description.text.normalisation) for stop in stops]
        StopFinder(self._stops)  # raises for an empty stop string
        self._rules = rules(description, self._length, **ruled)
        self._symbols = description.vocabulary.symbols

    @property
    def states(self) -> int:
        """The number of states that the regular expression of `match` has, 0 without one."""
        return max([rule.states for rule in self._rules if isinstance(rule, Pattern)], default=0)

    def stream(
        self, seed: Seed, number: int, *, observer: Observer | None = None, observe_seed: bool = False
    ) -> Stream:
        """A new stream: the text with this number that continues the seed.

        Args:
            seed: what it begins with.
            number: its number.
            observer: observes it, in place of the one that `logprobs` asks for.
            observe_seed: whether it observes the seed's characters too.
        """
        if observer is None and self._logprobs is not None:
            observer = Logprobs(self._symbols, self._logprobs)
        return Stream(
            seed,
            self._symbols,
            sampling=self._sampling,
            length=self._length,
            rng_seed=self.rng_seed,
            number=number,
            stops=self._stops,
            end=self._end,
            constraints=[rule.begin(seed.read, self._length) for rule in self._rules],
            bias=self._bias,
            observer=observer,
            observe_seed=observe_seed,
        )


def _bias(asked: Mapping[str, float], description: Description) -> Array | None:
    """What is added to the logits `(V,)`; None if that is nothing."""
    expect("logit_bias", asked, Mapping)
    bias = np.zeros(len(description.vocabulary), np.float32)
    for symbol, value in asked.items():
        if symbol not in description.vocabulary:
            raise ValueError(f"`logit_bias` must name characters of the model's vocabulary, not {shown(symbol)}")
        bias[description.vocabulary.codes[symbol]] = LOGIT_BIAS.check("logit_bias", value)
    return bias if bias.any() else None
