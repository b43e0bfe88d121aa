"""How many steps a run takes: those of its epochs, or as many as fit into its budget. Nothing else decides it."""

import time

from textgen.evaluation.baselines import MOST_CHARACTERS
from textgen.evaluation.score import scoring_seconds
from textgen.training.curve import can_draw
from textgen.training.plan import Minutes, Plan, scoring_interval
from textgen.training.speed import characters_a_second, starting_seconds

UNPLANNED = 1000  # steps supposed until the speed is known: enough for the warm-up
LOOKS = 20  # how often in a run with a budget the plan is made anew, beside the scorings
FIRST_LOOK = 10  # steps after compilation from which the first plan is made


def first_planned(plan: Plan) -> int:
    """The steps that are planned before the first one is taken."""
    return UNPLANNED if plan.epochs is None else plan.epochs * plan.windows.per_epoch


def finishing_seconds(characters: int, *, drawn: bool) -> float:
    """What saving, the baselines and the curve will take after the last scoring, roughly."""
    return 1.0 + 2.5e-6 * min(characters, MOST_CHARACTERS) + (1.0 if drawn else 0.0)


class Stopwatch:
    """The time that steps take, the first of a process, which compiles, left out."""

    def __init__(self) -> None:
        """No step has been timed."""
        self.compiled = False
        self.restart()

    def restart(self) -> None:
        """Forget the steps timed so far."""
        self.seconds, self.steps = 0.0, 0

    def add(self, seconds: float) -> None:
        """Note a step's time."""
        if self.compiled:
            self.seconds += seconds
            self.steps += 1
        self.compiled = True

    @property
    def step_seconds(self) -> float | None:
        """The mean time of a step since the restart; None before there is one."""
        return self.seconds / self.steps if self.steps else None


class Limit:
    """Ends a run after the steps of its epochs."""

    def __init__(self) -> None:
        """No step has been taken."""
        self.stopwatch = Stopwatch()

    def add_scoring(self, seconds: float) -> None:
        """Note the time of a scoring, which changes nothing here."""

    def ended(self, step: int, planned: int) -> str | None:
        """Why the run is over after so many steps of those planned; None if it is not."""
        return "plan" if step >= planned else None

    def seconds_left(self, step: int, planned: int) -> float | None:
        """About how long the rest takes; None until the speed is known."""
        each = self.stopwatch.step_seconds
        return None if each is None else each * (planned - step)

    def replanned(self, step: int, *, scored: bool) -> int | None:
        """How many steps are planned from now on; None where it is as many as before."""
        return None


class Budget(Limit):
    """Ends a run when its time is up, and plans the steps that fit into it anew as their speed changes.

    Attributes:
        deadline: when everything must be done, on `time.monotonic`'s clock.
        finishing_seconds: kept for what comes after the last scoring.
        scoring_seconds: what a scoring takes; estimated until one is measured.
        interval: the steps between two scorings.
        next_look: the step at which the plan is made anew.
    """

    def __init__(
        self, deadline: float, *, finishing_seconds: float, scoring_seconds: float, interval: int, step: int = 0
    ) -> None:
        """After so many steps, none of them in this process."""
        super().__init__()
        self.deadline, self.finishing_seconds = deadline, finishing_seconds
        self.scoring_seconds, self.interval = scoring_seconds, interval
        self.next_look = step + FIRST_LOOK + 1  # the first step compiles

    def add_scoring(self, seconds: float) -> None:
        """Expect the next scoring to take as long."""
        self.scoring_seconds = seconds

    def ended(self, step: int, planned: int) -> str | None:
        """Why the run is over: all that fits is done, or the time is up."""
        return "budget" if step >= planned or self._for_steps() <= 0 else None

    def seconds_left(self, step: int, planned: int) -> float | None:
        """The time until the deadline."""
        return max(0.0, self.deadline - time.monotonic())

    def replanned(self, step: int, *, scored: bool) -> int | None:
        """Fit the number of steps to the speed of the last ones, at each scoring and a few times in between."""
        each = self.stopwatch.step_seconds
        if each is None or not (scored or step >= self.next_look):
            return None
        planned = step + max(0, int(self._for_steps() / (each + self.scoring_seconds / self.interval)))
        self.next_look = step + max(FIRST_LOOK, min(planned // LOOKS, self.interval))
        self.stopwatch.restart()
        return planned

    def _for_steps(self) -> float:
        """The seconds left for steps, the last scoring and all that follows it taken off."""
        return self.deadline - time.monotonic() - self.scoring_seconds - self.finishing_seconds


def limit_of(plan: Plan, *, started: float, step: int) -> Limit:
    """What ends a run.

    Args:
        plan: of the run.
        started: when it began, on `time.monotonic`'s clock, the time of its interrupted parts counted.
        step: how many steps it has taken.
    """
    if not isinstance(plan.until, Minutes):
        return Limit()
    symbols, hold_out = len(plan.corpus.vocabulary), plan.hold_out
    return Budget(
        started + 60 * plan.until.number,
        finishing_seconds=finishing_seconds(len(plan.corpus), drawn=can_draw()),
        scoring_seconds=scoring_seconds(plan.model, symbols, hold_out) if hold_out else 0.0,
        interval=scoring_interval(plan.windows),
        step=step,
    )


def short_budget(plan: Plan, limit: Limit) -> list[str]:
    """What to tell of a budget in which not even one step and one evaluation can be done."""
    if not isinstance(plan.until, Minutes) or not isinstance(limit, Budget):
        return []
    model, training, seconds = plan.model, plan.training, 60 * plan.until.number
    speed = characters_a_second(model, training.batch_size, len(plan.corpus.vocabulary))
    step = training.batch_size * training.window / speed
    least = starting_seconds(model) + step + limit.scoring_seconds + limit.finishing_seconds
    if least <= seconds:
        return []
    return [
        f"a budget of {seconds:.0f} s is too short for one step and one evaluation of this network: with the start "
        f"they take about {least:.0f} s here, and so will the run"
    ]
