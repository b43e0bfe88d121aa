import ctypes
import fcntl
import io
import logging
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, chdir, nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

import textgen
from tests.training import numpy_learner
from textgen.bfloat16 import rounded
from textgen.cli import main
from textgen.config import ModelConfig, Shape, TrainingConfig
from textgen.corpus.cache import VARIABLE
from textgen.corpus.corpus import Corpus
from textgen.corpus.vocabulary import Vocabulary
from textgen.description import Description, TextInfo, TrainingInfo
from textgen.kernel import library
from textgen.model_file import Weights, layout

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")

PROJECT = Path(__file__).parents[1]
COMMAND = (sys.executable, "-m", "textgen")
QUICK_COMMAND = (sys.executable, str(PROJECT / "tests" / "quick_command.py"))
TOOLS = {".git", ".venv", "__pycache__", ".pytest_cache", ".hypothesis", ".mypy_cache", ".ruff_cache"}
TEXT = "The quick brown fox jumps over the lazy dog,\nand the dog sleeps on. "


def decided(config: ModelConfig) -> Shape:
    """A configuration with every value but, perhaps, the cell."""
    return Shape(**{name: value for name, value in asdict(config).items() if value is not None})


def random_weights(config: ModelConfig, symbols: int, seed: int = 0, scale: float = 0.3) -> list[np.ndarray]:
    """Weights that bfloat16 holds, as trained ones are."""
    rng = np.random.default_rng(seed)
    shapes = layout(decided(config), symbols).values()
    return [rounded((rng.standard_normal(shape) * scale).astype(np.float32)) for shape in shapes]


def describe(
    vocabulary: Vocabulary,
    config: ModelConfig,
    *,
    unicode: str = "none",
    lowercase: bool = False,
    replacement: str | None = None,
) -> Description:
    return Description(
        vocabulary,
        decided(config),
        TextInfo("play", "0" * 64, 1000, unicode, lowercase, replacement),
        TrainingInfo(1.0, 2.0, 50, 8, 0.01, 0.1, 3, 1.5, {"textgen-lstm": "0"}, "2026-01-01T00:00:00+00:00"),
    )


def source_tree() -> set[tuple[str, int, int]]:
    """The name, size and time of every file of the project, but for what git and the tools keep there."""
    found = set()
    for folder, folders, files in os.walk(PROJECT):
        folders[:] = set(folders) - TOOLS
        stats = ((name, os.lstat(name)) for name in (os.path.join(folder, file) for file in files))  # noqa: PTH118
        found |= {(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats}
    return found


@pytest.fixture(autouse=True, scope="module")
def nothing_is_written_into_the_source_tree() -> Iterator[None]:
    """Fail with a file of tests while which the project's files have changed."""
    before = source_tree()
    yield
    changed = sorted({name for name, *_ in source_tree() ^ before})
    assert not changed, f"a test has written into the source tree, or you have, meanwhile: {changed}"


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of the tests' own, for the processes that they start too."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        yield folder


@pytest.fixture(autouse=True)
def log_level() -> Iterator[None]:
    """Put back what `--debug` lowers for the whole process."""
    log = logging.getLogger("textgen")
    level = log.level
    yield
    log.setLevel(level)


def kernel_for(level: str) -> ctypes.CDLL:
    """The kernel for a level of processors, or skip the test."""
    kernel = library.load(level) if library.runs(level) else None
    if kernel is None:
        pytest.skip(f"no kernel for {level}: not such a processor, or no C compiler when textgen was installed")
    return kernel


@pytest.fixture(scope="module")
def quick() -> Iterator[None]:
    """Let `textgen.train` and the command, in this process, train the learner of a few lines, in milliseconds."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in numpy_learner.INSTEAD.items():
            patch.setattr(name, value)
        yield


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory, quick: None) -> Path:
    """A folder with a text, `fox.txt`, and a model that was trained on it for an instant, `run`."""
    path = tmp_path_factory.mktemp("fox")
    (path / "fox.txt").write_text(TEXT * 60, encoding="utf-8")
    textgen.train(
        Corpus.from_files(path / "fox.txt"),
        output=path / "run",
        epochs=1,
        model=ModelConfig(1, 8, 0.0, 4),
        training=TrainingConfig(batch_size=2, rng_seed=1),
    )
    return path


@pytest.fixture
def small() -> tuple[Description, Weights]:
    """A description and random weights of a small network."""
    vocabulary = Vocabulary.of(TEXT)
    config = ModelConfig(layers=2, units=8, dropout=0.0, embedding=4)
    return describe(vocabulary, config), Weights.from_list(random_weights(config, len(vocabulary)))


@pytest.fixture(scope="session")
def texts() -> Path:
    """The folder of real texts."""
    folder = os.environ.get("TEXTGEN_TEXTS")
    if not folder:
        pytest.skip("TEXTGEN_TEXTS does not name a folder of real texts")
    return Path(folder)


@pytest.fixture
def trained(trained_once: Path) -> Path:
    """A run folder with a small model, whose text is in the cache even if another test has emptied that."""
    Corpus.from_files(trained_once.parent / "fox.txt")
    return trained_once


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a small model, trained by the command on a text that it knows by heart.

    Where tests run in several processes, the first that needs it trains it for all.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "trained"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "run" / "model.keras").exists():
            (folder / "fox.txt").write_text(TEXT * 60, encoding="utf-8")
            options = "--epochs 12 --units 48 --dropout 0 --batch-size 8 --learning-rate 0.03 --rng-seed 1"
            result = run("train", str(folder / "fox.txt"), "-o", str(folder / "run"), *options.split())
            assert result.returncode == 0, result.stderr
    return folder / "run"


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Chromium, as the system has it; a test opens contexts and pages of its own.

    One for each file of tests: as long as Playwright runs, its event loop is the thread's, and tests can have no other.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        yield browser
        browser.close()


def on_a_terminal(*arguments: str, command: Sequence[str] = COMMAND) -> tuple[bytes, bytes]:
    """Run textgen with a terminal of 100 columns as stderr; return stdout and what the terminal was sent."""
    ours, theirs = a_terminal(100)
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=theirs)
    shown = sent_to(ours, theirs)
    stdout = process.communicate()[0]
    assert process.returncode == 0
    return stdout, shown


def a_terminal(width: int) -> tuple[int, int]:
    """The two ends of a terminal of so many columns: ours, and that of the process which it is given to."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, width))
    return ours, theirs


def sent_to(ours: int, theirs: int) -> bytes:
    """All that a terminal is sent by the process which it was given to, until that ends."""
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # how Linux tells the end of a terminal
        while block := os.read(ours, 4096):
            shown += block
    os.close(ours)
    return shown


def in_process(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Run the command in this process, which spares its start; return the exit code, stdout and stderr.

    What is no exit of the command's own, and would be a traceback, is raised.
    """
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        streams = []
        for name in ("stdin", "stdout", "stderr"):
            stream = io.TextIOWrapper(tempfile.TemporaryFile(), "utf-8", newline="", write_through=True)  # noqa: SIM115
            patch.setattr(sys, name, stack.enter_context(stream))
            streams.append(stream.buffer)
        streams[0].write(stdin)
        streams[0].seek(0)
        code, handlers = 0, {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
        try:
            main(list(arguments))
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        for stream in streams[1:]:
            stream.seek(0)
        return code, streams[1].read().decode(), streams[2].read().decode()


def run_here(*arguments: str, stdin: str | bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in this process; return what `run` returns."""
    encoded = stdin.encode() if isinstance(stdin, str) else stdin
    with chdir(cwd) if cwd else nullcontext():
        code, stdout, stderr = in_process(*arguments, stdin=encoded)
    return subprocess.CompletedProcess(arguments, code, stdout, stderr)


def run(
    *arguments: str,
    stdin: str | bytes | None = None,
    cwd: Path | None = None,
    command: Sequence[str] = COMMAND,
    **environment: str,
):
    """Run the command in a process of its own, as a user does."""
    encoded = stdin.encode() if isinstance(stdin, str) else stdin
    result = subprocess.run(
        [*command, *arguments],
        input=encoded,
        capture_output=True,
        cwd=cwd,
        env=os.environ | environment,
        check=False,
    )
    result.stdout, result.stderr = result.stdout.decode(), result.stderr.decode()
    return result
