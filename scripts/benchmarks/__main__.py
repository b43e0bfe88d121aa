"""Measures textgen beside its peers: the machine's roofline, training, time to quality, and writing.

Prints Markdown tables. PyTorch's rows need the bench extra. Leave the machine alone meanwhile.
"""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import document, generation, machine, quality, results, roofline, training
from benchmarks.peer import installed
from benchmarks.report import tables

TEXTS = {"macbeth": "macbeth.txt", "tinyshakespeare": "tinyshakespeare.txt"}


def main() -> None:
    """Measure what is asked for."""
    options = parse()
    if options.write_docs:
        document.write_docs()
        return
    texts = find_texts(options)
    path = results.FOLDER / f"{options.save}.json" if options.save else None
    found = results.read_own(path) if path else results.Results(machine.describe(), {})
    if not installed("torch"):
        say("torch is not installed (the bench extra): the tables leave PyTorch out")
    for name in options.only:
        say(name)
        begun = results.Part.begin(quick=options.quick)
        found.parts[name] = replace(begun, results=measure(name, texts, options))
        if path:
            results.write(path, found)
        print(f"## {name}\n\n{tables(found, name)}\n", flush=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look in under five minutes, not to be published")
    parser.add_argument(
        "--only", type=part_names, default=list(results.KINDS), metavar="PART,…", help="parts to measure"
    )
    parser.add_argument("--seeds", type=int, default=3, help="trainings for each budget of time to quality (default 3)")
    parser.add_argument("--save", metavar="NAME", help="keep the measurements in docs/benchmarks/NAME.json")
    parser.add_argument("--write-docs", action="store_true", help="only write docs/performance.md from what is kept")
    for text, file in TEXTS.items():
        parser.add_argument(
            f"--{text}", type=Path, metavar="PATH", help=f"absolute; or {file} in the folder TEXTGEN_TEXTS"
        )
    return parser.parse_args()


def part_names(listed: str) -> list[str]:
    """The parts in a list with commas."""
    names = listed.split(",")
    if odd := [name for name in names if name not in results.KINDS]:
        raise argparse.ArgumentTypeError(f"{odd[0]} is no part; choose from {', '.join(results.KINDS)}")
    return names


def find_texts(options: argparse.Namespace) -> dict[str, Path]:
    """The texts to train on, where they are given."""
    folder = os.environ.get("TEXTGEN_TEXTS")
    found = {}
    for text, file in TEXTS.items():
        path = getattr(options, text) or (Path(folder) / file if folder else None)
        if path and path.is_file():
            found[text] = path.absolute()
        elif "quality" in options.only:
            say(f"no text for --{text}: time to quality is measured without it")
    return found


def measure(name: str, texts: dict[str, Path], options: argparse.Namespace) -> list[results.Figure] | list[results.Run]:
    """Measure a part."""
    if name == "quality":
        return quality.measure(texts, seeds=options.seeds, quick=options.quick)
    measures = {"roofline": roofline.measure, "training": training.measure, "generation": generation.measure}
    return measures[name](quick=options.quick)


def say(line: str) -> None:
    """Tell how far it has come."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
