"""The catalog: texts in the public domain by name, each pinned to an address and a SHA-256."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from textgen.arguments import Range, listed, shown
from textgen.bundled import bundled
from textgen.errors import CorpusError, reason

SIZE = Range(int, 1, 10**12)  # of a text, in bytes or characters
MOST = 1000  # characters of a value
CHECKS = {
    "name": (re.compile(r"[a-z0-9][a-z0-9_-]{,99}"), "expected lowercase letters, digits, - and _, at most 100"),
    "language": (re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*"), "expected a language tag such as en"),
    "url": (re.compile(r"https?://\S+"), "expected an https address"),
    "sha256": (re.compile(r"[0-9a-f]{64}"), "expected 64 hexadecimal digits"),
}


@dataclass(frozen=True)
class CatalogText:
    """A text of the catalog.

    Attributes:
        name: its name on the command line; also its file name, without `.txt`.
        title: of the work.
        author: of the work.
        language: a BCP 47 tag, `en`.
        licence: its licence, or why it is in the public domain.
        url: an address whose content does not change.
        sha256: of the bytes served there.
        size: number of bytes served there.
        characters: number of characters after normalisation, each line end counted as one.
    """

    name: str
    title: str
    author: str
    language: str
    licence: str
    url: str
    sha256: str
    size: int
    characters: int

    @classmethod
    def from_table(cls, name: str, table: Mapping[str, Any]) -> Self:
        """Check a table of the catalog's file.

        Raises:
            ValueError: a key is missing or unknown, or a value is not what it must be.
        """
        kinds = {field.name: field.type for field in fields(cls)}
        if odd := sorted((kinds.keys() - {"name"}) ^ table.keys()):
            raise ValueError(f"{listed(odd[:1])}: {'an unknown key' if odd[0] in table else 'the key is missing'}")
        values = {"name": name} | dict(table)
        for key, kind in kinds.items():
            value = values[key]
            if kind is int:
                _check_size(key, value)
                continue
            if type(value) is not str or not 0 < len(value) <= MOST:
                raise ValueError(f"{key}: expected text of at most {MOST:,} characters, not {shown(value)}")
            pattern, expected = CHECKS.get(key, (None, ""))
            if pattern and not pattern.fullmatch(value):
                raise ValueError(f"{key}: {expected}, not {shown(value)}")
        return cls(**values)


def _check_size(key: str, value: Any) -> None:
    try:
        SIZE.check(key, value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{key}: expected {SIZE}, not {shown(value)}") from error


def catalog_path() -> Path:
    """The catalog's file: the one that TEXTGEN_CATALOG names, the installed package's, or the checkout's."""
    if own := os.environ.get("TEXTGEN_CATALOG"):
        return Path(own)
    return bundled("corpora/catalog.toml")


def read_catalog(path: Path | None = None) -> dict[str, CatalogText]:
    """The texts of a catalog by name, in its order; without a path, those of `catalog_path`.

    Raises:
        CorpusError: the file cannot be read, is not TOML, or has an invalid table.
    """
    path = path or catalog_path()
    try:
        tables = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise CorpusError(
            f"{path}: the catalog cannot be read ({reason(error)}); install textgen again, or set TEXTGEN_CATALOG "
            "to a catalog"
        ) from error
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, or brackets in brackets without end
        raise CorpusError(f"{path}: the catalog is not valid TOML in UTF-8 ({error}); correct it") from error
    return {name: _text(path, name, table) for name, table in tables.items()}


def _text(path: Path, name: str, table: Any) -> CatalogText:
    if not isinstance(table, dict):
        raise CorpusError(f"{path}: {name}: expected a table for each text, [NAME]; correct the catalog")
    try:
        return CatalogText.from_table(name, table)
    except ValueError as error:
        raise CorpusError(f"{path}: [{name}]: {error}; correct the catalog") from error


def find(catalog: Mapping[str, CatalogText], name: str) -> CatalogText:
    """The text with a name.

    Raises:
        CorpusError: the catalog has no such text; similar names are suggested.
    """
    if name in catalog:
        return catalog[name]
    near = nearest(catalog, name)
    remedy = f"did you mean {near}?" if near else "choose a name from 'textgen corpora list'"
    raise CorpusError(f"{name}: the catalog has no such text; {remedy}")


def nearest(catalog: Mapping[str, CatalogText], name: str) -> str:
    """The names that are similar to a name or a path; empty if there are none."""
    return " or ".join(get_close_matches(Path(name).stem.lower(), catalog))
