"""A run that trains its own teachers first, of other random seeds: what is left to do of it, and in which folder.

The teachers are runs of their own in the folders `teacher-1`, `teacher-2`, … of the run's folder; the student is
trained in that itself. A file beside it says how the run was started and how many trainings are done, until all
are: with it and the checkpoint of the training under way, the run is resumed wherever it was ended.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from textgen.arguments import listed
from textgen.config import EPOCHS, MINUTES, RNG_SEED, SEEDS, ModelConfig, Reading, TrainingConfig
from textgen.corpus.corpus import Corpus
from textgen.description import AMOUNT, TextInfo
from textgen.errors import RunError, reason
from textgen.model_file import FILE_NAME
from textgen.training.checkpoint import Checkpoint, has_checkpoint, remove_checkpoints
from textgen.training.plan import COMPLETED
from textgen.training.progress import Event, Started, TeacherTrained, TrainingResult
from textgen.training.resume import Unfinished
from textgen.training.run_folder import ENSEMBLE, RunFolder, refuse_old

FORMAT = 1
KEYS = {"format", "seeds", "done", "elapsed", "text", "reading", "model", "training", "epochs", "minutes", "teachers"}
LEAST_MINUTES = 1e-3  # for a training whose share of the budget is used up: it is told how long it takes at least


@dataclass(frozen=True, eq=False)
class Ensemble:
    """An unfinished run with teachers of its own.

    Attributes:
        folder: the run's, locked.
        meta: how the run was started, in the form of a checkpoint's; how many trainings are `done`, and the seconds
            that they took.
    """

    folder: RunFolder
    meta: Mapping[str, Any]

    @property
    def parts(self) -> int:
        """The number of trainings: those of the teachers, and the student's."""
        return int(self.meta["seeds"]) + 1

    @property
    def part(self) -> int:
        """The training that is next, from 1."""
        return int(self.meta["done"]) + 1

    @property
    def teachers(self) -> list[Path]:
        """The teachers' run folders."""
        return [self.folder.path / f"teacher-{number}" for number in range(1, self.parts)]

    @property
    def place(self) -> Path:
        """The folder of the training that is next."""
        return self.folder.path if self.part == self.parts else self.teachers[self.part - 1]

    @property
    def is_begun(self) -> bool:
        """Whether the training that is next has a checkpoint."""
        return has_checkpoint(self.place)

    @property
    def begun(self) -> Unfinished:
        """The run as another one to resume, whose text is read, and with which arguments are compared."""
        return Unfinished(self.folder, Checkpoint(self.meta, {}), None)

    def settings(self) -> dict[str, Any]:
        """The arguments of `train` for the training that is next.

        The student has the run's random seed, and teacher k the one k above. A budget is divided evenly: each training
        has an equal share of what those before it have left.
        """
        training = TrainingConfig(**self.meta["training"])
        if self.part < self.parts:
            seed = (training.rng_seed or 0) + self.part
            training = replace(training, rng_seed=seed % (int(RNG_SEED.high) + 1))
        minutes = self.meta["minutes"]
        if minutes is not None:
            minutes = max(LEAST_MINUTES, (minutes - self.meta["elapsed"] / 60) / (self.parts - self.part + 1))
        model = ModelConfig(**self.meta["model"])
        return {"epochs": self.meta["epochs"], "minutes": minutes, "model": model, "training": training}

    def with_done(self, seconds: float) -> Self:
        """The run after the next training is done; it took so many seconds.

        Raises:
            RunError: it cannot be written.
        """
        meta = {**self.meta, "done": self.meta["done"] + 1, "elapsed": self.meta["elapsed"] + seconds}
        self.folder.save_ensemble(json.dumps(meta))
        return replace(self, meta=meta)


@contextmanager
def start_ensemble(
    folder: RunFolder,
    corpus: Corpus,
    *,
    force: bool,
    seeds: int,
    epochs: int | None,
    minutes: float | None,
    model: ModelConfig | None,
    training: TrainingConfig | None,
) -> Iterator[Ensemble]:
    """Write down a run, before anything of it is trained. An old run that it replaces can no longer be resumed.

    If the block fails before there is anything to resume, it is as if the run had not been started.

    Raises:
        RunError: a teacher's folder has a run already and `force` is not given, or it cannot be written.
    """
    training = training or TrainingConfig()
    if training.rng_seed is None:
        training = replace(training, rng_seed=secrets.randbits(31))
    meta = {
        "format": FORMAT,
        "seeds": seeds,
        "done": 0,
        "elapsed": 0.0,
        "text": {name: getattr(corpus, name) for name in ("name", "sha256", "sources")},
        "reading": asdict(corpus.reading),
        "model": asdict(model or ModelConfig()),
        "training": asdict(training),
        "epochs": epochs,
        "minutes": minutes,
        "teachers": [],
    }
    ensemble = Ensemble(folder, meta)
    for place in () if force else ensemble.teachers:
        refuse_old(place)
    for place in (folder.path, *ensemble.teachers):
        remove_checkpoints(place)
    folder.save_ensemble(json.dumps(meta))
    try:
        yield ensemble
    except BaseException:
        if not any(has_checkpoint(place) or (place / FILE_NAME).exists() for place in ensemble.teachers):
            with suppress(OSError):
                (folder.path / ENSEMBLE).unlink()
        raise


def read_ensemble(folder: RunFolder) -> Ensemble | None:
    """The unfinished run with teachers of its own in a folder; None if there is none.

    Raises:
        RunError: its file cannot be read, or is none that a run writes.
    """
    path = folder.path / ENSEMBLE
    try:
        meta = json.loads(path.read_bytes())
        _check(meta)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({reason(error)}); resume the run when the file can be read") from error
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        why = str(error).replace("`", "")
        raise RunError(
            f"{path}: is damaged, or of another version of textgen ({why[:200]}); start a new run with `force=True`"
        ) from error
    folder.keep_ensemble()
    return Ensemble(folder, meta)


def _check(meta: Any) -> None:
    """Raise `ValueError`, `TypeError` or `LookupError` for the first value that no run writes."""
    if not isinstance(meta, dict) or set(meta) != KEYS:
        raise ValueError(f"missing or unknown keys: {listed(KEYS ^ set(meta)) if isinstance(meta, dict) else 'all'}")
    if type(meta["format"]) is not int or meta["format"] != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    seeds = SEEDS.check("seeds", meta["seeds"])
    SEEDS._replace(low=0, high=seeds).check("done", meta["done"])
    AMOUNT.check("elapsed", meta["elapsed"])
    reading, text = Reading.from_dict(meta["reading"]), meta["text"]
    TextInfo(text["name"], text["sha256"], 0, reading.unicode, reading.lowercase, None)
    if not isinstance(text["sources"], list) or not all(isinstance(source, str) for source in text["sources"]):
        raise ValueError("its sources are no list of paths")
    ModelConfig.from_dict(meta["model"])
    if TrainingConfig.from_dict(meta["training"]).rng_seed is None:
        raise ValueError("it has no random seed")
    for name, allowed in (("epochs", EPOCHS), ("minutes", MINUTES)):
        if meta[name] is not None:
            allowed.check(name, meta[name])
    if meta["teachers"] != [] or None not in (meta["epochs"], meta["minutes"]):
        raise ValueError("it has teachers of others, or epochs and minutes")


def train_all(
    ensemble: Ensemble,
    train_next: Callable[[Ensemble, Callable[[Event], None]], TrainingResult],
    on_progress: Callable[[Event], None],
) -> TrainingResult:
    """Do all trainings that are left, unless one is interrupted.

    Args:
        ensemble: the run.
        train_next: does the next training, and reports its events.
        on_progress: called with each event, and with `TeacherTrained` in place of a teacher's result.

    Returns:
        The student's result; or that of the training that was interrupted.
    """
    told: set[str] = set()
    while True:
        part, parts = ensemble.part, ensemble.parts

        def report(event: Event, part: int = part, parts: int = parts) -> None:
            if isinstance(event, Started):
                reading, notes = (
                    tuple(line for line in lines if line not in told) for lines in (event.reading, event.notes)
                )
                told.update(reading, notes)
                event = replace(event, part=part, parts=parts, reading=reading, notes=notes)
            if not isinstance(event, TrainingResult):
                on_progress(event)

        result = train_next(ensemble, report)
        if result.stopped_by not in COMPLETED:
            return replace(result, run=ensemble.folder.path)
        seconds = ensemble.meta["elapsed"] + result.seconds
        if part == parts:
            return replace(result, seconds=seconds)
        ensemble = ensemble.with_done(result.seconds)
        on_progress(
            TeacherTrained(part, parts - 1, result.model, result.validation_nats, result.epochs, result.seconds)
        )
