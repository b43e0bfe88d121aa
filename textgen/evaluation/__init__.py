"""How good a model is. NumPy only."""
