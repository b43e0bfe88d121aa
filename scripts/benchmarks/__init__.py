"""Measures textgen beside PyTorch on one machine; run by scripts/benchmark, told in docs/performance.md."""

from textgen.config import Shape

SHAPE, SYMBOLS = Shape(layers=2, units=300, dropout=0.2, embedding=64), 65  # of the networks whose speed is measured
