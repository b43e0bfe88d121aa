"""The trials of a study: short trainings with settings that Optuna proposes, each in a process of its own.

Settings are proposed by the tree-structured Parzen estimator (Bergstra, Bardenet, Bengio and Kégl, 2011). A trial ends
early where its loss is above the median of the finished ones at the same part of the budget (Golovin et al., 2017).
"""

import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from textgen.config import RNG_SEED
from textgen.errors import TrainingError
from textgen.training.apart import Told, Trained, longest_seconds, train_apart
from textgen.training.progress import Evaluated
from textgen.training.space import ALLOWED, Choice, Searched, Space, words

AT_RANDOM = 8  # trials before the estimator
PARTS = 10  # of a budget, at whose ends trials are compared
COMPARED_FROM = 3  # parts; before that, the warm-up and the start of the process decide
COMPARED_WITH = 4  # finished trials, at least
POLL = 2.0  # seconds between two looks at the trials of other machines
DEFAULT, ERROR, SECONDS, WORKER, STARTED = "default", "error", "seconds", "worker", "started"  # attributes of a trial
INTERRUPTED = "interrupted "  # and a trial's number: an attribute of the study


@dataclass(frozen=True)
class Tried:
    """A trial of a study.

    Attributes:
        number: from 0.
        state: `complete`; `pruned`, which ended early; `failed`; `running`, perhaps on another machine.
        nats: validation loss, nats per character; of a pruned trial the lowest until then. None if it has none.
        settings: what was trained with.
        seconds: wall-clock time of the training; None until it is complete.
        error: why it has failed.
        default: whether the settings are textgen's own.
    """

    number: int
    state: str
    nats: float | None
    settings: Mapping[str, Any]
    seconds: float | None
    error: str | None
    default: bool


@dataclass(frozen=True)
class Trying:
    """A trial starts.

    Attributes:
        number: the trial's. Trials that were interrupted have numbers too, so it may be larger than `place`.
        settings: what is trained with.
        place: which of the study's trials it is, from 1.
        trials: how many are to be done in all; None under a time budget alone.
    """

    number: int
    settings: Mapping[str, Any]
    place: int
    trials: int | None


class _BeatenError(Exception):
    """A trial is worse than others were at the same time."""


@dataclass(eq=False)
class Search:
    """Takes trials of a study, on this machine.

    Attributes:
        study: Optuna's.
        space: what is searched.
        train: the words of `textgen train` that are the same in all trainings: texts, how to read them, the budget.
        minutes: that budget.
        folder: the study's on this machine; it is locked.
        rng_seed: of all trials' trainings, and of what is proposed.
        on_progress: called with each event.
    """

    study: Any
    space: Space
    train: list[str]
    minutes: float
    folder: Path
    rng_seed: int
    on_progress: Callable[[Any], None]
    worker: str = field(init=False)

    def __post_init__(self) -> None:
        """Name this machine and folder."""
        self.worker = f"{socket.gethostname()}:{self.folder.resolve()}"

    def run(self, trials: int | None, until: float | None) -> None:
        """Take trials until the study has so many, or until a time on `time.monotonic`'s clock."""
        while (trials is None or len(tried(self.study)) < trials) and (until is None or time.monotonic() < until):
            self._take(trials)

    def wait(self) -> None:
        """Wait for the trials of other machines."""
        while any(trial.state == "running" for trial in tried(self.study)):
            time.sleep(POLL)
            self.give_back_dead(own=False)

    def trained(self, settings: Mapping[str, Any], rng_seed: int, on_event: Callable[[Told], None]) -> Trained:
        """Train with these settings, and keep only the loss.

        Raises:
            TrainingError: the training has failed.
        """
        place = self.folder / ".training"
        options = [*words(settings), "--rng-seed", str(rng_seed % (int(RNG_SEED.high) + 1))]
        shutil.rmtree(place, ignore_errors=True)  # what a process has left that was killed
        try:
            return train_apart([*options, "-o", str(place), *self.train], self.minutes, on_event)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _take(self, trials: int | None) -> None:
        from optuna.trial import TrialState

        trial = self.study.ask()
        try:
            trial.set_user_attr(WORKER, self.worker)
            trial.set_user_attr(STARTED, time.time())
            self.study.sampler = sampler(self.rng_seed, trial.number)
            for name, within in self.space.items():
                _propose(trial, name, within)
            settings = _settings(trial)
            self.on_progress(Trying(trial.number, settings, len(tried(self.study)), trials))
            found = self.trained(settings, self.rng_seed, self._comparing(trial))
        except _BeatenError:
            self.study.tell(trial, state=TrialState.PRUNED)
        except TrainingError as error:
            trial.set_user_attr(ERROR, str(error))
            self.study.tell(trial, state=TrialState.FAIL)
        except BaseException:
            self._give_back(trial.number)
            raise
        else:
            trial.set_user_attr(SECONDS, found.seconds)
            self.study.tell(trial, found.nats)
        self.on_progress(next(item for item in tried(self.study) if item.number == trial.number))

    def _comparing(self, trial: Any) -> Callable[[Told], None]:
        """A function of the training's events that ends it where it is beaten."""
        began, best, done = time.monotonic(), float("inf"), 0

        def follow(event: Told) -> None:
            nonlocal best, done
            self.on_progress(event)
            part = min(PARTS - 1, int(PARTS * (time.monotonic() - began) / (60 * self.minutes)))
            for reached in range(done + 1, part + 1):
                if best < float("inf"):
                    trial.report(best, reached)
                    if trial.should_prune():
                        raise _BeatenError
            done = max(done, part)
            if isinstance(event, Evaluated) and event.validation_nats is not None:
                best = min(best, event.validation_nats)

        return follow

    def give_back_dead(self, *, own: bool) -> None:
        """Have the trials done again that a process was killed in: of this folder, or of machines not heard of."""
        latest = time.time() - longest_seconds(self.minutes) - 60
        for trial in _trials(self.study, "RUNNING"):
            started = trial.user_attrs.get(STARTED, trial.datetime_start.timestamp())
            if started < latest or (own and trial.user_attrs.get(WORKER) == self.worker):
                self._give_back(trial.number)

    def _give_back(self, number: int) -> None:
        """Have a trial of which nothing came done again, in another's place."""
        from optuna.trial import TrialState

        self.study.set_user_attr(f"{INTERRUPTED}{number}", True)
        trial = self.study.tell(number, state=TrialState.FAIL)
        if trial.params.keys() == self.space.keys():
            kept = {name: value for name, value in trial.user_attrs.items() if name == DEFAULT}
            self.study.enqueue_trial(trial.params, user_attrs=kept)


def tried(study: Any) -> list[Tried]:
    """The trials of a study, without those that were interrupted and are done again."""
    again = {int(name.removeprefix(INTERRUPTED)) for name in study.user_attrs if name.startswith(INTERRUPTED)}
    return [
        Tried(
            number=trial.number,
            state={"FAIL": "failed"}.get(trial.state.name, trial.state.name.lower()),
            nats=min(trial.intermediate_values.values(), default=None) if trial.value is None else trial.value,
            settings=_settings(trial),
            seconds=trial.user_attrs.get(SECONDS),
            error=trial.user_attrs.get(ERROR),
            default=bool(trial.user_attrs.get(DEFAULT)),
        )
        for trial in _trials(study, "RUNNING", "COMPLETE", "PRUNED", "FAIL")
        if trial.number not in again
    ]


def sampler(rng_seed: int, number: int) -> Any:
    """What proposes settings, with randomness of its own for each trial, so that no two machines try the same."""
    from optuna.samplers import TPESampler

    seed = int(np.random.SeedSequence((rng_seed, number)).generate_state(1)[0])
    return TPESampler(n_startup_trials=AT_RANDOM, constant_liar=True, seed=seed)


def pruner() -> Any:
    """What ends a trial early."""
    from optuna.pruners import MedianPruner

    return MedianPruner(n_startup_trials=COMPARED_WITH, n_warmup_steps=COMPARED_FROM, n_min_trials=COMPARED_WITH)


def _propose(trial: Any, name: str, within: Searched) -> None:
    """Have a value of a setting proposed."""
    if isinstance(within, Choice):
        trial.suggest_categorical(name, within.values)
    elif ALLOWED[name].kind is int:
        trial.suggest_int(name, int(within.low), int(within.high), log=within.log)
    else:
        trial.suggest_float(name, within.low, within.high, log=within.log)


def _settings(trial: Any) -> dict[str, Any]:
    """The settings of a trial; numbers between two with three digits, which no training tells from more."""
    from optuna.distributions import FloatDistribution

    return {
        name: float(f"{value:.3g}") if isinstance(trial.distributions[name], FloatDistribution) else value
        for name, value in trial.params.items()
    }


def _trials(study: Any, *states: str) -> Iterator[Any]:
    from optuna.trial import TrialState

    yield from study.get_trials(deepcopy=False, states=[TrialState[state] for state in states])
