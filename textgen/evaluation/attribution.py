"""Compares how well several models predict texts, and what the result of an attribution is."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from textgen.arguments import PATH, expect, shown
from textgen.corpus.notes import grouped, such_as
from textgen.corpus.separate import Whole
from textgen.errors import ModelFileError
from textgen.evaluation.judgement import Judgement, judge
from textgen.model_file import Model, read_model

MOST_REMARKS = 3  # lines on short texts
STRANGE = 0.1  # share of a text whose characters a model does not know, above which that is told


@dataclass(frozen=True)
class Accuracy:
    """How often a method named the right author of a known text that it had not learnt.

    Attributes:
        method: its name.
        right: the number of texts by each author whose author it named.
        undecided: the number of texts by each author of which it could not tell.
    """

    method: str
    right: dict[str, int]
    undecided: dict[str, int]


@dataclass(frozen=True)
class CrossValidation:
    """What the known texts say of each method: each text was judged by what the others had taught.

    Attributes:
        folds: the number of parts that the texts were dealt to.
        texts: the number of texts by each author.
        accuracies: of each method, the LSTM first.
    """

    folds: int
    texts: dict[str, int]
    accuracies: tuple[Accuracy, ...]


@dataclass(frozen=True)
class Attribution:
    """The result of `textgen.attribute`.

    Attributes:
        judgements: of each text, in order.
        notes: for the user, on how the texts were read and what makes a verdict doubtful.
        known: how the methods did on the known texts; None where models were compared, or without folds.
    """

    judgements: tuple[Judgement, ...]
    notes: tuple[str, ...]
    known: CrossValidation | None = None

    def to_dict(self) -> dict[str, Any]:
        """As values of JSON."""
        return {
            "texts": [item.to_dict() for item in self.judgements],
            "known": None if self.known is None else asdict(self.known),
            "notes": list(self.notes),
        }

    def _repr_html_(self) -> str:
        """Tables, for a notebook."""
        shown = []
        for item in self.judgements:
            rows = [["model", "bits/char", "more than the best", "95 % interval", "unknown"]]
            for other in item.candidates:
                interval = other.interval if other is not item.candidates[0] else ""
                rows.append(
                    [other.name, f"{other.bits:.4f}", f"{other.difference:+.4f}", interval, f"{other.unknown:,}"]
                )
            rows += [[distances.method, distances.nearest] for distances in item.distances]
            shown.append(_html_table(f"{item.text}: {item.verdict}", rows))
        if self.known:
            rows = [["method", *self.known.texts]]
            for accuracy in self.known.accuracies:
                counts = [f"{accuracy.right[name]} of {number}" for name, number in self.known.texts.items()]
                rows.append([accuracy.method, *counts])
            shown.append(_html_table("Known texts whose author was named", rows))
        return "".join(shown)


def _html_table(caption: str, rows: Sequence[Sequence[str]]) -> str:
    head, *body = ["".join(f"<td>{_html(cell)}</td>" for cell in row) for row in rows]
    lines = "".join(f"<tr>{cells}</tr>" for cells in body)
    head = head.replace("td>", "th>")
    return f"<table><caption>{_html(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _html(text: str) -> str:
    return escape("".join(symbol if symbol.isprintable() else "�" for symbol in text))


def compare(texts: Sequence[Whole], among: Sequence[str | Path]) -> Attribution:
    """Judge texts among models.

    Args:
        texts: each is judged by itself.
        among: two or more models: run folders or `.keras` files.

    Raises:
        ModelFileError: a model cannot be read, or is named twice.
        CorpusError: a model knows none of a text's characters.
        ValueError: there is only one model.
        TypeError: an argument is of a wrong type.
    """
    models = _models(among)
    judged = tuple([judge(text, models, list(map(str, among))) for text in texts])
    return Attribution(judged, (*_normalised(models), *remarks(judged)))


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


def remarks(judged: Sequence[Judgement]) -> list[str]:
    """Notes on what makes verdicts doubtful."""
    found = [item.warning for item in judged if item.warning]
    if len(found) > MOST_REMARKS:
        found = [*found[:MOST_REMARKS], f"and {len(found) - MOST_REMARKS:,} more of the texts are as short"]
    found += [told for item in judged if (told := _strange(item))][:MOST_REMARKS]
    seen = [(item.text, other.name) for item in judged for other in item.candidates if other.seen]
    return [*found, *(f"{text}: is the text that {name} was trained on, so it knows it" for text, name in seen)]


def _strange(judged: Judgement) -> str:
    """A note on a text of which no model knows much; else empty."""
    share = min(item.unknown for item in judged.candidates) / judged.characters
    if share <= STRANGE:
        return ""
    return (
        f"{judged.text}: every model lacks {share:.0%} of its characters or more; the verdict rests on the others: "
        "compare models that were trained on texts in the same script"
    )
