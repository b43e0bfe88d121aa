"""How many steps a run takes, and where it is scored."""

import time
from dataclasses import dataclass

from textgen.corpus.windows import Windows
from textgen.evaluation.score import CONTEXT, STREAMS

SCORING_CHARACTERS = 2_000_000  # trained between two scorings inside a longer epoch
LOOKS = 20  # how often in a run with a budget the plan is made anew, beside the scorings
FIRST_LOOK = 10  # steps after compilation from which the first plan is made
SAVING = 1.0  # seconds kept for writing the model at the end


def scoring_interval(windows: Windows) -> int:
    """The steps between two scorings, the epochs' ends aside."""
    return max(1, min(windows.per_epoch, SCORING_CHARACTERS // (windows.streams * windows.length)))


def is_scoring(step: int, windows: Windows) -> bool:
    """Whether the model is scored after so many steps: at each epoch's end, and inside longer epochs."""
    place = step % windows.per_epoch
    return place == 0 or place % scoring_interval(windows) == 0


@dataclass
class Budget:
    """A limit of wall-clock time, and the plan of steps that fits into it.

    Attributes:
        deadline: when everything must be done, on `time.monotonic`'s clock.
        scoring_seconds: what a scoring takes; estimated until one is measured.
        next_look: the step at which the plan is made anew.
    """

    deadline: float
    scoring_seconds: float
    next_look: int = FIRST_LOOK + 1  # the first step compiles

    @classmethod
    def of(cls, minutes: float, started: float, hold_out: int) -> "Budget":
        """A budget of minutes that runs since `started`."""
        estimate = 0.002 * (CONTEXT + hold_out / STREAMS) if hold_out else 0.0
        return cls(started + 60 * minutes, estimate)

    def seconds_left(self) -> float:
        """The time left for training, the last scoring and saving taken off."""
        return self.deadline - time.monotonic() - self.scoring_seconds - SAVING

    def steps_left(self, step_seconds: float, interval: int) -> int:
        """How many steps fit, with a scoring every `interval` steps."""
        return max(0, int(self.seconds_left() / (step_seconds + self.scoring_seconds / interval)))

    def pause(self, planned_steps: int, interval: int) -> int:
        """The steps until the plan is made anew: a share of the run, at most until the next scoring."""
        return max(FIRST_LOOK, min(planned_steps // LOOKS, interval))
