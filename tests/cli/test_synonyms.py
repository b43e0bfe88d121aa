import click
import pytest

from tests.attack.test_options import COMMANDS
from tests.conftest import in_process
from textgen.cli.synonyms import OTHER_NAMES, by_meaning

OPTIONS = {
    " ".join(path): [
        name for parameter in found.params if isinstance(parameter, click.Option) for name in parameter.opts
    ]
    for path, found in COMMANDS.items()
}


@pytest.mark.parametrize(
    ("words", "suggested"),
    [
        ("train --lr 0.1", "--learning-rate"),
        ("train --lr=0.1", "--learning-rate"),
        ("train --hidden 3", "--units"),
        ("train --hidden-units 3", "--units"),
        ("train --rnn-size 3", "--units"),
        ("train --rnn_size 3", "--units"),
        ("train -rnn_size 3", "--units"),
        ("train --num-units 3", "--units"),
        ("train --seed 3", "--rng-seed"),
        ("train --seq-length 3", "--window"),
        ("train --sequence-length 3", "--window"),
        ("train --max_length 3", "--window"),
        ("train --batch 3", "--batch-size"),
        ("train --num-layers 3", "--layers"),
        ("train --steps 3", "--epochs"),
        ("train --early-stopping", "--patience"),
        ("train --val-split 0.1", "--validation"),
        ("train -learning_rate 0.1", "--learning-rate"),
        ("generate --max-length 3", "--length"),
        ("generate --num-chars 3", "--length"),
        ("generate -n 3", "--length' or '--count"),
        ("generate -length 3", "--length"),
        ("generate --steps 3", "--length"),
        ("generate --prime a", "--seed"),
        ("generate --prefix a", "--seed"),
        ("generate -primetext a", "--seed"),
        ("generate --temp 1", "--temperature"),
        ("generate --nucleus 0.9", "--top-p"),
        ("evaluate --block-size 9", "--context"),
    ],
)
def test_an_option_of_another_program_is_told_by_its_meaning(words: str, suggested: str) -> None:
    code, stdout, stderr = in_process(*words.split())
    name = words.split()[1].split("=", maxsplit=1)[0]
    name = name if name.startswith("--") else name[:2]
    assert (code, stdout) == (2, "")
    assert stderr.splitlines()[-1] == f"Error: No such option '{name}'. Did you mean '{suggested}'?"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train --epoch-s 1", "No such option '--epoch-s'. Did you mean '--epochs'?"),
        ("train --xyzzy", "No such option '--xyzzy'."),
        ("info --units 3", "No such option '--units'."),
        ("--units 3 train", "No such option '--units'."),
        ("train -x", "No such option '-x'."),
    ],
)
def test_any_other_is_told_as_before(words: str, message: str) -> None:
    code, _, stderr = in_process(*words.split())
    assert (code, stderr.splitlines()[-1]) == (2, f"Error: {message}")


def test_every_name_leads_to_an_option_and_none_is_one() -> None:
    for option, names in OTHER_NAMES.items():
        having = [options for options in OPTIONS.values() if option in options]
        assert having, f"no command has {option}"
        for options in having:
            for name in names.split():
                assert f"--{name}" in options or option in by_meaning(f"--{name}", options)
        assert any(f"--{name}" not in options for options in having for name in names.split())
