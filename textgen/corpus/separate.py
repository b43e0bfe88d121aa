"""Reads texts one by one: decoded and cleaned, but neither joined nor normalised."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textgen.arguments import PATH, expect
from textgen.config import Reading
from textgen.corpus.notes import of_texts, passed_over
from textgen.corpus.reading import find_texts


@dataclass(frozen=True)
class Whole:
    """A text as its file has it, but for its newlines, which are LF.

    Attributes:
        name: of its file.
        text: all of it.
    """

    name: str
    text: str


def read_each(paths: Sequence[str | Path], reading: Reading) -> tuple[list[Whole], list[str]]:
    """Read every text that paths name: files, and those of folders and archives, in order.

    Args:
        paths: files, folders, archives, `-` for standard input.
        reading: how to read them; the normalisation and `min_count` are left to the caller.

    Returns:
        The texts, which may be blank but not empty, and notes for the user on how they were read.

    Raises:
        CorpusError: a path is missing or unreadable, or a text is empty or in no known encoding.
        TypeError: a path is of a wrong type.
    """
    for place, path in enumerate(paths):
        expect(f"paths[{place}]", path, PATH, "give each path as an argument of its own")
    texts, skipped = find_texts(paths, reading)
    try:
        wholes = [Whole(text.name, "".join(text.chunks())) for text in texts]
        return wholes, [*of_texts(texts, [text.result() for text in texts]), *passed_over(skipped)]
    finally:
        for text in texts:
            text.source.close()
