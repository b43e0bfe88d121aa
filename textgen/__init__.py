"""textgen trains a character-level LSTM on any text and generates new text in its style.

Importing it is fast: names are imported when they are first used (PEP 562), and only `train` imports Keras.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textgen.config import ModelConfig, Reading, SamplingConfig, TrainingConfig
    from textgen.corpus.corpus import Corpus
    from textgen.errors import CorpusError, ModelFileError, RunError, SeedError, TextgenError, TrainingError
    from textgen.evaluation.attribution import Accuracy, Attribution, CrossValidation
    from textgen.evaluation.evaluate import Evaluation, evaluate
    from textgen.evaluation.judgement import Candidate, Judgement
    from textgen.evaluation.memory import MemoryCurve, memory_curve
    from textgen.evaluation.novelty import Novelty, novelty
    from textgen.evaluation.score import Score, score
    from textgen.evaluation.stylometry import Distances
    from textgen.generation.generator import Generator, Text, load
    from textgen.generation.logprobs import Logprob
    from textgen.inspection.trace import Trace, trace
    from textgen.training.attribution import attribute
    from textgen.training.bar import progress
    from textgen.training.progress import TrainingResult
    from textgen.training.train import train

__version__ = "0.1.0"

__all__ = [
    "Accuracy",
    "Attribution",
    "Candidate",
    "Corpus",
    "CorpusError",
    "CrossValidation",
    "Distances",
    "Evaluation",
    "Generator",
    "Judgement",
    "Logprob",
    "MemoryCurve",
    "ModelConfig",
    "ModelFileError",
    "Novelty",
    "Reading",
    "RunError",
    "SamplingConfig",
    "Score",
    "SeedError",
    "Text",
    "TextgenError",
    "Trace",
    "TrainingConfig",
    "TrainingError",
    "TrainingResult",
    "attribute",
    "evaluate",
    "load",
    "memory_curve",
    "novelty",
    "progress",
    "score",
    "trace",
    "train",
]

_HOMES = {
    "Accuracy": "textgen.evaluation.attribution",
    "Attribution": "textgen.evaluation.attribution",
    "Candidate": "textgen.evaluation.judgement",
    "Corpus": "textgen.corpus.corpus",
    "CorpusError": "textgen.errors",
    "CrossValidation": "textgen.evaluation.attribution",
    "Distances": "textgen.evaluation.stylometry",
    "Evaluation": "textgen.evaluation.evaluate",
    "Generator": "textgen.generation.generator",
    "Judgement": "textgen.evaluation.judgement",
    "Logprob": "textgen.generation.logprobs",
    "MemoryCurve": "textgen.evaluation.memory",
    "ModelConfig": "textgen.config",
    "ModelFileError": "textgen.errors",
    "Novelty": "textgen.evaluation.novelty",
    "Reading": "textgen.config",
    "RunError": "textgen.errors",
    "SamplingConfig": "textgen.config",
    "Score": "textgen.evaluation.score",
    "SeedError": "textgen.errors",
    "Text": "textgen.generation.generator",
    "TextgenError": "textgen.errors",
    "Trace": "textgen.inspection.trace",
    "TrainingConfig": "textgen.config",
    "TrainingError": "textgen.errors",
    "TrainingResult": "textgen.training.progress",
    "attribute": "textgen.training.attribution",
    "evaluate": "textgen.evaluation.evaluate",
    "load": "textgen.generation.generator",
    "novelty": "textgen.evaluation.novelty",
    "memory_curve": "textgen.evaluation.memory",
    "progress": "textgen.training.bar",
    "score": "textgen.evaluation.score",
    "trace": "textgen.inspection.trace",
    "train": "textgen.training.train",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, for `dir`, `help` and completion."""
    return sorted([*__all__, "__version__"])
