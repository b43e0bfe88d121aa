"""What a request for texts asks: its JSON, checked field by field. A token is a character."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from textgen.serving.limits import BANNED, LONGEST, LONGEST_MATCH, MOST_LOGPROBS, STOPS, TEXTS
from textgen.serving.refusal import RefusalError

Asked = TypeVar("Asked", bound=BaseModel)

# OpenAI's fields that are not supported, textgen's that are not served, and what may be said of them all the same.
UNSUPPORTED: dict[str, tuple[Any, ...]] = {
    "best_of": (1,),
    "suffix": ("",),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "no_copy": (),
    "against": ([],),
}


def _prompt(value: Any) -> Any:
    value = "" if value is None else value
    items = value if isinstance(value, list) else [value]
    texts = all(isinstance(item, str) for item in items)
    codes = isinstance(value, list) and all(_is_code(item) for item in items)
    lists = isinstance(value, list) and all(isinstance(item, list) and all(map(_is_code, item)) for item in items)
    if not (texts or codes or lists):
        raise ValueError("must be a string, a list of strings, a list of codes, or a list of such lists")
    if isinstance(value, list) and not value:
        raise ValueError("must not be an empty list; an empty string begins a text anew")
    return value


def _is_code(item: Any) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 2**31


def _texts(most: int) -> BeforeValidator:
    """A string or a list of at most so many of them, none empty, as a list."""

    def check(value: Any) -> Any:
        items = [] if value is None else [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValueError("must be a string or a list of strings")
        if len(items) > most:
            raise ValueError(f"must be at most {most:,} strings, not {len(items):,}")
        if not all(0 < len(item) <= LONGEST for item in items):
            raise ValueError(f"must be strings of 1 to {LONGEST:,} characters")
        return items

    return BeforeValidator(check)


def _off(value: Any) -> Any:
    return None if value in (0, -1) and not isinstance(value, bool) else value


def _biases(value: dict[str, float]) -> dict[str, float]:
    for key in value:
        if len(key) != 1:
            raise ValueError(f"must name single characters, which are the tokens here, not {key[:20]!r}")
    return value


TEXT = {"type": "string"}
PROMPT_SCHEMA = {
    "anyOf": [
        TEXT,
        {"type": "array", "items": TEXT, "minItems": 1},
        {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
        {"type": "array", "items": {"type": "array", "items": {"type": "integer", "minimum": 0}}, "minItems": 1},
        {"type": "null"},
    ]
}


def _texts_schema(most: int) -> WithJsonSchema:
    one = {"type": "string", "minLength": 1, "maxLength": LONGEST}
    return WithJsonSchema({"anyOf": [one, {"type": "array", "items": one, "maxItems": most}, {"type": "null"}]})


class StreamOptions(BaseModel):
    """What a stream has beside its text."""

    model_config = ConfigDict(strict=True, extra="ignore")

    include_usage: bool | None = Field(None, description="Send the number of characters in a last event.")


class Completion(BaseModel):
    """A request for texts that continue prompts, as OpenAI's reference has it; a token is a character."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)

    model: str = Field(description="The name of a model, from /v1/models.")
    prompt: Annotated[Any, BeforeValidator(_prompt), WithJsonSchema(PROMPT_SCHEMA)] = Field(
        "", description="The text to continue: one or several, as strings or as lists of codes."
    )
    max_tokens: int | None = Field(None, ge=0, description="Characters to write; 16 if not given.")
    temperature: float | None = Field(None, ge=0, le=100, description="0 is greedy; 1 if not given.")
    top_p: float | None = Field(None, ge=0, le=1, description="Nucleus sampling; 1 is off.")
    n: int | None = Field(None, ge=1, le=TEXTS, description="Texts for each prompt.")
    stop: Annotated[list[str], _texts(STOPS), _texts_schema(STOPS)] = Field(
        [], description="A text ends before the first of these strings."
    )
    seed: int | None = Field(
        None, ge=-(2**63), lt=2**63, description="Random seed: the same one gives the same text again."
    )
    stream: bool | None = Field(None, description="Send the text while it is written, as server-sent events.")
    stream_options: StreamOptions | None = None
    logprobs: int | None = Field(
        None, ge=0, le=MOST_LOGPROBS, description="Tell log-probabilities, and those of so many likeliest characters."
    )
    echo: bool | None = Field(None, description="Begin with the prompt.")
    logit_bias: Annotated[dict[str, Annotated[float, Field(ge=-100, le=100)]], AfterValidator(_biases)] | None = Field(
        None, max_length=1000, description="Single characters, and what is added to their logits."
    )
    user: str | None = Field(None, description="Not used.")
    top_k: Annotated[int | None, BeforeValidator(_off)] = Field(
        None, ge=1, le=1_114_112, description="Sample from the k most probable characters; 0 and -1 are off."
    )
    min_p: float | None = Field(
        None, ge=0, le=1, description="Drop characters less probable than this fraction of the most probable one."
    )
    only: str | None = Field(None, description="Write with these characters only.")
    without: str | None = Field(None, description="Never write these characters.")
    ban: Annotated[list[str], _texts(BANNED), _texts_schema(BANNED)] = Field([], description="Never write these.")
    no_repeat: int | None = Field(None, ge=2, le=1000, description="Never repeat so many characters in a row.")
    match: str | None = Field(
        None, min_length=1, max_length=LONGEST_MATCH, description="The text matches this regular expression as a whole."
    )
    end: Literal["line", "sentence", "paragraph"] | None = Field(
        None, description="After max_tokens go on to the end of the line, sentence or paragraph, at most 500 more."
    )
    unknown: Literal["error", "skip", "nearest"] | None = Field(
        None, description="What to do with characters of a prompt that the model does not know; error if not given."
    )

    @property
    def prompts(self) -> list[str | list[int]]:
        """The prompts, each a text or its codes."""
        if isinstance(self.prompt, list) and not isinstance(self.prompt[0], int):
            return self.prompt
        return [self.prompt]

    @property
    def texts(self) -> int:
        """How many texts are asked for."""
        return len(self.prompts) * (self.n or 1)


def parsed(kind: type[Asked], content: bytes) -> Asked:
    """A request's JSON as an object; `RefusalError` for the first thing that is wrong with it."""
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise refused(error) from None


def refused(error: ValidationError) -> RefusalError:
    """What to answer: the field that is wrong, and why."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    why = first["msg"].removeprefix("Value error, ")
    if first["type"] == "json_invalid":
        return RefusalError(
            400, f"the request's body is not JSON: {why.removeprefix('Invalid JSON: ')}", code="invalid_json"
        )
    if not first["loc"]:
        return RefusalError(400, "the request's body must be a JSON object")
    name = str(first["loc"][0])[:40]
    if first["type"] == "missing":
        return RefusalError(400, f"`{name}` is missing", param=name, code="missing_required_parameter")
    return RefusalError(400, f"`{name}`: {why[:1].lower()}{why[1:]}", param=name, code="invalid_value")


def check(asked: Completion, *, strict: bool) -> tuple[str, ...]:
    """Check what goes beyond single fields; return the names of the fields that are passed over.

    Raises:
        RefusalError: something is not supported, or contradicts something else.
    """
    extra = asked.model_extra or {}
    for name, allowed in UNSUPPORTED.items():
        value = extra.get(name)
        if value is None or (not isinstance(value, bool) and value in allowed):
            continue
        if name == "best_of" and value == asked.n:
            continue
        raise RefusalError(400, f"`{name}` is not supported", param=name, code="unsupported_parameter")
    unknown = tuple(name for name in extra if name not in UNSUPPORTED)
    if unknown and strict:
        raise RefusalError(
            400, f"there is no field {unknown[0][:40]!r}", param=unknown[0][:40], code="unknown_parameter"
        )
    if asked.stream_options is not None and not asked.stream:
        raise RefusalError(400, "`stream_options` is only allowed when `stream` is true", param="stream_options")
    if asked.texts > TEXTS:
        raise RefusalError(
            400, f"a request is for at most {TEXTS} texts, prompts times `n`, not {asked.texts:,}", param="n"
        )
    return unknown
