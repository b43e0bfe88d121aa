"""`textgen attribute`: which model, or which author, predicts a text best."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from textgen.cli.options import as_options, is_given, number_option, refuse_both, source_options
from textgen.cli.table import aligned
from textgen.cli.terminal import bar, tell, write_json, write_line
from textgen.cli.words import Words, WordsCommand
from textgen.config import FOLDS
from textgen.wording import counted

if TYPE_CHECKING:
    from textgen.evaluation.attribution import CrossValidation
    from textgen.evaluation.judgement import Judgement
    from textgen.training.authors import Planned
    from textgen.training.progress import Event

OUTPUT = "models/attribution"


@click.command("attribute", cls=WordsCommand, short_help="Tell which model, or which author, predicts a text best.")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "--among",
    type=Words(),
    multiple=True,
    metavar="MODEL...",
    help="The models to compare, two or more: run folders or .keras files. All words up to the next option are models.",
)
@click.option(
    "--corpus",
    "corpora",
    type=Words(),
    multiple=True,
    metavar="NAME=FILES...",
    help="Instead of models: known texts of an author, files, folders or archives. Give it for each of two authors or "
    "more.",
)
@click.option(
    "--from",
    "start_from",
    type=click.Path(),
    metavar="MODEL",
    help="With --corpus: the model to fine-tune on each author.  [default: the bundled model]",
)
@click.option(
    "-o", "--output", type=click.Path(), help=f"With --corpus: folder that keeps the runs.  [default: {OUTPUT}]"
)
@number_option(
    "--folds",
    allowed=FOLDS,
    default=5,
    summary="With --corpus: parts of the known texts for the cross-validation, 0 for none.",
)
@partial(source_options, joined=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with surprisals in bits per character.")
def command(
    texts: tuple[str, ...],
    among: tuple[tuple[str, ...], ...],
    corpora: tuple[tuple[str, ...], ...],
    start_from: str | None,
    output: str | None,
    folds: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Tell which of several models, or which author, predicts TEXT... best; each file of TEXT... is judged by itself.

    The bits per character under each model are printed, the best first, and how many more each takes than the best,
    with a 95 % interval from a moving block bootstrap over the text. If the interval of another model reaches zero, the
    verdict is: cannot tell. Below 1,000 characters that a model knows there is none.

    With --corpus, a model is fine-tuned on equal amounts of each author's texts. The runs are kept, and used again as
    long as the texts are the same. Each known text is also judged by models of the others (cross-validation), which
    tells how far the verdict can be trusted; Cosine Delta and the compression distance of xz judge the same texts.

    The interval covers how the text varies. It does not cover that a model may be better for another reason than its
    author, such as more training, the same subject, or the punctuation of an edition.
    """
    models = [model for paths in among for model in paths]
    refuse_both(("--among", bool(models)), ("--corpus", bool(corpora)))
    if len(models) < 2 and not corpora:
        raise click.UsageError(
            "--among needs two models or more, behind the texts: textgen attribute TEXT --among A B; "
            "or give each author's texts with --corpus NAME=FILES."
        )
    for option, name in (("--from", "start_from"), ("-o", "output"), ("--folds", "folds")):
        if is_given(name) and not corpora:
            raise click.UsageError(f"{option} goes with --corpus, not with --among.")
    if folds == 1:
        raise click.UsageError("--folds must be 0, for no cross-validation, or at least 2.")
    from textgen.cli.download import located
    from textgen.training.attribution import attribute
    from textgen.training.process import configure

    authors = _authors(corpora)
    if not corpora:
        result = attribute(*located(texts), among=models, **options)
    else:
        configure()
        with _Display() as display:
            result = attribute(
                *located(texts),
                corpora={name: located(files) for name, files in authors.items()},
                start_from=start_from,
                output=OUTPUT if output is None else output,
                folds=folds,
                on_progress=display,
                **options,
            )
    for note in result.notes:
        tell(as_options(note))
    if as_json:
        write_json(result.to_dict())
        return
    for place, judgement in enumerate(result.judgements):
        for line in [*([""] if place else []), *_lines(judgement)]:
            write_line(line)
    for line in _of_known(result.known) if result.known else []:
        write_line(line)


def _authors(corpora: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """The files of each author, from words such as `hamilton=a.txt`, each with the words behind it."""
    from textgen.training.attribution import LONGEST_NAME, is_name

    authors: dict[str, list[str]] = {}
    for first, *more in corpora:
        name, equals, file = first.partition("=")
        files = [word for word in (file, *more) if word]
        if not equals or not is_name(name) or not files:
            raise click.UsageError(
                f"--corpus must be NAME=FILES..., with a name of at most {LONGEST_NAME} characters that can name a "
                f"folder, not '{first}'."
            )
        if name in authors:
            raise click.UsageError(f"--corpus names {name} twice; give all files behind one: --corpus {name}=A B")
        authors[name] = files
    if len(authors) == 1:
        raise click.UsageError("--corpus needs two authors or more; give it once for each.")
    return authors


class _Display(AbstractContextManager["_Display"]):
    """Shows on stderr what is trained."""

    def __init__(self) -> None:
        """Nothing is shown yet."""
        from textgen.training.bar import ProgressBar

        self._bar = ProgressBar(bar)
        self._trained = self._all = 0

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, event: "Planned | Event") -> None:
        """Show one event."""
        from textgen.training.authors import Planned
        from textgen.training.progress import Started, TrainingResult

        if isinstance(event, Planned):
            self._trained, self._all = event.kept, event.trainings
            tell(_plan(event))
            return
        self._bar(event)
        if isinstance(event, Started):
            self._trained += 1
            self._bar.write(
                f"training {self._trained} of {self._all}: {event.name}, {counted(event.characters, 'character')}, "
                f"{counted(event.epochs or 0, 'epoch')}",
                tell,
            )
        elif isinstance(event, TrainingResult):
            self._bar.close()


def _plan(event: "Planned") -> str:
    minutes = max(1, round(event.seconds / 60))
    kept = f", {event.kept} of them kept from before" if event.kept else ""
    return (
        f"{counted(event.trainings, 'model')} to train{kept}, on {event.characters:,} characters of each author: about "
        f"{counted(minutes, 'minute')}. They are kept in {event.output}, so an interrupted command goes on there."
    )


def _lines(judgement: "Judgement") -> list[str]:
    """A judgement as a table, for a person."""
    unknown = any(item.unknown for item in judgement.candidates)
    rows = [["bits/char", "more than the best", "95 % interval", *(["unknown"] if unknown else []), "model"]]
    for place, item in enumerate(judgement.candidates):
        more = [f"+{item.difference:.4f}", item.interval] if place else ["best", ""]
        rows.append([f"{item.bits:.4f}", *more, *([f"{item.unknown:,}"] if unknown else []), item.name])
    table = aligned(rows, right=frozenset(range(len(rows[0]) - 1)))
    size = f"{judgement.text}: {counted(judgement.characters, 'character')}, blocks of {judgement.block:,}"
    others = [f"{item.method}: {item.nearest} ({_distances(item.distances)})" for item in judgement.distances]
    return [size, *table, f"verdict: {judgement.verdict}", *others]


def _distances(distances: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in distances.items())


def _of_known(known: "CrossValidation") -> list[str]:
    """The accuracy of each method on the known texts as a table, for a person."""
    names = list(known.texts)
    rows = [["known texts", *names, "right"]]
    for accuracy in known.accuracies:
        counts = [f"{accuracy.right[name]} of {known.texts[name]}" for name in names]
        undecided = sum(accuracy.undecided.values())
        share = f"{sum(accuracy.right.values()) / sum(known.texts.values()):.0%}"
        rows.append([accuracy.method, *counts, f"{share}, no verdict on {undecided}" if undecided else share])
    number = counted(sum(known.texts.values()), "known text")
    head = f"{number}, each judged by what the others taught ({known.folds} folds):"
    return ["", head, *aligned(rows, right=frozenset(range(1, len(names) + 1)))]
