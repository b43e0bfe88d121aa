"""The description of a model, which is the entry `textgen.json` of its file: read strictly, key by key."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from textgen.arguments import Checked, Range, check_sha256, check_text, listed, shown, within
from textgen.config import (
    BATCH_SIZE,
    LEARNING_RATE,
    LONGEST_NAME,
    LONGEST_SEPARATOR,
    RNG_SEED,
    UNICODE,
    VALIDATION,
    WINDOW,
    Shape,
)
from textgen.corpus.normalisation import Normalisation
from textgen.corpus.vocabulary import Sources, Vocabulary

FORMAT = 4
LATER = (  # the format that brought a key, the part that has it, the key, and what older files mean without it
    (2, "text", "repair", False),
    (3, "training", "temperature", None),
    (4, "model", "cell", "lstm"),
    (4, "text", "strip", None),
    (4, "text", "separator", None),
    (4, "text", "sources", ()),
)
MOST_SOURCES = 10_000  # texts of a model that it can tell apart: of more, it keeps no hashes
MOST_VERSIONS, LONGEST_VERSION = 50, 100  # how many, and characters of each
CHARACTERS = Range(int, 0, 10**15)
AMOUNT = Range(float, 0, 1e40)  # a float32's loss, or how much was done
TEMPERATURE = Range(float, 0, 100, above_low=True)


@dataclass(frozen=True)
class TextInfo(Checked):
    """The training text of a model, and how it was normalised."""

    name: str
    sha256: str  # of the normalised text in UTF-8
    characters: int = field(metadata=within(CHARACTERS))
    unicode: str  # none, nfc or nfkc
    lowercase: bool
    replacement: str | None  # the symbol that stands for rare ones
    repair: bool = False  # whether what could be mended in it was
    strip: bool | None = None  # whether what libraries added was removed; None of models that do not say
    separator: str | None = None  # between two of the texts that it was joined from, likewise
    sources: Sources = ()  # those texts, in order; none if they are unknown, or more than `MOST_SOURCES`

    def __post_init__(self) -> None:
        """Raise `TypeError` or `ValueError` for a value that cannot be."""
        object.__setattr__(self, "sources", _checked_sources(self.sources))
        super().__post_init__()
        if self.separator is not None:
            check_text("separator", self.separator, LONGEST_SEPARATOR)
        check_text("name", self.name, LONGEST_NAME)
        check_sha256(self.sha256)
        if self.unicode not in UNICODE:
            raise ValueError(f"`unicode` must be one of {', '.join(UNICODE)}, not {shown(self.unicode)}")

    @property
    def normalisation(self) -> Normalisation:
        """The normalisation of its characters, which also applies to everything else that the model reads."""
        return Normalisation(self.unicode, self.lowercase)


def _checked_sources(sources: object) -> Sources:
    if not isinstance(sources, list | tuple) or len(sources) > MOST_SOURCES:
        raise ValueError(f"`sources` must be a list of at most {MOST_SOURCES:,} texts, not {shown(sources)}")
    for source in sources:
        if not isinstance(source, list | tuple) or len(source) != 2:
            raise ValueError(f"`sources` must be pairs of a hash and a number of characters, not {shown(source)}")
        check_sha256(source[0])
    return tuple((sha256, CHARACTERS.check("characters", characters)) for sha256, characters in sources)


@dataclass(frozen=True)
class TrainingInfo(Checked):
    """How a model was trained, up to the saved weights."""

    epochs: float = field(metadata=within(AMOUNT))
    seconds: float = field(metadata=within(AMOUNT))
    window: int = field(metadata=within(WINDOW))
    batch_size: int = field(metadata=within(BATCH_SIZE))
    learning_rate: float = field(metadata=within(LEARNING_RATE))
    validation: float = field(metadata=within(VALIDATION))
    rng_seed: int = field(metadata=within(RNG_SEED))
    validation_nats: float | None = field(
        metadata=within(AMOUNT)
    )  # validation loss of these weights; None if nothing was held out
    versions: dict[str, str]
    date: str  # ISO 8601
    # What the logits were divided by after the training; None if nothing was gained by that, or nothing held out.
    temperature: float | None = field(default=None, metadata=within(TEMPERATURE))

    def __post_init__(self) -> None:
        """Raise `TypeError` or `ValueError` for a value that cannot be."""
        super().__post_init__()
        if len(self.versions) > MOST_VERSIONS:
            raise ValueError(f"`versions` must be at most {MOST_VERSIONS} entries, not {len(self.versions):,}")
        for text in (*self.versions, *self.versions.values(), self.date):
            check_text("versions and date", text, LONGEST_VERSION)


@dataclass(frozen=True)
class Description:
    """The contents of `textgen.json`."""

    vocabulary: Vocabulary
    model: Shape
    text: TextInfo
    training: TrainingInfo

    def to_json(self) -> str:
        """The entry's text."""
        parts = {name: asdict(getattr(self, name)) for name in ("model", "text", "training")}
        content = {"format": FORMAT, "vocabulary": list(self.vocabulary.symbols), **parts}
        return json.dumps(content, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Check and take over the entry's text; `ValueError` for anything unexpected."""
        values = json.loads(content, parse_constant=_refuse)
        if not isinstance(values, dict) or type(values.get("format")) is not int or values["format"] < 1:
            raise ValueError("its format is missing")
        if values["format"] > FORMAT:
            raise ValueError(
                f"it has format {shown(values['format'])}, of a newer textgen; "
                f"this one reads up to {FORMAT}: update textgen"
            )
        if odd := set(values) ^ {"format", "vocabulary", "model", "text", "training"}:
            raise ValueError(f"it has missing or unknown keys: {listed(odd)}")
        if not isinstance(values["vocabulary"], list):
            raise ValueError("its vocabulary is not a list")
        vocabulary = Vocabulary(values["vocabulary"])
        values |= _with_later_keys(values)
        text = TextInfo.from_dict(values["text"])
        if text.replacement is not None and (text.replacement not in vocabulary or len(vocabulary) == 1):
            raise ValueError("its replacement is not one of several symbols of its vocabulary")
        return cls(vocabulary, Shape.from_dict(values["model"]), text, TrainingInfo.from_dict(values["training"]))


def _with_later_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a description, with the keys that were added after its format."""
    parts = {name: values[name] for _, name, _, _ in LATER if isinstance(values[name], dict)}
    for since, name, key, meaning in LATER:
        if values["format"] < since and name in parts:
            if key in parts[name]:
                raise ValueError(f"it has missing or unknown keys: {key}")
            parts[name] = parts[name] | {key: meaning}
    return parts


def _refuse(constant: str) -> None:
    raise ValueError(f"it has a number that is {constant}")
