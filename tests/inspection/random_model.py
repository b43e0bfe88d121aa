"""Models whose cells and gates move, though they have learnt nothing."""

import io
import zipfile
from pathlib import Path

import h5py

from tests.conftest import TEXT, describe, random_weights
from textgen.config import ModelConfig
from textgen.corpus.vocabulary import Vocabulary
from textgen.model_file import WEIGHTS, add_description, layout


def write_random(folder: Path, text: str = TEXT, cell: str = "lstm", layers: int = 1) -> Path:
    """Write a run folder with random weights, of layers of 8 units, for the characters of a text."""
    config, vocabulary = ModelConfig(layers, 8, 0.0, 4, cell), Vocabulary.of(text)
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        names = layout(config, len(vocabulary))  # type: ignore[arg-type]
        for name, array in zip(names, random_weights(config, len(vocabulary), scale=1), strict=True):
            file[name] = array
    folder.mkdir()
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr(WEIGHTS, content.getvalue())
    add_description(folder / "model.keras", describe(vocabulary, config))
    return folder
