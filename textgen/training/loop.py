"""The training loop: one compiled step, carried state, scorings, callbacks."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from textgen.corpus.vocabulary import Codes
from textgen.corpus.windows import Windows
from textgen.errors import TrainingError
from textgen.evaluation.score import score
from textgen.generation.generator import Generator
from textgen.model_file import Description, Weights
from textgen.training.backend import tf
from textgen.training.interruption import Interruption
from textgen.training.network import Network
from textgen.training.plan import COMPLETED, Budget, is_scoring, scoring_interval
from textgen.training.progress import Event, Scored, Stepped
from textgen.training.recipe import learning_rate
from textgen.training.run_folder import Row, RunFolder

SAMPLE = 80  # characters of the sample at each scoring
SAMPLE_SEED = 1  # the same draws each time, so that samples differ by what was learnt alone


@dataclass
class Position:
    """Where a run stands: all that changes from step to step, the network and its optimizer aside."""

    states: list[list[Any]]  # of each LSTM h and c, float32 (B, H)
    planned_steps: int
    step: int = 0  # steps done
    loss_sum: float = 0.0  # of the steps since the last scoring
    loss_count: int = 0
    best: float = math.inf  # held-out nats of the weights kept
    scorings_since_best: int = 0


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


@dataclass(eq=False)
class Loop:
    """Trains a network until its plan is done, its budget spent, its patience lost, or someone asks it to end."""

    network: Network
    step: Callable[..., Any]  # from compile_step
    windows: Windows
    text: Codes  # whole: the hold-out with what stands before it
    hold_out: int  # characters at the text's end
    description: Description  # what the model file will say, but for the outcome
    folder: RunFolder
    position: Position
    budget: Budget | None
    patience: int | None
    peak: float  # of the learning rate
    started: float  # when the run began, the time of interrupted parts counted, on time.monotonic's clock
    options: Mapping[str, Any]  # what else a checkpoint must hold for the run to go on
    checkpoint_seconds: float  # between two checkpoints, scorings aside
    callbacks: Any  # a keras.callbacks.CallbackList
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
        self.stopwatch = Stopwatch()
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

    def _resume(self) -> str | None:
        """See to it that the run has a model; return why it has ended, if it was resumed at its very end."""
        if not self.folder.kept:  # it is lost, and with it what the best one was
            _, nats = self._evaluate()
            self.position.best, self.position.scorings_since_best = math.inf if nats is None else nats, 0
            self._save(nats)
            self._checkpoint(None)
        return self._ended()

    def _after_step(self) -> str | None:
        """Score, write a checkpoint, plan anew, each when it is due; return why the run has ended, or None."""
        ended = self._ended()
        due = is_scoring(self.position.step, self.windows) or ended in COMPLETED
        if due:
            logs = self._score()
            ended = ended or self._ended()
            if self.position.step % self.windows.per_epoch == 0 or ended in COMPLETED:
                self.callbacks.on_epoch_end((self.position.step - 1) // self.windows.per_epoch, logs)
                ended = ended or self._ended()  # a callback may have asked for it
        if due or ended or time.monotonic() - self.last_checkpoint >= self.checkpoint_seconds:
            self._checkpoint(ended)
        if self.budget and not ended:
            self._plan_anew(self.budget, scored=due)
        return ended

    @property
    def epochs(self) -> float:
        """How often the text has been read."""
        return self.position.step / self.windows.per_epoch

    @property
    def characters(self) -> int:
        """How many targets have been trained on."""
        return self.position.step * self.windows.streams * self.windows.length

    def _rate(self) -> float:
        return learning_rate(self.peak, self.position.step, self.position.planned_steps)

    def _take_step(self) -> None:
        position = self.position
        epoch, place = divmod(position.step, self.windows.per_epoch)
        if place == 0:
            self.callbacks.on_epoch_begin(epoch)
        begins = self.windows.begins(position.step)
        if begins.any():
            position.states = [[tf.where(begins[:, None], 0.0, array) for array in pair] for pair in position.states]
        begun = time.monotonic()
        self.callbacks.on_train_batch_begin(place)
        codes, targets = self.windows.window(position.step)
        rate = tf.constant(self._rate(), tf.float32)
        loss, position.states = self.step(codes, targets, position.states, tf.constant(position.step), rate)
        loss = float(loss)
        if not math.isfinite(loss):
            raise TrainingError(self._not_finite(loss))
        position.step += 1
        position.loss_sum += loss
        position.loss_count += 1
        self.callbacks.on_train_batch_end(place, {"loss": loss})
        self.stopwatch.add(time.monotonic() - begun)
        self.on_progress(
            Stepped(
                position.step,
                position.planned_steps,
                loss,
                self.epochs,
                self.characters,
                self._seconds_left(),
            )
        )

    def _not_finite(self, loss: float) -> str:
        kept = f"the best model so far is kept in {self.folder.path}" if self.folder.kept else "nothing was saved"
        return f"the loss became {loss} at step {self.position.step + 1:,}; {kept}; try a lower `learning_rate`"

    def _seconds_left(self) -> float | None:
        if self.budget:
            return max(0.0, self.budget.deadline - time.monotonic())
        if self.stopwatch.step_seconds is None:
            return None
        return self.stopwatch.step_seconds * (self.position.planned_steps - self.position.step)

    def _ended(self) -> str | None:
        if self.interruption.signal:
            return self.interruption.signal.name
        if self.network.training_model.stop_training:
            return "callback"
        if self.patience is not None and self.position.scorings_since_best >= self.patience:
            return "patience"
        done = self.position.step >= self.position.planned_steps
        if self.budget:
            return "budget" if done or self.budget.seconds_left() <= 0 else None
        return "plan" if done else None

    def _evaluate(self) -> tuple[Weights, float | None]:
        """The weights that can be kept, and their held-out loss; None where nothing is held out."""
        weights = Weights.from_list(self.network.kept())
        nats = score(weights, self.text, len(self.text) - self.hold_out) if self.hold_out else None
        # A step's loss is that of the weights before it: these may have become infinite since.
        if not (weights.are_finite() and math.isfinite(nats or 0)):
            raise TrainingError(self._not_finite(math.nan))
        return weights, nats

    def _score(self) -> dict[str, float]:
        """Score the weights, keep them if they are the best so far, and tell; return the losses for callbacks."""
        position = self.position
        begun = time.monotonic()
        weights, nats = self._evaluate()
        best = nats is None or nats < position.best
        if best:
            position.best = math.inf if nats is None else nats
            if not self._better_is_kept(nats):
                self._save(nats)
        position.scorings_since_best = 0 if best else position.scorings_since_best + 1
        train_nats = position.loss_sum / position.loss_count
        position.loss_sum, position.loss_count = 0.0, 0
        self._record(train_nats, nats)
        sample = Generator(self.description, weights).generate(length=SAMPLE, rng_seed=SAMPLE_SEED)
        self.on_progress(Scored(self.epochs, self._seconds(), train_nats, nats, best, sample))
        if self.budget:
            self.budget.scoring_seconds = time.monotonic() - begun
        return {"loss": train_nats} | ({} if nats is None else {"val_loss": nats})

    def _better_is_kept(self, nats: float | None) -> bool:
        """Whether a run that was killed between model and checkpoint has left a better model than these weights."""
        kept = self.folder.kept.validation_nats if self.folder.kept else None
        return nats is not None and kept is not None and kept < nats

    def _checkpoint(self, ended: str | None) -> None:
        """Write all that the run needs to go on.

        The model as it stands is written too before the first scoring, and, without a hold-out, when the run is
        interrupted: its last weights are the ones to keep.
        """
        if not self.folder.kept or (ended and ended not in COMPLETED and not self.hold_out):
            self._save(None)
        position = asdict(replace(self.position, states=[]))
        position["best"] = None if math.isinf(self.position.best) else self.position.best
        arrays = {
            "weights": self.network.weights(),
            "averages": self.network.averaged(),
            "optimizer": [variable.numpy() for variable in self.network.training_model.optimizer.variables],
            "states": [array.numpy() for state in self.position.states for array in state],
        }
        meta = dict(self.options) | {"position": position, "elapsed": time.monotonic() - self.started}
        self.folder.save_checkpoint(meta, arrays)
        self.last_checkpoint = time.monotonic()

    def _seconds(self) -> float:
        return round(time.monotonic() - self.started, 1)

    def _record(self, train_nats: float | None, validation_nats: float | None) -> None:
        position = self.position
        seconds = self._seconds()
        self.folder.record(
            Row(
                position.step,
                round(self.epochs, 4),
                self.characters,
                seconds,
                position.planned_steps,
                self._rate(),
                train_nats,
                validation_nats,
            )
        )

    def _save(self, nats: float | None) -> None:
        training = replace(
            self.description.training,
            epochs=round(self.epochs, 4),
            seconds=self._seconds(),
            validation_nats=nats,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self.folder.save_model(self.network.save, replace(self.description, training=training))

    def _plan_anew(self, budget: Budget, *, scored: bool) -> None:
        """Under a budget, fit the number of steps to the speed of the last ones, at each scoring and in between."""
        position, seconds = self.position, self.stopwatch.step_seconds
        if seconds is None or not (scored or position.step >= budget.next_look):
            return
        interval = scoring_interval(self.windows)
        position.planned_steps = position.step + budget.steps_left(seconds, interval)
        budget.next_look = position.step + budget.pause(position.planned_steps, interval)
        self.stopwatch.restart()
        self._record(None, None)
