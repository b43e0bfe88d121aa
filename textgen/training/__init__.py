"""Codes → weights. The only folder that imports Keras and TensorFlow; see `backend`.

A program that only trains calls `configure` first; see `process`.
"""

from textgen.training.process import configure

__all__ = ["configure"]
