import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import textgen
from tests.conftest import QUICK_COMMAND, TEXT, in_process, run, run_here
from textgen.cli.generate import MOST_SEED, SECTIONS, command
from textgen.model_file import shipped


def test_the_seed_is_printed_then_the_text(trained: Path) -> None:
    result = run_here("generate", str(trained), "--seed", "The quick ", "--length", "40", "--argmax")
    assert result.returncode == 0
    assert result.stdout == (TEXT * 2)[: 10 + 40] + "\n"
    assert result.stderr.startswith(f"model {trained}, --rng-seed ")


def test_a_model_file_does_as_well_as_its_folder(trained: Path) -> None:
    arguments = ("--seed", "The ", "--length", "60", "--rng-seed", "4")
    folder, file = (run_here("generate", str(model), *arguments) for model in (trained, trained / "model.keras"))
    assert folder.stdout == file.stdout != ""
    assert folder.stderr == ""


def test_the_seed_told_repeats_the_text(trained: Path) -> None:
    first = run_here("generate", str(trained), "--temperature", "1.5")
    again = run_here("generate", str(trained), "--temperature", "1.5", "--rng-seed", first.stderr.split()[-1])
    assert first.stdout == again.stdout


def test_temperature_zero_is_argmax(trained: Path) -> None:
    zero, argmax = (run_here("generate", str(trained), *words) for words in (("--temperature", "0"), ("--argmax",)))
    assert zero.stdout == argmax.stdout


def test_a_seed_is_read_from_standard_input(trained: Path) -> None:
    piped = run_here("generate", str(trained), "--seed", "-", "--argmax", "--length", "20", stdin="The lazy")
    given = run_here("generate", str(trained), "--prompt", "The lazy", "--argmax", "--length", "20")
    assert piped.stdout == given.stdout


@pytest.mark.parametrize(
    ("piped", "seed", "told"),
    [
        (b"The \r\nlazy\r\n", "The \nlazy", ""),
        (b"\xef\xbb\xbfThe lazy\n", "The lazy", ""),
        (b"The lazy\n\n", "The lazy\n", ""),
        ("\ufeffThe lazy\n".encode("utf-16-le"), "The lazy", "the seed phrase on standard input: read as utf-16-le\n"),
        (
            "吾輩は猫である。The lazy".encode("cp932"),
            "吾輩は猫である。The lazy",
            "the seed phrase on standard input: read as cp932 (guessed): “吾輩は猫である。The lazy”\n",
        ),
        (
            b"The caf\xc3\xa9, caf\xe9, \xe2\x80\x99",
            "The café, café, ’",
            "the seed phrase on standard input: "
            "with 1 invalid byte (é) read as cp1252, the first in line 1 at character 14\n",
        ),
        (
            "The 猫と猫".encode()[:-1],
            "The 猫と",
            "the seed phrase on standard input: without its last character, which is cut off after 2 bytes\n",
        ),
        (b"The \x1b", "The \x1b", ""),  # a model may have it: what it does not know is named all the same
        (b"", "", ""),
    ],
)
def test_a_seed_on_standard_input_is_read_as_a_text_is(piped: bytes, seed: str, told: str) -> None:
    words = ("generate", str(shipped()), "--seed", "-", "--unknown", "skip", "--json", "--length", "1")
    code, stdout, stderr = in_process(*words, stdin=piped)
    assert (code, stderr) == (0, told)
    assert json.loads(stdout)["seed"] == seed


@pytest.mark.parametrize(
    ("piped", "seed"),
    [
        ("Wenn nötig".encode("cp850"), "Wenn nötig"),
        ("Wenn nötig".encode(), "Wenn nötig"),  # UTF-8 decides for itself
        ("\ufeffWenn nötig".encode("utf-16-le"), "Wenn nötig"),  # and so does a byte order mark
        (b"\xfeWenn \x94", "■Wenn ö"),
    ],
)
def test_the_encoding_that_is_given_reads_a_seed_that_could_be_in_any(piped: bytes, seed: str) -> None:
    words = ("generate", str(shipped()), "--seed", "-", "--unknown", "skip", "--json", "--length", "1")
    assert json.loads(in_process(*words, "--encoding", "cp850", stdin=piped)[1])["seed"] == seed


@pytest.mark.parametrize(
    ("piped", "message"),
    [
        (b"The\0lazy", "the seed phrase on standard input: has a NUL at offset 3; "),
        (
            b"a" * (MOST_SEED + 1),
            "the seed phrase on standard input: is larger than 16,777,216 bytes; pipe in only the end of it",
        ),
    ],
)
def test_a_seed_on_standard_input_that_is_no_text_is_refused(piped: bytes, message: str) -> None:
    code, stdout, stderr = in_process("generate", str(shipped()), "--seed", "-", stdin=piped)
    assert (code, stdout) == (1, "")
    assert stderr.startswith(f"textgen: error: {message}")


def test_texts_are_separated_and_json_has_a_line_each(trained: Path) -> None:
    arguments = (
        "--seed",
        "The ",
        "--count",
        "3",
        "--length",
        "50",
        "--rng-seed",
        "4",
        "--temperature",
        "2",
        "--stop",
        "z",
    )
    plain = run_here("generate", str(trained), *arguments)
    rows = [json.loads(line) for line in run_here("generate", str(trained), *arguments, "--json").stdout.splitlines()]
    assert plain.stdout == "\n---\n".join(row["seed"] + row["text"] for row in rows) + "\n"
    assert len(rows) == 3
    for row in rows:
        assert list(row) == ["seed", "text", "rng_seed", "stopped_by", "stop"]
        assert (row["seed"], row["rng_seed"]) == ("The ", 4)
        assert "z" not in row["text"]
        ended = ("length", None) if len(row["text"]) == 50 else ("stop", "z")
        assert (row["stopped_by"], row["stop"]) == ended


def test_output_is_utf_8_whatever_the_locale(trained: Path) -> None:
    result = run(
        "generate",
        str(trained),
        "--seed",
        "é",
        "--unknown",
        "skip",
        "--length",
        "3",
        "--json",
        LC_ALL="C",
        PYTHONUTF8="0",
    )
    assert json.loads(result.stdout)["seed"] == "é"


def test_a_file_takes_the_text_whole(trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    result = run_here("generate", str(trained), "--seed", "The ", "--length", "30", "-o", str(path))
    assert (result.returncode, result.stdout) == (0, "")
    assert len(path.read_text()) == 35
    result = run_here("generate", str(trained), "-o", str(tmp_path / "none" / "out.txt"))
    assert result.returncode == 1
    assert "out.txt: cannot be written (No such file or directory); name another file with -o" in result.stderr


WRITING = ("generate", str(shipped()), "--seed", "To ‘be’", "--unknown", "nearest", "--length", "3", "--rng-seed", "1")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16", "utf-8-sig", "iso2022_jp_3"])
def test_a_file_is_written_in_the_encoding_that_is_asked_for(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "out.txt"
    expected = in_process(*WRITING)[1]
    assert in_process(*WRITING, "-o", str(path), "--encoding", encoding) == (0, "", "")
    assert path.read_bytes() == expected.encode(encoding)


def test_a_file_keeps_its_permissions_and_its_names(tmp_path: Path) -> None:
    path, other = tmp_path / ("漢" * 75 + ".txt"), tmp_path / "other"
    path.write_text("secret")
    path.chmod(0o600)
    assert in_process(*WRITING, "-o", str(path)) == (0, "", "")
    assert path.stat().st_mode & 0o777 == 0o600
    other.hardlink_to(path)
    assert in_process(*WRITING, "--count", "2", "-o", str(other)) == (0, "", "")
    assert path.read_text().count("---") == other.read_text().count("---") == 1
    assert sorted(tmp_path.iterdir()) == sorted([path, other])


def test_json_escapes_what_its_encoding_may_lack(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    assert in_process(*WRITING, "--json", "-o", str(path), "--encoding", "ascii") == (0, "", "")
    assert json.loads(path.read_bytes())["seed"] == "To ‘be’"


def test_a_character_that_the_encoding_lacks_is_told_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    assert in_process(*WRITING, "-o", str(path), "--encoding", "latin-1") == (
        1,
        "",
        f"textgen: error: {path}: cannot be written, because latin-1 has no '‘' (U+2018 LEFT SINGLE QUOTATION MARK); "
        "leave out --encoding to write UTF-8\n",
    )
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_seed_that_is_not_utf_8_is_wrong_usage() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "textgen", "generate", "x", "--seed", b"\xff"], capture_output=True, check=False
    )
    assert result.returncode == 2
    assert b"'--seed' / '--prompt': it is not UTF-8 text." in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--temperature -1", "'--temperature': expected a number from 0 to 100, not '-1'."),
        ("--temperature hot", "'--temperature': expected a number from 0 to 100, not 'hot'."),
        ("--temperature nan", "'--temperature': expected a number from 0 to 100, not 'nan'."),
        ("--top-k 0", "expected a whole number from 1 to 1,114,112, not '0'."),
        ("--top-k x", "expected a whole number"),
        ("--top-p x", "expected a number"),
        ("--min-p x", "expected a number"),
        ("--count x", "expected a whole number"),
        ("--top-k 1.5", "expected a whole number"),
        ("--top-p 0", "expected a number above 0, at most 1, not '0'."),
        ("--top-p 1.1", "expected a number above 0, at most 1, not '1.1'."),
        ("--min-p -0.1", "expected a number from 0 to 1, not '-0.1'."),
        ("--length -1", "expected a whole number from 0 to 1,000,000,000, not '-1'."),
        ("--length many", "expected a whole number"),
        ("--count 0", "expected a whole number from 1 to 1,000,000,000, not '0'."),
        ("--rng-seed 1e3", "expected a whole number"),
        ("--temperature 0.8 --argmax", "--temperature and --argmax exclude each other; give only one of them."),
        ("--unknown drop", "'drop' is not one of"),
        ("--stop=", "--stop needs at least one character."),
        ("--encoding cp932", "--encoding needs a file (-o) or a seed phrase on standard input (--seed -)."),
        ("--encoding klingon -o x", "encoding must be a text encoding that Python knows"),
    ],
)
def test_wrong_usage_exits_2_and_names_the_range(words: str, message: str) -> None:
    code, stdout, stderr = in_process("generate", "model", *words.split())
    assert (code, stdout) == (2, "")
    assert message in stderr


def test_an_unknown_character_is_named_and_has_remedies(trained: Path) -> None:
    result = run_here("generate", str(trained), "--seed", "The Ωuick")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "textgen: error: the seed phrase has characters that are not in the model's vocabulary: "
        "'Ω' (U+03A9 GREEK CAPITAL LETTER OMEGA); use --unknown nearest or --unknown skip, or change the seed phrase\n"
    )
    for way in ("skip", "nearest"):
        seed = "The quïck " if way == "nearest" else "The Ωquick "
        result = run_here("generate", str(trained), "--seed", seed, "--unknown", way, "--argmax", "--length", "9")
        assert result.stdout == f"{seed}brown fox\n"


def test_without_a_model_the_shipped_one_writes_and_the_runs_found_are_named(tmp_path: Path) -> None:
    words = ["generate", "--seed", "ROMEO:", "--length", "20", "--rng-seed", "3"]
    result = run_here(*words, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("ROMEO:")
    assert result.stderr == f"model {shipped()}, --rng-seed 3\n"
    (tmp_path / "models" / "b").mkdir(parents=True)
    (tmp_path / "models" / "b" / "model.keras").touch()
    assert run_here(*words, cwd=tmp_path).stderr == f"model {shipped()}, --rng-seed 3 (your own models: models/b)\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such model"), (b"", "not a complete Keras archive"), (b"PK\x03\x04", "not a complete Keras archive")],
)
def test_what_is_no_model_is_told_in_one_line(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "x.keras").write_bytes(content)
    result = run_here("generate", "x.keras", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith(f"textgen: error: x.keras: {message}")
    assert result.stderr.count("\n") == 1


def test_a_model_removed_between_two_commands_is_told(trained: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.keras"
    copy.write_bytes((trained / "model.keras").read_bytes())
    assert run_here("info", str(copy)).returncode == 0
    copy.unlink()
    gone = run_here("generate", str(copy))
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr == f"textgen: error: {copy}: no such model; name a run folder or a .keras file\n"


def test_a_traceback_is_shown_with_debug_alone(tmp_path: Path) -> None:
    assert "Traceback" not in run_here("generate", "none", cwd=tmp_path).stderr
    assert "Traceback" in run_here("--debug", "generate", "none", cwd=tmp_path).stderr


def start(trained: Path, *words: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "textgen", "generate", str(trained), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ,
    )


def test_a_closed_pipe_is_no_error(trained: Path) -> None:
    process = start(trained, "--length", "1000000")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(100)
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_text_ends_cleanly(trained: Path, number: int, code: int) -> None:
    process = start(trained, "--length", "100000000")
    assert process.stdout is not None
    process.stdout.read(100)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert b"Traceback" not in errors


def test_text_appears_as_it_is_written(trained: Path) -> None:
    process = start(trained, "--length", "100000000")
    assert process.stdout is not None
    first = len(os.read(process.stdout.fileno(), 1_000_000))  # later reads find what came while this process waited
    process.kill()
    process.communicate()
    assert 0 < first < 4096  # a full buffer has 8192


@pytest.mark.parametrize("command", [("generate", "--length", "5"), ("info",)])
def test_writing_needs_neither_keras_nor_tensorflow(trained: Path, command: tuple[str, ...]) -> None:
    script = (
        "import sys; from textgen.cli import main; main(sys.argv[1:]); "
        "print([name for name in ('keras', 'tensorflow') if name in sys.modules])"
    )
    words = [command[0], str(trained), *command[1:]]
    result = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_a_device_is_written_to_and_a_link_stays(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target.txt")
    assert run_here("generate", str(trained), "--length", "5", "-o", str(tmp_path / "link")).returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert len((tmp_path / "target.txt").read_text()) == 6
    assert run_here("generate", str(trained), "--length", "5", "-o", os.devnull).returncode == 0
    assert not Path(os.devnull).is_file()
    assert len(run("generate", str(trained), "--length", "5", "-o", "/dev/stdout").stdout) == 6
    folder = run_here("generate", str(trained), "-o", str(tmp_path))
    assert (folder.returncode, "cannot be written (Is a directory)" in folder.stderr) == (1, True)


def test_a_full_disk_behind_standard_output_is_told(trained: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [sys.executable, "-m", "textgen", "generate", str(trained)],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert result.returncode == 1
    assert b"No space left on device" in result.stderr
    assert b"Traceback" not in result.stderr


def test_a_stop_string_is_normalised_as_the_text_was(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(TEXT * 20)
    words = ["--lowercase", "--epochs", "1", "--units", "8", "--batch-size", "2", "--rng-seed", "1"]
    assert run("train", "t.txt", "-o", "run", *words, cwd=tmp_path, command=QUICK_COMMAND).returncode == 0
    result = run_here("generate", "run", "--stop", "E", "--json", "--length", "2000", cwd=tmp_path)
    assert json.loads(result.stdout)["stop"] == "e"


SHIPPED = ("generate", str(shipped()), "--rng-seed", "1")


def test_constraints_are_options() -> None:
    code, text, told = in_process(
        *SHIPPED,
        *("--length", "80", "--only", "bcdefgh ", "--without", "a", "--ban", "be", "--ban", "c", "--no-repeat", "6"),
    )
    assert (code, told, len(text)) == (0, "", 81)
    assert set(text) <= set("bdefgh \n")
    assert "be" not in text
    code, text, told = in_process(*SHIPPED, "--seed", "Tel. ", "--match", r"[A-Z][a-z]{3,9}, [a-z]+[!.]")
    assert (code, told) == (0, "")
    assert re.fullmatch(r"Tel\. [A-Z][a-z]{3,9}, [a-z]+[!.]\n", text)


def test_the_training_text_is_not_copied(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("generate", str(trained), "--seed", "The quick", "--no-copy", "8", "--length", "40", "--rng-seed", "1")
    code, own, told = in_process(*words)
    assert (code, told) == (0, "")
    (tmp_path / "fox.txt").write_text(TEXT * 60, encoding="utf-8")
    fox = str(tmp_path / "fox.txt")
    assert in_process(*words, "--against", fox) == (0, own, f"{fox}: 4,080 characters\n")
    assert not any(own[at : at + 8] in TEXT * 2 for at in range(2, len(own) - 8))
    monkeypatch.setenv("TEXTGEN_CACHE", str(tmp_path / "empty"))  # another test may have read the shipped model's text
    code, text, told = in_process(*SHIPPED, "--no-copy", "8")
    assert (code, text) == (1, "")
    assert told == (
        "textgen: error: the text that the model was trained on, tinyshakespeare, is not in the cache folder; name "
        "its files with --against\n"
    )


def test_what_ends_a_text_early_is_told() -> None:
    code, text, told = in_process(*SHIPPED, "--count", "3", "--only", "ab", "--no-repeat", "2")
    assert (code, text.count("---")) == (0, 2)
    assert told == "--no-repeat left nothing to write in 3 texts\n"
    options = ("--only", "ab", "--no-repeat", "2", "--match", "[ab]{30}")
    code, text, told = in_process(*SHIPPED, "--json", *options)
    assert (code, json.loads(text)["stopped_by"]) == (1, "no_repeat")
    assert told == (
        "textgen: error: 1 of 1 text ended before a match, since --no-repeat left nothing to write in 1 text; use "
        "another random seed, or relax the constraints\n"
    )
    assert in_process(*SHIPPED, "--match", "[ab]{30}", "--stop", "a")[0] == 1


def test_a_stop_string_may_be_called_as_a_constraint_is() -> None:
    code, text, told = in_process(*SHIPPED, "--json", "--seed", "what an ", "--match", "only.*", "--stop", "only")
    row = json.loads(text)
    assert (row["text"], row["stopped_by"], row["stop"]) == ("", "stop", "only")
    assert (code, "left nothing to write" in told) == (1, False)


def test_log_probabilities_are_for_json() -> None:
    row = json.loads(in_process(*SHIPPED, "--json", "--length", "4", "--logprobs", "2")[1])
    assert list(row) == ["seed", "text", "rng_seed", "stopped_by", "stop", "logprobs"]
    assert [item["symbol"] for item in row["logprobs"]] == list(row["text"])
    for item in row["logprobs"]:
        assert list(item) == ["symbol", "logprob", "likeliest"]
        assert len(item["likeliest"]) == 2
        assert item["logprob"] < max(item["likeliest"].values()) + 1e-9 < 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--only= --length 3", "--only must have at least one character."),
        (
            "--only Ω",
            "--only has characters that are not in the model's vocabulary: 'Ω' (U+03A9 GREEK CAPITAL LETTER OMEGA).",
        ),
        ("--only ab --without b", "--only and --without contradict each other: both have 'b'"),
        ("--ban=", "--ban needs at least one character."),
        ("--no-repeat 1", "expected a whole number from 2 to 1,000, not '1'."),
        ("--no-copy 1", "expected a whole number from 2 to 100,000, not '1'."),
        ("--against x", "--against needs --no-copy or --novelty."),
        ("--match a(", "--match is not a regular expression: missing ), unterminated subpattern at position 1."),
        (r"--match (a)\1", "--match has a back-reference"),
        ("--match a{40} --length 30", "the shortest text that matches --match has 40 characters"),
        ("--match Ω", "no text of the allowed characters can match --match"),
        ("--logprobs 3", "--logprobs needs --json."),
    ],
)
def test_constraints_that_cannot_be_are_wrong_usage(words: str, message: str) -> None:
    code, stdout, stderr = in_process(*SHIPPED, *words.split())
    assert (code, stdout) == (2, "")
    assert message in stderr


def test_a_text_is_the_same_whatever_the_count(tmp_path: Path) -> None:
    words = (*SHIPPED, "--length", "5", "--json")
    path = tmp_path / "x.jsonl"
    assert in_process(*words, "--count", "300", "-o", str(path)) == (0, "", "")
    lines = path.read_text().splitlines(keepends=True)
    assert len(lines) == 300
    assert in_process(*words, "--count", "2") == (0, "".join(lines[:2]), "")
    assert json.loads(lines[0])["text"] == textgen.load().generate(length=5, rng_seed=1)
    assert [json.loads(line)["text"] for line in lines[:40]] == [
        text.text for text in textgen.load().texts(count=40, length=5, rng_seed=1)
    ]


def test_the_texts_of_other_files_are_read_as_any_and_told_of(tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_bytes(b"The caf\xe9 is there, and the king goes home with all his men.\n")
    code, text, told = in_process(*SHIPPED, "--no-copy", "6", "--against", str(path), "--length", "300")
    assert (code, len(text)) == (0, 301)
    assert told.startswith(f"{path}: 60 characters, read as cp1252 (guessed)")
    code, text, told = in_process(*SHIPPED, "--no-copy", "6", "--against", str(tmp_path / "none"))
    assert (code, text) == (1, "")
    assert told.startswith(f"textgen: error: {tmp_path / 'none'}: no such file; check the path")


def test_the_help_has_sections() -> None:
    shown = in_process("generate", "--help")[1]
    assert re.findall(r"^(\S.*):$", shown, re.MULTILINE) == list(SECTIONS)
    names = {item.name for item in command.params if item.name != "model"}
    assert sorted(names) == sorted({name for section in SECTIONS.values() for name in section} - {"help"})


def test_a_pipe_by_name_may_be_closed_early() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert in_process(*SHIPPED, "--length", "9", "-o", f"/dev/fd/{writing}")[0] == 0
    finally:
        os.close(writing)
