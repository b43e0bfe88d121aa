import io
import json
import os
import pty
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from tests.test_model_file import archive, good_description, hdf5
from textgen.cli import main
from textgen.cli.terminal import LONGEST, bar, leave_standard_streams, printable, shortened, tell

FORGED = "\x1b[2J\x9b1m\u202e\rtextgen: all is well\n\x07"
SHOWN = r"\x1b[2J\x9b1m\u202e\rtextgen: all is well\n\x07"


class Terminal:
    """A terminal that is stdout and stderr inside the block."""

    def __enter__(self) -> Self:
        self.ours, theirs = pty.openpty()
        mode = termios.tcgetattr(theirs)
        mode[1] &= ~termios.OPOST  # newlines stay what they are
        termios.tcsetattr(theirs, termios.TCSANOW, mode)
        os.set_blocking(self.ours, False)
        self.stream = os.fdopen(theirs, "w", encoding="utf-8", errors="backslashreplace")
        self.saved = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = self.stream
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout, sys.stderr = self.saved
        self.stream.close()
        os.close(self.ours)

    def read(self) -> str:
        self.stream.flush()
        shown = b""
        with suppress(BlockingIOError):
            while True:
                shown += os.read(self.ours, 1 << 16)
        return shown.decode()


def steering(shown: str) -> list[str]:
    return [symbol for symbol in shown if not symbol.isprintable() and symbol != "\n"]


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose text's name and whose symbols steer a terminal."""
    description = good_description()
    description["text"]["name"] = FORGED
    description["vocabulary"][:3] = ["\x1b", "\x9b", "の"]
    return archive(tmp_path_factory.mktemp("strange") / "odd.keras", description, hdf5())


def exit_code(*arguments: str) -> int:
    try:
        main(list(arguments))
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2J\u202eb\n日\udce9", r"a\x1b[2J\u202eb\n日\udce9"),
        ("\x7f\x85\x9b\u2028\u2066\u200b\ufeff\U000e0041", r"\x7f\x85\x9b\u2028\u2066\u200b\ufeff\U000e0041"),
        ("　吾輩は\u3099猫\u00a0!", "　吾輩は\u3099猫\u00a0!"),
        ("می\u200cخواهم \u06dd", "می\u200cخواهم \u06dd"),
        ("👩\u200d🚀 ที่นี่", "👩\u200d🚀 ที่นี่"),
    ],
)
def test_what_could_steer_a_terminal_is_escaped_and_no_script_is(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_a_line_is_one_line_of_bounded_length(capsys: pytest.CaptureFixture[str]) -> None:
    tell(FORGED)
    assert capsys.readouterr().err == f"{SHOWN}\n"
    tell("where: " + "\x1b" * 10_000_000 + "; do this")
    (line,) = capsys.readouterr().err.splitlines()
    assert len(line) == LONGEST
    assert line.startswith(r"where: \x1b")
    assert line.endswith(r"\x1b; do this")
    assert shortened("a" * LONGEST) == "a" * LONGEST


@pytest.mark.parametrize("encoding", ["ascii", "cp932", "utf-8"])
def test_a_line_can_be_told_in_any_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(told, encoding, "backslashreplace"))
    tell("é の")
    assert told.getvalue().decode(encoding) in ("é の\n", "\\xe9 の\n", "\\xe9 \\u306e\n")


def test_a_line_that_cannot_be_told_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as gone, Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stderr", gone)
        shown = bar(total=3, mininterval=0)
        os.close(ours)
        for stream in (gone, full):
            monkeypatch.setattr(sys, "stderr", stream)
            tell("nobody reads this")
            shown.update()
            leave_standard_streams()  # or the files could not be closed
    tell("nor this, to a closed stream")
    shown.close()


def test_a_bar_on_a_full_disk_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w", buffering=1) as full:
        full.isatty = lambda: True  # type: ignore[method-assign]
        monkeypatch.setattr(sys, "stderr", full)
        shown = bar(total=3, mininterval=0)
        shown.update()
        shown.close()
        leave_standard_streams()


@pytest.mark.parametrize(
    ("arguments", "code", "wanted"),
    [
        (["info", FORGED], 1, f"textgen: error: {SHOWN}: no such model"),
        (["train", FORGED], 1, f"textgen: error: {SHOWN}: no such file"),
        (["evaluate", "{model}", FORGED], 1, f"{SHOWN}: no such "),
        (["corpora", "get", FORGED], 1, SHOWN),
        (
            ["generate", "{model}", "--seed", FORGED],
            1,
            "the seed phrase has characters that are not in the model's vocabulary",
        ),
        ([FORGED], 2, f"Error: No such command '{SHOWN}'"),
        (["info", f"--{FORGED}"], 2, f"--{SHOWN}"),
        (["info", "x", FORGED], 2, f"({SHOWN})"),
        (["train", "x", "--epochs", FORGED], 2, SHOWN),
        (["train", "x", "--encoding", FORGED], 2, SHOWN),
        (["train", "{model}", "-o", FORGED], 1, ""),
        (["generate", "--unknown", FORGED], 2, SHOWN),
    ],
)
def test_no_word_of_a_user_steers_the_terminal(strange: Path, arguments: list[str], code: int, wanted: str) -> None:
    with Terminal() as terminal:
        assert exit_code(*[word.format(model=strange) for word in arguments]) == code
        told = terminal.read()
    assert wanted in told
    assert steering(told) == []
    assert "\ntextgen: all is well" not in told


def test_a_traceback_is_escaped() -> None:
    with Terminal() as terminal:
        assert exit_code("--debug", "info", FORGED) == 1
        told = terminal.read()
    assert "Traceback" in told
    assert steering(told) == []


def test_text_is_escaped_on_a_terminal_alone(strange: Path, tmp_path: Path) -> None:
    words = ["generate", str(strange), "--length", "200", "--count", "2", "--rng-seed", "1", "--seed", "の"]
    with Terminal() as terminal:
        assert exit_code(*words) == 0
        shown = terminal.read()
        assert exit_code(*words, "--json") == 0
        as_json = terminal.read()
    assert exit_code(*words, "-o", str(tmp_path / "out")) == 0
    written = (tmp_path / "out").read_text(encoding="utf-8")
    assert {"\x1b", "\x9b", "の"} <= set(written)
    assert shown == printable(written, keep="\n")
    assert shown.startswith("の")
    assert steering(shown) == []
    assert as_json.isascii()
    first, second = [json.loads(line)["text"] for line in as_json.splitlines()]
    assert written == f"の{first}\n---\nの{second}\n"


def test_tables_and_json_are_escaped_on_a_terminal(strange: Path, tmp_path: Path) -> None:
    (tmp_path / "の\x1b[2J.txt").write_text("の\x1b\x9b\u202e" * 9, encoding="utf-8")
    for words in (["info", str(strange)], ["corpora", "show", str(tmp_path)], ["corpora", "list"]):
        with Terminal() as terminal:
            assert exit_code(*words) == 0
            shown = terminal.read()
            assert exit_code(*words, "--json") == 0
            as_json = terminal.read()
        assert steering(shown) == []
        assert as_json.isascii()
        assert "\x1b" not in as_json
        assert [json.loads(line) for line in (as_json.splitlines() if "list" in words else [as_json])]


# What is done to the descriptors 0, 1 and 2, by a shell.
STREAMS = ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full"]


def redirected(streams: str, *arguments: str) -> tuple[int, bytes, bytes]:
    command = ["sh", "-c", f'exec "$@" {streams}', "sh", sys.executable, "-m", "textgen", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False)
    return result.returncode, result.stdout, result.stderr


@pytest.mark.parametrize("streams", STREAMS)
def test_closed_and_full_streams_give_no_traceback(trained: Path, streams: str) -> None:
    code, stdout, stderr = redirected(streams, "generate", str(trained), "--length", "5", "--rng-seed", "1")
    blocked = ">&-" in streams.split() or ">/dev/full" in streams.split()
    assert code == (1 if blocked else 0)
    assert bool(stdout) is not blocked
    why = b"it is closed" if ">&-" in streams else b"No space left on device"
    told = b"textgen: error: standard output cannot be written (%b); redirect it elsewhere\n" % why
    assert stderr == (told if blocked and "2>" not in streams else b"")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["generate", "--seed", "-"], 1),
        (["evaluate", "{model}", "-"], 1),
        (["corpora", "show", "-"], 1),
        (["corpora", "clean"], 0),
        (["train", "-"], 1),
        (["train"], 2),
        (["--version"], 1),
        (["train", "--help"], 1),
    ],
)
def test_no_command_needs_a_stream_to_fail_well(trained: Path, arguments: list[str], code: int) -> None:
    words = [word.format(model=trained) for word in arguments]
    assert redirected("<&- >&- 2>&-", *words) == (code, b"", b"")
    found, _, stderr = redirected("<&- >&-", *words)
    assert (found, b"Traceback" in stderr) == (code, False)


def test_what_stays_unwritten_changes_no_exit_code(trained: Path) -> None:
    told = b"textgen: error: standard output cannot be written (No space left on device); redirect it elsewhere\n"
    assert redirected(">/dev/full", "info", str(trained)) == (1, b"", told)
    assert redirected("2>/dev/full", "info", "none") == (1, b"", b"")


def test_a_reader_that_leaves_is_no_error(trained: Path) -> None:
    command = '"$@" | true; "$@" 2>&1 >/dev/null | true; echo "${PIPESTATUS[*]}"'
    words = [sys.executable, "-m", "textgen", "generate", str(trained), "--length", "9"]
    result = subprocess.run(["bash", "-c", command, "bash", *words], capture_output=True, check=False)
    assert result.stdout == b"0 0\n"
    assert b"Traceback" not in result.stderr
