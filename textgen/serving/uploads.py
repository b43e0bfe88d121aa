"""Uploaded texts, which wait for their training in a folder of their own, and what is found in a text."""

import json
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

from textgen.serving import child
from textgen.serving.names import file_name
from textgen.serving.refusal import RefusalError
from textgen.serving.storing import full, storing

FOLDER = ".uploads"  # in the folder of runs
MOST = 200  # uploads that wait
KEPT = 86400.0  # seconds
SPARE = 100_000_000  # bytes of the disk that no upload may fill
SECONDS = 180.0  # to look at a text
UNLIKELY = 0.05  # share of control characters from which on something is no text
ID = re.compile("[0-9a-f]{16}")
NO_TEXT = "no_text"


class Uploads:
    """The texts that were uploaded and are in no training yet."""

    def __init__(self, runs: Path) -> None:
        """Take the folder of runs, beside which they lie until they are moved there."""
        self._folder = runs.absolute() / FOLDER
        self._looks: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    @contextmanager
    def receiving(self, name: str) -> Iterator[tuple[str, Path, BinaryIO]]:
        """Yield the number of a new upload, its path and its file, open for writing; after an error nothing is left."""
        with storing():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._tidy()
            number = secrets.token_hex(8)
            place = self._folder / number
            place.mkdir(mode=0o700)
            try:
                path = place / file_name(name)
                with path.open("xb") as file:
                    yield number, path, file
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise

    def find(self, number: str) -> Path:
        """The file of an upload; `RefusalError` if there is none any more."""
        if ID.fullmatch(number):
            with suppress(OSError, StopIteration):
                return next((self._folder / number).iterdir())
        raise RefusalError(
            404, "this text is not on the server any more; upload it again", param="texts", code="text_not_found"
        )

    def remove(self, number: str) -> None:
        """Remove an upload, or the empty folder that is left of it."""
        if ID.fullmatch(number):
            shutil.rmtree(self._folder / number, ignore_errors=True)

    def check_disk(self) -> None:
        """Raise `RefusalError` if the disk is nearly full."""
        if shutil.disk_usage(self._folder).free < SPARE:
            raise full()

    def report(self, source: str, name: str) -> dict[str, Any]:
        """What `textgen corpora show` finds in a text, a path or a name of the catalog.

        It runs in a process of its own, since counting a long text would hold up those who write.

        Raises:
            RefusalError: it is no text, or it cannot be had.
        """
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            with self._looking(output, errors, source) as process, suppress(subprocess.TimeoutExpired):
                process.wait(SECONDS)
            if (failed := process.returncode) == -signal.SIGKILL:
                raise RefusalError(422, f"{name} could not be read within {SECONDS:g} seconds", code=NO_TEXT)
            for file in (output, errors):
                file.seek(0)
            if failed:
                said = (errors.read().decode("utf-8", "replace").strip().splitlines() or ["it cannot be read"])[-1]
                said = said.removeprefix("textgen: error: ").replace(f"{Path(source).parent}/", "")
                raise RefusalError(422, said[:1000], code=NO_TEXT)
            found = json.load(output)
        control = sum(item["faults"]["of"].get("control", {"count": 0})["count"] for item in found["sources"])
        if control > UNLIKELY * found["characters"]:
            raise RefusalError(422, f"{name}: {control:,} control characters; expected a text", code=NO_TEXT)
        return {
            "name": name,
            "characters": found["characters"],
            "lines": found["lines"],
            "symbols": len(found["symbols"]),
            "hold_out": found["hold_out"],
            "unseen": len(found["unseen"]),
            "skipped": len(found["skipped"]),
            "sources": [_source(item, f"{Path(source).parent}/") for item in found["sources"][:20]],
        }

    def end(self) -> None:
        """Give up all looks at texts, which may take longer than a server that ends should."""
        self._ended = True
        for process in list(self._looks):
            process.kill()

    @contextmanager
    def _looking(self, output: IO[bytes], errors: IO[bytes], source: str) -> Iterator["subprocess.Popen[bytes]"]:
        """A process that looks at a text, and does not outlive the block."""
        process = child.spawned(["corpora", "show", source, "--json"], output, errors)
        self._looks.add(process)
        try:
            if self._ended:
                process.kill()
            yield process
        finally:
            process.kill()
            process.wait()
            self._looks.discard(process)

    def _tidy(self) -> None:
        """Remove what nobody has trained on."""
        places = list(self._folder.iterdir())
        for place in places:
            with suppress(OSError):
                if time.time() - place.stat().st_mtime > KEPT:
                    shutil.rmtree(place)
        if len(list(self._folder.iterdir())) >= MOST:
            raise RefusalError(429, "too many uploaded texts wait for a training", code="too_many_texts")


def _source(found: dict[str, Any], folder: str) -> dict[str, Any]:
    """What is told of a text or a part of it, whose name does not tell where on the server it lies."""
    kept = {key: found[key] for key in ("name", "encoding", "how", "line", "rival", "rival_line", "characters")}
    kept["name"] = kept["name"].removeprefix(folder)
    faults = [{"kind": kind} | fault for kind, fault in found["faults"]["of"].items()]
    return kept | {"faults": faults, "removed": found["removed"]}
