import json
import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import COMMAND, QUICK_COMMAND, TEXT, in_process, on_a_terminal, run
from textgen.model_file import read_model

pytestmark = pytest.mark.usefixtures(
    "quick"
)  # of what runs in this process; real trainings are in processes of their own
QUICK = ("--units", "16", "--batch-size", "4", "--rng-seed", "1")


@pytest.fixture
def play(tmp_path: Path) -> Path:
    path = tmp_path / "play.txt"
    path.write_text(TEXT * 30, encoding="utf-8")
    return path


def test_a_text_becomes_a_model_named_after_it(play: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("train", "play.txt", "--epochs", "2", *QUICK, cwd=tmp_path)
    assert result.returncode == 0
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines.pop(0) == "play.txt: 2,040 characters"
    assert lines.pop(0).startswith("Note: the held-out part has only 204 characters: validation losses that differ by ")
    assert lines[0] == "play: 2,040 characters, 31 distinct; the last 204 held out for validation"
    assert lines[1].endswith("parameters, batch size 4, sequence length 50, 2 epochs planned")
    assert [line.split(",")[0] for line in lines if line.startswith("epoch ")] == ["epoch 1.0", "epoch 2.0"]
    assert lines[2] == "dropout 0, embedding dimension 64, peak learning rate 0.01, weight decay 0.3, random seed 1"
    assert ", validation loss " in lines[3]
    assert "bpc), best so far" in lines[3]
    assert lines[-2].startswith("Verdict: worse than the best n-gram (order ")
    assert lines[-3] == "Stopped: all planned epochs are done. Model: models/play/model.keras."
    assert lines[-1] == "Generate:  textgen generate models/play"
    assert len(lines) == 3 + 2 * 2 + 3, "TensorFlow's chatter is hidden"
    monkeypatch.chdir(tmp_path)
    code, stdout, _ = in_process("generate", "models/play", "--length", "20")
    assert (code, len(stdout)) == (0, 21)
    code, _, stderr = in_process("train", "play.txt")
    assert code == 1
    assert stderr == (
        "textgen: error: models/play: the folder has a run already; "
        "name another folder with -o, or replace it with --force\n"
    )


def test_tensorflow_s_chatter_is_shown_with_debug(play: Path, tmp_path: Path) -> None:
    loud = run("--debug", "train", str(play), "-o", str(tmp_path / "b"), "--epochs", "1", *QUICK)
    assert "cudart" in loud.stderr or "cuda" in loud.stderr.lower() or "oneDNN" in loud.stderr


def test_several_texts_are_joined_and_options_are_kept(play: Path, tmp_path: Path) -> None:
    options = "--epochs 1 --layers 1 --units 8 --embedding 4 --dropout 0.5 --window 10 --batch-size 3"
    options += " --learning-rate 0.01 --validation 0.2 --rng-seed 7 --lowercase"
    code, _, stderr = in_process("train", str(play), str(play), "-o", str(tmp_path / "run"), *options.split())
    assert code == 0, stderr
    description = read_model(tmp_path / "run").description
    model, training = description.model, description.training
    assert (model.layers, model.units, model.embedding, model.dropout) == (1, 8, 4, 0.5)
    assert (training.window, training.batch_size, training.learning_rate) == (10, 3, 0.01)
    assert (training.validation, training.rng_seed) == (0.2, 7)
    assert description.text.lowercase
    assert description.text.characters == 2 * len(TEXT * 30) + 1
    assert "T" not in description.vocabulary


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "text.txt: is empty; expected a text of at least one character"),
        (
            b"too short",
            "the text has 9 characters; expected at least 101 with a sequence length of 50: add text, or make",
        ),
        ("あ".encode() * 20 + b"\xff", "UTF-8 with 1 invalid byte, the first at offset 60"),
        (None, "no such file; check the path"),
    ],
)
def test_unfit_texts_end_with_one_line_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "text.txt").write_bytes(content)
    code, _, stderr = in_process("train", "text.txt")
    assert code == 1
    assert stderr.startswith("textgen: error: text")
    assert message in stderr
    assert stderr.count("\n") == 1
    assert not (tmp_path / "models").exists()


def test_a_text_removed_between_two_commands_is_told(play: Path, tmp_path: Path) -> None:
    assert in_process("train", str(play), "-o", str(tmp_path / "a"), "--epochs", "1", *QUICK)[0] == 0
    play.unlink()
    assert in_process("train", str(play), "-o", str(tmp_path / "b")) == (
        1,
        "",
        f"textgen: error: {play}: no such file; check the path, or choose a name from 'textgen corpora list'\n",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--epochs 0", "'--epochs': expected a whole number from 1 to 1,000,000, not '0'."),
        ("--epochs two", "'--epochs': expected a whole number from 1 to 1,000,000, not 'two'."),
        ("--minutes 0", "'--minutes': expected a number above 0, at most 100,000, not '0'."),
        ("--minutes nan", "'--minutes': expected a number above 0"),
        ("--window 1", "'--window': expected a whole number from 2 to 10,000, not '1'."),
        ("--window 50.5", "'--window': expected a whole number"),
        ("--batch-size 0", "'--batch-size': expected a whole number from 1 to 4,096, not '0'."),
        ("--layers 9", "'--layers': expected a whole number from 1 to 8, not '9'."),
        ("--units 0", "'--units': expected a whole number from 1 to 4,096, not '0'."),
        ("--layers x", "'--layers': expected a whole number"),
        ("--units x", "'--units': expected a whole number"),
        ("--batch-size x", "'--batch-size': expected a whole number"),
        ("--dropout x", "'--dropout': expected a number"),
        ("--dropout nan", "'--dropout': expected a number"),
        ("--resume --force", "--resume and --force exclude each other; give only one of them."),
        ("--resume --from m", "--resume and --from exclude each other; give only one of them."),
        ("--checkpoint-every -1", "'--checkpoint-every': expected a number from 0"),
        ("--embedding -1", "'--embedding': expected a whole number from 1 to 4,096, not '-1'."),
        ("--dropout 0.91", "'--dropout': expected a number from 0 to 0.9, not '0.91'."),
        ("--learning-rate 0", "'--learning-rate': expected a number above 0, at most 1, not '0'."),
        ("--learning-rate x", "'--learning-rate': expected a number above 0"),
        ("--validation 0.6", "'--validation': expected a number from 0 to 0.5, not '0.6'."),
        ("--patience 0", "'--patience': expected a whole number from 1"),
        ("--rng-seed -1", "'--rng-seed': expected a whole number from 0"),
        ("--epochs 1 --minutes 1", "--epochs and --minutes exclude each other; give only one of them."),
        ("--nonsense", "No such option"),
        (
            "--encoding klingon",
            "'--encoding': --encoding must be a text encoding that Python knows, such as utf-8, cp932 or latin-1",
        ),
        ("--unicode nfd", "Invalid value for '--unicode': 'nfd' is not one of 'none', 'nfc', 'nfkc'."),
        ("--cell peephole", "Invalid value for '--cell': 'peephole' is not one of 'lstm', 'gru', 'rnn'."),
        ("--min-count 0", "'--min-count': expected a whole number from 1 to 1,000,000,000, not '0'."),
    ],
)
def test_wrong_usage_exits_2_and_names_the_range(options: str, message: str) -> None:
    code, _, stderr = in_process("train", "play.txt", *options.split())
    assert code == 2
    assert message in stderr


def test_no_text_is_wrong_usage() -> None:
    code, _, stderr = in_process("train")
    assert code == 2
    assert "Missing argument 'TEXT...'" in stderr


def test_a_folder_that_cannot_be_written_is_told(play: Path, tmp_path: Path) -> None:
    code, _, stderr = in_process("train", str(play), "-o", str(play / "run"))
    assert code == 1
    assert "cannot be written (Not a directory); make it writable, or name another folder with -o" in stderr
    code, _, stderr = in_process("train", str(play), "-o", "models/play.keras")
    assert code == 1
    assert "name it without .keras: -o models/play" in stderr


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 129, "the terminal was closed"),
    ],
)
def test_an_interrupted_run_keeps_its_weights_and_says_where(
    play: Path, tmp_path: Path, number: int, code: int, word: str
) -> None:
    output = tmp_path / "run"
    process = subprocess.Popen(
        [*QUICK_COMMAND, "train", str(play), "-o", str(output), "--epochs", "1000000", *QUICK],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    while not process.stderr.readline().startswith("epoch 2.0"):
        assert process.poll() is None
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert f"Stopped: {word}. Model: {output / 'model.keras'}" in errors
    assert f"\nResume:  textgen train --resume -o {output}\n" in errors
    assert in_process("generate", str(output), "--length", "5")[0] == 0


def test_a_run_interrupted_before_its_first_scoring_keeps_the_weights_as_they_stand(tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text(TEXT * 30_000, encoding="utf-8")
    words = ["train", str(long), "-o", str(tmp_path / "run"), *QUICK, "--batch-size", "1", "--window", "2"]
    process = subprocess.Popen(
        [*QUICK_COMMAND, *words],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while " parameters, " not in process.stderr.readline():
        assert process.poll() is None
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"Stopped: interrupted. Model: {tmp_path / 'run' / 'model.keras'}.\n" in errors
    assert read_model(tmp_path / "run").description.training.validation_nats is None


def test_an_interrupted_run_is_resumed_with_the_command_it_prints(play: Path, tmp_path: Path) -> None:
    """With TensorFlow, and also where file names are not UTF-8."""
    play = play.rename(tmp_path / os.fsdecode(b"caf\xe9.txt"))
    output = tmp_path / os.fsdecode(b"my caf\xe9 run")
    process = subprocess.Popen(
        [*COMMAND, "train", str(play), "-o", str(output), "--epochs", "30", *QUICK],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while not process.stderr.readline().startswith("epoch 2.0"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    printed = next(line for line in errors.splitlines() if line.startswith("Resume:  textgen "))
    shell = ["bash", "-c", f"printf '%s\\n' {printed.removeprefix('Resume:  textgen ')}"]
    words = os.fsdecode(subprocess.run(shell, capture_output=True, check=True).stdout).splitlines()
    assert words == ["train", "--resume", "-o", str(output)]
    assert read_model(output).description.text.name == "caf_"
    changed = run(*words, "--units", "17")
    assert (changed.returncode, changed.stderr.count("\n")) == (1, 1)
    assert "--units is 17, but the run was started with 16; give --resume alone" in changed.stderr
    resumed = run(*words)
    assert resumed.returncode == 0, resumed.stderr
    assert "resumed after " in resumed.stderr
    again = run(*words)
    assert again.returncode == 1
    assert again.stderr.endswith(rf" and give --from $'{tmp_path}/my caf\xe9 run'" + "\n")


def test_resume_needs_a_folder_and_a_run(play: Path, tmp_path: Path) -> None:
    assert in_process("train", "--resume")[0] == 2
    code, _, stderr = in_process("train", "--resume", "-o", str(tmp_path / "none"))
    assert code == 1
    assert stderr.endswith("none: there is nothing to resume; start the run without --resume\n")


def test_a_model_is_trained_on_with_another_text(play: Path, tmp_path: Path) -> None:
    assert in_process("train", str(play), "-o", str(tmp_path / "a"), "--epochs", "1", "--lowercase", *QUICK)[0] == 0
    play.write_text(TEXT.replace("fox", "Ωx") * 20, encoding="utf-8")
    words = ("train", str(play), "-o", str(tmp_path / "b"), "--from", str(tmp_path / "a"), "--epochs", "1")
    code, _, stderr = in_process(*words)
    assert code == 0, stderr
    description = read_model(tmp_path / "b").description
    assert description.vocabulary.symbols[-1] == "ω"
    assert (description.text.lowercase, description.model.units) == (True, 16)


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_a_network_of_another_cell_does_all_that_a_model_does(play: Path, tmp_path: Path, cell: str) -> None:
    model = str(tmp_path / "a")
    code, _, stderr = in_process("train", str(play), "-o", model, "--epochs", "1", "--cell", cell, *QUICK)
    assert code == 0, stderr
    name = {"gru": "GRU", "rnn": "SimpleRNN"}[cell]
    told = f"the kernel has no {name}: Keras's own layers train it, more slowly than an LSTM of this size"
    assert stderr.count(told) == 1
    assert f"2 × {name}(16), embedding dimension 64" in in_process("info", model)[1]
    assert len(in_process("generate", model, "--length", "20", "--count", "3")[1]) > 60
    assert in_process("evaluate", model, str(play))[1].startswith("hold-out: 204 characters")
    tuned = ("train", str(play), "-o", str(tmp_path / "b"), "--from", model, "--epochs", "1")
    code, _, stderr = in_process(*tuned, "--cell", "lstm")
    assert (code, stderr.splitlines()[-1]) == (
        1,
        f"textgen: error: {model}/model.keras: --cell is lstm, but the model has {cell}; leave out --cell",
    )
    assert in_process(*tuned)[0] == 0
    assert read_model(tmp_path / "b").description.model.cell == cell


def test_a_terminal_gets_a_bar(play: Path, tmp_path: Path) -> None:
    words = ("train", str(play), "-o", str(tmp_path / "run"), "--epochs", "90", *QUICK)
    _, shown = on_a_terminal(*words, command=QUICK_COMMAND)
    assert re.search(rb"\d+%\|.*\| epoch \d\.\d, loss \d\.\d+, [\d,]+ characters/s, \d\d:\d\d left", shown)


@pytest.mark.parametrize(
    ("streams", "command"),
    [
        ("2>/dev/full", QUICK_COMMAND),
        ("<&- >&- 2>&-", COMMAND),  # TensorFlow's own lines have nowhere to go
        ("a pipe that closes", QUICK_COMMAND),
        ("a terminal that closes", QUICK_COMMAND),
    ],
)
def test_a_run_goes_on_when_nobody_can_see_it(play: Path, tmp_path: Path, streams: str, command: Sequence[str]) -> None:
    words = [*command, "train", str(play), "-o", str(tmp_path / "run"), "--epochs", "3", *QUICK]
    if streams.startswith("a "):
        ours, theirs = os.pipe() if "pipe" in streams else pty.openpty()
        process = subprocess.Popen(words, stderr=theirs, start_new_session=True)
        os.close(theirs)
        assert os.read(ours, 1)
        os.close(ours)
    else:
        process = subprocess.Popen(["sh", "-c", f'exec "$@" {streams}', "sh", *words])
    assert process.wait(timeout=120) == 0
    assert read_model(tmp_path / "run").description.training.epochs == 3.0
    assert (tmp_path / "run" / "model.keras").read_bytes().startswith(b"PK")


def test_what_happens_is_told_as_json(play: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    code, stdout, stderr = in_process("train", str(play), "-o", str(output), "--epochs", "2", *QUICK, "--json")
    assert (code, stderr) == (0, "")
    lines = [json.loads(line) for line in stdout.splitlines()]
    events = [line["event"] for line in lines]
    assert events[:2] == ["started", "stepped"]
    assert [event for event in events if event != "stepped"] == ["started", "evaluated", "evaluated", "finished"]
    assert lines[0]["reading"] == [f"{play}: 2,040 characters"]
    result = lines[-1]
    assert (result["model"], result["stopped_by"]) == (str(output / "model.keras"), "plan")
    evaluated = [line["validation_nats"] for line in lines if line["event"] == "evaluated"]
    assert result["calibration"]["nats_before"] == min(evaluated) > result["calibration"]["nats"]
    assert result["calibration"]["nats"] == result["validation_nats"]
    assert [baseline["name"].split()[0] for baseline in result["baselines"]] == ["n-gram", "xz"]
    code, stdout, stderr = in_process("train", str(play), "-o", str(output), "--json")
    assert (code, stdout, stderr.count("\n")) == (1, "", 1)
    assert "the folder has a run already" in stderr


def test_a_quiet_run_shows_errors_alone(play: Path, tmp_path: Path) -> None:
    words = ("train", str(play), "-o", str(tmp_path / "run"), "--epochs", "1", *QUICK, "--quiet")
    assert in_process(*words) == (0, "", "")
    code, stdout, stderr = in_process(*words)
    assert (code, stdout, stderr.count("\n")) == (1, "", 1)
    assert "the folder has a run already" in stderr


def test_a_reader_of_events_may_leave_and_an_interrupted_run_ends_with_its_result(play: Path, tmp_path: Path) -> None:
    words = [*QUICK_COMMAND, "train", str(play), *QUICK, "--json", "-o"]
    leaving = subprocess.Popen([*words, str(tmp_path / "a"), "--epochs", "3"], stdout=subprocess.PIPE)
    assert leaving.stdout is not None
    assert json.loads(leaving.stdout.readline())["event"] == "started"
    leaving.stdout.close()
    process = subprocess.Popen([*words, str(tmp_path / "b"), "--epochs", "1000000"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    while json.loads(process.stdout.readline())["event"] != "evaluated":
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    last = json.loads(process.communicate(timeout=60)[0].splitlines()[-1])
    assert (process.returncode, last["event"], last["stopped_by"], last["baselines"]) == (
        143,
        "finished",
        "SIGTERM",
        [],
    )
    assert leaving.wait(timeout=60) == 0
    assert read_model(tmp_path / "a").description.training.epochs == 3.0


def interrupted(arguments: list[str], stdin: bytes) -> str:
    """Start a run and interrupt it after two epochs; return what it printed."""
    process = subprocess.Popen(
        [*QUICK_COMMAND, "train", *arguments, "--epochs", "1000", *QUICK],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(stdin)
    process.stdin.close()
    shown = b""
    while not (line := process.stderr.readline()).startswith(b"epoch 2.0"):
        assert process.poll() is None, shown
        shown += line
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    process.stderr.close()
    return shown.decode()


def test_a_piped_text_is_resumed_when_it_is_piped_again(tmp_path: Path) -> None:
    """And it is read again as it was read the first time."""
    output, text = str(tmp_path / "run"), (TEXT * 30 + "Ça").encode("cp1252")
    options = ["--encoding", "cp1252", "--unicode", "nfkc", "--lowercase", "--min-count", "2", "--separator", r"\t"]
    shown = interrupted(["-", "-o", output, *options], text)
    assert shown.startswith("standard input: 2,042 characters, read as cp1252\nreplaced: 1 rare symbol, ç\n")
    resume = partial(run, command=QUICK_COMMAND)
    nothing = resume("train", "--resume", "-o", output, stdin=b"")
    assert (nothing.returncode, nothing.stderr.count("\n")) == (1, 1)
    assert "standard input: is empty; pipe a text in (to resume: the run's own)" in nothing.stderr
    other = resume("train", "--resume", "-o", output, "--min-count", "3", stdin=text)
    assert (other.returncode, other.stderr.count("\n")) == (1, 1)
    assert "--min-count is 3, but the run was started with 2; give --resume alone" in other.stderr
    changed = resume("train", "--resume", "-o", output, stdin=text + b"!")
    assert changed.returncode == 1
    assert "the run was started on another text (standard input, " in changed.stderr
    resumed = resume("train", "--resume", "-o", output, "--min-count", "2", stdin=text)
    assert resumed.returncode == 0, resumed.stderr
    info = read_model(output).description.text
    assert (info.name, info.unicode, info.lowercase, info.replacement) == ("stdin", "nfkc", True, "\ufffd")


def test_a_folder_in_several_encodings_is_told_source_by_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n" * 9
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.txt").write_text(line, encoding="cp932")
    (tmp_path / "d" / "b.txt").write_text(line, encoding="utf-8")
    (tmp_path / "d" / ".c.txt").write_text(line, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    code, _, stderr = in_process("train", "d", "--epochs", "1", *QUICK)
    assert code == 0, stderr
    lines = stderr.splitlines()
    assert lines.pop(3).startswith("Note: the held-out part has only 62 characters: ")
    assert lines[:4] == [
        f"d/a.txt: 306 characters, read as cp932 (guessed): “{line[:33]}”",
        "d/b.txt: 306 characters",
        "skipped: d/.c.txt (hidden)",
        "d: 613 characters, 28 distinct; the last 62 held out for validation",
    ]


def test_a_text_of_a_library_is_noticed_and_stripped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    frame = "*** {} OF THE PROJECT GUTENBERG EBOOK FOX ***\n"
    (tmp_path / "fox.txt").write_text("Title\n" + frame.format("START") + TEXT * 9 + "\n" + frame.format("END"))
    words = ("--epochs", "1", *QUICK, "--force")
    plain = in_process("train", "fox.txt", *words)[2].splitlines()
    assert plain[0] == ("fox.txt: 715 characters, with text added by Project Gutenberg, which --strip removes")
    stripped = in_process("train", "fox.txt", *words, "--strip")[2].splitlines()
    assert stripped[0] == (
        "fox.txt: 612 characters, without Project Gutenberg: a header of 55 characters, a footer of 48 characters"
    )
    assert stripped[1].startswith('removed from fox.txt: header "Title *** START OF THE PROJECT')
