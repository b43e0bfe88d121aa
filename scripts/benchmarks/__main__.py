"""Measures textgen beside PyTorch: training speed, quality after the same epochs, and writing.

Prints Markdown tables. PyTorch's rows need the bench extra. Leave the machine alone meanwhile.
"""

import argparse
import sys
from dataclasses import replace
from importlib.util import find_spec

from benchmarks import measures, report, results


def main() -> None:
    """Measure what is asked for."""
    options = parse()
    if options.write_docs:
        report.write_docs()
        return
    if not find_spec("torch"):
        print("torch is not installed (the bench extra): the tables leave PyTorch out", file=sys.stderr)
    for name in options.only:
        print(name, file=sys.stderr)
        part = replace(results.begin(quick=options.quick), results=measures.PARTS[name](options))
        if options.save:
            path = results.FOLDER / f"{options.save}.json"
            results.write(path, results.read(path) | {name: part})
        print(f"## {name}\n\n{report.tables(name, part)}\n", flush=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look in some minutes, not to be published")
    parser.add_argument(
        "--only", nargs="+", choices=measures.PARTS, default=list(measures.PARTS), help="parts to measure"
    )
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each text for quality (default 3)")
    parser.add_argument("--save", metavar="NAME", help="keep the measurements in docs/benchmarks/NAME.json")
    parser.add_argument("--write-docs", action="store_true", help="only write docs/performance.md from what is kept")
    return parser.parse_args()


if __name__ == "__main__":
    main()
