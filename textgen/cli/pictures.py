"""`--plot FILE`, of every command that has it."""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import click


def picture_kind(path: str) -> str:
    """The format of a picture, from its name; a usage error if it cannot be drawn."""
    from textgen.evaluation.memory_plot import FORMATS

    suffix = Path(path).suffix[1:].lower()
    if suffix not in FORMATS:
        raise click.UsageError(f"--plot needs a file name that ends in {', '.join(f'.{name}' for name in FORMATS)}.")
    if find_spec("matplotlib") is None:
        raise click.UsageError(
            "--plot needs matplotlib: install textgen with its plot extra, or pip install matplotlib."
        )
    return suffix


def save_picture(path: str, draw: Callable[[Path, str], None]) -> None:
    """Save a picture, whole or not at all.

    Args:
        path: of the file.
        draw: writes the picture, given the path of a temporary file and the format.
    """
    from textgen.atomic_file import replacing
    from textgen.errors import RunError, reason

    try:
        with replacing(Path(os.path.realpath(path)), keep_links=True) as temporary:
            draw(temporary, picture_kind(path))
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({reason(error)}); name another file with --plot") from error
