"""MODEL.keras read without Keras, strictly, and described by `textgen.json`.

The file is a standard Keras archive: a zip with `config.json`, which only Keras reads, `model.weights.h5`, and one
entry more, `textgen.json`. Nothing in it is ever run: the description is checked key by key, and of the weights only
what Keras itself writes is accepted (hard-linked groups; contiguous, unfiltered, finite float32 of known shapes).
"""

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self, cast

import h5py
import numpy as np
from numpy.typing import NDArray

from textgen.arguments import Checked
from textgen.bundled import bundled
from textgen.config import UNICODE, ModelConfig
from textgen.corpus.normalisation import Normalisation
from textgen.corpus.vocabulary import Vocabulary
from textgen.errors import ModelFileError, reason

FORMAT = 1
DESCRIPTION = "textgen.json"
WEIGHTS = "model.weights.h5"
FILE_NAME = "model.keras"  # in a run folder
SHIPPED = "shakespeare.keras"  # in the folder models/ of the package, or of the checkout
MOST_DESCRIPTION = 64 * 2**20  # bytes: a vocabulary of all of Unicode fits
MOST_OVERHEAD = 2**20  # bytes that HDF5 may spend beside the numbers

Array = NDArray[np.float32]


class LayerWeights(NamedTuple):
    """One LSTM: `kernel (E or H, 4H)`, `recurrent (H, 4H)`, `bias (4H,)`; gates in Keras's order i, f, c, o."""

    kernel: Array
    recurrent: Array
    bias: Array


@dataclass(frozen=True)
class Weights:
    """The network's float32 weights: `embedding (V, E)`, the LSTMs, `head (H, V)` and `head_bias (V,)`."""

    embedding: Array
    lstms: tuple[LayerWeights, ...]
    head: Array
    head_bias: Array

    @classmethod
    def from_list(cls, arrays: Iterable[Array]) -> Self:
        """Take the arrays in Keras's order, which is the order of the layers."""
        embedding, *lstms, head, head_bias = arrays
        layers = [LayerWeights(*lstms[start : start + 3]) for start in range(0, len(lstms), 3)]
        return cls(embedding, tuple(layers), head, head_bias)

    def are_finite(self) -> bool:
        """Whether every number is finite."""
        arrays = [self.embedding, self.head, self.head_bias, *(array for lstm in self.lstms for array in lstm)]
        return all(bool(np.isfinite(array).all()) for array in arrays)

    @property
    def parameters(self) -> int:
        """The number of trained numbers."""
        ends = self.embedding.size + self.head.size + self.head_bias.size
        return ends + sum(array.size for lstm in self.lstms for array in lstm)


def layout(config: ModelConfig, symbols: int) -> dict[str, tuple[int, ...]]:
    """Where Keras keeps each weight inside `model.weights.h5`, and its shape, in the order of the layers."""
    if config.embedding is None:
        raise ValueError("the embedding's width is not chosen")
    shapes: dict[str, tuple[int, ...]] = {"layers/embedding/vars/0": (symbols, config.embedding)}
    width, gates = config.embedding, 4 * config.units
    for number in range(config.layers):
        cell = f"layers/lstm{f'_{number}' if number else ''}/cell/vars"
        shapes |= {f"{cell}/0": (width, gates), f"{cell}/1": (config.units, gates), f"{cell}/2": (gates,)}
        width = config.units
    return shapes | {"layers/dense/vars/0": (width, symbols), "layers/dense/vars/1": (symbols,)}


@dataclass(frozen=True)
class TextInfo(Checked):
    """The text that a model was trained on, and how it was normalised."""

    name: str
    sha256: str  # of the normalised text in UTF-8
    characters: int
    unicode: str  # none, nfc or nfkc
    lowercase: bool
    replacement: str | None  # the symbol that stands for rare ones

    def __post_init__(self) -> None:
        """Raise `ValueError` for a form of Unicode that does not exist."""
        super().__post_init__()
        if self.unicode not in UNICODE:
            raise ValueError(f"its form of Unicode is {self.unicode!r}, not one of {', '.join(UNICODE)}")

    @property
    def normalisation(self) -> Normalisation:
        """What was done to its characters, and is done to whatever else the model reads."""
        return Normalisation(self.unicode, self.lowercase)


@dataclass(frozen=True)
class TrainingInfo(Checked):
    """How a model was trained, up to the weights that were kept."""

    epochs: float
    seconds: float
    window: int
    batch_size: int
    learning_rate: float
    validation: float
    rng_seed: int
    validation_nats: float | None  # held-out loss of these weights; None without a hold-out
    versions: dict[str, str]
    date: str  # ISO 8601


@dataclass(frozen=True)
class Description:
    """What `textgen.json` says."""

    vocabulary: Vocabulary
    model: ModelConfig
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
        values = json.loads(content)
        if not isinstance(values, dict) or type(values.get("format")) is not int or values["format"] < 1:
            raise ValueError("its format is not given")
        if values["format"] > FORMAT:
            raise ValueError(
                f"it has format {values['format']}, of a newer textgen; this one reads up to {FORMAT}: update textgen"
            )
        if set(values) != {"format", "vocabulary", "model", "text", "training"}:
            raise ValueError(f"it has missing or unknown keys: {', '.join(sorted(values))}")
        if not isinstance(values["vocabulary"], list):
            raise ValueError("its vocabulary is not a list")
        model = ModelConfig.from_dict(values["model"])
        if model.embedding is None or model.dropout is None:
            raise ValueError("its model leaves the embedding or the dropout open")
        vocabulary = Vocabulary(values["vocabulary"])
        text = TextInfo.from_dict(_typed(TextInfo, values["text"]))
        if text.replacement is not None and (text.replacement not in vocabulary or len(vocabulary) == 1):
            raise ValueError("its replacement is not one symbol of several in its vocabulary")
        return cls(
            vocabulary,
            model,
            text,
            TrainingInfo.from_dict(_typed(TrainingInfo, values["training"])),
        )


def _typed(kind: type, values: object) -> Mapping[str, Any]:
    """Check the types of stored values against a dataclass's annotations."""
    if not isinstance(values, dict):
        raise ValueError(f"its {kind.__name__} is not an object")
    for name, expected in kind.__annotations__.items():
        accepted: Any = {float: (int, float), float | None: (int, float, type(None)), dict[str, str]: dict}.get(
            expected, expected
        )
        value = values.get(name)
        if not isinstance(value, accepted) or (isinstance(value, bool) and expected is not bool):
            raise ValueError(f"its {name} is missing or of the wrong type")
    return values


@dataclass(frozen=True, eq=False)
class Model:
    """A model read from its file."""

    path: Path
    description: Description
    weights: Weights


def add_description(archive: Path, description: Description) -> None:
    """Add `textgen.json` to an archive that Keras has written."""
    entry = zipfile.ZipInfo(DESCRIPTION)  # a fixed date: the same training writes the same entry
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(entry, description.to_json())


def shipped() -> Path:
    """The model that comes with textgen: inside the package, where the wheel has it, or in the checkout.

    Raises:
        ModelFileError: it is in neither place.
    """
    if (path := bundled(f"models/{SHIPPED}")).is_file():
        return path
    raise ModelFileError(f"{SHIPPED}: did not come with this textgen; name a run folder or a .keras file")


def locate(path: str | Path) -> Path:
    """The model file that a run folder or a file name stands for.

    Raises:
        ModelFileError: there is none.
    """
    path = Path(path)
    try:
        candidate = path / FILE_NAME if path.is_dir() else path
        if candidate.is_file():
            return candidate
        is_folder = path.is_dir()
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({reason(error)}); name a run folder or a .keras file") from error
    if is_folder:
        raise ModelFileError(f"{path}: the folder has no {FILE_NAME}; name a run folder or a .keras file")
    raise ModelFileError(f"{path}: no such model; name a run folder or a .keras file")


def read_model(path: str | Path) -> Model:
    """Read a run folder's model, or a `.keras` file.

    Raises:
        ModelFileError: it is missing, damaged, not a model of textgen's, or written by a newer textgen.
    """
    path = locate(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if DESCRIPTION not in names:
                raise ModelFileError(
                    f"{path}: has no {DESCRIPTION}, so its vocabulary is unknown; expected a model trained by textgen"
                )
            if WEIGHTS not in names or len(set(names)) != len(names):
                raise ValueError(f"expected one {WEIGHTS} and no entry twice")
            description = Description.from_json(_entry(archive, DESCRIPTION, MOST_DESCRIPTION))
            shapes = layout(description.model, len(description.vocabulary))
            size = 4 * sum(int(np.prod(shape)) for shape in shapes.values())
            weights = _weights(_entry(archive, WEIGHTS, size + MOST_OVERHEAD), shapes)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise ModelFileError(
            f"{path}: not a whole Keras archive ({error}); it may be cut short or damaged: copy or train it again"
        ) from error
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({reason(error)}); expected a .keras file") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{path}: not a model of textgen's: {error}") from error
    return Model(path, description, weights)


def _entry(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """The bytes of an entry of at most `most` bytes; its check sum is compared."""
    entry = archive.getinfo(name)
    if entry.file_size > most:
        raise ValueError(f"{name} is larger than its model can be")
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is compressed, and Keras compresses nothing")
    return archive.read(name)


def _weights(content: bytes, shapes: Mapping[str, tuple[int, ...]]) -> Weights:
    with h5py.File(io.BytesIO(content), "r") as file:
        return Weights.from_list([_dataset(file, name, shape) for name, shape in shapes.items()])


def _dataset(file: Any, name: str, shape: tuple[int, ...]) -> Array:
    """One array of the file, reached by hard links alone: others may lead outside it."""
    item = file
    for part in name.split("/"):
        if not isinstance(item, h5py.Group) or not isinstance(item.get(part, getlink=True), h5py.HardLink):
            raise ValueError(f"its weight {name} is missing or not stored in the file itself")
        item = item[part]
    if not isinstance(item, h5py.Dataset) or item.dtype != np.dtype("<f4") or item.shape != shape:
        raise ValueError(f"its weight {name} is not float32 of shape {shape}, which its configuration asks for")
    if item.id.get_create_plist().get_layout() != h5py.h5d.CONTIGUOUS or item.external:
        raise ValueError(f"its weight {name} is not stored contiguously in the file itself")
    array = cast(Array, item[()])
    if not np.isfinite(array).all():
        raise ValueError(f"its weight {name} has numbers that are not finite; train it again")
    return array
