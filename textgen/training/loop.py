"""The training loop: steps, evaluations, checkpoints, callbacks, early stopping. A `Learner` computes the steps."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from textgen.errors import TrainingError
from textgen.evaluation.surprisal import cross_entropy
from textgen.generation.generator import Generator
from textgen.keras_archive import Array
from textgen.model_file import Weights
from textgen.training.interruption import Interruption
from textgen.training.learner import Callbacks, Learner
from textgen.training.limit import Limit
from textgen.training.plan import COMPLETED, Plan, is_evaluation_due
from textgen.training.progress import Evaluated, Event, Stepped
from textgen.training.recipe import learning_rate
from textgen.training.run_folder import Row, RunFolder

SAMPLE = 80  # characters of the sample at each evaluation
SAMPLE_SEED = 1  # the same random seed each time, so that samples differ only by the weights


@dataclass
class Position:
    """The state of a run that changes from step to step, apart from the learner's."""

    planned_steps: int
    step: int = 0  # steps done
    loss_sum: float = 0.0  # of the steps since the last evaluation
    loss_count: int = 0
    best: float = math.inf  # validation loss of the saved weights, nats per character
    scorings_since_best: int = 0  # evaluations without improvement; the checkpoint's format has this name

    def to_meta(self) -> dict[str, Any]:
        """As JSON values, for a checkpoint."""
        # The format has the key "states", whose values are among the arrays.
        return {"states": []} | asdict(self) | {"best": None if math.isinf(self.best) else self.best}

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> Self:
        """The position that is stored in a checkpoint."""
        values = {name: value for name, value in meta.items() if name != "states"}
        return cls(**values | {"best": math.inf if meta["best"] is None else meta["best"]})


@dataclass(eq=False)
class Loop:
    """Trains until the plan, the budget, early stopping, a callback or a signal ends the run."""

    plan: Plan
    learner: Learner
    folder: RunFolder
    position: Position
    limit: Limit
    started: float  # on time.monotonic's clock; moved back by the time of earlier parts of the run
    checkpoint_seconds: float  # between two checkpoints, apart from those at evaluations
    callbacks: Callbacks
    on_progress: Callable[[Event], None]
    interruption: Interruption

    def run(self) -> str:
        """Train, and save the best weights in the run folder.

        Returns:
            Why it ended: `plan`, `budget`, `patience`, `callback`, `SIGINT`, `SIGTERM` or `SIGHUP`.

        Raises:
            TrainingError: a loss is not finite.
            RunError: the run folder cannot be written.
        """
        self.last_checkpoint = time.monotonic()
        self.callbacks.on_train_begin()
        try:
            ended = self._resume() if self.position.step else None
            while ended is None:
                self._take_step()
                ended = self._after_step()
        finally:
            self.callbacks.on_train_end()
        return ended

    @property
    def epochs(self) -> float:
        """The number of epochs done."""
        return self.position.step / self.plan.windows.per_epoch

    def _resume(self) -> str | None:
        """Make sure that the run has a model; return why it has ended, if it was resumed at its very end."""
        if not self.folder.kept:  # the file is lost, and with it the best weights
            weights, nats = self._measure()
            self.position.best, self.position.scorings_since_best = math.inf if nats is None else nats, 0
            self._save(weights.arrays, nats)
            self._checkpoint(None)
        return self._ended()

    def _take_step(self) -> None:
        position, windows = self.position, self.plan.windows
        epoch, place = divmod(position.step, windows.per_epoch)
        if place == 0:
            self.callbacks.on_epoch_begin(epoch)
        begun = time.monotonic()
        self.callbacks.on_train_batch_begin(place)
        codes, targets = windows.window(position.step)
        loss = self.learner.train(codes, targets, windows.begins(position.step), position.step, self._rate())
        if not math.isfinite(loss):
            raise TrainingError(self._not_finite(loss))
        position.step += 1
        position.loss_sum += loss
        position.loss_count += 1
        self.callbacks.on_train_batch_end(place, {"loss": loss})
        self.limit.stopwatch.add(time.monotonic() - begun)
        left = self.limit.seconds_left(position.step, position.planned_steps)
        self.on_progress(Stepped(position.step, position.planned_steps, loss, self.epochs, self._characters(), left))

    def _after_step(self) -> str | None:
        """Evaluate, write a checkpoint, plan again, each if due; return why the run has ended, or None."""
        position, per_epoch = self.position, self.plan.windows.per_epoch
        ended = self._ended()
        due = is_evaluation_due(position.step, self.plan.windows) or ended in COMPLETED
        if due:
            logs = self._evaluate()
            ended = ended or self._ended()
            if position.step % per_epoch == 0 or ended in COMPLETED:
                self.callbacks.on_epoch_end((position.step - 1) // per_epoch, logs)
                ended = ended or self._ended()  # a callback may have stopped the run
        if due or ended or time.monotonic() - self.last_checkpoint >= self.checkpoint_seconds:
            self._checkpoint(ended)
        planned = None if ended else self.limit.replanned(position.step, evaluated=due)
        if planned is not None:
            position.planned_steps = planned
            self._record(None, None)
        return ended

    def _ended(self) -> str | None:
        position, patience = self.position, self.plan.training.patience
        if self.interruption.signal:
            return self.interruption.signal.name
        if self.callbacks.stop_training:
            return "callback"
        if patience is not None and position.scorings_since_best >= patience:
            return "patience"
        return self.limit.ended(position.step, position.planned_steps)

    def _evaluate(self) -> dict[str, float]:
        """Compute the validation loss, save the weights if they are the best, report; return the losses."""
        begun = time.monotonic()
        weights, nats = self._measure()
        best = self._keep_if_best(weights, nats)
        train_nats = self._report(weights, nats, best)
        self.limit.add_evaluation(time.monotonic() - begun)
        return {"loss": train_nats} | ({} if nats is None else {"val_loss": nats})

    def _measure(self) -> tuple[Weights, float | None]:
        """The averaged weights and their validation loss; None if nothing is held out."""
        weights, text, hold_out = Weights.from_list(self.learner.kept()), self.plan.corpus.codes, self.plan.hold_out
        nats = cross_entropy(weights, text, len(text) - hold_out) if hold_out else None
        # A step's loss is that of the weights before it: these may have become infinite since.
        if not (weights.are_finite() and math.isfinite(nats or 0)):
            raise TrainingError(self._not_finite(math.nan))
        return weights, nats

    def _keep_if_best(self, weights: Weights, nats: float | None) -> bool:
        """Save the weights if they are the best so far; if nothing is held out, the last ones are."""
        position = self.position
        if nats is not None and nats >= position.best:
            position.scorings_since_best += 1
            return False
        position.best, position.scorings_since_best = math.inf if nats is None else nats, 0
        # A run that was killed between saving the model and the checkpoint may have left a better model.
        kept = self.folder.kept.validation_nats if self.folder.kept else None
        if nats is None or kept is None or kept >= nats:
            self._save(weights.arrays, nats)
        return True

    def _report(self, weights: Weights, nats: float | None, best: bool) -> float:
        """Add to the history, report with a sample; return the mean training loss since the last evaluation."""
        position = self.position
        train_nats = position.loss_sum / position.loss_count
        position.loss_sum, position.loss_count = 0.0, 0
        self._record(train_nats, nats)
        sample = Generator(self.plan.describe(), weights).generate(length=SAMPLE, rng_seed=SAMPLE_SEED)
        self.on_progress(Evaluated(self.epochs, self._seconds(), train_nats, nats, best, sample))
        return train_nats

    def _checkpoint(self, ended: str | None) -> None:
        """Write all that is needed to resume the run.

        The current model is saved too before the first evaluation and, if nothing is held out, when the run is
        interrupted, since its last weights are then the best.
        """
        if not self.folder.kept or (ended and ended not in COMPLETED and not self.plan.hold_out):
            self._save(self.learner.kept(), None)
        elapsed = time.monotonic() - self.started
        meta = self.plan.to_meta() | {"position": self.position.to_meta(), "elapsed": elapsed}
        self.folder.save_checkpoint(meta, self.learner.state())
        self.last_checkpoint = time.monotonic()

    def _save(self, arrays: Sequence[Array], nats: float | None) -> None:
        description = self.plan.describe(
            epochs=round(self.epochs, 4),
            seconds=self._seconds(),
            validation_nats=nats,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self.folder.save_model(lambda path: self.learner.save(path, arrays), description)

    def _record(self, train_nats: float | None, validation_nats: float | None) -> None:
        position = self.position
        self.folder.record(
            Row(
                position.step,
                round(self.epochs, 4),
                self._characters(),
                self._seconds(),
                position.planned_steps,
                self._rate(),
                train_nats,
                validation_nats,
            )
        )

    def _rate(self) -> float:
        return learning_rate(self.plan.training.learning_rate, self.position.step, self.position.planned_steps)

    def _characters(self) -> int:
        """How many characters have been trained on."""
        return self.position.step * self.plan.windows.streams * self.plan.windows.length

    def _seconds(self) -> float:
        return round(time.monotonic() - self.started, 1)

    def _not_finite(self, loss: float) -> str:
        kept = f"the best model so far is kept in {self.folder.path}" if self.folder.kept else "nothing was saved"
        return f"the loss became {loss} at step {self.position.step + 1:,}; {kept}; try a lower `learning_rate`"
