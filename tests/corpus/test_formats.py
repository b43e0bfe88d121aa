import io
import zipfile

import pytest

from textgen.corpus.formats import document_in_zip, is_binary, recognise


def zipped(*names: str, mimetype: str = "") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype, zipfile.ZIP_STORED)
        for name in names:
            archive.writestr(name, "x" * 200)
    return content.getvalue()


HTML = [
    "<!DOCTYPE html>\n<title>A</title>",
    '<!doctype HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">',
    "\n  <html lang=ja>",
    "\ufeff<HTML>",
    "<!-- saved from --> <!-- > --><html>",
    '<?xml version="1.0"?>\n<!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">',
    "<head><title>",
    "<body bgcolor=white>",
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp932"])
@pytest.mark.parametrize("text", HTML)
def test_html_is_told_by_its_beginning(text: str, encoding: str) -> None:
    kind = recognise(text.encode(encoding, "ignore"))
    assert kind is not None
    assert (kind.name, kind.markup) == ("HTML", True)


@pytest.mark.parametrize(
    "text",
    [
        "<Enter GHOST>\nWho's there?",
        "< A lone bracket",
        "<!-- a comment, and then a play -->\nACT I",
        "<!--" * 2000,
        "<!-- -->" * 1000 + "<",
        "<headless>, he said",
        "He wrote <html> on the board.",
        "%PDF is a format",
        "BZh is no word",
        "PK",
        "",
        "\\rtf",
        "吾輩は猫である。" * 100,
    ],
)
def test_texts_are_texts(text: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        assert recognise(text.encode(encoding)) is None


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"\xef\xbb\xbf%PDF-1.7\n", "a PDF"),
        (b"{\\rtf1\\ansi", "RTF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "a Word (.doc) or other Office document"),
        (b'<?xml version="1.0"?>\n<TEI>', "XML"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive"),
        (b"\x28\xb5\x2f\xfd\4", "packed by Zstandard"),
        (b"\x1f\x8b\x08\0", "packed by gzip"),
        (zipped("a.txt"), "a zip archive"),
        (zipped("word/a.txt"), "a zip archive"),
        (zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"), "a Word document"),
        (zipped("word/document.xml", "[Content_Types].xml"), "a Word document"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"),
        (zipped("[Content_Types].xml", "odd.xml"), "an Office document"),
        (zipped("META-INF/container.xml", mimetype="application/epub+zip"), "an EPUB"),
        (zipped("META-INF/container.xml"), "an EPUB"),
        (zipped("metadata.json", "config.json", "model.weights.h5", "textgen.json"), "a model, not a text"),
        (zipped("content.xml", mimetype="application/vnd.oasis.opendocument.text"), "an OpenDocument text"),
        (zipped("content.xml", mimetype="application/vnd.oasis.opendocument.spreadsheet"), "an OpenDocument file"),
    ],
)
def test_what_is_no_plain_text_is_named(head: bytes, name: str) -> None:
    kind = recognise(head)
    assert kind is not None
    assert kind.name == name
    assert kind.remedy.startswith("expected plain text: ")


def test_an_archive_of_files_is_no_document() -> None:
    assert document_in_zip({"word/a.txt", "mimetype"}, zipped("word/a.txt")) is None


def test_zeros_are_binary_but_for_wide_texts() -> None:
    assert is_binary(b"\x89PNG\0")
    assert not is_binary("text".encode("utf-16"))
    assert not is_binary(b"text")
