"""Recognises files that are not plain text by their content, whatever their name."""

import re
from collections.abc import Collection
from typing import NamedTuple

from textgen.corpus.archives import is_tar, is_zip
from textgen.corpus.packing import packing_of

WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")  # of UTF-16 and UTF-32, whose texts have zero bytes


class Kind(NamedTuple):
    """A file format other than plain text.

    Attributes:
        name: in messages, after "is".
        remedy: what a user can do.
        markup: whether it is text with markup.
    """

    name: str
    remedy: str
    markup: bool = False


def _document(name: str) -> Kind:
    return Kind(name, "expected plain text: save it as plain text (UTF-8) and give that")


def _markup(name: str) -> Kind:
    remedy = "expected plain text: save it as plain text (UTF-8), or give `markup=True` to read it with its markup"
    return Kind(name, remedy, markup=True)


def _packed(name: str) -> Kind:
    return Kind(name, "expected plain text: unpack it, and give what it holds")


BINARY = _document("binary")
WORD = _document("a Word document")
STARTING = (
    (b"%PDF-", _document("a PDF")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _document("a Word (.doc) or other Office document")),
    (b"{\\rtf", _markup("RTF")),
    (b"%!PS-Adobe", _document("PostScript")),
    (b"7z\xbc\xaf\x27\x1c", _packed("a 7z archive")),
    (b"Rar!\x1a\x07", _packed("a RAR archive")),
    (b"\x28\xb5\x2f\xfd", _packed("packed by Zstandard")),
    (b"\x1f\x9d", _packed("packed by compress")),
    (b"LZIP\x01", _packed("packed by lzip")),
)
OFFICE = {"word": WORD, "xl": _document("an Excel workbook"), "ppt": _document("a PowerPoint presentation")}
MODEL_ENTRIES = {"config.json", "model.weights.h5"}  # of a Keras archive
MIMETYPES = {
    "application/epub+zip": _document("an EPUB"),
    "application/vnd.oasis.opendocument.text": _document("an OpenDocument text"),
    "application/vnd.oasis.opendocument": _document("an OpenDocument file"),
}

MARKUP = ("HTML", "RTF", "XML")  # names of formats that are text all the same

# A lone "<" is no sign: plays have stage directions in such brackets. The groups are atomic, so that nothing that a
# page begins with is tried in two ways.
OPENING = re.compile(
    r"(?>\ufeff?\s*)(?>(?:<!--(?>.*?-->)\s*)*)(?:<(?P<html>!doctype\s+html|html|head|body)\b|<\?(?P<xml>xml)\s)",
    re.IGNORECASE | re.DOTALL,
)
PAGE = re.compile(r"<(?:!doctype\s+html|html)\b", re.IGNORECASE)


def recognise(head: bytes) -> Kind | None:
    """The format of a file with these first bytes; None if it may be plain text."""
    if is_zip(head):
        return document_in_zip(_local_names(head), head) or _packed("a zip archive")
    if is_tar(head):
        return _packed("a tar archive")
    if packing := packing_of(head):
        return _packed(f"packed by {packing.method}")
    for start, kind in STARTING:
        if head.removeprefix(b"\xef\xbb\xbf").startswith(start):
            return kind
    return _html_or_xml(head)


def document_in_zip(names: Collection[str], head: bytes) -> Kind | None:
    """The document that a zip with entries of these names is; None if it is an archive of files."""
    if "[Content_Types].xml" in names:
        folders = {name.split("/")[0] for name in names}
        return next((OFFICE[folder] for folder in OFFICE if folder in folders), _document("an Office document"))
    if head[30:38] == b"mimetype":  # the first entry's name; its content, not packed, follows
        mimetype = head[38:].decode("ascii", "replace")
        return next((kind for start, kind in MIMETYPES.items() if mimetype.startswith(start)), None)
    if set(names) >= MODEL_ENTRIES:
        return Kind("a model, not a text", "expected plain text: to train the model on, give it as `start_from`")
    return _document("an EPUB") if "META-INF/container.xml" in names else None


def is_binary(head: bytes) -> bool:
    """Whether a file that begins so is no text: it has zero bytes, and not those of UTF-16 or UTF-32 with a mark."""
    return b"\0" in head and not head.startswith(WIDE_MARKS)


def _local_names(head: bytes) -> set[str]:
    """The names of the entries that begin in a zip's head."""
    names = set()
    for found in re.finditer(rb"PK\x03\x04.{22}(..)..", head, re.DOTALL):
        size = int.from_bytes(found[1], "little")
        names.add(head[found.end() : found.end() + size].decode("utf-8", "replace"))
    return names


def _html_or_xml(head: bytes) -> Kind | None:
    text = head.decode(_width(head), "replace")
    found = OPENING.match(text)
    if not found:
        return None
    return _markup("HTML" if found["html"] or PAGE.search(text) else "XML")


def _width(head: bytes) -> str:
    """An encoding that reads the ASCII of a text, with as many bytes a character as the text has."""
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if head[:1] == b"\0":
        return "utf-16-be"
    return "utf-16-le" if head[1:2] == b"\0" else "utf-8"
