"""`textgen export`: a model as one HTML file."""

from typing import Any

import click

from textgen.cli.options import Text, as_options
from textgen.cli.terminal import tell
from textgen.cli.writing import UTF_8, opened


@click.command("export", short_help="Make one HTML file of a model, which writes in any browser.")
@click.argument("model", required=False, type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    required=True,
    metavar="FILE",
    help="The HTML file, or - for standard output.",
)
@click.option("--title", type=Text(), metavar="TEXT", help="Title of the page. Default: the name of MODEL.")
@click.option(
    "--seed",
    "--prompt",
    type=Text(),
    default="",
    metavar="TEXT",
    help="Seed phrase that stands in a reader's notebook at first.",
)
@click.option(
    "--language",
    type=click.Choice(["en", "ja"]),
    help="Language of the page, which the reader can change. Default: that of the browser.",
)
@click.option("--force", is_flag=True, help="Replace an existing file, and make one of more than 50 MB.")
def command(model: str | None, output: str, force: bool, **options: Any) -> None:
    """Make one HTML file of MODEL, a run folder or a .keras file. Without MODEL, a bundled one of Shakespeare is used.

    The file writes by itself: it needs no server and no network, and can be opened from a disk or a mail. A reader has
    the same page as with textgen serve, without the trainings, and keeps a notebook in the browser.
    """
    from textgen.html_file import export, html
    from textgen.model_file import read_model, shipped

    path = shipped() if model is None else model
    try:
        if output == "-":
            pieces = html(read_model(path), force=force, **options)
            with opened(None, UTF_8) as stream:
                stream.writelines(pieces)
            return
        page = export(path, output, force=force, **options)
    except ValueError as error:  # what no option's type could check
        raise click.UsageError(as_options(f"{error}.")) from error
    tell(f"page: {page}, {page.stat().st_size / 1e6:.1f} MB; open it in a browser")
