"""`textgen inspect`: what the cells and gates of a model do at each character of a text."""

from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import click

from textgen.cli.asked import Span, analysed, answer
from textgen.cli.naming import title_of
from textgen.cli.options import as_options, refuse_both, source_options
from textgen.cli.pictures import picture_kind
from textgen.cli.terminal import bar, on_terminal, tell
from textgen.wording import counted

if TYPE_CHECKING:
    from textgen.evaluation.subject import Subject
    from textgen.inspection.pictures import Analysis
    from textgen.inspection.views import View


@click.command("inspect", short_help="Look inside a model: what its cells and gates do in a text.")
@click.argument("model", type=click.Path())
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "--cell",
    multiple=True,
    metavar="LAYER.UNIT",
    help="Tint the text by what a cell remembers. Layers and units are counted from 1: 2.117 is unit 117 of the "
    "second layer. May be given several times.",
)
@click.option(
    "--gate",
    multiple=True,
    metavar="[LAYER.]GATE",
    help="Tint the text by how far a gate is open, the mean over the units of a layer (the last, by default): forget, "
    "input or output of an LSTM, update or reset of a GRU. May be given several times.",
)
@click.option(
    "--find",
    metavar="FEATURE",
    help="Rank the cells by how well they tell a feature of the text: quotes, brackets, speaker (in a play), line, "
    "word or sentence (the position in it), indent, or a regular expression (inside its matches). Cells are chosen on "
    "the first half and judged on the second, beside the same for the feature shuffled.",
)
@click.option(
    "--saturation",
    is_flag=True,
    help="Show how much of the time the gates of each layer are open (above 0.9) and shut (below 0.1).",
)
@click.option(
    "--at",
    metavar="REGEX",
    help="Show the mean gates before and after each place that matches a regular expression, beside the mean "
    "elsewhere; '\\.' is a full stop.",
)
@click.option(
    "--similar",
    type=Span(),
    metavar="START:END",
    help="Show where else the cells are active that are active in a passage, from a position to before another, "
    "counted from 0.",
)
@click.option(
    "--plot",
    type=click.Path(),
    metavar="FILE",
    help="With --find, --saturation, --at or --similar: also draw it in a .png, .svg or .pdf file.",
)
@click.option("--all", "everything", is_flag=True, help="Read the whole training text, not only its held-out part.")
@source_options
@click.option(
    "--color/--no-color",
    "coloured",
    default=None,
    help="Tint the text, or never. By default it is tinted on a terminal, unless NO_COLOR is set.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object: a line for each character, or one of all.")
@click.option(
    "--html",
    type=click.Path(),
    metavar="FILE",
    help="Write one HTML page to FILE instead: the text tinted by the cells and gates that are named, of which the "
    "reader chooses, beside what --find, --saturation, --at and --similar find; by default all gates, the cells that "
    "tell quotes, lines, speakers and so on, and the saturation. It needs no other file and no network.",
)
@click.option(
    "--npz",
    type=click.Path(),
    metavar="FILE",
    help="Write the values themselves to FILE, for NumPy: of the cells and gates that are named, or of all.",
)
def command(
    model: str,
    texts: tuple[str, ...],
    cell: tuple[str, ...],
    gate: tuple[str, ...],
    find: str | None,
    saturation: bool,
    at: str | None,
    similar: tuple[int, int] | None,
    plot: str | None,
    everything: bool,
    coloured: bool | None,
    as_json: bool,
    html: str | None,
    npz: str | None,
    **options: Any,
) -> None:
    """Look inside MODEL, a run folder or a .keras file: what its cells and gates do at each character of TEXT...

    On a terminal, TEXT is printed and tinted: a cell by its hyperbolic tangent, from -1 to 1, and the mean of a layer's
    gates by how far it is above or below its mean over the text. Without colours, + and - stand below the characters
    where it is far above or below. Elsewhere, a row of tab-separated values is printed for each character: its position
    (from 0), line and column (from 1), the character, and the value of each cell and gate after it was read.

    What a cell remembers is an LSTM's cell state; a GRU and a plain RNN remember nothing but their output. If TEXT is
    the text that the model was trained on, only its held-out part is read. A character that is not in the vocabulary
    is shown, but not read.

    FILE.npz holds text, codes (-1 where a character is not read), symbols (by code), layers and units (counted from 1),
    and an array of characters x layers x units for each quantity: input, forget, output, candidate, cell and hidden of
    an LSTM.
    """
    refuse_both(("--json", as_json), ("--color", coloured))
    asked = {"--find": find, "--saturation": saturation or None, "--at": at, "--similar": similar}
    shown = {"--cell": cell or None, "--gate": gate or None, "--npz": npz, "--color": coloured}
    _check(asked, shown, html=html, plot=plot, as_json=as_json)
    from textgen.cli.download import located
    from textgen.config import Reading
    from textgen.evaluation.score import subject_of

    subject = subject_of(model, located(texts), text=None, everything=everything, reading=Reading(**options))
    views = _views(subject, cell, gate)
    for note in subject.corpus.notes:
        tell(as_options(note))
    if html is not None:
        _check_size(subject)
    found = analysed(subject, find=find, saturation=saturation, at=at, similar=similar)
    if found and html is None:
        answer(subject, found[0], as_json=as_json, plot=plot)
    if npz is not None:
        from textgen.cli.arrays import write_arrays

        write_arrays(npz, subject, views)
    if html is not None:
        _write_page(html, subject, views, found, title_of(model, texts))
    if views and html is None and npz is None:
        from textgen.cli.views import print_rows, show

        if (on_terminal() or coloured) and not as_json:
            show(subject, views, coloured)
        else:
            print_rows(subject, views, as_json=as_json)
    _tell_part(subject)


def _check(asked: dict[str, Any], shown: dict[str, Any], *, html: str | None, plot: str | None, as_json: bool) -> None:
    """A usage error unless there is something to do, and options go together; on a page, all analyses and views do."""
    is_asked = any(value is not None for value in asked.values())
    files = {"--html": html, "--npz": shown["--npz"]}
    for first, second in product(files.items(), (("--json", as_json), ("--color", shown["--color"]))):
        refuse_both(first, second)
    for other in (("--plot", plot), ("--npz", files["--npz"])):
        refuse_both(("--html", html), other)
    if html is None:
        for first, second in [*combinations(asked.items(), 2), *product(asked.items(), shown.items())]:
            refuse_both(first, second)
    if plot is not None:
        if not is_asked:
            raise click.UsageError("--plot needs --find, --saturation, --at or --similar.")
        picture_kind(plot)
    if not (is_asked or html or any(shown[name] for name in ("--cell", "--gate", "--npz"))):
        raise click.UsageError(
            "there is nothing to look at; give --cell LAYER.UNIT, --gate GATE, --find FEATURE, --saturation, "
            "--at REGEX, --similar START:END, --html FILE or --npz FILE."
        )


def _check_size(subject: "Subject") -> None:
    """Raise `CorpusError` for a text that is too long for a page, before anything is looked for in it."""
    from textgen.inspection.page import check_size

    check_size(subject)


def _write_page(file: str, subject: "Subject", views: list["View"], found: list["Analysis"], title: str) -> None:
    """Write the page of what is named and was found, or else of all that can be found."""
    from textgen.cli.writing import UTF_8, opened
    from textgen.inspection.page import tinted
    from textgen.inspection.panels import OVERVIEW, cells_found, overview, panels
    from textgen.inspection.views import default_views
    from textgen.page.tinted import page

    defaults = [] if views else default_views(subject.model.weights)
    if not (views or found):
        with bar(total=OVERVIEW, desc="looking for cells") as shown:
            for one in overview(subject):
                found += [one] if one is not None else []
                shown.update()
    views = [*dict.fromkeys([*views, *cells_found(subject, found), *defaults])]
    content = page(tinted(subject, views, title, panels(subject, found, views)))
    with opened(file, UTF_8, "--html") as stream:
        stream.write(content)
    tell(f"page: {file}")


def _views(subject: "Subject", cells: tuple[str, ...], gates: tuple[str, ...]) -> list["View"]:
    """What is looked at; a usage error if the model does not have it."""
    from textgen.inspection.views import cell_view, gate_view

    weights = subject.model.weights
    try:
        found = [*(cell_view(word, weights) for word in cells), *(gate_view(word, weights) for word in gates)]
    except ValueError as error:
        raise click.UsageError(f"{as_options(str(error))}.") from error
    return [*dict.fromkeys(found)]


def _tell_part(subject: "Subject") -> None:
    from textgen.corpus.characters import first_named

    corpus = subject.corpus
    tell(f"{subject.part}: {counted(len(corpus) - subject.first, 'character')}")
    if subject.unknown:
        strange = [symbol for symbol, flag in zip(corpus.vocabulary.symbols, subject.is_unknown, strict=True) if flag]
        done = "not read" if subject.unread else "read as rare ones"
        tell(f"not in the vocabulary, {done}: {counted(subject.unknown, 'character')}: {first_named(strange)}")
