"""What textgen's recipe chooses for a training with a budget, for a peer to follow. Imports no framework."""

from dataclasses import dataclass
from typing import Self

from textgen.config import ModelConfig, Shape, TrainingConfig
from textgen.corpus.corpus import Corpus
from textgen.corpus.windows import Windows
from textgen.training import recipe
from textgen.training.plan import STARTING_SECONDS, is_scoring, scoring_interval
from textgen.training.speed import characters_a_second

UNPLANNED = 1000  # steps supposed until the speed is known


@dataclass(frozen=True)
class Recipe:
    """A training as textgen would do it, but for the network's implementation.

    Attributes:
        model: the network's shape.
        windows: of the training part.
        peak: the learning rate's.
        first_held_out: where the hold-out begins.
    """

    model: Shape
    windows: Windows
    peak: float
    first_held_out: int

    @classmethod
    def choose(cls, corpus: Corpus, minutes: float, rng_seed: int) -> Self:
        """Choose for a text and a budget."""
        characters, symbols = len(corpus) - corpus.hold_out(), len(corpus.vocabulary)
        shape = recipe.shape(ModelConfig(), symbols=symbols, epochs=1)
        speed = characters_a_second(shape, recipe.batch_size(characters), symbols)
        model, training, _ = recipe.complete(
            ModelConfig(),
            TrainingConfig(rng_seed=rng_seed),
            characters=characters,
            symbols=symbols,
            epochs=max(0.0, 60 * minutes - STARTING_SECONDS) * speed / characters,
        )
        windows = Windows(corpus.codes[:characters], training.batch_size, training.window, rng_seed)
        return cls(model, windows, training.learning_rate, characters)

    def learning_rate(self, step: int, planned: int) -> float:
        """The learning rate of a step."""
        return recipe.learning_rate(self.peak, step, planned)

    @staticmethod
    def kept(step: int) -> float:
        """The share of the weights' running average that a step keeps."""
        return min(recipe.AVERAGED, (1 + step) / (10 + step))

    def is_scoring(self, step: int) -> bool:
        """Whether the network is scored after so many steps."""
        return is_scoring(step, self.windows)

    def planned(self, step: int, seconds_left: float, step_seconds: float | None, scoring_seconds: float) -> int:
        """The steps in all that fit into the time left, with the scorings between them and after them."""
        if step_seconds is None:
            return UNPLANNED
        each = step_seconds + scoring_seconds / scoring_interval(self.windows)
        return step + max(0, int((seconds_left - scoring_seconds) / each))
