"""The configuration of network, training, sampling and reading, each number with its range.

The command line takes its defaults, ranges and error messages from here.
"""

import codecs
from dataclasses import dataclass, field

from textgen.arguments import Checked, Range, check_text, number, shown, within

UNICODE = ("none", "nfc", "nfkc")  # normalisation forms; "none" leaves the text as it is
CELLS = ("lstm", "gru", "rnn")  # recurrent cells, which `cells.py` describes

EPOCHS = Range(int, 1, 1_000_000)
MINUTES = Range(float, 0, 100_000, above_low=True)
LAYERS = Range(int, 1, 8)
UNITS = Range(int, 1, 4096)
DROPOUT = Range(float, 0, 0.9)
EMBEDDING = Range(int, 1, 4096)
WINDOW = Range(int, 2, 10_000)
BATCH_SIZE = Range(int, 1, 4096)
LEARNING_RATE = Range(float, 0, 1, above_low=True)
WEIGHT_DECAY = Range(float, 0, 10)
SEEDS = Range(int, 1, 100)
PATIENCE = Range(int, 1, 1_000_000)
VALIDATION = Range(float, 0, 0.5)
LENGTH = Range(int, 0, 1_000_000_000)
COUNT = Range(int, 1, 1_000_000_000)
CONTEXT = Range(int, 1, 1_000_000)
CHECKPOINT_SECONDS = Range(float, 0, 1_000_000)
WORKER_TIMEOUT = Range(float, 1, 100_000)
RNG_SEED = Range(int, 0, 2**63 - 1)
FOLDS = Range(int, 0, 100)
NO_REPEAT = Range(int, 2, 1000)
NO_COPY = Range(int, 2, 100_000)
LOGPROBS = Range(int, 0, 1000)
LIKELIEST = Range(int, 0, 20)
LOGIT_BIAS = Range(float, -100, 100)
MEMORY = Range(int, 1, 10_000)
TRIALS = Range(int, 1, 1_000_000)

LONGEST_NAME = 1000  # characters of a text's name
LONGEST_SEPARATOR = 10_000  # characters
LARGEST_HOLD_OUT = 200_000  # characters: enough to tell losses 0.005 nats apart, and evaluated in seconds
SMALL_HOLD_OUT = 2_000  # characters, a hundredth: ten times less precise
DEFAULT_CELL, DEFAULT_LAYERS, DEFAULT_UNITS = "lstm", 2, 300
DEFAULT_TRIALS, DEFAULT_TRIAL_MINUTES, DEFAULT_TRIAL_SEED = 20, 5, 1
DEFAULT_PATIENCE = 5  # in a run of epochs; a run with a time budget uses all of it


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
    """Whether a codec encodes each character by itself, unlike escapes and codecs of whole texts such as punycode."""
    probe = r"\u0041 a-b.xn--e1a"
    if "a".encode(name) == b"a":
        read = probe.encode("ascii").decode(name)
        return read.replace("¥", "\\").replace("₩", "\\") == probe  # Japanese and Korean codes have these for it
    encode = codecs.getincrementalencoder(name)().encode
    return encode("a") + encode("b") == "ab".encode(name) and probe.encode(name).decode(name) == probe


@dataclass(frozen=True)
class ModelConfig(Checked):
    """The architecture of the network. A value of `None` is chosen when training starts."""

    layers: int | None = number(LAYERS, None)  # number of stacked recurrent layers
    units: int | None = number(UNITS, None)  # hidden units of each of them
    dropout: float | None = number(DROPOUT, None)  # dropout rate after each of them
    embedding: int | None = number(EMBEDDING, None)  # embedding dimension
    cell: str | None = None  # of the recurrent layers: one of CELLS

    def __post_init__(self) -> None:
        """Raise `TypeError` or `ValueError` for the first value that is not allowed."""
        super().__post_init__()
        if self.cell not in (None, *CELLS):
            raise ValueError(f"`cell` must be one of {', '.join(CELLS)}, not {shown(self.cell)}")


@dataclass(frozen=True)
class Shape(ModelConfig):
    """The architecture of a network, every value decided."""

    layers: int = field(metadata=within(LAYERS))
    units: int = field(metadata=within(UNITS))
    dropout: float = field(metadata=within(DROPOUT))
    embedding: int = field(metadata=within(EMBEDDING))
    cell: str = DEFAULT_CELL


@dataclass(frozen=True)
class TrainingConfig(Checked):
    """How the network is trained. A value of `None` is chosen from the text's size and the budget."""

    window: int = number(WINDOW, 50)  # sequence length (truncated BPTT), in characters
    batch_size: int | None = number(BATCH_SIZE, None)  # sequences trained on in parallel
    learning_rate: float | None = number(LEARNING_RATE, None)  # peak of the learning rate schedule
    patience: int | None = number(PATIENCE, None)  # early stopping: evaluations without improvement
    validation: float = number(VALIDATION, 0.1)  # fraction of the text held out, at its end
    rng_seed: int | None = number(RNG_SEED, None)  # None draws one at random
    weight_decay: float | None = number(WEIGHT_DECAY, None)  # AdamW's, times the learning rate at each step


@dataclass(frozen=True)
class Hyperparameters(TrainingConfig):
    """How a network is trained, every value decided."""

    window: int = field(metadata=within(WINDOW))
    batch_size: int = field(metadata=within(BATCH_SIZE))
    learning_rate: float = field(metadata=within(LEARNING_RATE))
    patience: int | None = field(metadata=within(PATIENCE))  # None: no early stopping
    validation: float = field(metadata=within(VALIDATION))
    rng_seed: int = field(metadata=within(RNG_SEED))
    weight_decay: float = number(WEIGHT_DECAY, 0.1)


@dataclass(frozen=True)
class SamplingConfig(Checked):
    """How the next character is sampled from the predicted distribution."""

    temperature: float = number(Range(float, 0, 100), 0.7)  # 0 is greedy decoding
    top_k: int | None = number(Range(int, 1, 1_114_112), None)  # sample from the k most probable
    top_p: float | None = number(Range(float, 0, 1, above_low=True), None)  # nucleus sampling
    min_p: float | None = number(Range(float, 0, 1), None)  # those at least p times as probable as the top one

    @property
    def filters(self) -> bool:
        """Whether top-k, top-p or min-p is set."""
        return (self.top_k, self.top_p, self.min_p) != (None, None, None)


@dataclass(frozen=True)
class Reading(Checked):
    """How files are read, cleaned and normalised into the text that a model is trained on."""

    encoding: str | None = None  # of all files; None detects that of each file
    glob: str = "*.txt"  # which files of a folder or an archive to read
    separator: str = "\n"  # inserted between two texts
    markup: bool = False  # accept HTML and RTF; their markup is read as text
    repair: bool = False  # repair invalid bytes and mojibake, remove control characters and stray byte order marks
    strip: bool = False  # remove what Project Gutenberg and Aozora Bunko added
    unicode: str = "nfc"  # normalisation form: one of UNICODE
    lowercase: bool = False
    min_count: int = number(Range(int, 1, 1_000_000_000), 1)  # rarer characters become one replacement symbol

    def __post_init__(self) -> None:
        """Raise `ValueError` for the first value that is not allowed."""
        super().__post_init__()
        if self.unicode not in UNICODE:
            raise ValueError(f"`unicode` must be one of {', '.join(UNICODE)}, not {self.unicode!r}")
        check_text("separator", self.separator, LONGEST_SEPARATOR)
        if "\0" in self.separator:
            raise ValueError("`separator` must not contain a NUL character")
        if self.encoding is not None:
            check_encoding(self.encoding)
