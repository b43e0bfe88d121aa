"""The writer that a page carries, in Node: its numbers are Python's."""

import numpy as np
import pytest

from tests.conftest import describe, random_weights
from tests.page.node import Node, node, write_model
from textgen import Generator
from textgen.config import Shape
from textgen.corpus.vocabulary import Vocabulary
from textgen.description import Description
from textgen.generation.recurrent import Recurrent
from textgen.model_file import LayerWeights, Weights, read_model, shipped

__all__ = ["node"]

KANA = [chr(point) for point in range(0x3041, 0x3097)]
KANJI = [chr(point) for point in range(0x4E00, 0x4E00 + 3000 - len(KANA) - 1)]
LOGITS = """
import { networkOf } from "./network.js";
const network = networkOf(modelAt(data.path));
const state = network.start();
const rows = data.codes.map((code) => {
  network.read(code, state);
  return Float32Array.from(network.predict(state));
});
writeFileSync(`${data.path}.logits`, Buffer.concat(rows.map((row) => Buffer.from(row.buffer))));
answer(null);
"""
WRITE = """
import { writerOf } from "./model.js";
const writer = writerOf(modelAt(data.path));
const texts = [];
for (const settings of data.asked) {
  let text = "";
  await writer.write(settings, (piece) => (text += piece));
  texts.push(text);
}
answer(texts);
"""
ARGMAX = {"temperature": 0, "sentence": False}

Built = tuple[str, Description, Weights]


def logits_of(weights: Weights, codes: list[int]) -> np.ndarray:
    network = Recurrent(weights)
    state = network.start()
    return np.array([network.step(np.array([code]), state)[0].copy() for code in codes])


def logits_in(node: Node, path: str, codes: list[int]) -> np.ndarray:
    node(LOGITS, path=path, codes=codes)
    return np.fromfile(f"{path}.logits", np.float32).reshape(len(codes), -1)


def random_model(cell: str, vocabulary: Vocabulary, units: int, embedding: int, seed: int = 0) -> tuple[Shape, Weights]:
    """A network that forgets as trained ones do, so that differences in the last bits stay there."""
    shape = Shape(layers=2, units=units, dropout=0.0, embedding=embedding, cell=cell)
    weights = Weights.from_list(random_weights(shape, len(vocabulary), seed, scale=1.0))
    layers = [
        LayerWeights(kernel / np.float32(len(kernel) ** 0.5), own / np.float32(units**0.5), bias / np.float32(10))
        for kernel, own, bias in weights.layers
    ]
    return shape, Weights(weights.embedding, tuple(layers), weights.head, weights.head_bias).rounded()


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The bundled model."""
    model = read_model(shipped())
    path = write_model(tmp_path_factory.mktemp("play") / "model", model.description, model.weights)
    return path, model.description, model.weights


@pytest.fixture(scope="module")
def novel(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A model of 3,000 Japanese symbols."""
    vocabulary = Vocabulary(["\n", *KANA, *KANJI])
    shape, weights = random_model("lstm", vocabulary, 300, 64)
    description = describe(vocabulary, shape, unicode="nfc")
    return write_model(tmp_path_factory.mktemp("novel") / "model", description, weights), description, weights


@pytest.mark.parametrize("name", ["play", "novel"])
def test_logits_and_the_likeliest_text_are_those_of_python(
    name: str, node: Node, request: pytest.FixtureRequest
) -> None:
    path, description, weights = request.getfixturevalue(name)
    generator = Generator(description, weights)
    text = generator.generate(length=500, temperature=1.0, rng_seed=4)
    codes = generator.encode(text).tolist()
    assert np.abs(logits_in(node, path, codes) - logits_of(weights, codes)).max() < 1e-4

    seed = text[:40]
    asked = {"prompt": seed, "length": 2000} | ARGMAX
    assert node(WRITE, path=path, asked=[asked]) == [generator.generate(seed, length=2000, temperature=0)]
