"""Trains the model that comes with textgen on tinyshakespeare, by textgen's own commands, and writes its card:
models/shakespeare.keras and models/shakespeare.md. Its teachers are trained first, which takes more than an hour."""

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.results import machine

from textgen.description import Description
from textgen.model_file import SHIPPED, read_model

TEXTGEN = [sys.executable, "-m", "textgen"]
MODELS = Path(__file__).parents[1] / "models"
RECIPES = {  # of the runs, by random seed
    1: "--epochs 18 --dropout 0.3",
    2: "--epochs 18 --dropout 0.3",
    3: "--epochs 18 --dropout 0.3",
    4: "--epochs 20 --dropout 0.3",
    5: "--epochs 20 --dropout 0.2",
}
STUDENTS = range(4, 6)  # each learns from all runs before it; the last one is shipped
TEST = 55_770  # split B: the second half of what split A holds out
SAMPLE = ["--seed", "ROMEO:", "--length", "700", "--rng-seed", "1"]
CARD = """# shakespeare.keras

The model that `textgen generate` uses if no other is named. It was trained on the first nine tenths of tinyshakespeare
(1,003,854 of 1,115,394 characters of Shakespeare's plays, in the public domain), and generates text in their style.

| | |
|---|---|
| commands | {commands} |
| hardware | {hardware}, no GPU |
| versions | {versions} |
| training | {epochs:g} epochs up to the weights that were kept, {minutes:.0f} minutes |
| network | {layers} × {units} units, {parameters:,} parameters, {bytes:,} bytes |

Nats per character, on text that it was not trained on:

| text | carried state | cold windows of 256 |
|---|---|---|
| split A, validation: the last 111,540 characters | {a_carried:.4f} | {a_cold:.4f} |
| split B, test: the last 55,770 characters | {b_carried:.4f} | {b_cold:.4f} |

On split A: {verdict}.
The weights are the best of {evaluations} evaluations on split A's validation; split B's test is its second half.

An unedited sample, `{sample_command}`:

```
{sample}
```
"""


def main() -> None:
    """Train, measure, write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", type=Path, help="tinyshakespeare")
    parser.add_argument("runs", type=Path, help="folder for the runs; those that are finished there are kept")
    arguments = parser.parse_args()
    text, runs = arguments.text.resolve(), arguments.runs
    for seed in RECIPES:
        if not (runs / str(seed) / "model.keras").exists():
            subprocess.run([*TEXTGEN, *training(seed, str(text), runs)], check=True)
    run = runs / str(max(RECIPES))
    with tempfile.TemporaryDirectory() as folder:
        test = Path(folder) / "test.txt"
        test.write_text(text.read_text(encoding="utf-8")[-TEST:], encoding="utf-8")
        shutil.copyfile(run / "model.keras", MODELS / SHIPPED)
        rows = (run / "history.csv").read_text(encoding="utf-8").splitlines()
        card = describe(text, test, evaluations=len([row for row in rows[1:] if not row.endswith(",")]))
    (MODELS / SHIPPED).with_suffix(".md").write_text(card, encoding="utf-8")


def training(seed: int, text: str, runs: Path) -> list[str]:
    """The words of a run's command."""
    recipe = f"{RECIPES[seed]} --batch-size 32 --window 100 --learning-rate 0.008 --rng-seed {seed}".split()
    teachers = [word for other in range(1, seed) for word in ("--teacher", str(runs / str(other)))]
    return ["train", text, "-o", str(runs / str(seed)), *recipe, *(teachers if seed in STUDENTS else [])]


def describe(text: Path, test: Path, evaluations: int) -> str:
    """The card."""
    model = read_model(MODELS / SHIPPED)
    description: Description = model.description
    losses = {
        f"{name}_{protocol}": evaluate(path, protocol)["nats"]
        for name, path in (("a", text), ("b", test))
        for protocol in ("carried", "cold")
    }
    return CARD.format(
        commands="<br>".join(f"`{shlex.join(['textgen', *training(seed, text.name, Path())])}`" for seed in RECIPES),
        hardware="{processor}, {cores} cores ({vector extensions}), {memory}".format_map(machine()),
        versions=", ".join(f"{name} {version}" for name, version in description.training.versions.items()),
        epochs=description.training.epochs,
        minutes=description.training.seconds / 60,
        layers=description.model.layers,
        units=description.model.units,
        parameters=model.weights.parameters,
        bytes=(MODELS / SHIPPED).stat().st_size,
        evaluations=evaluations,
        verdict=output("evaluate", str(MODELS / SHIPPED), str(text)).splitlines()[2],
        sample_command=f"textgen generate {shlex.join(SAMPLE)}",
        sample=output("generate", *SAMPLE).strip(),
        **losses,
    )


def evaluate(text: Path, protocol: str) -> dict:
    """What `textgen evaluate` says."""
    return json.loads(output("evaluate", str(MODELS / SHIPPED), str(text), "--protocol", protocol, "--json"))


def output(*words: str) -> str:
    """What a command of textgen's prints."""
    return subprocess.run([*TEXTGEN, *words], capture_output=True, check=True, text=True).stdout


if __name__ == "__main__":
    main()
