"""The training loop: steps, scorings, checkpoints, callbacks, and why it ends. A `Learner` computes the steps."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from textgen.errors import TrainingError
from textgen.evaluation.score import score
from textgen.generation.generator import Generator
from textgen.model_file import Weights
from textgen.training.interruption import Interruption
from textgen.training.learner import Callbacks, Learner
from textgen.training.limit import Limit
from textgen.training.plan import COMPLETED, Plan, is_scoring
from textgen.training.progress import Event, Scored, Stepped
from textgen.training.recipe import learning_rate
from textgen.training.run_folder import Row, RunFolder

SAMPLE = 80  # characters of the sample at each scoring
SAMPLE_SEED = 1  # the same draws each time, so that samples differ by what was learnt alone


@dataclass
class Position:
    """Where a run stands: all that changes from step to step, the learner aside."""

    planned_steps: int
    step: int = 0  # steps done
    loss_sum: float = 0.0  # of the steps since the last scoring
    loss_count: int = 0
    best: float = math.inf  # held-out nats of the weights kept
    scorings_since_best: int = 0

    def to_meta(self) -> dict[str, Any]:
        """What a checkpoint holds of it, as JSON values."""
        # The states lie among the arrays; the key is the format's.
        return {"states": []} | asdict(self) | {"best": None if math.isinf(self.best) else self.best}

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> Self:
        """The position that a checkpoint holds."""
        values = {name: value for name, value in meta.items() if name != "states"}
        return cls(**values | {"best": math.inf if meta["best"] is None else meta["best"]})


@dataclass(eq=False)
class Loop:
    """Trains until the plan is done, the budget spent, the patience lost, or someone asks it to end."""

    plan: Plan
    learner: Learner
    folder: RunFolder
    position: Position
    limit: Limit
    started: float  # when the run began, the time of interrupted parts counted, on time.monotonic's clock
    checkpoint_seconds: float  # between two checkpoints, scorings aside
    callbacks: Callbacks
    on_progress: Callable[[Event], None]
    interruption: Interruption

    def run(self) -> str:
        """Train; leave the best weights in the run folder.

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
        """How often the text has been read."""
        return self.position.step / self.plan.windows.per_epoch

    def _resume(self) -> str | None:
        """See to it that the run has a model; return why it has ended, if it was resumed at its very end."""
        if not self.folder.kept:  # it is lost, and with it what the best one was
            _, nats = self._evaluate()
            self.position.best, self.position.scorings_since_best = math.inf if nats is None else nats, 0
            self._save(nats)
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
        """Score, write a checkpoint, plan anew, each when it is due; return why the run has ended, or None."""
        position, per_epoch = self.position, self.plan.windows.per_epoch
        ended = self._ended()
        due = is_scoring(position.step, self.plan.windows) or ended in COMPLETED
        if due:
            logs = self._score()
            ended = ended or self._ended()
            if position.step % per_epoch == 0 or ended in COMPLETED:
                self.callbacks.on_epoch_end((position.step - 1) // per_epoch, logs)
                ended = ended or self._ended()  # a callback may have asked for it
        if due or ended or time.monotonic() - self.last_checkpoint >= self.checkpoint_seconds:
            self._checkpoint(ended)
        planned = None if ended else self.limit.replanned(position.step, scored=due)
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

    def _score(self) -> dict[str, float]:
        """Evaluate, keep the weights if they are the best so far, and tell; return the losses for callbacks."""
        begun = time.monotonic()
        weights, nats = self._evaluate()
        best = self._keep_if_best(nats)
        train_nats = self._report(weights, nats, best)
        self.limit.add_scoring(time.monotonic() - begun)
        return {"loss": train_nats} | ({} if nats is None else {"val_loss": nats})

    def _evaluate(self) -> tuple[Weights, float | None]:
        """The weights that can be kept, and their held-out loss; None where nothing is held out."""
        weights, text, hold_out = Weights.from_list(self.learner.kept()), self.plan.corpus.codes, self.plan.hold_out
        nats = score(weights, text, len(text) - hold_out) if hold_out else None
        # A step's loss is that of the weights before it: these may have become infinite since.
        if not (weights.are_finite() and math.isfinite(nats or 0)):
            raise TrainingError(self._not_finite(math.nan))
        return weights, nats

    def _keep_if_best(self, nats: float | None) -> bool:
        """Save the weights if none were better; without a hold-out, the last ones are the best."""
        position = self.position
        if nats is not None and nats >= position.best:
            position.scorings_since_best += 1
            return False
        position.best, position.scorings_since_best = math.inf if nats is None else nats, 0
        # A run that was killed between model and checkpoint may have left a better model than these weights.
        kept = self.folder.kept.validation_nats if self.folder.kept else None
        if nats is None or kept is None or kept >= nats:
            self._save(nats)
        return True

    def _report(self, weights: Weights, nats: float | None, best: bool) -> float:
        """Add to the history, and tell with a sample; return the mean training loss since the last scoring."""
        position = self.position
        train_nats = position.loss_sum / position.loss_count
        position.loss_sum, position.loss_count = 0.0, 0
        self._record(train_nats, nats)
        sample = Generator(self.plan.describe(), weights).generate(length=SAMPLE, rng_seed=SAMPLE_SEED)
        self.on_progress(Scored(self.epochs, self._seconds(), train_nats, nats, best, sample))
        return train_nats

    def _checkpoint(self, ended: str | None) -> None:
        """Write all that the run needs to go on.

        The model as it stands is written too before the first scoring, and, without a hold-out, when the run is
        interrupted: its last weights are the ones to keep.
        """
        if not self.folder.kept or (ended and ended not in COMPLETED and not self.plan.hold_out):
            self._save(None)
        elapsed = time.monotonic() - self.started
        meta = self.plan.to_meta() | {"position": self.position.to_meta(), "elapsed": elapsed}
        self.folder.save_checkpoint(meta, self.learner.state())
        self.last_checkpoint = time.monotonic()

    def _save(self, nats: float | None) -> None:
        description = self.plan.describe(
            epochs=round(self.epochs, 4),
            seconds=self._seconds(),
            validation_nats=nats,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self.folder.save_model(self.learner.save, description)

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
        """How many targets have been trained on."""
        return self.position.step * self.plan.windows.streams * self.plan.windows.length

    def _seconds(self) -> float:
        return round(time.monotonic() - self.started, 1)

    def _not_finite(self, loss: float) -> str:
        kept = f"the best model so far is kept in {self.folder.path}" if self.folder.kept else "nothing was saved"
        return f"the loss became {loss} at step {self.position.step + 1:,}; {kept}; try a lower `learning_rate`"
