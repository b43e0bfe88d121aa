import numpy as np
import pytest

keras = pytest.importorskip("textgen.training.backend").keras

from textgen.config import Shape  # noqa: E402
from textgen.training.backend import tf  # noqa: E402
from textgen.training.network import build  # noqa: E402
from textgen.training.optimizer import AdamW  # noqa: E402


def stepped(kind: type) -> list[np.ndarray]:
    """The weights of a network after six steps, from tiny gradients to clipped ones, and the optimizer's variables."""
    variables = build(Shape(1, 16, 0.0, 8), 20, 1).training_model.trainable_variables
    optimizer = kind(learning_rate=0.0, weight_decay=0.3, beta_2=0.99, global_clipnorm=1.0)
    optimizer.build(variables)

    @tf.function(autograph=False)
    def apply(*gradients: tf.Tensor) -> None:
        optimizer.apply(gradients, variables)

    rng = np.random.default_rng(3)
    for number in range(6):
        optimizer.learning_rate.assign(0.01 * (number + 1))
        apply(*(tf.constant(rng.normal(size=array.shape) * 10.0 ** (number - 3), tf.float32) for array in variables))
    return [np.asarray(array) for array in (*variables, *optimizer.variables)]


def test_it_is_keras_s_adamw_with_the_same_variables() -> None:
    """So a checkpoint of either is one of the other."""
    for one, other in zip(stepped(AdamW), stepped(keras.optimizers.AdamW), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6 * np.abs(other).max())
