"""Checks the arguments of `train` by themselves and against each other."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from textgen.arguments import PATH, expect
from textgen.config import ModelConfig, TrainingConfig
from textgen.corpus.corpus import Corpus
from textgen.errors import CorpusError
from textgen.training.cluster import Cluster
from textgen.wording import counted

EXCLUDING = (  # arguments that exclude each other
    ("epochs", "minutes"),
    ("resume", "force"),
    ("resume", "start_from"),
    ("seeds", "teachers"),
    ("seeds", "start_from"),
    ("cluster", "seeds"),
    ("cluster", "teachers"),
)


def check_types(**given: object) -> None:
    """Raise `TypeError` for the first argument of a wrong type, apart from numbers."""
    if given["corpus"] is not None:
        expect("corpus", given["corpus"], Corpus, "make one with textgen.Corpus.from_files or textgen.Corpus.from_text")
    for name, kind in (
        ("output", PATH),
        ("model", ModelConfig | None),
        ("training", TrainingConfig | None),
        ("start_from", PATH | None),
        ("teachers", PATH | Sequence),
        ("resume", bool),
        ("force", bool),
        ("cluster", Cluster | None),
        ("callbacks", Sequence),
        ("on_progress", Callable | None),
    ):
        expect(name, given[name], kind)


def refuse_both(**given: object) -> None:
    """Raise `ValueError` for two arguments that exclude each other; one that is not given is None, False or empty."""
    for first, second in EXCLUDING:
        if given[first] not in (None, False, ()) and given[second] not in (None, False, ()):
            raise ValueError(f"`{first}` and `{second}` exclude each other; give only one")


def asked(config: ModelConfig | TrainingConfig | None) -> dict[str, Any]:
    """The values of a configuration."""
    return {} if config is None else asdict(config)


def refuse_short(corpus: Corpus, window: int) -> None:
    """Raise `CorpusError` for a text shorter than two windows."""
    if len(corpus) < (shortest := 2 * window + 1):
        raise CorpusError(
            f"{corpus.label}: the text has {counted(len(corpus), 'character')}; expected at least {shortest:,} "
            f"with a sequence length of {window}: add text, or make `window` smaller"
        )
