"""`textgen novelty`: what texts have copied, word for word, from a corpus."""

from typing import TYPE_CHECKING, Any

import click

from textgen.cli.options import as_options, source_options
from textgen.cli.table import aligned
from textgen.cli.terminal import printable, shortened, tell, write_json, write_line
from textgen.cli.words import Words, WordsCommand
from textgen.cli.writing import UTF_8, opened
from textgen.wording import counted

if TYPE_CHECKING:
    from textgen.evaluation.novelty import Novelty

PASSAGES = 10  # that are shown
QUOTED = 200  # characters of a passage that are shown


@click.command("novelty", cls=WordsCommand, short_help="Find what a text has copied from a corpus.")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT... --against CORPUS...")
@click.option(
    "--against",
    type=Words(),
    multiple=True,
    required=True,
    metavar="CORPUS...",
    help="What may have been copied from: all files, folders, archives and names from textgen corpora list up to the "
    "next option.",
)
@source_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with all passages, the longest first.")
@click.option(
    "--html", type=click.Path(), metavar="FILE", help="Write a page of the text with the copied passages marked."
)
def command(
    texts: tuple[str, ...], against: tuple[tuple[str, ...], ...], as_json: bool, html: str | None, **options: Any
) -> None:
    """Find what TEXT... has copied, word for word, from CORPUS..., for instance generated text from the text that the
    model was trained on.

    Shown are the share of the characters that are inside copied passages of 20, 50 and 100 characters or more, the
    longest passages with their places (file:line:column), and the share of different n-grams of characters
    (distinct-n), which is low if a text repeats itself. Beside them are, as a yardstick, the same figures of the
    corpus's own last tenth, at most 200,000 characters, compared with the rest: as much as its author repeats.

    Characters are compared exactly, case, punctuation and white space too, after Unicode normalisation (NFC).
    """
    from textgen.cli.download import located
    from textgen.evaluation.marking import verdict
    from textgen.evaluation.novelty import novelty

    found = novelty(*located(texts), against=located([path for paths in against for path in paths]), **options)
    for note in found.notes:
        tell(as_options(note))
    if html is not None:
        _write_page(html, found)
    if as_json:
        write_json({"verdict": verdict(found.figures, found.held_out), **found.to_dict()})
        return
    for line in [verdict(found.figures, found.held_out), "", *_table(found), *_passages(found)]:
        write_line(line)


def _write_page(path: str, found: "Novelty") -> None:
    from textgen.errors import CorpusError
    from textgen.evaluation.marking import marked
    from textgen.page.tinted import page

    try:
        content = page(marked(found))
    except ValueError as error:
        raise CorpusError(f"{found.name}: {error}") from error
    with opened(path, UTF_8, "--html") as stream:
        stream.write(content)


def _table(found: "Novelty") -> list[str]:
    """The figures, beside those of the held-out part."""
    from textgen.evaluation.marking import percent

    columns = [figures for figures in (found.figures, found.held_out) if figures is not None]
    of = counted(found.figures.distinct_of, "character")
    rows = [
        ["", "text", "corpus's end"],
        ["characters", *(f"{item.characters:,}" for item in columns)],
        *(
            [f"in copied passages of {run} or more", *(percent(item.copied[run]) for item in columns)]
            for run in found.figures.copied
        ),
        ["longest copied passage", *(f"{item.longest:,}" for item in columns)],
        *(
            [f"distinct {size}-grams in {of}", *(percent(item.distinct[size]) for item in columns)]
            for size in found.figures.distinct
        ),
    ]
    return aligned([row[: 1 + len(columns)] for row in rows], right=frozenset({1, 2}))


def _passages(found: "Novelty") -> list[str]:
    """The longest passages, quoted, with their places."""
    numbers = found.leading(PASSAGES)
    if not numbers:
        return []
    size = len(f"{found.lengths.max():,}")
    lines = ["", "Longest copied passages: characters, place in the text, place in the corpus"]
    for number in numbers:
        more = int(found.times[number]) - 1
        again = f" (and {counted(more, 'more time')})" if more else ""
        places = f"{printable(str(found.text_places[number]))}  {printable(str(found.corpus_places[number]))}"
        lines.append(f"{int(found.lengths[number]):>{size},}  {places}{again}")
        lines.append(f"{'':{size}}  “{printable(shortened(found.passage(number), QUOTED))}”")
    return lines
