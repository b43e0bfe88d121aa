"""The writer that a page carries, in Node: its numbers are Python's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import TEXT, describe, random_weights
from tests.page.node import Node, node, write_model
from tests.serving.conftest import model_file, serving
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
JUDGED = """
import { writerOf } from "./model.js";
answer(await writerOf(modelAt(data.path)).surprisal(data.text));
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


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Built]:
    """Makes models of random weights."""

    def build(text: str = TEXT, cell: str = "lstm", replacement: str | None = None, **described: Any) -> Built:
        vocabulary = Vocabulary.of(text + (replacement or ""))
        shape, weights = random_model(cell, vocabulary, 21, 5)
        description = describe(vocabulary, shape, replacement=replacement, **described)
        return write_model(tmp_path_factory.mktemp("small") / "model", description, weights), description, weights

    return build


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_other_cells_have_pythons_logits_too(cell: str, node: Node, small: Callable[..., Built]) -> None:
    path, _, weights = small(cell=cell)
    codes = np.random.default_rng(5).integers(len(weights.head_bias), size=60).tolist()
    assert np.abs(logits_in(node, path, codes) - logits_of(weights, codes)).max() < 1e-5


def test_settings_that_draw_nothing_give_pythons_text(node: Node, small: Callable[..., Built]) -> None:
    path, description, weights = small(replacement="\ufffd", unicode="nfc")
    generator, letters = Generator(description, weights), TEXT.replace(" ", "")
    settings: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"prompt": ""}, {}),
        ({"prompt": "The fox “猫”", "sentence": True}, {"seed": "The fox “猫”", "end": "sentence"}),
        ({"prompt": "the do", "noRepeat": 2}, {"seed": "the do", "no_repeat": 2}),
        ({"prompt": "the dog the dog", "noRepeat": 5}, {"seed": "the dog the dog", "no_repeat": 5}),
        ({"prompt": "a", "without": "eo\nee"}, {"seed": "a", "without": "eo\nee"}),
        ({"prompt": "a", "sentence": True, "without": letters}, {"seed": "a", "end": "sentence", "without": letters}),
        ({"prompt": "a", "noRepeat": 3, "without": TEXT[:40]}, {"seed": "a", "no_repeat": 3, "without": TEXT[:40]}),
    ]
    asked = [{"length": 200, "unknown": "nearest"} | ARGMAX | ours for ours, _ in settings]
    options = {"length": 200, "unknown": "nearest", "temperature": 0}
    expected = [generator.generate(**(options | theirs)) for _, theirs in settings]
    assert node(WRITE, path=path, asked=asked) == expected
    assert min(map(len, expected)) < 200  # where nothing was left to write


def test_a_text_depends_on_its_settings_alone(node: Node, small: Callable[..., Built]) -> None:
    path, description, _ = small()
    settings = {"prompt": TEXT, "length": 300, "sentence": False, "temperature": 1.0, "rngSeed": 5}
    fresh, again, longer = node(WRITE, path=path, asked=[settings, settings, settings | {"length": 400}])
    assert fresh == again == longer[:300]
    going_on = settings | {"prompt": TEXT + fresh, "length": 50}  # begins with what is remembered of the other
    assert node(WRITE, path=path, asked=[settings, going_on])[1] == node(WRITE, path=path, asked=[going_on])[0]
    all_at_once = "await Promise.all(data.asked.map(async (settings) => {"
    beside = WRITE.replace("for (const settings of data.asked) {", all_at_once)
    beside = beside.replace("  texts.push(text);\n}", "  texts.push(text);\n}));")
    others = [settings | {"rngSeed": number} for number in (6, 7)]
    assert fresh in node(beside, path=path, asked=[others[0], settings, others[1]])
    assert set(fresh) <= set(description.vocabulary.symbols)


def test_settings_that_cannot_be_are_told(node: Node, small: Callable[..., Built]) -> None:
    path, _, _ = small(replacement="\ufffd")
    script = WRITE.replace("await writer", "try { await writer").replace(
        "  texts.push(text);", "  } catch ({ kind, message }) { text = `${kind}: ${message}`; }\n  texts.push(text);"
    )
    wrong = [{"without": "犬"}, {"without": TEXT}]
    asked = [{"prompt": "", "length": 5} | ARGMAX | one for one in wrong]
    assert node(script, path=path, asked=asked) == [
        "refused: `without` has characters that are not in the model's vocabulary: '犬' (U+72AC)",
        "refused: `without` leaves no character to write",
    ]


def test_a_text_is_stopped_at_once_and_gives_way_to_other_tasks(node: Node, small: Callable[..., Built]) -> None:
    path, _, _ = small()
    script = """
    import { writerOf } from "./model.js";
    const writer = writerOf(modelAt(data.path));
    const settings = { prompt: "", length: 1e9, sentence: false, temperature: 1, rngSeed: 1 };
    const controller = new AbortController();
    const stopped = async (signal, text) => {
      let written = 0;
      const count = (piece) => {
        written += piece.length;
        setTimeout(() => controller.abort());
      };
      const work = text ? writer.surprisal(text, signal) : writer.write(settings, count, signal);
      const name = await work.then(() => "whole", (error) => error.name);
      return [name, written > 0];
    };
    const later = await stopped(controller.signal);
    answer([later, await stopped(controller.signal), await stopped(controller.signal, "a ".repeat(1e5))]);
    """
    assert node(script, path=path) == [["AbortError", True], ["AbortError", False], ["AbortError", False]]


@pytest.mark.parametrize(
    ("text", "described"),
    [
        (TEXT, {}),
        ("か\u3099く ﬁx 猫 THE fox\r\n", {"unicode": "nfkc", "lowercase": True}),
        ("猫 fo\u0301x jum𝒳", {"unicode": "nfc", "replacement": "\ufffd"}),
        ("", {}),
    ],
)
def test_surprisal_is_that_of_the_api(
    text: str, described: dict[str, Any], node: Node, small: Callable[..., Built], tmp_path: Path
) -> None:
    file = tmp_path / "play.keras"
    file.write_bytes(model_file(TEXT.lower() + "がfi\n" + described.get("replacement", ""), **described))
    model = read_model(file)
    with serving(file) as (client, _):
        expected = client.post("/v1/score", json={"model": "play", "text": text}).json()["characters"]
    path = write_model(tmp_path / "model", model.description, model.weights)
    found = node(JUDGED, path=path, text=text)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.keys() == theirs.keys()
        for name in ("symbol", "rank"):
            assert ours[name] == theirs[name], (ours, theirs)
        for name in ("bits", "entropy"):
            assert ours[name] == (theirs[name] and pytest.approx(theirs[name], abs=1e-4)), (ours, theirs)
        assert [symbol for symbol, _ in ours["likeliest"]] == [symbol for symbol, _ in theirs["likeliest"]]
        assert dict(ours["likeliest"]) == pytest.approx(dict(theirs["likeliest"]), abs=1e-4)
