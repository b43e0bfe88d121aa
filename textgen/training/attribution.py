"""`textgen.attribute`: which model, or which author, predicts each of some texts best."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from textgen.arguments import PATH, expect, expect_known, shown
from textgen.config import FOLDS, Reading
from textgen.corpus.corpus import SourceOptions
from textgen.corpus.normalisation import MarksError
from textgen.corpus.separate import Whole, read_each
from textgen.errors import CorpusError
from textgen.evaluation.attribution import Attribution, compare, remarks
from textgen.evaluation.judgement import judge
from textgen.evaluation.stylometry import Stylometry
from textgen.model_file import Model, read_model, shipped
from textgen.training.authors import (
    FEWEST_CHARACTERS,
    Planned,
    Training,
    dealt,
    equal_amounts,
    shared_vocabulary,
    trained,
    training_seconds,
    trainings_of,
)
from textgen.training.cross_validation import Tally
from textgen.training.progress import Event
from textgen.wording import counted

LONGEST_NAME = 100  # characters of an author's name, which is part of a folder's
EDITIONS = (
    "the models learn spelling and punctuation too, so texts of different editions are told apart by these: take all "
    "texts from one edition"
)
FAR = 2  # times as much text as the author with the least has is told
FOREIGN = 0.2  # share of characters that the base model does not know

Known = dict[str, list[str]]  # normalised texts by author


def attribute(
    *texts: str | Path,
    among: Sequence[str | Path] | None = None,
    corpora: Mapping[str, str | Path | Sequence[str | Path]] | None = None,
    start_from: str | Path | None = None,
    output: str | Path | None = None,
    folds: int = 5,
    on_progress: Callable[[Planned | Event], None] | None = None,
    reading: Reading | None = None,
    **options: Unpack[SourceOptions],
) -> Attribution:
    """Find out which model, or which author, predicts each of some texts best, and whether that can be told at all.

    The mean surprisal of a character is compared. Its difference to the best has a 95 % interval, by the moving block
    bootstrap (Künsch, 1989), which covers how much the difference varies inside the text. It does not cover that a
    model may be better for another reason than its author: more text, a longer training, the same subject.

    With `corpora`, a base model is fine-tuned on the known texts of each author: on equal amounts, normalised as the
    base model's text was, all with one vocabulary. How far that can be trusted is found by cross-validation: whole
    texts are dealt to `folds` parts, and each part is judged by models of the others. Cosine Delta and the compression
    distance of xz, which need no training, judge the same texts.

    Args:
        *texts: files, folders, archives, `-` for standard input; each file is judged by itself.
        among: two or more models: run folders or `.keras` files. Each reads the text in its own normalisation.
        corpora: instead of models, the known texts of two or more authors by name: files, folders or archives.
        start_from: the model to fine-tune, a run folder or `.keras` file; by default the bundled one.
        output: with `corpora`, the folder that keeps the runs. Runs of an earlier call on the same texts are used as
            they are, or resumed.
        folds: the number of parts of the known texts, from 2 on; 0 for no cross-validation.
        on_progress: with `corpora`, called with a `Planned` event, then with those of each training, as by
            `textgen.train`.
        reading: how to read files, instead of options; separator, normalisation and `min_count` do not apply.
        **options: `encoding`, `glob`, `markup`, `repair` and `strip`, as in `Corpus.from_files`.

    Raises:
        ModelFileError: a model cannot be read, or is named twice.
        CorpusError: a text cannot be read or is unfit, or a model knows none of its characters; or an author has fewer
            texts than there are folds.
        RunError: a run folder is in use, or cannot be written.
        TrainingError: the memory does not suffice, or the training was stopped.
        ValueError: an argument is wrong.
        TypeError: an argument is of a wrong type.
    """
    expect_known(options, ("among", "corpora", "start_from", "output", "folds", "on_progress", "reading", *SOURCES))
    if not texts:
        raise ValueError("expected the path of at least one text")
    if (among is None) == (corpora is None):
        raise ValueError("give either `among` or `corpora`")
    reading = Reading.given("reading", reading, options)
    if corpora is None:
        for name, value in (("start_from", start_from), ("output", output)):
            if value is not None:
                raise ValueError(f"`among` and `{name}` exclude each other; give only one")
        wholes, told = read_each(texts, reading)
        found = compare(wholes, among or ())
        return replace(found, notes=(*told, *found.notes))
    expect("start_from", start_from, PATH | None)
    expect("output", output, PATH, "name the folder that keeps the runs")
    folds = FOLDS.check("folds", folds)
    if folds == 1:
        raise ValueError("`folds` must be 0, for no cross-validation, or at least 2, not 1")
    paths = _checked(corpora)
    base = read_model(shipped() if start_from is None else start_from)
    wholes, told = read_each(texts, reading)
    known = {name: _known(name, its, base, reading) for name, its in paths.items()}
    return _to_authors(wholes, told, known, base, Path(output or ""), folds, on_progress or _ignore)


SOURCES = tuple(SourceOptions.__annotations__)


def _to_authors(
    wholes: Sequence[Whole],
    told: Sequence[str],
    known: Known,
    base: Model,
    output: Path,
    folds: int,
    on_progress: Callable[[Planned | Event], None],
) -> Attribution:
    """Attribute texts to authors."""
    read = [_normalised(whole, base) for whole in wholes]
    vocabulary = shared_vocabulary(base, known)
    for whole in read:
        if sum(symbol in vocabulary for symbol in whole.text) < 2:
            raise CorpusError(f"{whole.name}: has no characters of the known texts; expected a text in the same script")
    learnt: list[tuple[int | None, Known]] = [(None, equal_amounts(known))]
    learnt += [(fold, equal_amounts(dealt(known, fold, folds)[0])) for fold in range(_possible(known, folds))]
    _refuse_short(learnt[-1][1])
    rounds = [trainings_of(base, texts, vocabulary, fold=fold, output=output) for fold, texts in learnt]
    characters = sum(len(whole.text) for whole in read) + sum(len(text) for texts in known.values() for text in texts)
    on_progress(_planned(base, rounds, len(known) * characters, output))
    models = [[trained(base, training, on_progress) for training in trainings] for trainings in rounds]
    names = list(known)
    tally = Tally({name: len(texts) for name, texts in known.items()}, folds)
    for (fold, texts), its in zip(learnt[1:], models[1:], strict=True):
        stylometry = Stylometry(texts)
        for author, judged in dealt(known, fold or 0, folds)[1].items():
            for text in judged:
                tally.add(author, judge(Whole(author, text), its, names), stylometry.distances(text))
    stylometry = Stylometry(learnt[0][1])
    judgements = tuple(
        [replace(judge(whole, models[0], names), distances=stylometry.distances(whole.text)) for whole in read]
    )
    notes = (*told, *_doubts(read, known, base), *remarks(judgements), EDITIONS)
    return Attribution(judgements, notes, tally.result() if folds else None)


def _planned(base: Model, rounds: Sequence[Sequence[Training]], judged: int, output: Path) -> Planned:
    trainings = [training for trainings in rounds for training in trainings]
    left = [training for training in trainings if not training.is_kept]
    seconds = training_seconds(base, left, judged)
    return Planned(len(trainings), len(trainings) - len(left), len(rounds[0][0].corpus), seconds, output)


def _checked(corpora: object) -> dict[str, list[str | Path]]:
    """The paths of each author's texts."""
    expect("corpora", corpora, Mapping, 'give {"name": paths}')
    given: Mapping[object, object] = corpora  # type: ignore[assignment]
    if len(given) < 2:
        raise ValueError(f"`corpora` must name two authors or more, not {len(given)}")
    paths: dict[str, list[str | Path]] = {}
    for name, its in given.items():
        expect("corpora", name, str, "an author's name is text")
        name = str(name)
        if not is_name(name):
            raise ValueError(
                f"`corpora` names an author {shown(name)}; expected at most {LONGEST_NAME} printable characters, "
                "without / and not beginning with a dot, since a folder is named after it"
            )
        paths[name] = [its] if isinstance(its, PATH) else list(its)  # type: ignore[call-overload]
        if not paths[name]:
            raise ValueError(f"`corpora` names no text of {name}")
    return paths


def is_name(name: str) -> bool:
    """Whether an author can be called so: a folder is named after it."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and "/" not in name and not name.startswith(".")


def _known(author: str, paths: Sequence[str | Path], base: Model, reading: Reading) -> list[str]:
    """An author's texts, normalised as the base model's."""
    wholes, _ = read_each(paths, reading)
    texts = [_normalised(whole, base).text for whole in wholes]
    for whole, text in zip(wholes, texts, strict=True):
        if len(text) < 2:
            raise CorpusError(f"{whole.name}: has {counted(len(text), 'character')}; expected a text by {author}")
    return texts


def _normalised(whole: Whole, base: Model) -> Whole:
    try:
        return replace(whole, text=base.description.text.normalisation(whole.text))
    except MarksError as error:
        raise CorpusError(f"{whole.name}: {error}") from error


def _possible(known: Known, folds: int) -> int:
    """The number of folds, if every author has a text for each."""
    for name, texts in known.items():
        if len(texts) < folds:
            remedy = f"`folds={len(texts)}`, " if len(texts) > 1 else ""
            raise CorpusError(
                f"{name}: has {counted(len(texts), 'text')}, too few for {folds} folds; "
                f"give more texts, or {remedy}`folds=0` for no cross-validation"
            )
    return folds


def _refuse_short(learnt: Mapping[str, Sequence[str]]) -> None:
    least = min(learnt, key=lambda name: sum(map(len, learnt[name])))
    if (characters := sum(map(len, learnt[least]))) < FEWEST_CHARACTERS:
        raise CorpusError(
            f"{least}: a model would learn from {counted(characters, 'character')}; expected at least "
            f"{FEWEST_CHARACTERS:,} of each author: give more or longer texts"
        )


def _doubts(read: Sequence[Whole], known: Known, base: Model) -> list[str]:
    """Notes on texts that are in two places, and on unequal or foreign ones."""
    notes = []
    owners: dict[str, str] = {}
    for name, texts in known.items():
        for text in texts:
            if owners.setdefault(text, name) != name:
                notes.append(f"{owners[text]} and {name} have a text in common, which makes them alike")
    notes += [f"{whole.name}: is one of {owners[whole.text]}'s known texts" for whole in read if whole.text in owners]
    sizes = {name: sum(map(len, texts)) for name, texts in known.items()}
    least, most = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    if sizes[most] > FAR * sizes[least]:
        notes.append(
            f"{least} has {counted(sizes[least], 'character')}, {most} {sizes[most]:,}: as much of each is learnt as "
            f"{least} has"
        )
    symbols = base.description.vocabulary.codes
    strange = sum(symbol not in symbols for texts in known.values() for text in texts for symbol in text)
    if strange > FOREIGN * sum(sizes.values()):
        notes.append(
            f"{base.path}: does not know {strange / sum(sizes.values()):.0%} of the known texts' characters; fine-tune "
            "a model that was trained on such texts with `start_from`"
        )
    return notes


def _ignore(event: Planned | Event) -> None:
    """Do nothing."""
