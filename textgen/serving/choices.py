"""The texts of a request in the shape that OpenAI's reference gives them: whole, or piece by piece."""

import json
import secrets
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.generation.logprobs import likeliest
from textgen.keras_archive import Array
from textgen.serving.engine import Writing

LEAST = -9999.0  # the log-probability told for one that cannot be, which JSON has no number for
BREAKS = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}  # where some clients end a line, and an event
DONE = b"data: [DONE]\n\n"
ALIVE = b": waiting\n\n"


class Predictions:
    """Observes a stream in the engine's thread, and keeps its predictions as arrays until they are told."""

    def __init__(self, symbols: Sequence[str], count: int) -> None:
        """Keep the `count` most probable of the network's symbols with each character."""
        self._symbols, self._count = symbols, min(count, len(symbols))
        self._blocks: deque[tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]] = (
            deque()
        )
        self._rest: Iterator[tuple[str, float, dict[str, float]]] = iter(())

    def __call__(self, nats: NDArray[np.float64], logits: Array, codes: NDArray[np.intp]) -> None:
        """Keep the next characters' losses `(n,)`, likeliest of the logits `(n, V)`, and codes `(n,)`."""
        if len(codes):
            self._blocks.append((codes.copy(), -nats, *likeliest(nats, logits, codes, self._count)))

    def next(self) -> tuple[str, float, dict[str, float]]:
        """The next character, its log-probability, and those of the likeliest and of itself."""
        for found in self._rest:
            return found
        self._rest = self._told(*self._blocks.popleft())
        return next(self._rest)

    def _told(
        self,
        codes: NDArray[np.intp],
        logprobs: NDArray[np.float64],
        order: NDArray[np.intp],
        shares: NDArray[np.float64],
    ) -> Iterator[tuple[str, float, dict[str, float]]]:
        rows = zip(codes.tolist(), logprobs.tolist(), order.tolist(), shares.tolist(), strict=True)
        for code, logprob, first, values in rows:
            top = {self._symbols[other]: max(LEAST, value) for other, value in zip(first, values, strict=True)}
            symbol, logprob = self._symbols[code], max(LEAST, logprob)
            top[symbol] = logprob
            yield symbol, logprob, top


@dataclass(frozen=True)
class Portion:
    """The next characters of a text.

    Attributes:
        text: they.
        tokens, logprobs, top: one by one, with their log-probabilities, if these are asked for.
        offset: the place of the first one in prompt and text.
    """

    text: str
    tokens: Sequence[str] = ()
    logprobs: Sequence[float | None] = ()
    top: Sequence[dict[str, float] | None] = ()
    offset: int = 0

    def told(self, start: int = 0, end: int | None = None) -> dict[str, Any]:
        """Some of the characters as the reference's `logprobs`."""
        tokens = self.tokens[start:end]
        return {
            "tokens": tokens,
            "token_logprobs": self.logprobs[start:end],
            "top_logprobs": self.top[start:end],
            "text_offset": list(range(self.offset + start, self.offset + start + len(tokens))),
        }


class Choice:
    """One text of a request, put into the reference's shape as it comes.

    Attributes:
        index: its number in the request.
        writing: where it comes from.
        written: characters that have come, the prompt's not counted.
    """

    def __init__(
        self, index: int, writing: Writing, *, prompt: str, echo: bool, predictions: Predictions | None
    ) -> None:
        """Prepare; with predictions and `echo`, `prompt` is the prompt as the model reads it."""
        self.index, self.writing, self.predictions = index, writing, predictions
        self.written = 0
        self._ahead = prompt if echo else ""
        self._offset = 0 if echo else len(prompt)

    def take(self) -> Portion | None:
        """What has come since the last time; None if nothing has."""
        ended = self.writing.ended  # asked first, so that nothing comes after it
        piece = self.writing.take()
        if not piece and not (ended and self._ahead):
            return None
        self.written += len(piece)
        ahead, self._ahead = self._ahead, ""
        text = ahead + piece
        if self.predictions is None:
            return Portion(text)
        predicted = [self.predictions.next() for _ in text[1 if ahead else 0 :]]
        first = [text[0]] if ahead else []
        none = [None] * len(first)
        offset, self._offset = self._offset, self._offset + len(text)
        return Portion(
            text,
            first + [symbol for symbol, _, _ in predicted],
            none + [logprob for _, logprob, _ in predicted],
            none + [top for _, _, top in predicted],
            offset,
        )

    @property
    def finish_reason(self) -> str:
        """Why it has ended, in the reference's words."""
        return "length" if self.writing.stream.stopped_by == "length" else "stop"


class Shape:
    """What all answers to one request have in common."""

    def __init__(self, model: str, fingerprint: str | None, *, usage: bool = False) -> None:
        """Name the answer; with `usage`, a stream ends with the number of characters."""
        self._head = {
            "id": f"cmpl-{secrets.token_hex(12)}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": fingerprint,
        }
        self._usage = usage
        self._begin = f"data: {encoded(self._head)[:-1]},"
        self._end = ',"usage":null}\n\n' if usage else "}\n\n"

    def whole(self, choices: Sequence[Choice], read: int) -> dict[str, Any]:
        """The answer when all texts have ended."""
        told = []
        for choice in choices:
            portion = choice.take() or Portion("")
            told.append(
                {
                    "text": portion.text,
                    "index": choice.index,
                    "logprobs": None if choice.predictions is None else portion.told(),
                    "finish_reason": choice.finish_reason,
                    "stopped_by": choice.writing.stream.stopped_by,
                }
            )
        return self._head | {"choices": told, "usage": usage(choices, read)}

    def events(self, choice: Choice, portion: Portion) -> str:
        """The events for the next characters: one, or with log-probabilities one for each character."""
        if choice.predictions is None:
            return self._event(choice.index, portion.text)
        return "".join(
            [
                self._event(choice.index, token, encoded(portion.told(place, place + 1)))
                for place, token in enumerate(portion.tokens)
            ]
        )

    def last(self, choice: Choice) -> str:
        """The event that ends a text."""
        ends = f'"finish_reason":"{choice.finish_reason}","stopped_by":"{choice.writing.stream.stopped_by}"'
        return f'{self._begin}"choices":[{{"text":"","index":{choice.index},"logprobs":null,{ends}}}]{self._end}'

    def _event(self, index: int, text: str, logprobs: str = "null") -> str:
        return (
            f'{self._begin}"choices":[{{"text":{encoded(text)},"index":{index},"logprobs":{logprobs},'
            f'"finish_reason":null}}]{self._end}'
        )

    def usage(self, choices: Sequence[Choice], read: int) -> str:
        """The event that tells the number of characters, if it is asked for."""
        if not self._usage:
            return ""
        return f'{self._begin}"choices":[],"usage":{encoded(usage(choices, read))}}}\n\n'


def usage(choices: Sequence[Choice], read: int) -> dict[str, int]:
    """How many characters were read, of each prompt once, and written."""
    written = sum(choice.written for choice in choices)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def encoded(value: Any) -> str:
    """A value as JSON without line breaks of any kind."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for symbol, escape in BREAKS.items():
        if symbol in text:
            text = text.replace(symbol, escape)
    return text
