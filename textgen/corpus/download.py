"""Downloads texts of the catalog into the user's cache folder."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from textgen.corpus.cache import VARIABLE, cache_folder, private, remove
from textgen.corpus.catalog import CatalogText, nearest, read_catalog
from textgen.errors import CorpusError, reason

if TYPE_CHECKING:
    import requests

Progress = Callable[[CatalogText, int], None]  # a text, and how many of its bytes have come

RETRIES = 2  # after a first failure; pooch waits one second, then two
TIMEOUT = (10, 30)  # seconds, for a connection and between two pieces
PIECE = 1 << 16  # bytes
WORTH_RETRYING = (408, 429, 500, 502, 503, 504)  # the states of a server that pass
BY_HAND = "give the path of a file of yours"


def texts_folder() -> Path:
    """The folder of downloaded texts."""
    return cache_folder() / "texts"


def cached(text: CatalogText) -> Path | None:
    """The text's file, if it is in the cache and intact."""
    path = _place(text)
    try:
        if path.stat().st_size != text.size:
            return None
        with path.open("rb") as file:
            return path if hashlib.file_digest(file, "sha256").hexdigest() == text.sha256 else None
    except OSError:
        return None


def fetch(text: CatalogText, on_progress: Progress | None = None) -> Path:
    """The text's file, downloaded unless it is in the cache.

    The bytes go to a temporary file, which is renamed if size and SHA-256 are right, so there is never an incomplete
    file. A file that was changed in the cache is downloaded again.

    Args:
        text: from the catalog.
        on_progress: called with 0 when a download begins, and after each piece with the number of bytes received.

    Raises:
        CorpusError: there is no connection, the server does not serve the text, or the cache folder cannot be written.
    """
    if path := cached(text):
        return path
    import pooch  # slow to import, as is requests

    path = _place(text)
    pooch.get_logger().setLevel("ERROR")  # textgen reports errors itself
    download = _Download(text, on_progress)
    with _failures_told(text, download):
        shelf = pooch.create(
            private(path.parent),
            base_url="",
            registry={path.name: f"sha256:{text.sha256}"},
            urls={path.name: text.url},
            retry_if_failed=RETRIES,
        )
        shelf.fetch(path.name, downloader=download)
    return path


@contextmanager
def _failures_told(text: CatalogText, download: "_Download") -> Iterator[None]:
    """Turn a failed download into a `CorpusError`."""
    import requests

    path = _place(text)
    damaged = f"{path} is damaged, and " if path.exists() else ""
    failed = f"{text.name}: {damaged}cannot be downloaded from {text.url}"
    try:
        yield
    except _RefusedError as error:
        raise CorpusError(f"{failed} (the server answered {error}); update textgen, or {BY_HAND}") from error
    except requests.RequestException as error:
        raise CorpusError(f"{failed} ({download.broken(error)}); try again with a connection, or {BY_HAND}") from error
    except ValueError as error:  # size or SHA-256 are wrong
        raise CorpusError(
            f"{failed} (what was received is not its {text.size:,} bytes with SHA-256 {text.sha256}, and was discarded)"
            "; check whether a login page of your network answered, or update textgen"
        ) from error
    except OSError as error:
        raise CorpusError(
            f"{path.parent}: {text.name} cannot be saved there ({reason(error)}); free some space, or set {VARIABLE} "
            "to another folder"
        ) from error


def locate(texts: Sequence[str], on_progress: Progress | None = None) -> tuple[str, ...]:
    """The paths of texts that are given by path or by catalog name; what is not in the cache is downloaded.

    An existing path takes precedence over a name. The path of a catalog text in the cache stands for its name, so that
    a run whose text was removed from the cache can still be resumed. Standard input (`-`) is returned as it is.

    Raises:
        CorpusError: a text is neither a path nor a name (similar names are suggested), or an error of `fetch`.
    """
    if all(_is_path(text) for text in texts):
        return tuple(texts)
    catalog = read_catalog()
    named = [None if _is_path(text) else _named(catalog, text) for text in texts]  # all, before the first download
    return tuple(str(fetch(name, on_progress)) if name else text for name, text in zip(named, texts, strict=True))


def downloads() -> list[Path]:
    """All downloaded files in the cache."""
    return sorted(path for path in texts_folder().glob("*") if path.is_file())


def remove_downloads() -> int:
    """Remove the downloaded files, and return the number of bytes freed.

    Raises:
        CorpusError: a file cannot be removed.
    """
    freed = 0
    for path in downloads():
        try:
            freed += remove(path)
        except OSError as error:
            raise CorpusError(f"{path}: cannot be removed ({reason(error)}); remove it by hand") from error
    return freed


def _place(text: CatalogText) -> Path:
    return texts_folder() / f"{text.name}.txt"


def _is_path(text: str) -> bool:
    try:
        return text == "-" or Path(text).exists()
    except (OSError, ValueError):
        return True  # of a kind; reading it says what is wrong


def _named(catalog: Mapping[str, CatalogText], text: str) -> CatalogText:
    path = Path(text)
    name = path.stem if path.parent == texts_folder() else text
    if name in catalog:
        return catalog[name]
    if near := nearest(catalog, name):
        raise CorpusError(f"{text}: no such file or catalog text; did you mean {near}?")
    raise CorpusError(f"{text}: no such file; check the path, or choose a name from 'textgen corpora list'")


class _RefusedError(Exception):
    """The server refused in a way that makes a retry useless."""


class _Download:
    """The downloader that pooch calls, and the file-like object that it writes to."""

    def __init__(self, text: CatalogText, on_progress: Progress | None) -> None:
        self._text = text
        self._report = on_progress or (lambda text, received: None)
        self._received, self._answered = 0, False
        self._file: BinaryIO

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        from pooch import HTTPDownloader
        from requests import HTTPError

        self._received, self._answered = 0, False
        self._report(self._text, 0)
        with Path(output_file).open("wb") as self._file, ExitStack() as opened:

            def answered(response: "requests.Response", **_: object) -> None:
                self._answered = True
                opened.callback(response.close)  # pooch does not close what breaks off

            load = HTTPDownloader(
                chunk_size=PIECE,
                timeout=TIMEOUT,
                headers={"Accept-Encoding": "identity"},  # compressed, the announced length would not be the text's
                hooks={"response": answered},
            )
            try:
                load(url, self, pooch)
            except HTTPError as error:
                if error.response is None or error.response.status_code in WORTH_RETRYING:
                    raise
                raise _RefusedError(_status(error.response)) from error

    def write(self, piece: bytes) -> None:
        """Take a piece; a `ValueError` when the text is at its end already."""
        self._received += len(piece)
        if self._received > self._text.size:
            raise ValueError("more was received than the text has")
        self._file.write(piece)
        self._report(self._text, self._received)

    def flush(self) -> None:
        """Nothing: pooch asks for it after each piece, and the end is soon enough."""

    def broken(self, error: "requests.RequestException") -> str:
        """What became of the last attempt, in a user's words."""
        if error.response is not None:
            return f"the server answered {_status(error.response)}"
        if self._answered:
            return "the connection was cut"
        return _cause(error) or "the server does not answer"


def _status(response: "requests.Response") -> str:
    return f"{response.status_code} {response.reason}".rstrip()


def _cause(error: BaseException | None) -> str:
    """The message of the operating system inside the errors of the network libraries, if any."""
    word = ""
    while error is not None:
        word = getattr(error, "strerror", None) or word
        error = error.__cause__ or error.__context__
    return word
