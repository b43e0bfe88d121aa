"""MODEL → one HTML file: the page, with the model and a writer in JavaScript inside it."""

import base64
import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from textgen.arguments import PATH, check_text, expect, shown
from textgen.atomic_file import replacing
from textgen.bfloat16 import Array, holds
from textgen.description import Description
from textgen.errors import ModelFileError, RunError, SeedError, reason
from textgen.generation.seed import encode_seed
from textgen.model_file import Model, named, read_model
from textgen.page.document import END, beginning, printable, with_imports

LANGUAGES = ("en", "ja")  # of the page
LONGEST_TITLE = 300  # characters
LONGEST_SEED = 20_000  # characters; of longer ones a model sees no more
MOST = 50_000_000  # bytes of a page; mail servers take 10 to 25 MB
PIECE = 3 * 2**16  # bytes; in base64 they are decoded one by one
STYLES = ("tint.css", "page.css")


def export(
    model: str | Path,
    output: str | Path,
    *,
    title: str | None = None,
    seed: str = "",
    language: str | None = None,
    force: bool = False,
) -> Path:
    """Write a model as one HTML file, which writes in any browser, without a server and a network.

    The matrices of the network are stored as they are rounded, in two bytes a number (bfloat16), those of models of
    older versions, which have more digits, in four.

    Args:
        model: a run folder or a `.keras` file.
        output: the HTML file.
        title: of the page; the name of the run folder or the file by default.
        seed: the beginning of a reader's new notebook.
        language: of the page, `en` or `ja`; that of the reader's browser by default.
        force: replace an existing file, and make a page of more than 50 MB.

    Returns:
        The path of the file.

    Raises:
        ModelFileError: the model cannot be read, or its page would have more than 50 MB and `force` is not given.
        SeedError: the seed has a character that the model does not know, nor any form of it.
        RunError: there is such a file and `force` is not given, or it cannot be written.
        ValueError: the title is too long, or there is no page in the language.
    """
    expect("output", output, PATH)
    path = Path(output)
    try:
        _check_free(path, force=force)
        pieces = html(read_model(model), title=title, seed=seed, language=language, force=force)
        # A link stays, and what it leads to is written.
        with (
            replacing(Path(os.path.realpath(path)), keep_links=True) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as stream,
        ):
            stream.writelines(pieces)
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({reason(error)}); name another file with `output`") from error
    return path


def _check_free(path: Path, *, force: bool) -> None:
    if path.is_dir():
        raise RunError(f"{path}: is a folder; name a file with `output`")
    if path.exists() and not path.is_file():
        raise RunError(f"{path}: is no regular file; name another with `output`")
    if path.exists() and not force:
        raise RunError(f"{path}: there is such a file already; name another with `output`, or give `force=True`")


def html(
    model: Model, *, title: str | None = None, seed: str = "", language: str | None = None, force: bool = False
) -> Iterator[str]:
    """The pieces of the file that `export` writes, which raises what is raised here, before the first piece."""
    description = model.description
    title = printable(named(model.path)) if title is None else title
    check_text("title", title, LONGEST_TITLE)
    check_text("seed", seed, LONGEST_SEED)
    if language not in (None, *LANGUAGES):
        raise ValueError(f"`language` must be one of {', '.join(LANGUAGES)}, not {shown(language)}")
    _check_seed(seed, description)
    content = _content(model)
    size = len(content) * 4 // 3
    if size > MOST and not force:
        raise ModelFileError(
            f"{model.path}: its page would have {size / 1e6:,.0f} MB; expected at most {MOST / 1e6:.0f}, since larger "
            "ones open slowly and are hard to hand on; give `force=True` to make it all the same"
        )
    data = {
        "title": printable(title),
        "seed": seed,
        "language": language,
        "key": _name_of(content),
        "notebook": _name_of(content + seed.encode()),
        "bytes": len(content),
        "checksum": zlib.crc32(content),
    }
    return _pieces(
        content, beginning(title, "index.html", styles=STYLES, scripts=with_imports("exported.js"), data=data)
    )


def _check_seed(seed: str, description: Description) -> None:
    """Raise `SeedError` if the page would not write from a seed."""
    text = description.text
    try:
        encode_seed(
            seed,
            description.vocabulary,
            normalisation=text.normalisation,
            replacement=text.replacement,
            unknown="nearest",
        )
    except SeedError as error:
        raise SeedError(str(error).replace(' or leave it out with `unknown="skip"`', "")) from error


def _name_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _pieces(content: bytes, first: str) -> Iterator[str]:
    yield first
    for start in range(0, len(content), PIECE):
        piece = base64.b64encode(content[start : start + PIECE]).decode("ascii")
        yield f'<script type="text/plain" class="model-piece">{piece}</script>\n'
    yield END


def _content(model: Model) -> bytes:
    """What `page/payload.js` reads: what a writer must know of a model as a line of JSON, then the weights."""
    description, text = model.description, model.description.text
    arrays = [(_width(array), array) for array in model.weights.arrays]
    told = {
        "vocabulary": description.vocabulary.symbols,
        "language": description.vocabulary.language,
        "cell": description.model.cell,
        "layers": description.model.layers,
        "units": description.model.units,
        "dim": description.model.embedding,
        "unicode": text.unicode,
        "lowercase": text.lowercase,
        "replacement": text.replacement,
        "arrays": [[array.size, width] for width, array in arrays],
    }
    return b"".join([json.dumps(told).encode(), b"\n", *(_bytes(array, width) for width, array in arrays)])


def _width(array: Array) -> int:
    """The bytes of each number: two where bfloat16 holds all of a matrix."""
    return 2 if array.ndim == 2 and holds(array) else 4


def _bytes(array: Array, width: int) -> bytes:
    return (array.view(np.uint32) >> 16).astype("<u2").tobytes() if width == 2 else array.astype("<f4").tobytes()
