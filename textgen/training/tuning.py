"""`textgen.tune`: searches the settings of training on a text, and says whether they beat the default."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any, Unpack

from textgen.arguments import PATH, expect, expect_known, strings
from textgen.config import (
    DEFAULT_TRIAL_MINUTES,
    DEFAULT_TRIAL_SEED,
    DEFAULT_TRIALS,
    MINUTES,
    RNG_SEED,
    TRIALS,
    Reading,
    TrainingConfig,
)
from textgen.corpus.corpus import Corpus, ReadingOptions
from textgen.corpus.download import locate
from textgen.errors import CorpusError, RunError, TextgenError, TrainingError
from textgen.training.confirmation import SEEDS, Confirmation, Confirming, confirm
from textgen.training.given import refuse_short
from textgen.training.plan import Minutes, make_plan
from textgen.training.progress import Evaluated, Started, Stepped
from textgen.training.run_folder import OWN, open_run_folder
from textgen.training.search import Search, Tried, Trying, tried
from textgen.training.space import Choice, Space, configs, space_of, words
from textgen.training.study import hold, in_folder, opened, shown
from textgen.wording import counted, quoted

LEAST = 2 * SEEDS + 2  # trainings: the default, a trial, and those that confirm
ORDER = ("complete", "pruned", "running", "failed")  # of trials


@dataclass(frozen=True)
class Planned:
    """The search starts, or goes on.

    Attributes:
        study: its name.
        trials: to be done in all; None under a time budget alone.
        done: how many of them are done.
        minutes: of each training.
        space: what is searched of each setting, as `--units 64:512` has it.
        reading: how the texts were read, a line each.
        notes: what is to be known of the text.
    """

    study: str
    trials: int | None
    done: int
    minutes: float
    space: Mapping[str, str]
    reading: tuple[str, ...]
    notes: tuple[str, ...]


TuningEvent = Planned | Trying | Tried | Confirming | Started | Stepped | Evaluated


@dataclass(frozen=True)
class Tuning:
    """What came of a search.

    Attributes:
        study: its name in the database.
        storage: the database, without its password.
        minutes: of each training.
        trials: all of them, the best first.
        best: the trial with the lowest loss.
        confirmation: its settings beside the default's, with other seeds; None where no trial was better than the
            default.
        recommended: the settings of `best` if they were confirmed, else the default's as far as the space was limited.
        command: the words of a command that trains with them.
    """

    study: str
    storage: str
    minutes: float
    trials: tuple[Tried, ...]
    best: Tried
    confirmation: Confirmation | None
    recommended: Mapping[str, Any]
    command: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; the command as a shell takes it."""
        found = asdict(self) | {"best": self.best.number, "command": " ".join(map(quoted, self.command))}
        if self.confirmation is not None:
            names = ("differences", "mean", "standard_error", "holds")
            found["confirmation"] |= {name: getattr(self.confirmation, name) for name in names}
        return found


def tune(
    *texts: str | Path,
    output: str | Path,
    minutes: float = DEFAULT_TRIAL_MINUTES,
    trials: int | None = None,
    total_minutes: float | None = None,
    space: Mapping[str, Any] | None = None,
    storage: str | None = None,
    plot: str | Path | None = None,
    rng_seed: int = DEFAULT_TRIAL_SEED,
    on_progress: Callable[[TuningEvent], None] | None = None,
    reading: Reading | None = None,
    **options: Unpack[ReadingOptions],
) -> Tuning:
    """Search the settings of training that give the lowest validation loss within a wall-clock budget.

    Each trial is a training of `minutes` in a process of its own, with settings that Optuna proposes; the first has the
    default settings. The best settings and the default are then trained with three other random seeds each. They are
    recommended if the mean difference is larger than 2.92 times its standard error (a one-sided paired t-test at 5 %),
    and the default otherwise. The same call goes on where it was interrupted, or with more trials.

    Args:
        *texts: files, folders, archives or names of the catalog.
        output: folder of the search, whose name is the study's in the database.
        minutes: wall-clock budget of each training.
        trials: how many the study shall have in all; 20, or as many as fit into `total_minutes`.
        total_minutes: wall-clock budget of this call, with the trainings that confirm.
        space: what is searched, by the names `layers`, `units`, `cell`, `dropout`, `learning_rate`, `batch_size`,
            `window` and `weight_decay`: a fixed value, a tuple of the lowest and the highest, or a list of values.
        storage: address of the study's database, as SQLAlchemy takes it, so that several machines share the study; by
            default a file of SQLite in the folder.
        plot: a folder for Optuna's plots of the study.
        rng_seed: of what is proposed and of each trial's training; the three seeds after it confirm.
        on_progress: called with `Planned`; for each trial with `Trying`, the `Started`, `Stepped` and `Evaluated` of
            its training, and `Tried`; then with `Confirming` and the events of each training that confirms.
        reading: how to read files, instead of options.
        **options: as in `Corpus.from_files`.

    Raises:
        CorpusError: a text cannot be read, or only once, or is too short.
        RunError: the folder is in use or cannot be written, the database cannot be used, or its study is of another
            text, space or budget.
        TrainingError: no trial has succeeded.
        TextgenError: Optuna, or for `plot` matplotlib, is not installed.
        ValueError: an argument is wrong.
        TypeError: an argument is of a wrong type.
    """
    began = monotonic()
    expect_known(options, (*ReadingOptions.__annotations__, "reading"))
    expect("output", output, PATH)
    expect("space", space, Mapping | None)
    expect("storage", storage, str | None)
    expect("plot", plot, PATH | None)
    reading = Reading.given("reading", reading, options)
    minutes, rng_seed = MINUTES.check("minutes", minutes), RNG_SEED.check("rng_seed", rng_seed)
    trials = TRIALS.check("trials", trials) if trials is not None else None if total_minutes else DEFAULT_TRIALS
    until = None if total_minutes is None else began + 60 * search_minutes(minutes, total_minutes)
    names, on_progress, given = strings("texts", [str(text) for text in texts]), on_progress or _ignore, space or {}
    check_installed(plot)
    corpus = _read(names, reading)
    searched = space_of(given, len(corpus), len(corpus) - corpus.hold_out(TrainingConfig.validation))
    chosen, notes = _default(corpus, minutes, searched)
    of = {"sha256": corpus.sha256, "min_count": reading.min_count, "minutes": minutes, "rng_seed": rng_seed}
    of |= {name: str(within) for name, within in searched.items()}
    _refuse_run(Path(output))
    how = [*_options(reading), "--minutes", f"{minutes:.15g}"]
    with open_run_folder(output) as folder, opened(folder.path.absolute().name, storage, folder.path) as study:
        default = hold(study, of, chosen, folder.path)
        search = Search(study, searched, [*how, "--", *names], minutes, folder.path, rng_seed, on_progress)
        search.give_back_dead(own=True)
        shape = {name: str(within) for name, within in searched.items()}
        on_progress(Planned(study.study_name, trials, len(tried(study)), minutes, shape, corpus.notes, tuple(notes)))
        search.run(trials, until)
        search.wait()
        if plot is not None:
            _draw(study, Path(plot))
        ordered = tuple(sorted(tried(study), key=_rank))
        best = _best(ordered, folder.path)
        confirmation = None
        if not best.default:
            confirmation = confirm(search, best.number, {"default": default, "best": best.settings})
    confirmed = confirmation is not None and confirmation.holds
    settings = best.settings if confirmed else {name: default[name] for name in given}
    return Tuning(
        study=study.study_name,
        storage=shown(storage or in_folder(folder.path)),
        minutes=minutes,
        trials=ordered,
        best=best,
        confirmation=confirmation,
        recommended=dict(settings),
        command=("textgen", "train", *_texts(names), *how, *words(settings)),
    )


def search_minutes(minutes: float, total_minutes: float) -> float:
    """For how long trials may start, so that the last of them and the trainings that confirm fit into the budget.

    Raises:
        ValueError: not even the least fits: the default, one trial, and the trainings that confirm.
    """
    total_minutes = MINUTES.check("total_minutes", total_minutes)
    if total_minutes < LEAST * minutes:
        raise ValueError(
            f"`total_minutes` must be at least {LEAST} times `minutes`, {counted(LEAST * minutes, 'minute')}: for the "
            f"default, one trial, and the {2 * SEEDS} trainings that confirm"
        )
    return total_minutes - (LEAST - 1) * minutes


def check_installed(plot: str | Path | None) -> None:
    """Raise `TextgenError` if Optuna is not installed, or what draws is not where plots are asked for."""
    for module, extra, called in (("optuna", "tune", "Optuna"), ("matplotlib", "plot", "matplotlib")):
        if (module == "optuna" or plot is not None) and find_spec(module) is None:
            what = "textgen tune" if module == "optuna" else "`plot`"
            raise TextgenError(
                f"{what} needs {called}, which is not installed; run pip install 'textgen-lstm[{extra}]', or in a "
                f"clone pip install '.[{extra}]'"
            )


def _read(names: tuple[str, ...], reading: Reading) -> Corpus:
    """The text, of which each training must find the same."""
    if not names:
        raise ValueError("expected the path of at least one text")
    for name in names:
        path = Path(name)
        if name == "-" or (path.exists() and not (path.is_file() or path.is_dir())):
            what = "standard input" if name == "-" else name
            raise CorpusError(f"{what}: can be read only once, but each trial reads its text; save it in a file first")
    corpus = Corpus.from_files(*locate(names), reading=reading)
    refuse_short(corpus, TrainingConfig.window)
    return corpus


def _default(corpus: Corpus, minutes: float, space: Space) -> tuple[dict[str, Any], list[str]]:
    """The settings that textgen would choose itself, as near as the space has them, and notes on the text."""
    fixed = {name: within.values[0] for name, within in space.items() if isinstance(within, Choice)}
    model, training = configs(fixed)
    plan, notes = make_plan(corpus, until=Minutes(minutes), model=model, training=training)
    chosen = asdict(plan.training) | asdict(plan.model)
    return {name: within.nearest(chosen[name]) for name, within in space.items()}, notes


def _refuse_run(output: Path) -> None:
    """Raise `RunError` if the folder holds a run of `textgen train`."""
    if any((output / name).exists() for name in OWN):
        raise RunError(f"{output}: the folder has a run of textgen train; name another folder with `output`")


def _draw(study: Any, folder: Path) -> None:
    from textgen.training.tuning_plots import draw_study

    draw_study(study, folder)


def _rank(trial: Tried) -> tuple[int, float, int]:
    nats = float("inf") if trial.nats is None else trial.nats
    return ORDER.index(trial.state), nats, trial.number


def _best(trials: tuple[Tried, ...], folder: Path) -> Tried:
    if not trials or trials[0].state != "complete":
        why = next((trial.error for trial in trials if trial.error), "all were ended early")
        raise TrainingError(f"{folder}: none of {counted(len(trials), 'trial')} has succeeded: {why}")
    return trials[0]


def _options(reading: Reading) -> list[str]:
    """How texts are read, as options of `textgen train`, where it is not as usual."""
    found = []
    for item in fields(reading):
        value, option = getattr(reading, item.name), f"--{item.name.replace('_', '-')}"
        if value != getattr(Reading(), item.name):
            found.append(
                option if value is True else f"{option}={_escaped(value) if option == '--separator' else value}"
            )
    return found


def _escaped(separator: str) -> str:
    """A separator as its option takes it."""
    escapes = {"\\": "\\\\", "\n": r"\n", "\t": r"\t", "\r": r"\r"}
    return "".join(escapes.get(symbol, symbol) for symbol in separator)


def _texts(names: tuple[str, ...]) -> list[str]:
    """Texts as arguments that are no options."""
    return [f"./{name}" if name.startswith("-") else name for name in names]


def _ignore(event: TuningEvent) -> None:
    """Do nothing."""
