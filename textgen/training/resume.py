"""Resuming an unfinished run: its settings and text, and whether the model in its folder is its own."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from textgen.config import BATCH_SIZE, Reading
from textgen.corpus.corpus import Corpus, called
from textgen.corpus.download import locate
from textgen.corpus.vocabulary import Vocabulary
from textgen.corpus.windows import Windows
from textgen.description import Description, TrainingInfo
from textgen.errors import ModelFileError, RunError
from textgen.model_file import read_model
from textgen.training.checkpoint import Checkpoint, read_checkpoint
from textgen.training.cluster import Cluster
from textgen.training.plan import Plan
from textgen.training.run_folder import Row, RunFolder
from textgen.training.teachers import as_they_were, model_files
from textgen.wording import counted


@dataclass(frozen=True, eq=False)
class Unfinished:
    """A run to resume.

    Attributes:
        folder: its folder, locked.
        checkpoint: its state.
        warning: a note for the user on the checkpoint.
    """

    folder: RunFolder
    checkpoint: Checkpoint
    warning: str | None

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of its text; empty for a text given as a string."""
        return tuple(self.checkpoint.meta["text"]["sources"])

    @property
    def reading(self) -> Reading:
        """How its text was read."""
        return Reading.from_dict(self.checkpoint.meta["reading"])

    def check(self, given: Mapping[str, Any]) -> None:
        """Raise `RunError` for the first argument whose value differs from that of the run.

        Args:
            given: values of `ModelConfig`, `TrainingConfig` and `Reading`, `epochs`, `minutes`,
                `teachers` and `seeds`.
        """
        meta = self.checkpoint.meta
        teachers = ", ".join([teacher["path"] for teacher in meta["teachers"]]) or None
        stored = {
            "seeds": None,
            **meta,
            **meta["model"],
            **meta["training"],
            **asdict(self.reading),
            "teachers": teachers,
        }
        if "teachers" in given:
            given = {**given, "teachers": ", ".join(map(str, model_files(given["teachers"])))}
        for name, value in given.items():
            if value != stored[name]:
                raise RunError(
                    f"{self.folder.path}: `{name}` is {value}, but the run was started with {stored[name]}; "
                    "give `resume=True` alone, or start a new run with `force=True`"
                )

    def read(self, paths: Sequence[str | Path] = ()) -> Corpus:
        """Read its text as the first time, from its own files or from those that are given.

        Raises:
            CorpusError: it cannot be read.
            RunError: it was not a file, and none is given.
        """
        paths = paths or locate(self.sources)
        if not paths:
            raise RunError(f"{self.folder.path}: the run's text was a string, not a file; give it again as `corpus`")
        return Corpus.from_files(*paths, reading=self.reading)

    def check_text(self, corpus: Corpus) -> None:
        """Raise `RunError` unless a text is the one that the run was started on."""
        text = self.checkpoint.meta["text"]
        if corpus.sha256 != text["sha256"]:
            other = called(text["sources"] or [text["name"]])
            raise RunError(
                f"{self.folder.path}: the run was started on another text ({other}, SHA-256 {text['sha256'][:12]}…, "
                f"not {corpus.sha256[:12]}…); resume with that text, or start a new run with `force=True`"
            )
        self.check({"min_count": corpus.reading.min_count})

    def plan(self, corpus: Corpus) -> Plan:
        """The plan of the run, for a text that must be the one it was started on.

        Raises:
            RunError: it is another text, the checkpoint does not match it, or a teacher has changed.
        """
        self.check_text(corpus)
        meta, folder = self.checkpoint.meta, self.folder.path
        text = meta["text"]
        try:
            corpus = replace(corpus.recoded(Vocabulary(meta["vocabulary"])), replacement=text["replacement"])
            plan = Plan.from_meta(meta, corpus)
            most = Windows.most_streams(len(corpus) - plan.hold_out, plan.training.window)
            BATCH_SIZE._replace(high=most).check("batch_size", plan.training.batch_size)
        except ValueError as error:
            raise RunError(
                f"{folder}: the run was not started on this text ({error}); start a new run with `force=True`"
            ) from error
        return replace(plan, teachers=as_they_were(plan.teachers, folder))

    def other_workers(self, cluster: Cluster | None) -> list[str]:
        """A note if the run goes on with another number of workers."""
        before, now = self.checkpoint.meta.get("workers", 1), len(cluster.workers) if cluster else 1
        if before == now:
            return []
        return [
            f"the run had {counted(before, 'worker')} and goes on with {counted(now, 'worker')}: it will not end as it "
            "would have, bit for bit"
        ]

    def restore(self, plan: Plan) -> list[str]:
        """Put the folder in the state of the checkpoint; return what a user must be told.

        Raises:
            RunError: the folder cannot be written.
        """
        if self.warning:
            self.folder.drop_damaged()
        kept, lost = left_model(self.folder, plan, self.checkpoint)
        self.folder.restore(self.checkpoint.meta["history"], kept)
        return [note for note in (self.warning, lost) if note]


def unfinished(folder: RunFolder) -> Unfinished:
    """The unfinished run in a locked folder, with its checkpoint.

    Raises:
        RunError: there is nothing to resume, or it cannot be read; see `read_checkpoint`.
    """
    return Unfinished(folder, *read_checkpoint(folder.path))


def left_model(folder: RunFolder, plan: Plan, checkpoint: Checkpoint) -> tuple[TrainingInfo | None, str | None]:
    """The training information of the model in the folder, if it is the best model of the resumed run.

    It may be better than the checkpoint's, since a run can be killed between saving the two. Any other model is
    renamed, never lost: it may be the best of another run.

    Returns:
        The information, or None if the run has lost its model; and in that case a note for the user.

    Raises:
        RunError: the file cannot be renamed.
    """
    if not folder.model.exists():
        return None, f"{folder.model}: is missing; the run continues without its best model"
    try:
        found = read_model(folder.model).description
    except ModelFileError as error:
        problem = str(error)
    else:
        if _decided(found) != _decided(plan.describe()):
            problem = f"{folder.model}: is a model of another run"
        elif not _is_as_good(found.training, checkpoint):
            problem = f"{folder.model}: is not this run's best model"
        else:
            return found.training, None
    return None, f"{problem}; it was renamed to {folder.set_aside()}, and the run continues without its best model"


def _decided(description: Description) -> Description:
    """The part of a description that is the same in all models of a run."""
    training = replace(
        description.training, epochs=0.0, seconds=0.0, validation_nats=None, versions={}, date="", temperature=None
    )
    text = replace(description.text, name="", strip=None, separator=None, sources=())  # the same text, however read
    return replace(description, text=text, training=training)


def _is_as_good(found: TrainingInfo, checkpoint: Checkpoint) -> bool:
    """Whether a model of the run is at least as good as its best one was when the checkpoint was written."""
    meta: Any = checkpoint.meta
    best = meta["position"]["best"]
    if best is not None:
        return found.validation_nats is not None and found.validation_nats <= best
    scored = [row.epochs for row in (Row(*row) for row in meta["history"]) if row.train_nats is not None]
    return found.epochs >= max(scored, default=0.0)  # nothing is held out, so the latest is the best
