"""How many steps a run takes: those of its epochs, or as many as fit into its wall-clock budget."""

import time

from textgen.evaluation.baselines import MOST_CHARACTERS
from textgen.evaluation.surprisal import evaluation_seconds
from textgen.training.curve import can_draw
from textgen.training.plan import Minutes, Plan, evaluation_interval
from textgen.training.speed import characters_a_second, starting_seconds

UNPLANNED = 1000  # steps assumed until the speed is known: enough for the warm-up
REPLANS = 20  # how often a run with a budget is planned again, apart from evaluations
EVALUATIONS_AT_END = 3  # the last one, the pass that calibrates, and the evaluation of the calibrated weights
FIRST_REPLAN = 10  # steps after compilation, whose speed the first plan is made from


def first_planned(plan: Plan) -> int:
    """The number of steps planned before the first step."""
    return UNPLANNED if plan.epochs is None else plan.epochs * plan.windows.per_epoch


def finishing_seconds(characters: int, *, drawn: bool) -> float:
    """Estimated time for saving, the baselines and the curve at the end of a run."""
    return 1.0 + 2.5e-6 * min(characters, MOST_CHARACTERS) + (1.0 if drawn else 0.0)


class Stopwatch:
    """Measures the time of steps, except the first one of a process, which includes compilation."""

    def __init__(self) -> None:
        """Start without a measured step."""
        self.compiled = False
        self.restart()

    def restart(self) -> None:
        """Forget the steps measured so far."""
        self.seconds, self.steps = 0.0, 0

    def add(self, seconds: float) -> None:
        """Add the time of a step."""
        if self.compiled:
            self.seconds += seconds
            self.steps += 1
        self.compiled = True

    @property
    def step_seconds(self) -> float | None:
        """The mean time of a step since the restart; None before the first one."""
        return self.seconds / self.steps if self.steps else None


class Limit:
    """Ends a run after a number of epochs."""

    def __init__(self) -> None:
        """Start before the first step."""
        self.stopwatch = Stopwatch()

    def add_evaluation(self, seconds: float) -> None:
        """Ignore the time of an evaluation."""

    def ended(self, step: int, planned: int) -> str | None:
        """Why the run has ended after `step` of the `planned` steps; None if it has not."""
        return "plan" if step >= planned else None

    def seconds_left(self, step: int, planned: int) -> float | None:
        """Estimated time until the end; None until the speed is known."""
        each = self.stopwatch.step_seconds
        return None if each is None else each * (planned - step)

    def replanned(self, step: int, *, evaluated: bool) -> int | None:
        """The new number of planned steps; None if it stays the same."""
        return None


class Budget(Limit):
    """Ends a run when its wall-clock budget is used up, and adapts the number of planned steps to the measured speed.

    Attributes:
        deadline: when everything must be finished, on `time.monotonic`'s clock.
        finishing_seconds: reserved for what follows the last evaluation and the calibration.
        evaluation_seconds: the time of an evaluation; estimated until one is measured.
        interval: the steps between two evaluations.
        next_replan: the step at which the run is planned again.
    """

    def __init__(
        self, deadline: float, *, finishing_seconds: float, evaluation_seconds: float, interval: int, step: int = 0
    ) -> None:
        """Start at a step, before the first one of this process."""
        super().__init__()
        self.deadline, self.finishing_seconds = deadline, finishing_seconds
        self.evaluation_seconds, self.interval = evaluation_seconds, interval
        self.next_replan = step + FIRST_REPLAN + 1  # the first step compiles

    @property
    def ending_seconds(self) -> float:
        """The time of the last evaluation and everything that follows it."""
        return EVALUATIONS_AT_END * self.evaluation_seconds + self.finishing_seconds

    def add_evaluation(self, seconds: float) -> None:
        """Expect the next evaluation to take as long."""
        self.evaluation_seconds = seconds

    def ended(self, step: int, planned: int) -> str | None:
        """`budget` if all steps that fit are done or the time is used up; else None."""
        return "budget" if step >= planned or self._for_steps() <= 0 else None

    def seconds_left(self, step: int, planned: int) -> float | None:
        """The time until the deadline."""
        return max(0.0, self.deadline - time.monotonic())

    def replanned(self, step: int, *, evaluated: bool) -> int | None:
        """Fit the number of steps to the speed of the last ones, at each evaluation and some times in between."""
        each = self.stopwatch.step_seconds
        if each is None or not (evaluated or step >= self.next_replan):
            return None
        planned = step + max(0, int(self._for_steps() / (each + self.evaluation_seconds / self.interval)))
        self.next_replan = step + max(FIRST_REPLAN, min(planned // REPLANS, self.interval))
        self.stopwatch.restart()
        return planned

    def _for_steps(self) -> float:
        """The seconds left for steps, without the last evaluation and what follows it."""
        return self.deadline - time.monotonic() - self.ending_seconds


def limit_of(plan: Plan, *, started: float, step: int) -> Limit:
    """The limit of a run.

    Args:
        plan: of the run.
        started: when it began, on `time.monotonic`'s clock, moved back by the time of earlier parts of the run.
        step: the number of steps done.
    """
    if not isinstance(plan.until, Minutes):
        return Limit()
    symbols, hold_out = len(plan.corpus.vocabulary), plan.hold_out
    return Budget(
        started + 60 * plan.until.number,
        finishing_seconds=finishing_seconds(len(plan.corpus), drawn=can_draw()),
        evaluation_seconds=evaluation_seconds(plan.model, symbols, hold_out) if hold_out else 0.0,
        interval=evaluation_interval(plan.windows),
        step=step,
    )


def short_budget(plan: Plan, limit: Limit, *, read: float = 0.0) -> list[str]:
    """A note if the budget is too short even for one step and one evaluation, after teachers have read for so long."""
    if not isinstance(plan.until, Minutes) or not isinstance(limit, Budget):
        return []
    model, training, seconds = plan.model, plan.training, 60 * plan.until.number
    speed = characters_a_second(model, training.batch_size, len(plan.corpus.vocabulary))
    step = training.batch_size * training.window / speed
    least = read + starting_seconds(model) + step + limit.ending_seconds
    if least <= seconds:
        return []
    return [
        f"a budget of {seconds:.0f} s is too short for one step and one evaluation of this network: with startup"
        f"{' and what the teachers have read' if plan.teachers else ''} they take about {least:.0f} s on this machine, "
        "and so will the run"
    ]
