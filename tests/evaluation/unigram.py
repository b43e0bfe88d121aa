"""Models that know only how often a character occurs, so that what they say of a text can be computed by hand."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.conftest import describe
from textgen.config import Shape
from textgen.corpus.vocabulary import Vocabulary
from textgen.model_file import WEIGHTS, add_description, layout

CONFIG = Shape(layers=1, units=2, dropout=0.0, embedding=1)


def write_unigram(folder: Path, probabilities: Mapping[str, float], **description: Any) -> Path:
    """Write a run folder whose model gives each character a probability, wherever it stands."""
    vocabulary = Vocabulary(sorted(probabilities))
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, shape in layout(CONFIG, len(vocabulary)).items():
            file[name] = np.zeros(shape, np.float32)
        biases = file["layers/dense/vars/1"]
        biases[...] = np.log([probabilities[symbol] for symbol in vocabulary.symbols])
    folder.mkdir()
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr(WEIGHTS, content.getvalue())
    add_description(folder / "model.keras", describe(vocabulary, CONFIG, **description))
    return folder
