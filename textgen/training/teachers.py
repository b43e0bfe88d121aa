"""The teachers of a run: models from whose predictions another one, the student, learns beside the text.

The student is trained on half the cross-entropy with the text and half that with the mean of the teachers'
probabilities (Hinton, Vinyals and Dean, 2015; Furlanello et al., 2018). Symbols are matched by character.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textgen.arguments import PATH, Checked, check_sha256, expect
from textgen.corpus.codes import parts
from textgen.corpus.corpus import Corpus
from textgen.corpus.vocabulary import UNKNOWN, Vocabulary
from textgen.errors import CorpusError, RunError, reason
from textgen.model_file import locate, read_model
from textgen.wording import counted

LEAST_KNOWN = 0.5  # share of the text's characters that a teacher must know


@dataclass(frozen=True)
class Teacher(Checked):
    """A model file that a run learns from, and the SHA-256 that it must have when the run is resumed."""

    path: str  # absolute
    sha256: str

    def __post_init__(self) -> None:
        """Raise `ValueError` for what is no such hash."""
        super().__post_init__()
        check_sha256(self.sha256)


def model_files(paths: Sequence[str | Path]) -> list[Path]:
    """The absolute paths of the model files of teachers.

    Args:
        paths: of run folders or `.keras` files.

    Raises:
        TypeError: one is not a path.
        ModelFileError: one is missing.
        RunError: one is named twice.
    """
    if isinstance(paths, str):
        paths = [paths]
    for place, path in enumerate(paths):
        expect(f"teachers[{place}]", path, PATH)
    files = [locate(path).absolute() for path in paths]
    for place, file in enumerate(files):
        if any(file.samefile(other) for other in files[:place]):
            raise RunError(f"`teachers` names {file} twice; name each teacher once")
    return files


def engage(files: Sequence[Path], model: Path) -> tuple[Teacher, ...]:
    """The teachers with these model files, of a run that writes its own model to `model`.

    Raises:
        RunError: one is the run's own model, or cannot be read.
    """
    for file in files:
        if model.exists() and file.samefile(model):
            raise RunError(
                f"{file}: a run cannot be its own teacher, since it replaces the model; name another folder with "
                "`output`"
            )
    return tuple(Teacher(str(file), _sha256(file)) for file in files)


def as_they_were(teachers: Sequence[Teacher], folder: Path) -> tuple[Teacher, ...]:
    """The teachers of a run to resume; those that it trained in its own folder may have been moved with it.

    Raises:
        RunError: one is missing, or is no longer what it was when the run was started.
    """
    found = []
    for teacher in teachers:
        path = Path(teacher.path)
        moved = folder.absolute() / path.parent.name / path.name
        found.append(replace(teacher, path=str(moved if moved.exists() and not path.exists() else path)))
        if _sha256(Path(found[-1].path)) != teacher.sha256:
            raise RunError(
                f"{found[-1].path}: the teacher has changed since the run was started (its SHA-256 was "
                f"{teacher.sha256[:12]}…); put the same model there, or start a new run with `force=True`"
            )
    return tuple(found)


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else "it is no path"
        raise RunError(
            f"{file}: the teacher cannot be read ({why}); put the model there again, or start a new run with "
            "`force=True`"
        ) from error


def matched(theirs: Vocabulary, vocabulary: Vocabulary) -> NDArray[np.int32]:
    """A teacher's code of each of the student's symbols, `(V,)`; `UNKNOWN` where it has none."""
    return theirs.lookup("".join(vocabulary.symbols))


def check_known(teachers: Sequence[Teacher], corpus: Corpus, characters: int) -> list[str]:
    """Notes on what the teachers do not know of a text.

    Args:
        teachers: of the run.
        corpus: the text, in the student's codes.
        characters: how many of it, from its start, are learnt.

    Raises:
        CorpusError: a teacher knows less than half of the characters.
        ModelFileError: it is not a model.
    """
    notes, counts = [], np.zeros(len(corpus.vocabulary), np.int64)
    for part in parts(corpus.codes[:characters]) if teachers else ():
        counts += np.bincount(part, minlength=len(counts))
    for teacher in teachers:
        unknown = matched(read_model(teacher.path).description.vocabulary, corpus.vocabulary) == UNKNOWN
        share, missing = counts[unknown].sum() / characters, int((counts[unknown] > 0).sum())
        if 1 - share < LEAST_KNOWN:
            raise CorpusError(
                f"{corpus.label}: the teacher {teacher.path} knows {100 * (1 - share):.3g} % of its characters; "
                f"expected at least {100 * LEAST_KNOWN:.0f} %: name a teacher that was trained on the same alphabet"
            )
        if missing:
            notes.append(
                f"the teacher {teacher.path} does not know {counted(missing, 'symbol')} of the text "
                f"({100 * share:.3g} % of its characters); there it is not listened to"
            )
    return notes
