"""Odd values of every option and argument of every command: exit codes, and lines that are printable."""

import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import click
import numpy as np
import pytest

from tests.attack.harness import attempt
from tests.attack.test_model_files import archive
from tests.conftest import TEXT
from textgen.cli import group
from textgen.cli.options import Number
from textgen.errors import TrainingError

NUMBERS = """
0 -1 1 00 -0 +1 1_0 ٣ １ 1.5 -1e-9 1e-320 1e309 -1e309 nan -nan NaN inf -Infinity 0x10 1e5 99999999999999999999 1,5 1/2
""".split()
LONG = ["9" * 309, "-" + "9" * 309, "1" + "0" * 5000, "0." + "3" * 5000, "1e" + "9" * 400]
WORDS = [
    *("", " ", "-", "--", "---", "-x", "--no-such", "a", "a\nb", "é", "🦇", "\ufeff", "e\u0301" * 300, "x" * 300),
    *("\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x07\x08\r", "\x9b2J", "\u202egnp.txt", "\udcff", "caf\udce9"),
    *("x" * 5000, "%s%n{0}", "../..", ".", "/dev/null", "/dev/full", "no/such/folder", "*", "[", "[!", "**/*", "\\"),
    *("'", '"', "$(true)", "null", "True", "punycode", "idna", "rot13", "base64", "zlib", "undefined", "mbcs", "hz"),
    *("unicode_escape", "utf-7", "utf-16", "utf_8_sig", "cp932", "model.keras", "text.txt"),
]  # fmt: skip
# Characters of random words: ASCII, controls, marks, spaces and directions, bytes that are not UTF-8, emoji.
RANGES = [(0x20, 0x7F), (1, 0x20), (0x7F, 0xA0), (0x300, 0x370), (0x2000, 0x2070), (0xDC80, 0xDD00), (0x1F600, 0x1F650)]


def commands(found: click.Command = group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command, with the words that call it."""
    if not isinstance(found, click.Group):
        yield path, found
        return
    context = click.Context(found)
    for name in found.list_commands(context):
        inner = found.get_command(context, name)
        assert inner is not None
        yield from commands(inner, *path, name)


COMMANDS = dict(commands())
NEEDS = {  # what lets a command come as far as it can
    ("train",): ["text.txt", "-o", "run"],
    ("tune",): ["text.txt", "-o", "study"],
    ("generate",): ["model.keras", "--length", "2"],
    ("serve",): ["model.keras"],
    ("export",): ["model.keras", "-o", "play.html", "--force"],
    ("evaluate",): ["model.keras", "text.txt"],
    ("attribute",): ["text.txt", "--among", "model.keras", "other.keras"],
    ("score",): ["model.keras", "text.txt"],
    ("inspect",): ["model.keras", "text.txt", "--cell", "1.1"],
    ("novelty",): ["text.txt", "--against", "text.txt"],
    ("info",): ["model.keras"],
    ("corpora", "list"): [],
    ("corpora", "get"): [],
    ("corpora", "show"): ["text.txt"],
    ("corpora", "clean"): [],
}
OPTIONS = [
    (path, max(parameter.opts, key=len))
    for path, found in COMMANDS.items()
    for parameter in found.params
    if isinstance(parameter, click.Option) and not parameter.is_flag
]


def odd_values(path: tuple[str, ...], option: str) -> list[str]:
    """Of a number all odd ones, of a text some; and a few random words."""
    rng = np.random.default_rng(zlib.crc32(" ".join([*path, option]).encode()))
    takes_number = any(option in found.opts and isinstance(found.type, Number) for found in COMMANDS[path].params)
    random_words = [
        "".join([chr(rng.integers(*RANGES[number])) for number in rng.integers(len(RANGES), size=rng.integers(1, 12))])
        for _ in range(6)
    ]
    few = rng.choice(len(WORDS), 3 if takes_number else 14, replace=False)
    return [*(NUMBERS if takes_number else ["1", "-1"]), *LONG, *(WORDS[number] for number in few), *random_words]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to work in, with a text and a model; the catalog is empty, no training or server starts."""

    def stop(*_: object) -> None:
        raise TrainingError("stopped before the first step")

    monkeypatch.setattr("textgen.training.session.make_learner", stop)
    monkeypatch.setattr("textgen.training.crew.listening", stop)
    monkeypatch.setattr("textgen.training.member.listening", stop)
    monkeypatch.setattr("textgen.cli.train.started_here", lambda *_: nullcontext())
    monkeypatch.setattr("textgen.serving.server.bound", stop)
    monkeypatch.setattr("textgen.training.tuning.opened", stop)
    monkeypatch.setenv("TEXTGEN_CATALOG", str(tmp_path / "catalog.toml"))
    (tmp_path / "catalog.toml").touch()
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    Path("text.txt").write_text(TEXT * 5)
    for name in ("model.keras", "other.keras"):
        Path(name).write_bytes(archive())


def test_every_command_is_attacked() -> None:
    assert set(NEEDS) == set(COMMANDS)


@pytest.mark.parametrize(("path", "option"), OPTIONS)
def test_any_value_of_an_option_is_taken_or_refused(path: tuple[str, ...], option: str) -> None:
    for value in odd_values(path, option):
        attempt(f"{' '.join(path)} {option}={value[:80]!r}", *path, *NEEDS[path], f"{option}={value}")


@pytest.mark.parametrize("path", list(COMMANDS))
def test_any_argument_is_taken_or_refused(path: tuple[str, ...]) -> None:
    for value in odd_values(path, ""):
        attempt(f"{' '.join(path)} {value[:80]!r}", *path, value)
        attempt(f"{' '.join(path)} … {value[:80]!r}", *path, *NEEDS[path], value)


def test_any_few_options_together_are_taken_or_refused() -> None:
    rng = np.random.default_rng(3)
    for path in 25 * list(COMMANDS):
        words = [*path, *NEEDS[path]]
        parameters = [found for found in COMMANDS[path].params if isinstance(found, click.Option)]
        for number in rng.integers(len(parameters), size=3 if parameters else 0):
            name = max(parameters[number].opts, key=len)
            value = ["0", "1", "2", "0.5", "a", "utf-8", "none"][rng.integers(7)]
            words.append(name if parameters[number].is_flag else f"{name}={value}")
        attempt(" ".join(words), *words)


def test_any_author_s_texts_are_taken_or_refused() -> None:
    Path("long.txt").write_text(TEXT * 30)
    for word in odd_values(("attribute",), "--corpus"):
        for value in (f"{word}=long.txt", f"a={word}"):
            words = ["attribute", "text.txt", f"--corpus={value}", "--corpus", "b=long.txt", "--folds", "0"]
            attempt(f"attribute --corpus={value[:80]!r}", *words)
