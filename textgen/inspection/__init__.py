"""Shows what the cells and gates of a model do in a text. NumPy only."""
