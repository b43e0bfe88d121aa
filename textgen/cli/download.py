"""Locates texts on the command line, and shows the progress of downloads."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from textgen.cli.terminal import bar, printable, tell
from textgen.corpus.catalog import CatalogText
from textgen.wording import counted


def located(texts: Sequence[str], *, quiet: bool = False) -> tuple[str, ...]:
    """The paths of texts that are given by path or catalog name; with `quiet`, downloads are not shown."""
    from textgen.corpus.download import locate

    if quiet:
        return locate(texts)
    with DownloadDisplay() as display:
        return locate(texts, display)


class DownloadDisplay(AbstractContextManager["DownloadDisplay"]):
    """Shows downloads on stderr, on a terminal with a bar."""

    def __init__(self) -> None:
        """Nothing is shown yet."""
        self._text: CatalogText | None = None
        self._bar: Any = None

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, text: CatalogText, received: int) -> None:
        """Show the number of bytes received, 0 at the start of an attempt."""
        if received == 0:
            self._start(text)
        self._bar.update(received - self._bar.n)

    def _start(self, text: CatalogText) -> None:
        if self._bar is not None:
            self._bar.close()
        first = text != self._text
        what = f"downloading {counted(text.size, 'byte')} from {text.url}" if first else "failed; trying again"
        tell(f"{text.name}: {what}")
        self._text = text
        self._bar = bar(total=text.size, unit="B", unit_scale=True, desc=printable(text.name))
