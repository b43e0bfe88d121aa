"""Default hyperparameters, chosen from the text's size: batch size, learning rate, dropout, embedding, epochs.

The choices follow measurements, see docs/performance.md.
"""

import math
import secrets
from dataclasses import asdict, replace

from textgen.cells import CELLS
from textgen.config import DEFAULT_LAYERS, DEFAULT_UNITS, Hyperparameters, ModelConfig, Shape, TrainingConfig
from textgen.corpus.windows import Windows

FINE_TUNING_RATE = 3e-3  # lower, so that the weights change less
WARM_UP = 50  # steps over which the learning rate rises
FLOOR = 0.03  # fraction of the peak at the end
BETA_2 = 0.99  # lower than usual, since gradients change fast in short runs
AVERAGED = 0.998  # decay of the running average of the weights, which spans some 500 steps
GRADIENT_NORM = 1.0  # the whole gradient is scaled down to this norm (Pascanu, Mikolov and Bengio, 2013)


def complete(
    model: ModelConfig,
    training: TrainingConfig,
    *,
    characters: int,
    symbols: int,
    epochs: float,
    fine_tuning: bool = False,
) -> tuple[Shape, Hyperparameters, list[str]]:
    """Choose the values that are `None`.

    Args:
        model: any value may be None.
        training: batch size, learning rate, weight decay and random seed may be None; a patience of None is no early
            stopping.
        characters: to train on, without the held-out part; at least one window.
        symbols: the vocabulary size.
        epochs: the planned or expected number of epochs.
        fine_tuning: whether training starts from trained weights.

    Returns:
        The architecture, the hyperparameters, and notes for the user.
    """
    notes = []
    most = Windows.most_streams(characters, training.window)
    streams = training.batch_size or batch_size(characters)
    if streams > most:
        if training.batch_size:
            notes.append(f"the text is too short for batch size {streams}; {most} is used")
        streams = most
    decided = shape(model, symbols=symbols, epochs=epochs)
    peak = (FINE_TUNING_RATE if fine_tuning else _peak(characters)) * CELLS[decided.cell].rate
    decay = 0.1 if fine_tuning else _weight_decay(characters)
    chosen = Hyperparameters(
        window=training.window,
        batch_size=streams,
        learning_rate=peak if training.learning_rate is None else training.learning_rate,
        patience=training.patience,
        validation=training.validation,
        rng_seed=secrets.randbits(31) if training.rng_seed is None else training.rng_seed,
        weight_decay=decay if training.weight_decay is None else training.weight_decay,
    )
    return decided, chosen, notes


def shape(model: ModelConfig, *, symbols: int, epochs: float) -> Shape:
    """The architecture for a vocabulary of `symbols` characters and a number of epochs."""
    chosen = Shape(DEFAULT_LAYERS, DEFAULT_UNITS, _dropout(epochs), 64 if symbols <= 256 else 128)
    return replace(chosen, **{name: value for name, value in asdict(model).items() if value is not None})


def batch_size(characters: int) -> int:
    """The batch size: smaller for a short text, which would be memorised after few steps."""
    return 8 if characters < 50_000 else 16


def _weight_decay(characters: int) -> float:
    """The weight decay: stronger for a shorter text, which is read so often that it would be memorised."""
    return 0.3 if characters < 300_000 else 0.1


def _peak(characters: int) -> float:
    """The peak learning rate: lower for a text so long that it is read only once or twice."""
    return 1e-2 if characters < 3_000_000 else 7e-3


def _dropout(epochs: float) -> float:
    """The dropout rate: 0 for few epochs, higher for more."""
    return 0.0 if epochs < 4 else 0.1 if epochs < 9 else 0.3


def planned_epochs(characters: int) -> int:
    """The number of epochs if neither epochs nor minutes are given: more for a smaller text."""
    epochs: float = 20 * (100_000 / characters) ** 0.2
    return round(min(40, max(2, epochs)))


def learning_rate(peak: float, step: int, steps: int) -> float:
    """The learning rate of a step, of `steps` planned: linear warm-up, then a cosine (Loshchilov and Hutter, 2017)."""
    warm_up = min(WARM_UP, max(1, steps // 10))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    progress = min(1.0, (step - warm_up) / max(1, steps - warm_up))
    return peak * (FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * progress)) / 2)
