"""The chief's learner on several workers: its loop sees one learner, whose steps all workers take together."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen import __version__
from textgen.errors import TrainingError
from textgen.training.alarm import Alarm
from textgen.training.channel import Message
from textgen.training.crew import AGAIN, Crew
from textgen.training.learner import Arrays, Learner
from textgen.training.plan import PACKAGES, Plan

PLAN, STEP, STATES, RESTORE = "plan", "step", "states", "restore"  # orders; a worker answers the first and the third


@contextmanager
def led(plan: Plan, options: Mapping[str, Any]) -> Iterator[Crew | None]:
    """Have the other workers of a plan's cluster join, and tell them the plan; None if there are none.

    Args:
        plan: of the run.
        options: what it was started with, which must be the same on all workers.

    Raises:
        TrainingError: they do not all join, or one of them cannot follow.
    """
    if plan.cluster is None:
        yield None
        return
    with Crew(plan.cluster) as crew:
        crew.assemble(terms(plan.cluster.workers, options))
        crew.tell(PLAN, plan.to_meta())
        crew.answers()
        yield crew


def terms(workers: Sequence[str], options: Mapping[str, Any]) -> dict[str, Any]:
    """What must be the same on all workers, by names that messages use."""
    given = {
        f"`{name}`" if name.isidentifier() else name: value
        for name, value in options.items()
        if value not in (None, ())
    }
    versions = {name: version(name) for name in PACKAGES} | {
        "textgen": __version__,
        "python": platform.python_version(),
    }
    return (
        given | {f"its version of {name}": found for name, found in versions.items()} | {"`workers`": ",".join(workers)}
    )


class Leading:
    """The `Learner` that has all workers take each step, and stands for all of them.

    Attributes:
        learner: the chief's own, which trains on its part of the streams.
    """

    def __init__(self, learner: Learner, crew: Crew, plan: Plan) -> None:
        """Give all workers the weights of the chief's learner."""
        self.learner, self._crew, self._rows = learner, crew, plan.rows
        crew.alarm.abort = learner.abort
        streams = plan.training.batch_size
        start = dict(learner.state())
        start["states"] = [np.zeros((streams, array.shape[1]), np.float32) for array in start["states"]]
        self._give(start)

    def train(
        self,
        codes: NDArray[np.int32],
        targets: NDArray[np.int32],
        begins: NDArray[np.bool_],
        number: int,
        rate: float,
    ) -> float:
        """Take one step together; the loss is that of all streams."""
        self._crew.tell(STEP, {"number": number, "rate": rate})
        with self._crew.step(), blaming(self._crew.alarm):
            return self.learner.train(codes, targets, begins, number, rate)

    def kept(self) -> list[NDArray[np.float32]]:
        """The averaged weights, which are the same on all workers."""
        return self.learner.kept()

    def save(self, path: Path, arrays: Sequence[NDArray[np.float32]]) -> None:
        """Save a Keras archive."""
        self.learner.save(path, arrays)

    def state(self) -> Arrays:
        """The chief's state, with the states of all workers' streams."""
        self._crew.tell(STATES)
        state = dict(self.learner.state())
        parts = [state["states"], *(answer.arrays for answer in self._crew.answers())]
        state["states"] = [np.concatenate(rows) for rows in zip(*parts, strict=True)]
        return state

    def restore(self, arrays: Arrays) -> None:
        """Continue from the arrays of a checkpoint, on all workers."""
        self._give(arrays)
        self.learner.restore(of_rows(arrays, self._rows))

    def abort(self) -> None:
        """Make a step that waits for another worker fail."""
        self.learner.abort()

    def _give(self, arrays: Arrays) -> None:
        """Have the other workers continue from arrays, of which each takes the states of its own streams."""
        names = [name for name, part in arrays.items() for _ in part]
        self._crew.tell(RESTORE, {"names": names}, [np.asarray(array) for part in arrays.values() for array in part])


def given(message: Message) -> Arrays:
    """The arrays of such an order."""
    arrays: dict[str, list[NDArray[Any]]] = {}
    for name, array in zip(message.values["names"], message.arrays, strict=True):
        arrays.setdefault(name, []).append(array)
    return arrays


def of_rows(arrays: Arrays, rows: slice) -> Arrays:
    """The arrays of a checkpoint, with the states of some streams only."""
    return {**arrays, "states": [array[rows] for array in arrays["states"]]}


@contextmanager
def blaming(alarm: Alarm) -> Iterator[None]:
    """Turn what TensorFlow raises when a worker is lost, at times before that is known, into an error that names it."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "tensorflow":
            raise
        alarm.wait()
        raise TrainingError(
            f"the connection between the workers failed ({str(error).splitlines()[0][:200]}); {AGAIN}"
        ) from error
