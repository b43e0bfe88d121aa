"""What all requests share: the models, the engine, the limits, and who may ask."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from textgen.serving.engine import Engine
from textgen.serving.jobs import Jobs
from textgen.serving.limits import Limits
from textgen.serving.metrics import Metrics
from textgen.serving.models import Models
from textgen.serving.refusal import RefusalError, busy, stopping
from textgen.serving.uploads import Uploads

MOST_NAMED = 20
MOST_TOLD = 1000  # names of unknown fields that are told of in the log
LOCAL = ("localhost", "localhost.localdomain")  # names of the machine itself
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What whoever starts the server decides.

    Attributes:
        limits: how much may be asked for.
        strict: whether fields that OpenAI does not know are refused.
        token: what a client must know; None lets all in.
        origins: of other pages that may use the API.
        hosts: names under which the server is reached, beside IP addresses; empty if any.
        training: whether trainings and uploads are possible.
    """

    limits: Limits = field(default_factory=Limits)
    strict: bool = False
    token: str | None = None
    origins: Sequence[str] = ()
    hosts: Sequence[str] = LOCAL
    training: bool = True


class Service:
    """What all requests share.

    Attributes:
        settings: those of the server.
        limits: those of the settings.
        models: the models at hand.
        engine: writes all texts.
        metrics: counts.
        jobs: the trainings; None where they are switched off, or there is no folder for runs.
        uploads: texts for trainings.
        stopping: whether the server is about to end.
    """

    def __init__(self, models: Models, settings: Settings) -> None:
        """Make the engine; `start` lets it run."""
        self.models, self.settings, self.limits = models, settings, settings.limits
        self.engine = Engine(self.limits.streams, self.limits.queue)
        self.metrics = Metrics(lambda: self.engine.active, lambda: self.engine.waiting)
        folder = models.folder
        self.jobs = Jobs(folder) if settings.training and folder is not None else None
        self.uploads = Uploads(folder or Path())
        self.stopping = False
        self._told: set[str] = set()

    @property
    def strict(self) -> bool:
        """Whether unknown fields are refused."""
        return self.settings.strict

    def trainings(self) -> Jobs:
        """The trainings; `RefusalError` if they are switched off."""
        if self.jobs is None:
            raise RefusalError(403, "trainings are switched off on this server", code="training_off")
        return self.jobs

    def check_room(self, texts: int) -> None:
        """Raise `RefusalError` unless so many texts can be taken."""
        if self.stopping or not self.engine.alive:
            raise stopping()
        if texts > self.limits.streams + self.limits.queue:
            most = self.limits.streams + self.limits.queue
            raise RefusalError(400, f"a request is for at most {most:,} texts here, not {texts:,}", param="n")
        if not self.engine.has_room(texts):
            raise busy(
                f"{self.limits.streams:,} texts are being written and {self.engine.waiting:,} wait; try again soon"
            )

    def tell_ignored(self, names: Sequence[str]) -> None:
        """Log the names of fields that are passed over, each once."""
        new = [name for name in names if name not in self._told]
        if new and len(self._told) < MOST_TOLD:
            self._told.update(new)
            log.warning("fields that are passed over: %s", named(new))


def named(names: Sequence[str]) -> str:
    """The names of fields, as a header and the log can hold them."""
    shown = [name[:40] if name.isascii() and name.isidentifier() else "(another)" for name in names[:MOST_NAMED]]
    return ", ".join(shown)
