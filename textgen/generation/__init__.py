"""Generates text from weights. NumPy only."""
