"""Weights → text. NumPy only."""
