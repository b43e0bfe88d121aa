"""`textgen.attribute`: which of several models predicts each of some texts best."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from textgen.arguments import PATH, expect, expect_known, shown
from textgen.config import Reading
from textgen.corpus.corpus import SourceOptions
from textgen.corpus.notes import grouped, such_as
from textgen.corpus.separate import read_each
from textgen.errors import ModelFileError
from textgen.evaluation.judgement import Judgement, judge
from textgen.model_file import Model, read_model

MOST_REMARKS = 3  # lines on short texts


@dataclass(frozen=True)
class Attribution:
    """The result of `textgen.attribute`.

    Attributes:
        judgements: of each text, in order.
        notes: for the user, on how the texts were read and what makes a verdict doubtful.
    """

    judgements: tuple[Judgement, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As values of JSON."""
        return {"texts": [item.to_dict() for item in self.judgements], "notes": list(self.notes)}


def attribute(
    *texts: str | Path,
    among: Sequence[str | Path],
    reading: Reading | None = None,
    **options: Unpack[SourceOptions],
) -> Attribution:
    """Find out which of several models predicts each of some texts best, and whether that can be told at all.

    The mean surprisal of a character is compared. Its difference to the best model has a 95 % interval, by the moving
    block bootstrap (Künsch, 1989), which covers how much the difference varies inside the text. It does not cover that
    a model may be better for another reason than its author: more text, a longer training, the same subject.

    Args:
        *texts: files, folders, archives, `-` for standard input; each file is judged by itself.
        among: two or more models: run folders or `.keras` files. Each reads the text in its own normalisation.
        reading: how to read files, instead of options; normalisation and `min_count` do not apply.
        **options: `encoding`, `glob`, `separator`, `markup`, `repair` and `strip`, as in `Corpus.from_files`.

    Raises:
        ModelFileError: a model cannot be read, or is named twice.
        CorpusError: a text cannot be read, or a model knows none of its characters.
        ValueError: an argument is wrong.
        TypeError: an argument is of a wrong type.
    """
    expect_known(options, ("among", *SourceOptions.__annotations__, "reading"))
    if not texts:
        raise ValueError("expected the path of at least one text")
    reading = Reading.given("reading", reading, options)
    models = _models(among)
    wholes, notes = read_each(texts, reading)
    judged = tuple([judge(whole, models, list(map(str, among))) for whole in wholes])
    return Attribution(judged, (*notes, *_normalised(models), *_remarks(judged)))


def _models(among: Sequence[str | Path]) -> list[Model]:
    """The models, which must be different ones."""
    expect("among", among, Sequence)
    if isinstance(among, str) or len(among) < 2:
        raise ValueError(f"`among` must name two models or more, not {shown(among)}")
    models: list[Model] = []
    for place, path in enumerate(among):
        expect(f"among[{place}]", path, PATH)
        models.append(read_model(path))
        if any(models[-1].path.samefile(other.path) for other in models[:-1]):
            raise ModelFileError(f"{path}: is named twice in `among`; expected different models")
    return models


def _normalised(models: Sequence[Model]) -> list[str]:
    """A note on models that normalise texts differently, or have a symbol for rare characters."""
    notes, groups = [], grouped((_normalisation(model), str(model.path)) for model in models)
    if len(groups) > 1:
        such = "; ".join(f"{how}{such_as(names)}" for how, names in groups.items())
        notes.append(f"each model reads the text in its own normalisation: {such}")
    notes += [
        f"{model.path}: reads characters that it does not know as {model.description.text.replacement}, which costs "
        "it less than others pay"
        for model in models
        if model.description.text.replacement is not None
    ]
    return notes


def _normalisation(model: Model) -> str:
    return f"{model.description.text.unicode}{', lowercase' if model.description.text.lowercase else ''}"


def _remarks(judged: Sequence[Judgement]) -> list[str]:
    """Notes on what makes verdicts doubtful."""
    found = [item.warning for item in judged if item.warning]
    if len(found) > MOST_REMARKS:
        found = [*found[:MOST_REMARKS], f"and {len(found) - MOST_REMARKS:,} more of the texts are as short"]
    seen = [(item.text, other.name) for item in judged for other in item.candidates if other.seen]
    return [*found, *(f"{text}: is the text that {name} was trained on, so it knows it" for text, name in seen)]
