"""Runs the page's modules in Node, beside what they are compared with."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textgen
from textgen.description import Description
from textgen.model_file import Weights

FOLDER = Path(textgen.__file__).parent / "page"
Node = Callable[..., Any]
HEAD = """
import { readFileSync, writeFileSync } from "node:fs";
const data = JSON.parse(readFileSync(0, "utf8"));
function modelAt(path) {
  const { sizes, ...model } = JSON.parse(readFileSync(`${path}.json`, "utf8"));
  const numbers = new Float32Array(Uint8Array.from(readFileSync(path)).buffer);
  let place = 0;
  const [embedding, ...rest] = sizes.map((size) => numbers.subarray(place, (place += size)));
  const [kernel, bias] = rest.splice(-2);
  const layers = Array.from({ length: model.layers }, (_, number) => {
    const [input, recurrent, added] = rest.slice(3 * number);
    return { kernel: input, recurrent, bias: added };
  });
  return { ...model, arrays: { embedding, layers, head: { kernel, bias } } };
}
const answer = (value) => console.log(JSON.stringify(value));
"""


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Runs a script of modules beside those of the page, with some data; returns what it answers."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("there is no `node` to run the page's modules")
    folder = tmp_path_factory.mktemp("modules")
    (folder / "package.json").write_text('{"type": "module"}')
    for path in FOLDER.glob("*.js"):
        shutil.copy(path, folder)

    def run(script: str, **data: Any) -> Any:
        (folder / "script.js").write_text(HEAD + script, encoding="utf-8")
        command = [program, str(folder / "script.js")]
        ended = subprocess.run(command, input=json.dumps(data), capture_output=True, encoding="utf-8", check=False)
        assert (ended.returncode, ended.stderr) == (0, "")
        return json.loads(ended.stdout)

    return run


def write_model(path: Path, description: Description, weights: Weights) -> str:
    """Write what `modelAt` reads."""
    text, shape = description.text, description.model
    weights_of = [array.ravel() for array in weights.arrays]
    np.concatenate(weights_of).tofile(path)
    content = {
        "vocabulary": description.vocabulary.symbols,
        "cell": shape.cell,
        "layers": shape.layers,
        "units": shape.units,
        "dim": shape.embedding,
        "unicode": text.unicode,
        "lowercase": text.lowercase,
        "replacement": text.replacement,
        "sizes": [len(array) for array in weights_of],
    }
    Path(f"{path}.json").write_text(json.dumps(content), encoding="utf-8")
    return str(path)
