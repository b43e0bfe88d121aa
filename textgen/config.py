"""What a user can set, numbers with their range: the network's, the training's, the sampler's and the reader's.

The command line takes its defaults, its ranges and its error messages from here.
"""

import codecs
from dataclasses import dataclass, field

from textgen.arguments import Checked, Range, number, shown, within

UNICODE = ("none", "nfc", "nfkc")  # forms: as it is; composed; composed, and what is merely another shape replaced

EPOCHS = Range(int, 1, 1_000_000)
MINUTES = Range(float, 0, 100_000, above_low=True)
LAYERS = Range(int, 1, 8)
UNITS = Range(int, 1, 4096)
DROPOUT = Range(float, 0, 0.9)
EMBEDDING = Range(int, 1, 4096)
WINDOW = Range(int, 2, 10_000)
BATCH_SIZE = Range(int, 1, 4096)
LEARNING_RATE = Range(float, 0, 1, above_low=True)
PATIENCE = Range(int, 1, 1_000_000)
VALIDATION = Range(float, 0, 0.5)
LENGTH = Range(int, 0, 1_000_000_000)
COUNT = Range(int, 1, 10_000)
CONTEXT = Range(int, 1, 1_000_000)
CHECKPOINT_SECONDS = Range(float, 0, 1_000_000)
RNG_SEED = Range(int, 0, 2**63 - 1)

LONGEST_NAME = 1000  # characters of what a text is called
USUAL_LAYERS, USUAL_UNITS = 2, 300  # of a network of which nothing else is said


def check_encoding(name: str) -> None:
    """Raise `ValueError` unless Python knows a text encoding of this name."""
    try:
        is_one = _encodes_text(name)
    except (LookupError, ValueError, TypeError):  # unknown, or a codec of something else than text
        is_one = False
    if not is_one:
        raise ValueError(
            f"`encoding` must be a text encoding that Python knows, such as utf-8, cp932 or latin-1, not {shown(name)}"
        )


def _encodes_text(name: str) -> bool:
    """Whether a codec gives each character bytes of its own, which no escapes or arithmetic on whole texts do."""
    probe = r"\u0041 a-b.xn--e1a"
    if "a".encode(name) == b"a":
        read = probe.encode("ascii").decode(name)
        return read.replace("¥", "\\").replace("₩", "\\") == probe  # how Japan's and Korea's codes show it
    encode = codecs.getincrementalencoder(name)().encode
    return encode("a") + encode("b") == "ab".encode(name) and probe.encode(name).decode(name) == probe


@dataclass(frozen=True)
class ModelConfig(Checked):
    """The shape of the network. What is `None` is chosen when training starts."""

    layers: int | None = number(LAYERS, None)  # stacked LSTMs
    units: int | None = number(UNITS, None)  # of each LSTM
    dropout: float | None = number(DROPOUT, None)  # share of each LSTM's outputs, in training
    embedding: int | None = number(EMBEDDING, None)  # numbers that stand for one character


@dataclass(frozen=True)
class Shape(ModelConfig):
    """The shape of a network, with nothing left open."""

    layers: int = field(metadata=within(LAYERS))
    units: int = field(metadata=within(UNITS))
    dropout: float = field(metadata=within(DROPOUT))
    embedding: int = field(metadata=within(EMBEDDING))


@dataclass(frozen=True)
class TrainingConfig(Checked):
    """How the network is trained. What is `None` is chosen from the text's size and the budget."""

    window: int = number(WINDOW, 50)  # characters between two updates
    batch_size: int | None = number(BATCH_SIZE, None)  # streams read at once
    learning_rate: float | None = number(LEARNING_RATE, None)  # the peak of the schedule
    patience: int | None = number(PATIENCE, None)  # scorings without a better one
    validation: float = number(VALIDATION, 0.1)  # share of the text held out, from its end
    rng_seed: int | None = number(RNG_SEED, None)  # None draws a fresh one


@dataclass(frozen=True)
class Hyperparameters(TrainingConfig):
    """How a network is trained, with nothing left open."""

    window: int = field(metadata=within(WINDOW))
    batch_size: int = field(metadata=within(BATCH_SIZE))
    learning_rate: float = field(metadata=within(LEARNING_RATE))
    patience: int | None = field(metadata=within(PATIENCE))  # None does without early stopping
    validation: float = field(metadata=within(VALIDATION))
    rng_seed: int = field(metadata=within(RNG_SEED))


@dataclass(frozen=True)
class SamplingConfig(Checked):
    """How the next character is chosen from the network's predictions."""

    temperature: float = number(Range(float, 0, 100), 0.8)  # 0 always takes the likeliest character
    top_k: int | None = number(Range(int, 1, 1_114_112), None)  # keep only the k likeliest
    top_p: float | None = number(Range(float, 0, 1, above_low=True), None)  # keep the likeliest of sum p
    min_p: float | None = number(Range(float, 0, 1), None)  # keep those of at least p times the likeliest

    @property
    def filters(self) -> bool:
        """Whether anything but the temperature decides."""
        return (self.top_k, self.top_p, self.min_p) != (None, None, None)


@dataclass(frozen=True)
class Reading(Checked):
    """How files become the text that a model is trained on."""

    encoding: str | None = None  # of all files; None tells each one's from its bytes
    glob: str = "*.txt"  # which files of a folder or an archive are texts
    separator: str = "\n"  # between two texts
    markup: bool = False  # take HTML and RTF for texts, read as they are
    repair: bool = False  # mend foreign bytes and mojibake, take out control characters and inner byte order marks
    strip: bool = False  # take out what Project Gutenberg and Aozora Bunko have added
    unicode: str = "nfc"  # form of Unicode: one of UNICODE
    lowercase: bool = False
    min_count: int = number(Range(int, 1, 1_000_000_000), 1)  # rarer symbols become one replacement symbol

    def __post_init__(self) -> None:
        """Raise `ValueError` for the first value that cannot be."""
        super().__post_init__()
        if self.unicode not in UNICODE:
            raise ValueError(f"`unicode` must be one of {', '.join(UNICODE)}, not {self.unicode!r}")
        if "\0" in self.separator:
            raise ValueError("`separator` must have no NUL, which no text has")
        if self.encoding is not None:
            check_encoding(self.encoding)
