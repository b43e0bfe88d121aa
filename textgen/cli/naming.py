"""How pages name what they are of."""

from collections.abc import Sequence
from pathlib import Path

from textgen.cli.terminal import printable

NAMED = 3  # texts in the title of a page


def title_of(model: str, texts: Sequence[str]) -> str:
    """The title of a page of texts under a model."""
    names = ["standard input" if text == "-" else Path(text).name for text in texts]
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return printable(f"{', '.join(names[:NAMED])}{more} under {Path(model).name}")
