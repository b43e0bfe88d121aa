"""Measurements as JSON: one file a machine, its parts measured together or one by one; and what machine it was."""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from textgen.corpus.download import locate
from textgen.kernel.library import best_level
from textgen.machine import cores

FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks"
PACKAGES = ("tensorflow", "keras", "numpy", "torch")
EXTENSIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


@dataclass(frozen=True)
class Figure:
    """One thing measured several times."""

    peer: str
    what: str  # with its unit
    at: int | str  # a batch, a number of streams, a text and a seed
    values: list[float]  # one of each round; the peers' values of one round were measured one after the other


@dataclass(frozen=True)
class Part:
    """One part of the benchmark, measured in one sitting."""

    date: str
    quick: bool
    load_before: float  # how many processes wanted a core
    machine: dict[str, str]
    versions: dict[str, str]
    results: list[Figure]


def machine() -> dict[str, str]:
    """This machine, by what makes it fast."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": _cpuinfo("model name") or platform.processor() or platform.machine(),
        "cores": str(cores()),
        "vector extensions": ", ".join(name for name in EXTENSIONS if multiplies(name)),
        "memory": f"{memory:.0f} GiB",
    }


def multiplies(extension: str) -> bool:
    """Whether the processor has a vector extension, as Linux names it."""
    return extension in _cpuinfo("flags").split()


def begin(*, quick: bool) -> Part:
    """A part about to be measured: when, how busy the machine was in the minute before, and with what."""
    versions = {"kernel": best_level() or "none", "python": platform.python_version()}
    versions |= {name: version(name) for name in PACKAGES if find_spec(name)}
    date = datetime.now(UTC).isoformat(timespec="minutes")
    return Part(date, quick, round(os.getloadavg()[0], 2), machine(), versions, [])


def read(path: Path) -> dict[str, Part]:
    """The parts in a file; none where there is no file."""
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {
        name: Part(**part | {"results": [Figure(**figure) for figure in part["results"]]})
        for name, part in stored.items()
    }


def write(path: Path, parts: dict[str, Part]) -> None:
    """Write parts, one measurement a line, so that a new one is a small difference."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = ",\n".join(f"{json.dumps(name)}: {_told(part)}" for name, part in sorted(parts.items()))
    path.write_text(f"{{\n{told}\n}}\n", encoding="utf-8")


def _told(part: Part) -> str:
    head = {name: value for name, value in asdict(part).items() if name != "results"}
    rounded = [replace(figure, values=[float(f"{value:.5g}") for value in figure.values]) for figure in part.results]
    lines = ",\n".join(json.dumps(asdict(figure), ensure_ascii=False) for figure in rounded)
    return f'{json.dumps(head)[:-1]}, "results": [\n{lines}\n]}}'


def megabytes(maxrss: int) -> float:
    """A peak memory, which the operating system counts in kilobytes, or in bytes on macOS."""
    return maxrss / (1e6 if sys.platform == "darwin" else 1024)


def _cpuinfo(name: str) -> str:
    """A line of Linux's description of the first processor; empty elsewhere."""
    info = Path("/proc/cpuinfo")
    lines = (line.partition(":") for line in (info.read_text().splitlines() if info.exists() else ()))
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def find_text(name: str) -> str:
    """The path of a text: in the folder that TEXTGEN_TEXTS names, or else downloaded."""
    path = Path(os.environ.get("TEXTGEN_TEXTS", "")) / f"{name}.txt"
    return str(path.absolute()) if path.is_file() else locate([name])[0]
