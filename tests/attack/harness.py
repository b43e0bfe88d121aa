"""What every attack shares: ways to damage bytes, and the judge of what comes of it."""

import resource
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.conftest import in_process

MOST_MEMORY = 300 * 2**20  # that a file of under 1 MB may take
MOST_SECONDS = 3.0  # of all processors together
LONGEST_LINE = 550  # 500 and what stands before the message
JOINERS = {"\u200c", "\u200d"}  # which words of some scripts need
ROOM = 3 * 2**30  # beyond which an allocation fails, so that a fault does not fill the machine


def attempt(case: str, *words: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Run the command, in this process, on what might harm it; return the exit code, stdout and stderr.

    What comes is a success, or a failure that is told in one line behind whatever was to be told before it.
    """
    with bounded(case):
        try:
            code, stdout, stderr = in_process(*words, stdin=stdin)
        except Exception as error:
            raise AssertionError(f"{case}: a traceback, {error!r}") from error
    assert code in (0, 1, 2), f"{case}: exit code {code}, {stderr[:LONGEST_LINE]!r}"
    lines = stderr.splitlines()
    for line in lines:
        check_line(case, line)
    if code == 1:
        assert lines[-1].startswith("textgen: error: "), f"{case}: fails and says {lines}"
    if code == 2:
        assert lines[-1].startswith("Error: "), f"{case}: fails and says {lines}"
    assert "not enough memory" not in stderr, f"{case}: asks for more memory than {ROOM:,} bytes"
    return code, stdout, stderr


def check_line(case: str, line: str) -> None:
    """Hold a line to what can be printed, and to a bounded length."""
    odd = {symbol for symbol in line if not symbol.isprintable() and unicodedata.category(symbol) != "Zs"} - JOINERS
    assert not odd, f"{case}: {odd} in {line[:LONGEST_LINE]!r}"
    assert len(line) <= LONGEST_LINE, f"{case}: a line of {len(line):,} characters, {line[:LONGEST_LINE]!r}"


@contextmanager
def bounded(case: str) -> Iterator[None]:
    """Hold the block to the bounds of memory and time."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + ROOM, hard))
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, started = _status("VmRSS"), time.process_time()
    try:
        yield
    finally:
        seconds, memory = time.process_time() - started, _status("VmHWM") - before
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert seconds < MOST_SECONDS, f"{case}: took {seconds:.1f} s"
    assert memory < MOST_MEMORY, f"{case}: took {memory:,} bytes"


def _status(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def flipped(content: bytes, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """The content with one bit flipped, `count` times."""
    rng = np.random.default_rng(seed)
    for place, bit in zip(rng.integers(len(content), size=count).tolist(), rng.integers(8, size=count), strict=True):
        yield f"bit {bit} of byte {place:,} flipped", changed(content, place, bytes([content[place] ^ 1 << int(bit)]))


def overwritten(content: bytes, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """The content with a few bytes replaced: by zeros, ones, random ones or a copy from elsewhere."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        length = int(rng.choice([1, 2, 4, 8, 64]))
        place, other = rng.integers(max(1, len(content) - length), size=2).tolist()
        filling = [bytes(length), b"\xff" * length, rng.bytes(length), content[other : other + length]][number % 4]
        yield f"{length} bytes at {place:,} replaced", changed(content, place, filling)


def cut(content: bytes, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """The content cut short, `count` times, once to nothing and once by its last byte."""
    rng = np.random.default_rng(seed)
    for length in [0, len(content) - 1, *rng.integers(1, len(content), size=count - 2).tolist()]:
        yield f"cut to {length:,} bytes", content[:length]


def damaged(content: bytes, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """The content flipped, overwritten and cut, `count` times in all."""
    yield from flipped(content, count // 2, seed)
    yield from overwritten(content, count // 4, seed)
    yield from cut(content, count - count // 2 - count // 4, seed)


def changed(content: bytes, place: int, part: bytes) -> bytes:
    """The content with other bytes at a place."""
    return content[:place] + part + content[place + len(part) :]
