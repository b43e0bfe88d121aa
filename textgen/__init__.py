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
    from textgen.html_file import export
    from textgen.inspection.analyses import find_cells, gates_at, saturation, similar_passages
    from textgen.inspection.around import GatesAt
    from textgen.inspection.finding import FoundCells
    from textgen.inspection.saturation import Saturation
    from textgen.inspection.similar import SimilarPassages
    from textgen.inspection.trace import Trace, trace, trace_pieces
    from textgen.training.attribution import attribute
    from textgen.training.bar import progress
    from textgen.training.cluster import Cluster
    from textgen.training.progress import TrainingResult
    from textgen.training.train import train
    from textgen.training.tuning import Tuning, tune

__version__ = "0.1.0"

__all__ = [
    "Accuracy",
    "Attribution",
    "Candidate",
    "Cluster",
    "Corpus",
    "CorpusError",
    "CrossValidation",
    "Distances",
    "Evaluation",
    "FoundCells",
    "GatesAt",
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
    "Saturation",
    "Score",
    "SeedError",
    "SimilarPassages",
    "Text",
    "TextgenError",
    "Trace",
    "TrainingConfig",
    "TrainingError",
    "TrainingResult",
    "Tuning",
    "attribute",
    "evaluate",
    "export",
    "find_cells",
    "gates_at",
    "load",
    "memory_curve",
    "novelty",
    "progress",
    "saturation",
    "score",
    "similar_passages",
    "trace",
    "trace_pieces",
    "train",
    "tune",
]

_HOMES = {
    "Accuracy": "textgen.evaluation.attribution",
    "Attribution": "textgen.evaluation.attribution",
    "Candidate": "textgen.evaluation.judgement",
    "Cluster": "textgen.training.cluster",
    "Corpus": "textgen.corpus.corpus",
    "CorpusError": "textgen.errors",
    "CrossValidation": "textgen.evaluation.attribution",
    "Distances": "textgen.evaluation.stylometry",
    "Evaluation": "textgen.evaluation.evaluate",
    "FoundCells": "textgen.inspection.finding",
    "GatesAt": "textgen.inspection.around",
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
    "Saturation": "textgen.inspection.saturation",
    "Score": "textgen.evaluation.score",
    "SeedError": "textgen.errors",
    "SimilarPassages": "textgen.inspection.similar",
    "Text": "textgen.generation.generator",
    "TextgenError": "textgen.errors",
    "Trace": "textgen.inspection.trace",
    "TrainingConfig": "textgen.config",
    "TrainingError": "textgen.errors",
    "TrainingResult": "textgen.training.progress",
    "Tuning": "textgen.training.tuning",
    "attribute": "textgen.training.attribution",
    "evaluate": "textgen.evaluation.evaluate",
    "export": "textgen.html_file",
    "find_cells": "textgen.inspection.analyses",
    "gates_at": "textgen.inspection.analyses",
    "load": "textgen.generation.generator",
    "memory_curve": "textgen.evaluation.memory",
    "novelty": "textgen.evaluation.novelty",
    "progress": "textgen.training.bar",
    "saturation": "textgen.inspection.analyses",
    "score": "textgen.evaluation.score",
    "similar_passages": "textgen.inspection.analyses",
    "trace": "textgen.inspection.trace",
    "trace_pieces": "textgen.inspection.trace",
    "train": "textgen.training.train",
    "tune": "textgen.training.tuning",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, for `dir`, `help` and completion."""
    return sorted([*__all__, "__version__"])
