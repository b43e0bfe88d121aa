"""Model files to teach with: random networks that know given symbols."""

import io
import zipfile
from pathlib import Path

import h5py

from tests.conftest import describe, random_weights
from textgen.config import Shape
from textgen.corpus.vocabulary import Vocabulary
from textgen.model_file import WEIGHTS, add_description, layout


def write_teacher(
    path: Path, symbols: str, seed: int = 0, *, layers: int = 1, units: int = 8, unicode: str = "none"
) -> Path:
    """A model file of a random network that knows these symbols, in this order."""
    vocabulary, config = Vocabulary(symbols), Shape(layers, units, 0.0, 4)
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, array in zip(
            layout(config, len(vocabulary)), random_weights(config, len(vocabulary), seed, 6 / units), strict=True
        ):
            file[name] = array
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr(WEIGHTS, content.getvalue())
    add_description(path, describe(vocabulary, config, unicode=unicode))
    return path
