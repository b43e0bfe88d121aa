"""Text → codes → windows. NumPy only."""
