"""A checked request and a model → the streams that the engine writes; it takes a thread, since prompts may be long."""

import re
import secrets
from dataclasses import dataclass
from typing import Any

import numpy as np

from textgen.config import RNG_SEED
from textgen.errors import SeedError, TextgenError
from textgen.generation.generator import Generator
from textgen.generation.request import Request
from textgen.generation.seed import Unknown
from textgen.serving.asking import Completion
from textgen.serving.choices import Choice, Predictions
from textgen.serving.engine import Writing
from textgen.serving.limits import MOST_STATES, MOST_TOLD, Limits
from textgen.serving.models import Loaded
from textgen.serving.refusal import RefusalError

TOKENS = 16  # characters written where `max_tokens` is not given, as in OpenAI's reference
NAMES = {"length": "max_tokens", "rng_seed": "seed"}  # the library's names → the request's
FEW, SHORT = 4, 1000  # texts, and characters of prompts, that are planned without a thread
CODES = np.dtype(np.int32)


@dataclass(frozen=True)
class Plan:
    """The texts to write for a request.

    Attributes:
        choices: the texts.
        read: characters of the prompts.
        rng_seed: the random seed of all of them.
    """

    choices: list[Choice]
    read: int
    rng_seed: int


def plan(asked: Completion, model: Loaded, limits: Limits) -> Plan:
    """Prepare the texts; `RefusalError` for what this model cannot do."""
    length = TOKENS if asked.max_tokens is None else asked.max_tokens
    if length > limits.max_tokens:
        raise RefusalError(
            400, f"`max_tokens` is at most {limits.max_tokens:,} here, not {length:,}", param="max_tokens"
        )
    if (size := sum(map(len, asked.prompts))) > limits.max_prompt:
        raise RefusalError(
            400,
            f"the prompts have {size:,} characters; at most {limits.max_prompt:,} are read here, and beyond a few "
            "thousand more change nothing: send the end of the text",
            param="prompt",
            code="context_length_exceeded",
        )
    told = 0 if asked.logprobs is None else (asked.logprobs + 1) * (length * asked.texts + (asked.echo or 0) * size)
    if told > MOST_TOLD:
        raise RefusalError(
            400,
            f"so many log-probabilities, {told:,}, are not told at once; at most {MOST_TOLD:,} are: ask for fewer "
            "characters, texts or `logprobs`",
            param="logprobs",
        )
    rng_seed = secrets.randbits(32) if asked.seed is None else asked.seed % (RNG_SEED.high + 1)
    try:
        request = Request(model.generator.description, **_options(asked, length), rng_seed=int(rng_seed))
        if request.states > MOST_STATES:
            raise ValueError(f"`match` has more than {MOST_STATES:,} states; expected smaller counts, or * and +")
        return _texts(asked, model.generator, request, length, live=bool(asked.stream))
    except SeedError as error:
        raise RefusalError(400, str(error), param="prompt", code="unknown_characters") from None
    except (ValueError, TypeError, TextgenError) as error:
        raise _as_refusal(error) from None


def is_light(asked: Completion) -> bool:
    """Whether texts are planned within a fraction of a millisecond."""
    heavy = (
        asked.unknown or asked.match or asked.ban or asked.only or asked.without or asked.no_repeat or asked.logit_bias
    )
    return not heavy and asked.texts <= FEW and sum(map(len, asked.prompts)) <= SHORT


def _options(asked: Completion, length: int) -> dict[str, Any]:
    temperature = 1.0 if asked.temperature is None else asked.temperature
    greedy = asked.top_p == 0
    return {
        "length": length,
        "temperature": temperature,
        "top_k": 1 if greedy else asked.top_k,
        "top_p": None if greedy or asked.top_p == 1 else asked.top_p,
        "min_p": asked.min_p or None,
        "stop": asked.stop,
        "end": asked.end,
        "only": asked.only,
        "without": asked.without,
        "ban": asked.ban,
        "no_repeat": asked.no_repeat,
        "match": asked.match,
        "logit_bias": asked.logit_bias or {},
    }


def _texts(asked: Completion, generator: Generator, request: Request, length: int, *, live: bool) -> Plan:
    choices: list[Choice] = []
    read, count = 0, asked.n or 1
    symbols = generator.description.vocabulary.symbols
    echo, told = bool(asked.echo), asked.logprobs is not None
    for prompt in asked.prompts:
        codes = _codes(generator, prompt, asked.unknown or "error")
        read += len(codes)
        as_read = "".join([symbols[code] for code in codes.tolist()])
        text = as_read if told or not isinstance(prompt, str) else prompt
        observed = echo and told  # each text then reads its prompt itself, since it is asked what that costs
        seed = generator.seed(codes, text, rng_seed=request.rng_seed, shared=count > 1)
        for number in range(count):
            if observed:
                seed = generator.seed(codes, text, rng_seed=request.rng_seed)
            predictions = Predictions(symbols, asked.logprobs or 0) if told else None
            stream = request.stream(seed, number, observer=predictions, observe_seed=observed)
            writing = Writing(stream, generator.network, live=live)
            choices.append(Choice(len(choices), writing, prompt=text, echo=echo, predictions=predictions))
    return Plan(choices, read, request.rng_seed)


def _codes(generator: Generator, prompt: str | list[int], unknown: Unknown) -> np.ndarray[Any, Any]:
    if isinstance(prompt, str):
        return generator.encode(prompt, unknown)
    symbols = len(generator.description.vocabulary)
    if (highest := max(prompt, default=0)) >= symbols:
        raise ValueError(f"`prompt` has the code {highest:,}; the model's {symbols:,} characters have those below that")
    return np.array(prompt, CODES)


def _as_refusal(error: Exception) -> RefusalError:
    """An error of the library, whose message names an argument in backticks, as an answer."""
    message = str(error)
    for ours, theirs in NAMES.items():
        message = message.replace(f"`{ours}`", f"`{theirs}`")
    named = [name for name in re.findall(r"`(\w+)", message) if name in Completion.model_fields]
    return RefusalError(400, message, param=named[0] if named else None, code="invalid_value")
