"""Codes → weights. The only folder that imports Keras and TensorFlow, quietly; see `backend`."""
