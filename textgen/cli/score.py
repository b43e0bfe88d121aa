"""`textgen score`: how surprising each character of a text is to a model."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from textgen.cli.contexts import Contexts, check_plot, show_memory
from textgen.cli.naming import title_of
from textgen.cli.options import as_options, refuse_both, source_options
from textgen.cli.terminal import colours, columns, on_terminal, tell, write_blocks, write_line, write_tinted
from textgen.wording import counted

if TYPE_CHECKING:
    from textgen.evaluation.score import Score

IN_ROWS, ON_PAGE = 3, 5  # of the likeliest characters
FORCED = 256  # colours that --color prints to a pipe whose terminal says nothing


@click.command("score", short_help="Show how surprising each character of a text is to a model.")
@click.argument("model", type=click.Path())
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "--against-ngram",
    is_flag=True,
    help="Show by how many bits the model is better or worse than the best n-gram at each character: where longer "
    "memory paid.",
)
@click.option(
    "--context",
    "contexts",
    type=Contexts(),
    metavar="LIST",
    help="Memory curve: print the mean surprisal by how many characters of context the model is given, beside that of "
    "the n-gram with the same context. LIST is 1,2,4,…,512, for instance; … stands for doublings.",
)
@click.option(
    "--plot",
    type=click.Path(),
    metavar="FILE",
    help="With --context: also draw the curve in a .png, .svg or .pdf file.",
)
@click.option(
    "--baseline",
    type=click.Path(),
    metavar="TEXT",
    help="Training text of the n-gram, if TEXT is not the model's training text.",
)
@click.option("--all", "everything", is_flag=True, help="Score the whole training text, not only its held-out part.")
@source_options
@click.option(
    "--color/--no-color",
    "coloured",
    default=None,
    help="Tint the text, or never. By default it is tinted on a terminal, unless NO_COLOR is set.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line for each character.")
@click.option(
    "--html",
    type=click.Path(),
    metavar="FILE",
    help="Write one HTML page to FILE instead: the text tinted, with the five likeliest characters at each place. It "
    "needs no other file and no network.",
)
def command(
    model: str,
    texts: tuple[str, ...],
    coloured: bool | None,
    as_json: bool,
    html: str | None,
    contexts: tuple[int, ...] | None,
    plot: str | None,
    **options: Any,
) -> None:
    """Show how surprising each character of TEXT... is to MODEL, a run folder or a .keras file.

    On a terminal, TEXT is printed and tinted. Elsewhere, a row of tab-separated values is printed for each character:
    its position (from 0), line and column (from 1), the character, its surprisal in bits, its rank among all
    characters (1 for the likeliest), the entropy of the prediction in bits, and the three likeliest characters with
    their probabilities.

    The surprisal is -log2 p, where p is the probability that the model gave to the character. Nothing predicts the
    first character of a text. If TEXT is the text that the model was trained on, only its held-out part is scored. A
    character that is not in the vocabulary is given the probability 1/1,114,112, as one of all Unicode code points.
    """
    refuse_both(("--json", as_json), ("--color", coloured))
    refuse_both(("--html", html), ("--json", as_json))
    refuse_both(("--html", html), ("--color", coloured))
    refuse_both(("--context", contexts), ("--html", html))
    refuse_both(("--context", contexts), ("--color", coloured))
    refuse_both(("--context", contexts), ("--against-ngram", options["against_ngram"]))
    if plot is not None:
        check_plot(plot, contexts)
    if options["baseline"] is not None and contexts is None and not options["against_ngram"]:
        raise click.UsageError("--baseline needs --against-ngram or --context.")
    from textgen.cli.download import located

    if options["baseline"] is not None:
        (options["baseline"],) = located([options["baseline"]])
    if contexts is None:
        _print(model, located(texts), coloured, as_json, html, options)
    else:
        from textgen.evaluation.memory import memory_curve

        del options["against_ngram"]
        show_memory(memory_curve(model, *located(texts), contexts=contexts, **options), plot, as_json=as_json)


def _print(
    model: str,
    texts: tuple[str, ...],
    coloured: bool | None,
    as_json: bool,
    html: str | None,
    options: dict[str, Any],
) -> None:
    """Print what was predicted: the text, or a row for each character; or write the page."""
    from textgen.evaluation.score import score_pieces

    pieces = score_pieces(model, *texts, likeliest=IN_ROWS if html is None else ON_PAGE, **options)
    first = next(pieces)
    for note in first.notes:
        tell(as_options(note))
    summary = _Summary()
    counted_pieces = summary.counting(chain([first], pieces))
    if html is not None:
        _write_page(html, counted_pieces, model, texts)
    elif (on_terminal() or coloured) and not as_json:
        _show(counted_pieces, first, coloured)
    else:
        from textgen.cli import rows

        write_blocks(
            rows.as_json(counted_pieces, rows.of_score, ascii_only=on_terminal())
            if as_json
            else rows.as_tsv(counted_pieces, rows.of_score)
        )
    for line in summary.lines():
        tell(line)


def _write_page(file: str, pieces: Iterable["Score"], model: str, texts: tuple[str, ...]) -> None:
    """Write the page of a score."""
    from textgen.cli.writing import UTF_8, opened
    from textgen.evaluation.score import joined
    from textgen.evaluation.tinting import bounded, tinted
    from textgen.page.tinted import page

    with opened(file, UTF_8, "--html") as stream:
        stream.write(page(tinted(joined(bounded(pieces)), title_of(model, texts))))
    tell(f"page: {file}")


def _show(pieces: Iterable["Score"], first: "Score", coloured: bool | None) -> None:
    """Print the text, tinted or with digits, and the legend."""
    from textgen.cli.tint import GAIN, SURPRISAL, legend, tinted, with_digits

    scale = SURPRISAL if first.ngram_bits is None else GAIN
    shades = 0 if coloured is False else colours() or (FORCED if coloured else 0)
    if shades:
        last = ""
        for piece in pieces:
            write_tinted(tinted(piece.text, _values(piece), scale, shades))
            last = piece.text[-1]
        write_tinted([("", "\n" if last == "\n" else "\n\n"), *legend(scale, shades), ("", "\n")])
        return
    for line in with_digits(((piece.text, _values(piece)) for piece in pieces), scale, columns()):
        write_line(line)
    write_line("")
    write_line(scale.marks)


def _values(piece: "Score") -> NDArray[np.float32]:
    """The numbers that tint a text: bits, or by how many more of them the n-gram needs."""
    return piece.bits if piece.ngram_bits is None else piece.ngram_bits - piece.bits


class _Summary:
    """Adds up pieces on their way."""

    def __init__(self) -> None:
        self._bits = self._ngram_bits = 0.0
        self._characters = 0
        self._is_read = False  # whether the model has a symbol for unknown characters
        self._unknown: Counter[str] = Counter()

    def counting(self, pieces: Iterable["Score"]) -> Iterator["Score"]:
        for piece in pieces:
            yield piece
            predicted = ~np.isnan(piece.bits)
            self._characters += int(predicted.sum())
            self._bits += float(piece.bits[predicted].sum(dtype=np.float64))
            if piece.ngram_bits is not None:
                self._ngram_bits += float(piece.ngram_bits[predicted].sum(dtype=np.float64))
            self._is_read |= bool((piece.rank[piece.unknown] > 0).any())
            self._unknown.update(np.array(list(piece.text))[piece.unknown].tolist())
            self._last = piece

    def lines(self) -> list[str]:
        """What is told at the end."""
        from textgen.corpus.characters import first_named
        from textgen.evaluation.subject import UNKNOWN_BITS

        mean = self._bits / self._characters if self._characters else math.nan
        against = f", {self._last.ngram}: {self._ngram_bits / self._characters:.3f}" if self._last.ngram else ""
        lines = [f"{self._last.part}: {counted(self._characters, 'character')}, {mean:.3f} bits per character{against}"]
        if self._unknown:
            number = counted(sum(self._unknown.values()), "character")
            names = first_named([symbol for symbol, _ in self._unknown.most_common()])
            cost = "read as rare ones" if self._is_read else f"{UNKNOWN_BITS:.2f} bits each"
            lines.append(f"not in the vocabulary, {cost}: {number}: {names}")
        return lines
