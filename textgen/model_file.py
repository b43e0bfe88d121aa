"""Reads `MODEL.keras` strictly and without Keras, and adds its description, `textgen.json`.

The file is a standard Keras archive: a zip with `config.json`, which only Keras reads, `model.weights.h5`, and one
entry more, `textgen.json`. Nothing in it is ever run: the description is checked key by key, and of the weights only
what Keras itself writes is accepted (hard-linked groups; contiguous, unfiltered, finite float32 of known shapes).
"""

import codecs
import math
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from textgen.bfloat16 import rounded
from textgen.bundled import bundled
from textgen.cells import CELLS, Cell, of_kernel
from textgen.config import Shape
from textgen.description import Description
from textgen.errors import ModelFileError, reason
from textgen.keras_archive import Archive, Array, opened, read_arrays

DAMAGED = "it may be cut short or damaged: copy or train it again"
DESCRIPTION = "textgen.json"
WEIGHTS = "model.weights.h5"
FILE_NAME = "model.keras"  # in a run folder
SHIPPED = "shakespeare.keras"  # in the folder models/ of the package, or of the checkout
MOST_DESCRIPTION = 12 * 2**20  # bytes: a vocabulary of all of Unicode has 9.9 million
MOST_OVERHEAD = 2**20  # bytes that HDF5 may spend beside the numbers
CONTROLS = frozenset(range(32)) - set(b"\t\n\f\r\x1a\x1b")  # bytes that no text in one-byte units has
HEAD = 4096  # bytes by which a text is told


class LayerWeights(NamedTuple):
    """One recurrent layer: `kernel (E or H, GH)`, `recurrent (H, GH)`, `bias (GH,)` or `(2, GH)`; see `cells.CELLS`.

    The gates are in Keras's order, those of an LSTM i, f, c, o.
    """

    kernel: Array
    recurrent: Array
    bias: Array


@dataclass(frozen=True, repr=False)
class Weights:
    """The network's float32 weights: `embedding (V, E)`, the layers, `head (H, V)` and `head_bias (V,)`."""

    embedding: Array
    layers: tuple[LayerWeights, ...]
    head: Array
    head_bias: Array

    @classmethod
    def from_list(cls, arrays: Iterable[Array]) -> Self:
        """Take the arrays in Keras's order, which is the order of the layers."""
        embedding, *parts, head, head_bias = arrays
        layers = [LayerWeights(*parts[start : start + 3]) for start in range(0, len(parts), 3)]
        return cls(embedding, tuple(layers), head, head_bias)

    @property
    def arrays(self) -> list[Array]:
        """The arrays in Keras's order."""
        return [self.embedding, *(array for layer in self.layers for array in layer), self.head, self.head_bias]

    @property
    def cell(self) -> Cell:
        """The cell of the layers."""
        return of_kernel(self.layers[0].recurrent)

    def rounded(self) -> "Weights":
        """The same weights, the matrices rounded to bfloat16, which generating reads faster."""
        layers = [LayerWeights(rounded(kernel), rounded(own), bias) for kernel, own, bias in self.layers]
        return Weights(rounded(self.embedding), tuple(layers), rounded(self.head), self.head_bias)

    def are_finite(self) -> bool:
        """Whether every number is finite."""
        return all(bool(np.isfinite(array).all()) for array in self.arrays)

    def __repr__(self) -> str:
        return f"<Weights: {len(self.layers)} × {self.cell.keras}, {self.parameters:,} parameters>"

    @property
    def parameters(self) -> int:
        """The number of trainable parameters."""
        return sum(array.size for array in self.arrays)


def numbered(name: str, number: int) -> str:
    """The name of a layer, of several of a kind, as Keras counts them."""
    return f"{name}_{number}" if number else name


def layout(config: Shape, symbols: int) -> dict[str, tuple[int, ...]]:
    """Where Keras keeps each weight inside `model.weights.h5`, and its shape, in the order of the layers."""
    shapes: dict[str, tuple[int, ...]] = {"layers/embedding/vars/0": (symbols, config.embedding)}
    cell = CELLS[config.cell]
    width, gates = config.embedding, cell.gates * config.units
    bias = (gates,) if cell.biases == 1 else (cell.biases, gates)
    for number in range(config.layers):
        layer = f"layers/{numbered(cell.name, number)}/cell/vars"
        shapes |= {f"{layer}/0": (width, gates), f"{layer}/1": (config.units, gates), f"{layer}/2": bias}
        width = config.units
    return shapes | {"layers/dense/vars/0": (width, symbols), "layers/dense/vars/1": (symbols,)}


@dataclass(frozen=True, eq=False)
class Model:
    """A model read from its file."""

    path: Path
    description: Description
    weights: Weights


def add_description(archive: Path, description: Description) -> None:
    """Add `textgen.json` to an archive written by Keras."""
    entry = zipfile.ZipInfo(DESCRIPTION)  # a fixed date: the same training writes the same entry
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(entry, description.to_json())


def shipped() -> Path:
    """The bundled model: inside the package if installed from a wheel, or in the checkout.

    Raises:
        ModelFileError: it is in neither place.
    """
    if (path := bundled(f"models/{SHIPPED}")).is_file():
        return path
    raise ModelFileError(f"{SHIPPED}: is not part of this installation; name a run folder or a .keras file")


def locate(path: str | Path) -> Path:
    """The model file for a run folder or a file name.

    Raises:
        ModelFileError: there is none.
    """
    if not str(path):
        raise ModelFileError("the path of the model is empty; name a run folder or a .keras file")
    path = Path(path)
    try:
        candidate = path / FILE_NAME if path.is_dir() else path
        if candidate.is_file():
            return candidate
        is_folder = path.is_dir()
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({reason(error)}); name a run folder or a .keras file") from error
    if is_folder:
        others = sorted(str(other) for other in path.glob("*.keras"))
        remedy = f"name {' or '.join(others[:3])}" if others else "name a run folder or a .keras file"
        raise ModelFileError(f"{path}: the folder has no {FILE_NAME}; {remedy}")
    raise ModelFileError(f"{path}: no such model; name a run folder or a .keras file")


def named(path: Path) -> str:
    """The name of a model: that of its run folder, or of its file."""
    return path.absolute().parent.name if path.name == FILE_NAME else path.stem


def read_model(path: str | Path) -> Model:
    """Read a run folder's model, or a `.keras` file.

    Raises:
        ModelFileError: it is missing, damaged, not a textgen model, or written by a newer textgen.
    """
    path = locate(path)
    with _reading(path):
        return Model(path, *_read(path))


def read_description(path: str | Path) -> Description:
    """Read only what a run folder's model, or a `.keras` file, says of itself.

    Raises:
        ModelFileError: as from `read_model`, except that the weights may still be damaged.
    """
    path = locate(path)
    with _reading(path), opened(path) as archive:
        return _described(archive)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Raise `ModelFileError`, which names the file, for what goes wrong while it is read."""
    try:
        yield
    except zipfile.BadZipFile as error:
        raise ModelFileError(
            f"{path}: {_recognised(path) or f'not a complete Keras archive ({error}); {DAMAGED}'}"
        ) from error
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({reason(error)}); expected a .keras file") from error
    except MemoryError as error:
        raise ModelFileError(
            f"{path}: there is not enough memory to read it; free some memory, or use a machine with more"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: not a textgen model: {error}") from error


def _read(path: Path) -> tuple[Description, Weights]:
    with opened(path) as archive:
        description = _described(archive)
        shapes = layout(description.model, len(description.vocabulary))
        size = 4 * sum(math.prod(shape) for shape in shapes.values())
        content = archive.read(WEIGHTS, least=size, most=size + MOST_OVERHEAD)
    return description, Weights.from_list(read_arrays(content, shapes))


def _described(archive: Archive) -> Description:
    if DESCRIPTION not in archive:
        raise ValueError(
            f"it has no {DESCRIPTION}, so its vocabulary is unknown; expected one that textgen has trained"
        )
    return Description.from_json(archive.read(DESCRIPTION, most=MOST_DESCRIPTION))


def _recognised(path: Path) -> str:
    """A message for other kinds of files that are often mistaken for a model; empty if it is none of them."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(b"\x89HDF"):
        return "is an HDF5 file with weights only; expected a .keras file that textgen has trained"
    marked = head.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if head and (marked or not CONTROLS & set(head)):
        return "is a text, not a model; train a model on it, and name its run folder"
    return ""
