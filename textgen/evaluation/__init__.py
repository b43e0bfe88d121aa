"""Evaluates models. NumPy only."""
